//! Time that is over: senders that died in the middle of an attempt, and unknowns that no evidence settled. Sends nothing.

use std::collections::HashSet;
use std::time::Duration;

use bellhop_domain::id::{ContactId, ConversationId, DeliveryId, MessageId, WorkspaceId};
use bellhop_domain::time::Timestamp;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::conversation::{self, NewTask};
use crate::db::{Bulk, DbError};
use crate::outbox::{Outbox, OutboxError, undelivered};

/// How long an unknown holds the rest of its conversation: echoes and statuses come within seconds.
const UNKNOWN_HOLDS: Duration = Duration::from_secs(30);

/// Deliveries that one look closes at most.
const MAX_EXPIRED: i64 = 500;

/// What a dead sender left behind becomes `unknown`, and an unknown that no evidence settled in time is closed for retry and
/// told to staff, so that the rest of its conversation goes on. The number of rows that changed.
pub(super) async fn expire(outbox: &Outbox) -> Result<usize, OutboxError> {
    let (db, now) = (&outbox.db, outbox.db.now());
    let select = "select workspace_id, id, conversation_id, contact_id, message_id, state from delivery \
                  where state in ('sending', 'unknown') and lease_until <= $1 order by lease_until limit $2";
    let rows = db.fetch_all(sqlx::query(select).bind(now.millis()).bind(MAX_EXPIRED)).await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let over = rows.iter().map(over).collect::<Result<Vec<_>, DbError>>()?;
    let tasks = match tasks(outbox, &over).await {
        Err(error) if DbError::is_behind(&error) => return Err(error),
        Err(_) => tasks_of_each(outbox, &over).await,
        Ok(tasks) => tasks,
    };
    let mut transaction = db.begin_write().await?;
    let mut close =
        Bulk::new("update delivery set state = 'held', reason = 'unknown', settled_at = ").bind(now.millis());
    close = close
        .end(" where state in ('sending', 'unknown') and state = 'unknown' and lease_until <= ")
        .bind(now.millis());
    let mut n_changed = 0;
    let mut close = close.end(" and (workspace_id, id) in ").keys(2);
    for over in over.iter().filter(|over| over.is_unknown) {
        close.row().bind(over.workspace.as_str()).bind(over.id.as_str());
    }
    if !close.is_empty() {
        let closed = transaction.fetch_all(close.end(" returning id")).await?;
        let closed =
            closed.iter().map(|row| row.try_get(0)).collect::<Result<HashSet<String>, _>>().map_err(DbError::from)?;
        n_changed += closed.len();
        let told = tasks.into_iter().filter(|(id, _)| closed.contains(id.as_str()));
        let told: Vec<NewTask> = told.map(|(_, task)| task).collect();
        conversation::tasks_insert_in(&mut transaction, &told, now).await?;
    }
    let unknown = sqlx::query(
        "update delivery set state = 'unknown', reason = 'sender-died', lease_until = $2 \
         where state in ('sending', 'unknown') and state = 'sending' and lease_until <= $1",
    );
    let unknown = unknown.bind(now.millis()).bind((now + UNKNOWN_HOLDS).millis());
    n_changed += usize::try_from(transaction.execute(unknown).await?).unwrap_or(usize::MAX);
    transaction.commit().await?;
    Ok(n_changed)
}

/// A delivery whose time is over.
struct Over {
    workspace: WorkspaceId,
    id: DeliveryId,
    conversation: ConversationId,
    contact: ContactId,
    message: MessageId,
    /// It waited for evidence; otherwise its sender died.
    is_unknown: bool,
}

fn over(row: &AnyRow) -> Result<Over, DbError> {
    let bad = |_| DbError::Unreadable("delivery");
    Ok(Over {
        workspace: WorkspaceId::parse(row.try_get(0)?).map_err(bad)?,
        id: DeliveryId::parse(row.try_get(1)?).map_err(bad)?,
        conversation: ConversationId::parse(row.try_get(2)?).map_err(bad)?,
        contact: ContactId::parse(row.try_get(3)?).map_err(bad)?,
        message: MessageId::parse(row.try_get(4)?).map_err(bad)?,
        is_unknown: row.try_get::<String, _>(5)? == "unknown",
    })
}

/// Something among these cannot be read: each alone, so that no other one waits for it. One that cannot be read is closed all
/// the same, and stands in `bellhop deliveries`.
async fn tasks_of_each(outbox: &Outbox, over: &[Over]) -> Vec<(DeliveryId, NewTask)> {
    let mut all = Vec::with_capacity(over.len());
    for over in over {
        match tasks(outbox, std::slice::from_ref(over)).await {
            Ok(tasks) => all.extend(tasks),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, delivery.id = %over.id, "A delivery cannot be read");
            }
        }
    }
    all
}

/// What staff are told of those that waited for evidence; nothing of a contact that was erased.
async fn tasks(outbox: &Outbox, over: &[Over]) -> Result<Vec<(DeliveryId, NewTask)>, OutboxError> {
    let unknown = || over.iter().filter(|over| over.is_unknown);
    let contacts: Vec<_> = unknown().map(|over| (over.workspace.clone(), over.contact.clone())).collect();
    let messages: Vec<_> = unknown().map(|over| (over.workspace.clone(), over.message.clone())).collect();
    let contacts = conversation::contacts_find(&outbox.db, &outbox.vault, &contacts).await?;
    let messages = conversation::messages_find(&outbox.db, &outbox.vault, &messages).await?;
    let tasks = unknown().filter_map(|over| {
        let body = messages.get(&over.message).map(|message| &message.body);
        let place = (&over.workspace, &over.conversation, &over.id);
        let task = undelivered::task(place, contacts.get(&over.contact)?, body, undelivered::NOBODY_KNOWS);
        Some((over.id.clone(), task))
    });
    Ok(tasks.collect())
}

/// Until when an attempt that ended without an answer holds its conversation.
pub(super) fn unknown_until(now: Timestamp) -> Timestamp {
    now + UNKNOWN_HOLDS
}
