//! Arrivals: one transaction for all webhooks that wait at the same time, and only then 200.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use bellhop_domain::id::{ChannelId, ConversationId, EventId, KeyId, WorkspaceId};
use bellhop_domain::kind::{EventKind, Lane};
use bellhop_domain::settle::SettleWindow;
use bellhop_domain::time::Timestamp;
use sqlx::Row;
use tokio_util::task::TaskTracker;

use crate::db::{Bulk, Db, DbError, Group, GroupError, Moment, Signal, WriteTransaction, moment};
use crate::inbox::Wake;

/// Webhook bodies that share one transaction at most; more wait for the next one.
const MAX_BODIES: usize = 64;

/// An event on its way to disk; its content is sealed already.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The event's id, bound into the seal.
    pub id: EventId,
    /// The channel it came by.
    pub channel: ChannelId,
    /// HMAC of channel and person; `None` for events that belong to no conversation.
    pub thread: Option<[u8; 32]>,
    /// HMAC of what tells this event from others.
    pub dedupe: [u8; 32],
    /// Which lane it takes.
    pub lane: Lane,
    /// What happened.
    pub kind: EventKind,
    /// Meta's time, or ours where Meta gave none.
    pub at: Timestamp,
    /// Position in the body.
    pub position: u32,
    /// Does not wait for the settle window.
    pub immediate: bool,
    /// The key of `sealed`.
    pub key: KeyId,
    /// The cut slice.
    pub sealed: Vec<u8>,
}

/// What became of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stored {
    /// Events on disk for the first time.
    pub new: usize,
    /// Events that were there before.
    pub duplicates: usize,
}

/// The door of the inbox. Clones share one writer.
#[derive(Debug, Clone)]
pub struct Inbox {
    group: Group<Vec<Arrival>, Stored>,
}

impl Inbox {
    /// Starts the writer; `contact` and `control` are woken when there is work for them.
    pub fn start(db: Db, tracker: &TaskTracker, window: SettleWindow, contact: Wake, control: Wake) -> Self {
        let group = Group::start(tracker, MAX_BODIES, move |bodies: Arc<Vec<Vec<Arrival>>>| {
            let (db, contact, control) = (db.clone(), contact.clone(), control.clone());
            async move {
                let stored = write(&db, &bodies, window).await?;
                let now = db.now();
                let arrivals = || bodies.iter().flatten();
                if arrivals().any(|arrival| arrival.lane == Lane::Contact && arrival.immediate) {
                    contact.notify();
                }
                if arrivals().any(|arrival| arrival.lane == Lane::Contact) {
                    contact.notify_at(now + window.quiet, now);
                }
                if arrivals().any(|arrival| arrival.lane == Lane::Control) {
                    control.notify();
                }
                Ok(stored)
            }
        });
        Self { group }
    }

    /// Stores the events of one body; on disk when this returns.
    ///
    /// # Errors
    /// [`GroupError`]: nothing of the body was stored; answer 503 so that Meta sends it again.
    ///
    /// # Cancel safety
    /// Once called, the events are stored whether or not anybody still waits.
    pub async fn store(&self, body: Vec<Arrival>) -> Result<Stored, GroupError> {
        self.group.submit(body).await
    }
}

async fn write(db: &Db, bodies: &[Vec<Arrival>], window: SettleWindow) -> Result<Vec<Stored>, DbError> {
    let now = db.now();
    let mut transaction = db.begin_write().await?;
    let fresh = dedupe(&mut transaction, bodies, now).await?;
    let new: Vec<&Arrival> = fresh.iter().map(|(_, arrival)| *arrival).collect();
    let conversations = touch(&mut transaction, &new, window, now).await?;
    insert(&mut transaction, &new, &conversations, now).await?;
    signals(&new, window, now).into_iter().for_each(|signal| transaction.signal(signal));
    moment(Moment::InboxWritten);
    transaction.commit().await?;
    moment(Moment::InboxCommitted);
    let mut stored: Vec<Stored> = bodies.iter().map(|body| Stored { new: 0, duplicates: body.len() }).collect();
    for (body, _) in fresh {
        if let Some(stored) = stored.get_mut(body) {
            stored.new += 1;
            stored.duplicates -= 1;
        }
    }
    Ok(stored)
}

/// What other hosts can do of it.
fn signals(new: &[&Arrival], window: SettleWindow, now: Timestamp) -> BTreeSet<Signal> {
    let signal = |arrival: &&Arrival| match arrival.lane {
        Lane::Contact if arrival.immediate || window.quiet.is_zero() => Some(Signal::Contact),
        Lane::Contact => Some(Signal::ContactAt(now + window.quiet)),
        Lane::Control => Some(Signal::Control),
        Lane::Stored => None,
    };
    new.iter().filter_map(signal).collect()
}

