//! Claims, their fence and their end, on SQLite.

use std::collections::HashSet;
use std::time::Duration;

use bellhop_domain::id::{ChannelId, ContactId, EventId, HostId, KeyId, WorkspaceId};
use bellhop_domain::kind::{EventKind, Lane};
use bellhop_domain::settle::SettleWindow;
use bellhop_domain::time::Timestamp;
use sqlx::Row;
use tokio_util::task::TaskTracker;

use super::*;
use crate::db::{Bulk, Clock, Db, Schema};

/// Longer than a lease.
const LEASE_OVER: Duration = Duration::from_secs(6);

struct House {
    _folder: tempfile::TempDir,
    clock: Clock,
    db: Db,
    inbox: Inbox,
}

async fn house() -> House {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(Timestamp::from_millis(1_795_176_000_000));
    let db = Db::open(&Db::sqlite_url(&folder.path().join("store.db")), Schema::Store, clock.clone()).await.unwrap();
    let inbox = Inbox::start(db.clone(), &TaskTracker::new(), SettleWindow::NONE, Wake::default(), Wake::default());
    House { _folder: folder, clock, db, inbox }
}

impl House {
    /// Messages of one person, `from` to `to` in Meta's time.
    async fn say(&self, numbers: std::ops::Range<u32>) {
        let arrival = |n: u32| Arrival {
            workspace: WorkspaceId::parse("w").unwrap(),
            id: EventId::new(),
            channel: ChannelId::parse("c").unwrap(),
            thread: Some([7; 32]),
            dedupe: std::array::from_fn(|at| n.to_be_bytes().get(at).copied().unwrap_or(0)),
            lane: Lane::Contact,
            kind: EventKind::Message,
            at: Timestamp::from_millis(i64::from(n)),
            position: 0,
            immediate: false,
            key: KeyId::parse("k").unwrap(),
            sealed: vec![1],
        };
        self.inbox.store(numbers.map(arrival).collect()).await.unwrap();
    }

    async fn claim(&self) -> Vec<Claimed> {
        let asked = Claim::new(HostId::parse("h").unwrap(), 8);
        claim(&self.db, &asked).await.unwrap()
    }

    async fn claim_one(&self) -> Claimed {
        self.claim().await.pop().expect("a conversation is ready")
    }

    async fn n_open(&self, claimed: &Claimed) -> usize {
        events_open(&self.db, std::slice::from_ref(claimed), 100).await.unwrap().len()
    }
}

fn finish(claimed: &Claimed) -> Finish {
    Finish {
        claimed: claimed.clone(),
        contact: ContactId::parse("somebody").unwrap(),
        mode: "automated".to_owned(),
        mode_until: None,
        floor: None,
        last_contact_event_at: None,
        last_answered_at: None,
        took_all: true,
    }
}

#[tokio::test]
async fn of_two_claims_of_one_conversation_only_the_later_may_write() {
    let house = house().await;
    house.say(0..1).await;
    let stale = house.claim_one().await;
    house.clock.advance(LEASE_OVER);
    let ours = house.claim_one().await;
    let mut transaction = house.db.begin_write().await.unwrap();
    let kept = finish_in(&mut transaction, &[finish(&stale), finish(&ours)]).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(kept, HashSet::from([(ours.conversation.clone(), ours.epoch)]));
}

#[tokio::test]
async fn a_claim_that_was_given_back_is_not_renewed() {
    let house = house().await;
    house.say(0..1).await;
    let claimed = house.claim_one().await;
    let held = [(claimed.workspace.clone(), claimed.conversation.clone(), claimed.epoch)];
    release(&house.db, std::slice::from_ref(&claimed), false, house.db.now()).await.unwrap();
    renew(&house.db, &held).await.unwrap();
    assert_eq!(house.claim().await.len(), 1, "nobody holds it, so it is taken at once");
}

#[tokio::test]
async fn a_lease_that_is_renewed_is_not_taken_over() {
    let house = house().await;
    house.say(0..1).await;
    let claimed = house.claim_one().await;
    house.clock.advance(Duration::from_secs(4));
    renew(&house.db, &[(claimed.workspace.clone(), claimed.conversation.clone(), claimed.epoch)]).await.unwrap();
    house.clock.advance(Duration::from_secs(4));
    assert!(house.claim().await.is_empty());
    house.clock.advance(LEASE_OVER);
    assert_eq!(house.claim().await.len(), 1);
}

#[tokio::test]
async fn who_has_lost_a_claim_parks_nothing() {
    let house = house().await;
    house.say(0..1).await;
    let stale = house.claim_one().await;
    house.clock.advance(LEASE_OVER);
    let ours = house.claim_one().await;
    park_all(&house.db, &stale, "unusable").await.unwrap();
    assert_eq!(house.n_open(&ours).await, 1);
    park_all(&house.db, &ours, "unusable").await.unwrap();
    assert_eq!(house.n_open(&ours).await, 0);
    house.clock.advance(LEASE_OVER);
    assert!(house.claim().await.is_empty(), "nothing is left to be claimed for");
}

#[tokio::test]
async fn a_flood_in_one_conversation_is_read_in_pieces_oldest_first() {
    let house = house().await;
    house.say(5..65).await;
    house.say(0..5).await;
    let claimed = house.claim_one().await;
    let read = events_open(&house.db, std::slice::from_ref(&claimed), 51).await.unwrap();
    let times: Vec<i64> = read.iter().map(|event| event.at.millis()).collect();
    assert_eq!(times, (0..51).collect::<Vec<i64>>());
}

#[tokio::test]
async fn open_events_are_found_by_their_index() {
    let house = house().await;
    house.say(0..3).await;
    let claimed = [house.claim_one().await];
    let explain: &'static str = format!("explain query plan {}", claim::OPEN_EVENTS).leak();
    let rows = house.db.fetch_all(claim::open_events(Bulk::new(explain), &claimed, 50)).await.unwrap();
    let steps: Vec<String> = rows.iter().map(|row| row.get::<String, _>(3)).collect();
    let by_index = |step: &String| step.contains("inbox_event_open (workspace_id=? AND conversation_id=?)");
    assert!(steps.iter().any(by_index), "{steps:#?}");
}
