//! The end of a turn as the inbox sees it: the fence, the conversation's new state, the events' end.

use std::collections::HashSet;

use bellhop_domain::id::{ContactId, ConversationId, EventId, TurnId, WorkspaceId};
use bellhop_domain::time::Timestamp;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::db::{Bulk, Db, DbError, WriteTransaction};
use crate::inbox::{Claimed, conversations_lock_in};

/// What a turn leaves in the conversation's row.
#[derive(Debug, Clone)]
pub struct Finish {
    /// The claim it was made under.
    pub claimed: Claimed,
    /// The contact, found or made.
    pub contact: ContactId,
    /// The mode from now on.
    pub mode: String,
    /// When that mode ends by itself.
    pub mode_until: Option<Timestamp>,
    /// The plugin that keeps the floor.
    pub floor: Option<String>,
    /// Meta's time of the newest contact event that opened a window.
    pub last_contact_event_at: Option<Timestamp>,
    /// Meta's time of the newest event that was answered.
    pub last_answered_at: Option<Timestamp>,
    /// False when open events were left for the next turn.
    pub took_all: bool,
}

/// An event's end.
#[derive(Debug, Clone)]
pub struct SettledEvent {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The event.
    pub id: EventId,
    /// The turn that took it.
    pub turn: Option<TurnId>,
    /// "done", "parked" or "refused".
    pub state: &'static str,
    /// Why, for the latter two.
    pub reason: Option<&'static str>,
}

/// The fence: writes the conversations' rows and gives the claims back. Answers which claims (conversation and epoch) were
/// still ours and untouched by a control event; for all others nothing may be written. A host whose lease ran out may hold
/// two claims of one conversation, so the conversation alone says nothing.
///
/// # Errors
/// [`DbError`]; the transaction is over.
pub async fn finish_in(
    transaction: &mut WriteTransaction,
    turns: &[Finish],
) -> Result<HashSet<(ConversationId, i64)>, DbError> {
    let rows = turns.iter().map(|turn| (&turn.claimed.workspace, &turn.claimed.conversation));
    conversations_lock_in(transaction, rows).await?;
    let mut update = Bulk::new(
        "update conversation set contact_id = v.column5, mode = v.column6, mode_until = v.column7, floor = v.column8, \
         last_contact_event_at = v.column9, last_answered_at = v.column10, failures = 0, lease_until = 0, owner = null, \
         ready_at = case when conversation.arrivals = v.column11 then null \
         when conversation.first_open_at is null then 0 else conversation.ready_at end from (values ",
    );
    for turn in turns {
        let claimed = &turn.claimed;
        update
            .row()
            .bind(claimed.workspace.as_str())
            .bind(claimed.conversation.as_str())
            .bind(claimed.epoch)
            .bind(claimed.revision)
            .bind(turn.contact.as_str())
            .bind(turn.mode.as_str())
            .bind(turn.mode_until.map(Timestamp::millis))
            .bind(turn.floor.as_deref())
            .bind(turn.last_contact_event_at.map(Timestamp::millis))
            .bind(turn.last_answered_at.map(Timestamp::millis))
            .bind(if turn.took_all { claimed.arrivals } else { -1 });
    }
    let update = update.end(
        ") as v where conversation.workspace_id = v.column1 and conversation.id = v.column2 and conversation.epoch = v.column3 \
         and conversation.revision = v.column4 returning conversation.id, conversation.epoch",
    );
    let rows = transaction.fetch_all(update).await?;
    let claim = |row: &AnyRow| {
        let id = ConversationId::parse(row.try_get(0)?).map_err(|_| DbError::Unreadable("conversation.id"))?;
        Ok((id, row.try_get(1)?))
    };
    rows.iter().map(claim).collect()
}