/// The arrivals that were never seen before, each with the number of its body. Rows are written in the order of their keys:
/// two hosts that insert the same keys in different order would deadlock.
async fn dedupe<'a>(
    transaction: &mut WriteTransaction,
    bodies: &'a [Vec<Arrival>],
    now: Timestamp,
) -> Result<Vec<(usize, &'a Arrival)>, DbError> {
    let mut keys = BTreeMap::new();
    for (body, arrival) in bodies.iter().enumerate().flat_map(|(n, body)| body.iter().map(move |a| (n, a))) {
        keys.entry((arrival.workspace.as_str(), arrival.dedupe)).or_insert((body, arrival));
    }
    let all: Vec<_> = keys.iter().collect();
    let mut new = HashSet::new();
    for chunk in all.chunks(Bulk::MAX_ROWS) {
        let mut insert = Bulk::new("insert into dedupe (workspace_id, key, seen_at) values ");
        for ((workspace, key), _) in chunk {
            insert.row().bind(*workspace).bind(key.as_slice()).bind(now.millis());
        }
        let insert = insert.end(" on conflict do nothing returning workspace_id, key");
        for row in transaction.fetch_all(insert).await? {
            new.insert((row.try_get::<String, _>(0)?, row.try_get::<Vec<u8>, _>(1)?));
        }
    }
    let is_new = |workspace: &str, key: &[u8; 32]| new.contains(&(workspace.to_owned(), key.to_vec()));
    Ok(all.into_iter().filter(|((workspace, key), _)| is_new(workspace, key)).map(|(_, found)| *found).collect())
}

/// One conversation's share of a group.
struct Touch<'a> {
    channel: &'a ChannelId,
    arrivals: i64,
    immediate: bool,
}

type Threads = HashMap<(String, [u8; 32]), ConversationId>;

/// Makes or touches the conversations, each once (PostgreSQL refuses to update a row twice in one statement).
async fn touch(
    transaction: &mut WriteTransaction,
    new: &[&Arrival],
    window: SettleWindow,
    now: Timestamp,
) -> Result<Threads, DbError> {
    let mut touches: BTreeMap<(&str, [u8; 32]), Touch<'_>> = BTreeMap::new();
    for arrival in new {
        let Some(thread) = arrival.thread else { continue };
        let touch = touches.entry((arrival.workspace.as_str(), thread)).or_insert(Touch {
            channel: &arrival.channel,
            arrivals: 0,
            immediate: false,
        });
        if arrival.lane == Lane::Contact {
            touch.arrivals += 1;
            touch.immediate |= arrival.immediate;
        }
    }
    let mut threads = Threads::new();
    for chunk in touches.iter().collect::<Vec<_>>().chunks(Bulk::MAX_ROWS) {
        let mut upsert = Bulk::new(
            "insert into conversation (workspace_id, id, channel_id, thread, mode, revision, arrivals, first_open_at, ready_at, \
             failures, epoch, lease_until, created_at) values ",
        );
        for ((workspace, thread), touch) in chunk {
            let waits = touch.arrivals > 0;
            let ready = if touch.immediate { now } else { now + window.quiet };
            upsert
                .row()
                .bind(*workspace)
                .bind(ConversationId::new().as_str())
                .bind(touch.channel.as_str())
                .bind(thread.as_slice())
                .bind("automated")
                .bind(0_i64)
                .bind(touch.arrivals)
                .bind(waits.then_some(now.millis()))
                .bind(waits.then_some(ready.millis()))
                .bind(0_i64)
                .bind(0_i64)
                .bind(0_i64)
                .bind(now.millis());
        }
        // The settle window in SQL: `bellhop_domain::settle` says the same in words and is tested against this text.
        let upsert = upsert
            .end(
                " on conflict (workspace_id, thread) do update set arrivals = conversation.arrivals + excluded.arrivals, \
                 first_open_at = coalesce(conversation.first_open_at, excluded.first_open_at), \
                 ready_at = case when excluded.ready_at is null then conversation.ready_at \
                 when conversation.first_open_at is null then excluded.ready_at \
                 when conversation.ready_at < excluded.first_open_at then conversation.ready_at \
                 when excluded.ready_at > conversation.first_open_at + ",
            )
            .bind(i64::try_from(window.longest.as_millis()).unwrap_or(i64::MAX))
            .end(" then conversation.first_open_at + ")
            .bind(i64::try_from(window.longest.as_millis()).unwrap_or(i64::MAX))
            .end(" else excluded.ready_at end returning workspace_id, thread, id");
        for row in transaction.fetch_all(upsert).await? {
            let thread: [u8; 32] =
                row.try_get::<Vec<u8>, _>(1)?.try_into().map_err(|_| DbError::Unreadable("conversation.thread"))?;
            let id = ConversationId::parse(row.try_get(2)?).map_err(|_| DbError::Unreadable("conversation.id"))?;
            threads.insert((row.try_get(0)?, thread), id);
        }
    }
    Ok(threads)
}

async fn insert(
    transaction: &mut WriteTransaction,
    new: &[&Arrival],
    threads: &Threads,
    now: Timestamp,
) -> Result<(), DbError> {
    for chunk in new.chunks(Bulk::MAX_ROWS) {
        let mut insert = Bulk::new(
            "insert into inbox_event (workspace_id, id, channel_id, conversation_id, lane, kind, at, position, received_at, \
             key_id, sealed, state) values ",
        );
        for arrival in chunk {
            let conversation = arrival
                .thread
                .and_then(|thread| threads.get(&(arrival.workspace.as_str().to_owned(), thread)))
                .map(ConversationId::as_str);
            let (lane, state) = match arrival.lane {
                Lane::Contact => ("contact", "open"),
                Lane::Control => ("control", "open"),
                Lane::Stored => ("stored", "ignored"),
            };
            insert
                .row()
                .bind(arrival.workspace.as_str())
                .bind(arrival.id.as_str())
                .bind(arrival.channel.as_str())
                .bind(conversation)
                .bind(lane)
                .bind(arrival.kind.as_str())
                .bind(arrival.at.millis())
                .bind(i64::from(arrival.position))
                .bind(now.millis())
                .bind(arrival.key.as_str())
                .bind(arrival.sealed.as_slice())
                .bind(state);
        }
        transaction.execute(insert).await?;
    }
    Ok(())
}
