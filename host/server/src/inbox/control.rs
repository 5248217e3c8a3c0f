//! Control events: applied at once, in the order they came, beside whatever turn is running.

use bellhop_domain::id::{ChannelId, ConversationId, EventId, KeyId, WorkspaceId};
use bellhop_domain::kind::EventKind;
use bellhop_domain::time::Timestamp;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::db::{Bulk, Db, DbError, WriteTransaction};

/// A control event that is not yet applied.
#[derive(Debug, Clone)]
pub struct ControlEvent {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The event.
    pub id: EventId,
    /// The channel it came by.
    pub channel: ChannelId,
    /// The conversation it is about, if any.
    pub conversation: Option<ConversationId>,
    /// What happened.
    pub kind: EventKind,
    /// Meta's time.
    pub at: Timestamp,
    /// The key of `sealed`.
    pub key: KeyId,
    /// The cut slice.
    pub sealed: Vec<u8>,
}

/// The oldest open control events, in the order they came.
///
/// # Errors
/// [`DbError`].
pub async fn control_open(db: &Db, limit: usize) -> Result<Vec<ControlEvent>, DbError> {
    let statement = sqlx::query(
        "select workspace_id, id, channel_id, conversation_id, kind, at, key_id, sealed from inbox_event \
         where state = 'open' and lane = 'control' order by id limit $1",
    );
    let rows = db.fetch_all(statement.bind(i64::try_from(limit).unwrap_or(i64::MAX))).await?;
    rows.iter().map(control_event).collect()
}

fn control_event(row: &AnyRow) -> Result<ControlEvent, DbError> {
    let conversation: Option<String> = row.try_get(3)?;
    Ok(ControlEvent {
        workspace: WorkspaceId::parse(row.try_get(0)?).map_err(|_| DbError::Unreadable("inbox_event.workspace_id"))?,
        id: EventId::parse(row.try_get(1)?).map_err(|_| DbError::Unreadable("inbox_event.id"))?,
        channel: ChannelId::parse(row.try_get(2)?).map_err(|_| DbError::Unreadable("inbox_event.channel_id"))?,
        conversation: conversation
            .map(|id| ConversationId::parse(&id))
            .transpose()
            .map_err(|_| DbError::Unreadable("inbox_event.conversation_id"))?,
        kind: EventKind::parse(row.try_get(4)?),
        at: Timestamp::from_millis(row.try_get(5)?),
        key: KeyId::parse(row.try_get(6)?).map_err(|_| DbError::Unreadable("inbox_event.key_id"))?,
        sealed: row.try_get(7)?,
    })
}

/// Takes control events for this transaction and says which were still open; two hosts that read the same rows apply each
/// event once.
///
/// # Errors
/// [`DbError`]; the transaction is over.
pub async fn control_take_in(
    transaction: &mut WriteTransaction,
    events: &[ControlEvent],
    now: Timestamp,
) -> Result<Vec<EventId>, DbError> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let mut update = Bulk::new("update inbox_event set state = 'done', settled_at = ")
        .bind(now.millis())
        .end(" where state = 'open' and (workspace_id, id) in ")
        .keys(2);
    for event in events {
        update.row().bind(event.workspace.as_str()).bind(event.id.as_str());
    }
    let rows = transaction.fetch_all(update.end(" returning id")).await?;
    rows.iter().map(|row| EventId::parse(row.try_get(0)?).map_err(|_| DbError::Unreadable("inbox_event.id"))).collect()
}

/// Puts a control event aside that cannot be applied; a command can bring it back.
///
/// # Errors
/// [`DbError`]; the event waits on.
pub async fn control_park(db: &Db, event: &ControlEvent, reason: &'static str) -> Result<(), DbError> {
    let park = sqlx::query(
        "update inbox_event set state = 'parked', reason = $1, settled_at = $2 \
         where workspace_id = $3 and id = $4 and state = 'open'",
    );
    let (workspace, id) = (event.workspace.as_str().to_owned(), event.id.as_str().to_owned());
    db.execute(park.bind(reason).bind(db.now().millis()).bind(workspace).bind(id)).await.map(drop)
}
