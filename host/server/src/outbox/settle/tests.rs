//! What settling one attempt leaves of another.

use bellhop_domain::id::ChannelId;

use super::*;
use crate::db::testing::{fresh, reached};

/// What a delivery stands as when the end of the attempt of host `h` with the lease until 5 comes to be written.
const NOW: [(&str, &str, i64); 8] = [
    ("sending", "h", 5),
    ("sending", "h", 6),
    ("sending", "g", 5),
    ("unknown", "h", 5),
    ("retry", "h", 5),
    ("held", "h", 5),
    ("dead", "h", 5),
    ("read", "h", 5),
];

fn end(workspace: &WorkspaceId, id: &DeliveryId, state: State) -> Settled {
    let (reason, mid) = (Some(String::from("why")), (state == State::Sent).then_some([7; 32]));
    let at = Timestamp::from_millis(9);
    Settled {
        workspace: workspace.clone(),
        id: id.clone(),
        owner: HostId::parse("h").unwrap(),
        claimed_until: Timestamp::from_millis(5),
        row: Row { state, reason, due_at: at, lease_until: at, mid, meta_at: None },
        is_postponed: false,
        suppression: None,
        lookup: (state == State::Unknown).then(|| Due::new((workspace, &ChannelId::parse("c").unwrap(), id), at)),
        undelivered: None,
    }
}

/// What becomes of them all by an attempt that ended so, and how many looks are planned.
async fn after(end_state: State) -> (Vec<String>, i64) {
    let (_folder, _clock, db) = fresh().await;
    let workspace = WorkspaceId::new();
    let mut ends = Vec::new();
    for (n, (state, owner, lease_until)) in (0_i64..).zip(NOW) {
        let id = DeliveryId::new();
        let insert = "insert into delivery (workspace_id, id, conversation_id, channel_id, contact_id, message_id, kind, \
                      state, revision, attempts, due_at, owner, lease_until, created_at) \
                      values ($1, $2, 'c', 'c', 'p', 'm', 'text', $3, 0, 1, 0, $4, $5, $6)";
        let insert = sqlx::query(insert).bind(workspace.as_str().to_owned()).bind(id.as_str().to_owned());
        db.execute(insert.bind(state).bind(owner).bind(lease_until).bind(n)).await.unwrap();
        ends.push(end(&workspace, &id, end_state));
    }
    write_group(db.clone(), Arc::new(ends)).await.unwrap();
    let rows = db.fetch_all(sqlx::query("select state from delivery order by created_at")).await.unwrap();
    let n_looks = db.fetch_optional(sqlx::query("select count(*) from delivery_lookup")).await.unwrap().unwrap();
    (rows.iter().map(|row| row.get(0)).collect(), n_looks.get(0))
}

#[tokio::test]
async fn only_what_is_still_on_this_way_is_lost_or_refused() {
    let others = ["sending", "sending", "unknown", "retry", "held", "dead", "read"];
    for (state, n_looks) in [(State::Retry, 0), (State::Unknown, 1), (State::Dead, 0), (State::Dropped, 0)] {
        let expected: Vec<&str> = std::iter::once(state.as_str()).chain(others).collect();
        assert_eq!(after(state).await, (expected.into_iter().map(str::to_owned).collect(), n_looks));
    }
}

#[tokio::test]
async fn what_meta_took_was_sent_whatever_was_believed_of_it() {
    assert_eq!(after(State::Sent).await.0, ["sent", "sent", "sent", "sent", "sent", "sent", "dead", "read"]);
}

#[tokio::test]
async fn an_end_finds_its_delivery_by_its_id() {
    let (_folder, _clock, db) = fresh().await;
    let ends = [end(&WorkspaceId::new(), &DeliveryId::new(), State::Sent)];
    reached(&db, update(&ends, db.now()).explained(), "delivery", &["PRIMARY KEY (workspace_id=? AND id=?)"]).await;
    reached(&db, update(&ends, db.now()).explained(), "t", &["task_of_delivery"]).await;
}
