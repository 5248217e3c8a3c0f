//! Deliveries of which nobody knows what became of them, with their words, for whoever has something of Meta's in hand that may be
//! one of them. Only reads.

use std::collections::HashMap;

use bellhop_domain::delivery::DeliveryKind;
use bellhop_domain::id::{ConversationId, DeliveryId, MessageId, WorkspaceId};
use sqlx::Row;

use crate::conversation;
use crate::db::{Bulk, Db, DbError};
use crate::outbox::OutboxError;
use crate::vault::Vault;

/// A delivery without an answer.
#[derive(Debug, Clone)]
pub struct DoubtfulDelivery {
    /// The delivery.
    pub id: DeliveryId,
    /// What it is.
    pub kind: DeliveryKind,
    /// What it says; empty where it cannot be read any more.
    pub text: String,
}

/// What Meta may show before the answer is there, or after it has not shown it twice.
const OPEN: &str = "select workspace_id, conversation_id, id, message_id, kind from delivery \
     where state in ('staged', 'retry', 'sending', 'unknown') \
     and (state in ('sending', 'unknown') or (state = 'retry' and reason = 'not-there')) \
     and (workspace_id, conversation_id) in ";

/// What was given up waiting for.
const HELD: &str = "select workspace_id, conversation_id, id, message_id, kind from delivery \
     where state = 'held' and reason = 'unknown' and (workspace_id, conversation_id) in ";

/// The deliveries of these conversations of which nobody knows, oldest first.
///
/// # Errors
/// [`OutboxError`].
pub async fn deliveries_doubtful(
    db: &Db,
    vault: &Vault,
    conversations: &[(WorkspaceId, ConversationId)],
) -> Result<HashMap<ConversationId, Vec<DoubtfulDelivery>>, OutboxError> {
    let mut rows = Vec::new();
    for select in [OPEN, HELD] {
        let mut select = Bulk::new(select).keys(2);
        for (workspace, conversation) in conversations {
            select.row().bind(workspace.as_str()).bind(conversation.as_str());
        }
        if !select.is_empty() {
            rows.extend(db.fetch_all(select).await?);
        }
    }
    let bad = |_| DbError::Unreadable("delivery");
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let workspace = WorkspaceId::parse(row.try_get(0).map_err(DbError::from)?).map_err(bad)?;
        let conversation = ConversationId::parse(row.try_get(1).map_err(DbError::from)?).map_err(bad)?;
        let id = DeliveryId::parse(row.try_get(2).map_err(DbError::from)?).map_err(bad)?;
        let message = MessageId::parse(row.try_get(3).map_err(DbError::from)?).map_err(bad)?;
        let Some(kind) = DeliveryKind::parse(row.try_get(4).map_err(DbError::from)?) else { continue };
        found.push((workspace, conversation, id, message, kind));
    }
    found.sort_by(|(.., one, _, _), (.., other, _, _)| one.as_str().cmp(other.as_str()));
    let messages: Vec<_> =
        found.iter().map(|(workspace, _, _, message, _)| (workspace.clone(), message.clone())).collect();
    let mut messages = conversation::messages_find(db, vault, &messages).await?;
    let mut doubtful: HashMap<_, Vec<_>> = HashMap::new();
    for (_, conversation, id, message, kind) in found {
        let text = messages.remove(&message).map(|message| message.body.text).unwrap_or_default();
        doubtful.entry(conversation).or_default().push(DoubtfulDelivery { id, kind, text });
    }
    Ok(doubtful)
}

const BY_MID: &str = "select workspace_id, mid, id from delivery where mid is not null and (workspace_id, mid) in ";

/// The deliveries that Meta knows by these ids.
///
/// # Errors
/// [`DbError`].
pub async fn deliveries_by_mid(
    db: &Db,
    mids: &[(WorkspaceId, [u8; 32])],
) -> Result<HashMap<(WorkspaceId, [u8; 32]), DeliveryId>, DbError> {
    let mut select = Bulk::new(BY_MID).keys(2);
    for (workspace, mid) in mids {
        select.row().bind(workspace.as_str()).bind(mid.to_vec());
    }
    if select.is_empty() {
        return Ok(HashMap::new());
    }
    let mut found = HashMap::new();
    for row in db.fetch_all(select).await? {
        let workspace = WorkspaceId::parse(row.try_get(0)?).map_err(|_| DbError::Unreadable("delivery"))?;
        let mid =
            <[u8; 32]>::try_from(row.try_get::<Vec<u8>, _>(1)?).map_err(|_| DbError::Unreadable("delivery.mid"))?;
        let id = DeliveryId::parse(row.try_get(2)?).map_err(|_| DbError::Unreadable("delivery"))?;
        found.insert((workspace, mid), id);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::{fresh, reaches};

    #[tokio::test]
    async fn only_what_is_open_or_put_aside_is_walked() {
        let (_folder, _clock, db) = fresh().await;
        for (select, keys, index) in [
            (OPEN, "(select column1, column2 from (values ('a', 'b')) as v)", "delivery_open"),
            (HELD, "(select column1, column2 from (values ('a', 'b')) as v)", "delivery_doubted"),
            (BY_MID, "(select column1, column2 from (values ('a', x'00')) as v)", "delivery_by_mid"),
        ] {
            reaches(&db, &format!("{select}{keys}"), "delivery", &[index]).await;
        }
    }
}
