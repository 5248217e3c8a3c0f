//! Events that were put aside: which there are, and bringing them back. Shows codes and our ids, never content.

use std::collections::BTreeMap;

use bellhop_domain::id::{ConversationId, EventId, WorkspaceId};
use bellhop_domain::time::Timestamp;
use serde::Serialize;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::audit;
use crate::db::{Bulk, Db, DbError, Signal, WriteTransaction};

/// Events in one transaction: a few milliseconds of SQLite's one writer.
const BATCH: i64 = 200;

const LIST: &str = "select workspace_id, id, conversation_id, lane, kind, coalesce(reason, ''), received_at, settled_at from inbox_event \
     where state = 'parked' and workspace_id = $1 and id > $2 order by id limit $3";

const WORKSPACES: &str = "select distinct workspace_id from inbox_event where state = 'parked' order by workspace_id";

/// An event that was put aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ParkedEvent {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The event.
    pub id: EventId,
    /// Its conversation, if it has one.
    pub conversation: Option<ConversationId>,
    /// "contact" or "control".
    pub lane: String,
    /// What happened, by name.
    pub kind: String,
    /// Why it was put aside, as a code.
    pub reason: String,
    /// When it came. Its content can be read until its day's key dies.
    pub received_at: Timestamp,
    /// When it was put aside.
    pub parked_at: Option<Timestamp>,
}

/// The workspaces that have parked events.
///
/// # Errors
/// [`DbError`].
pub async fn workspaces_with_parked(db: &Db) -> Result<Vec<WorkspaceId>, DbError> {
    let rows = db.fetch_all(sqlx::query(WORKSPACES)).await?;
    let read =
        |row: &AnyRow| WorkspaceId::parse(row.try_get(0)?).map_err(|_| DbError::Unreadable("inbox_event.workspace_id"));
    rows.iter().map(read).collect()
}

/// A workspace's parked events, oldest first, those after `after`.
///
/// # Errors
/// [`DbError`].
pub async fn events_parked(
    db: &Db,
    workspace: &WorkspaceId,
    after: Option<&EventId>,
    limit: i64,
) -> Result<Vec<ParkedEvent>, DbError> {
    let select = sqlx::query(LIST).bind(workspace.as_str()).bind(after.map_or("", EventId::as_str)).bind(limit);
    db.fetch_all(select).await?.iter().map(parked_event).collect()
}

/// Brings back one parked event; false when there is no such event.
///
/// # Errors
/// [`DbError`]; it stays parked.
pub async fn event_replay(db: &Db, workspace: &WorkspaceId, id: &EventId) -> Result<bool, DbError> {
    let select = sqlx::query(
        "select workspace_id, id, conversation_id, lane, kind, coalesce(reason, ''), received_at, settled_at from inbox_event \
         where state = 'parked' and workspace_id = $1 and id = $2",
    );
    let found = db.fetch_all(select.bind(workspace.as_str()).bind(id.as_str())).await?;
    let events = found.iter().map(parked_event).collect::<Result<Vec<_>, _>>()?;
    Ok(reopen(db, workspace, &events).await? > 0)
}

/// Brings back all of a workspace's parked events; how many there were. One that is parked again meanwhile stays so.
///
/// # Errors
/// [`DbError`]; what was brought back stays so, the rest stays parked.
pub async fn events_replay_all(db: &Db, workspace: &WorkspaceId) -> Result<u64, DbError> {
    let (mut after, mut n_events) = (None, 0);
    loop {
        let events = events_parked(db, workspace, after.as_ref(), BATCH).await?;
        let Some(last) = events.last() else { return Ok(n_events) };
        after = Some(last.id.clone());
        n_events += reopen(db, workspace, &events).await?;
    }
}

/// The conversations' rows first, as whoever parks does: what runs there sees that something came, and leaves it to the next
/// turn. Failures are forgotten, or that turn would park the events again at once.
async fn reopen(db: &Db, workspace: &WorkspaceId, events: &[ParkedEvent]) -> Result<u64, DbError> {
    // Ordered by id: two that take the same rows in different order would deadlock.
    let mut waiting: BTreeMap<&str, i64> = BTreeMap::new();
    let conversations =
        events.iter().filter(|event| event.lane == "contact").filter_map(|event| event.conversation.as_ref());
    conversations.for_each(|conversation| *waiting.entry(conversation.as_str()).or_default() += 1);
    if events.is_empty() {
        return Ok(0);
    }
    let now = db.now();
    let mut transaction = db.begin_write().await?;
    for (conversation, n_events) in waiting {
        let touch = sqlx::query(
            "update conversation set arrivals = arrivals + $1, failures = 0, first_open_at = coalesce(first_open_at, $2), \
             ready_at = $2 where workspace_id = $3 and id = $4",
        );
        let touch = touch.bind(n_events).bind(now.millis()).bind(workspace.as_str().to_owned());
        transaction.execute(touch.bind(conversation.to_owned())).await?;
    }
    let mut open = Bulk::new(
        "update inbox_event set state = 'open', reason = null, settled_at = null, turn_id = null \
         where state = 'parked' and (workspace_id, id) in ",
    )
    .keys(2);
    for event in events {
        open.row().bind(workspace.as_str()).bind(event.id.as_str());
    }
    let n_events = transaction.execute(open).await?;
    record_in(&mut transaction, workspace, now, "events-replayed").await?;
    [Signal::Contact, Signal::Control].into_iter().for_each(|signal| transaction.signal(signal));
    transaction.commit().await?;
    Ok(n_events)
}

/// What a person did to events goes on record.
pub(super) async fn record_in(
    transaction: &mut WriteTransaction,
    workspace: &WorkspaceId,
    now: Timestamp,
    code: &'static str,
) -> Result<(), DbError> {
    let entry = audit::Entry::new(workspace.clone(), audit::Kind::Configuration, audit::Code::of(code));
    audit::append(transaction, now, &[entry]).await
}

fn parked_event(row: &AnyRow) -> Result<ParkedEvent, DbError> {
    let bad = |_| DbError::Unreadable("inbox_event");
    let conversation: Option<String> = row.try_get(2)?;
    Ok(ParkedEvent {
        workspace: WorkspaceId::parse(row.try_get(0)?).map_err(bad)?,
        id: EventId::parse(row.try_get(1)?).map_err(bad)?,
        conversation: conversation.map(|id| ConversationId::parse(&id)).transpose().map_err(bad)?,
        lane: row.try_get(3)?,
        kind: row.try_get(4)?,
        reason: row.try_get(5)?,
        received_at: Timestamp::from_millis(row.try_get(6)?),
        parked_at: row.try_get::<Option<i64>, _>(7)?.map(Timestamp::from_millis),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::{fresh, reaches};

    #[tokio::test]
    async fn parked_events_are_found_by_their_index() {
        let (_folder, _clock, db) = fresh().await;
        reaches(&db, LIST, "inbox_event", &["inbox_event_parked (workspace_id=? AND id>?)"]).await;
        reaches(&db, WORKSPACES, "inbox_event", &["inbox_event_parked"]).await;
    }
}