/// Marks events with how they ended.
///
/// # Errors
/// [`DbError`]; the transaction is over.
pub async fn events_settle_in(
    transaction: &mut WriteTransaction,
    events: &[SettledEvent],
    now: Timestamp,
) -> Result<(), DbError> {
    for chunk in events.chunks(Bulk::MAX_ROWS) {
        let mut update = Bulk::new(
            "update inbox_event set turn_id = v.column3, state = v.column4, reason = v.column5, settled_at = v.column6 from (values ",
        );
        for event in chunk {
            update
                .row()
                .bind(event.workspace.as_str())
                .bind(event.id.as_str())
                .bind(event.turn.as_ref().map(TurnId::as_str))
                .bind(event.state)
                .bind(event.reason)
                .bind(now.millis());
        }
        let update = update.end(") as v where inbox_event.workspace_id = v.column1 and inbox_event.id = v.column2");
        transaction.execute(update).await?;
    }
    Ok(())
}

/// Gives claims back unfinished: the turn was overtaken (`failed` false) or failed (`failed` true, which counts and waits
/// until `ready_at`).
///
/// # Errors
/// [`DbError`]; the leases run out by themselves.
pub async fn release(db: &Db, claimed: &[Claimed], failed: bool, ready_at: Timestamp) -> Result<(), DbError> {
    if claimed.is_empty() {
        return Ok(());
    }
    let mut update = Bulk::new("update conversation set lease_until = 0, owner = null, failures = failures + ")
        .bind(i64::from(failed))
        .end(", ready_at = ")
        .bind(ready_at.millis())
        .end(" where (workspace_id, id, epoch) in ")
        .keys(3);
    for claimed in claimed {
        update.row().bind(claimed.workspace.as_str()).bind(claimed.conversation.as_str()).bind(claimed.epoch);
    }
    change(db, claimed, update).await.map(drop)
}

/// Changes the rows of claims in a transaction of its own.
async fn change(db: &Db, claimed: &[Claimed], update: Bulk) -> Result<u64, DbError> {
    let mut transaction = db.begin_write().await?;
    let rows = claimed.iter().map(|claimed| (&claimed.workspace, &claimed.conversation));
    conversations_lock_in(&mut transaction, rows).await?;
    let touched = transaction.execute(update).await?;
    transaction.commit().await?;
    Ok(touched)
}

/// Gives back claims that found nothing to do: everything had been taken by an earlier turn.
///
/// # Errors
/// [`DbError`]; the leases run out by themselves.
pub async fn release_empty(db: &Db, claimed: &[Claimed]) -> Result<(), DbError> {
    if claimed.is_empty() {
        return Ok(());
    }
    let mut update = Bulk::new(
        "update conversation set lease_until = 0, owner = null, first_open_at = null, ready_at = null, failures = 0 \
         where (workspace_id, id, epoch, arrivals) in ",
    )
    .keys(4);
    for claimed in claimed {
        let row = update.row().bind(claimed.workspace.as_str()).bind(claimed.conversation.as_str());
        row.bind(claimed.epoch).bind(claimed.arrivals);
    }
    let touched = change(db, claimed, update).await?;
    if touched < claimed.len() as u64 {
        // Something arrived in between: those come up again at once.
        release(db, claimed, false, db.now()).await?;
    }
    Ok(())
}

/// Parks every open event of a conversation that no turn can take; a command can bring them back. Does nothing when the
/// claim is not ours any more: whoever has it decides.
///
/// # Errors
/// [`DbError`]; the events wait on.
pub async fn park_all(db: &Db, claimed: &Claimed, reason: &'static str) -> Result<(), DbError> {
    let now = db.now();
    let mut transaction = db.begin_write().await?;
    // The row first: what arrives from here on waits for this transaction and then finds the conversation at rest.
    let free = sqlx::query(
        "update conversation set lease_until = 0, owner = null, first_open_at = null, ready_at = null, failures = 0 \
         where workspace_id = $1 and id = $2 and epoch = $3",
    );
    let (workspace, conversation) = (claimed.workspace.as_str().to_owned(), claimed.conversation.as_str().to_owned());
    let free = free.bind(workspace.clone()).bind(conversation.clone()).bind(claimed.epoch);
    if transaction.execute(free).await? != 1 {
        return Ok(());
    }
    let park = sqlx::query(
        "update inbox_event set state = 'parked', reason = $1, settled_at = $2 \
         where workspace_id = $3 and conversation_id = $4 and state = 'open' and lane = 'contact'",
    );
    transaction.execute(park.bind(reason).bind(now.millis()).bind(workspace).bind(conversation)).await?;
    transaction.commit().await
}
