//! Evidence: what echoes and receipts say about deliveries. It only ever raises a delivery; `domain::delivery::next` says the
//! same in words.

use bellhop_domain::id::{ConversationId, DeliveryId, WorkspaceId};
use bellhop_domain::time::Timestamp;

use crate::db::{Bulk, DbError, WriteTransaction};

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// An echo carried our correlation id: Meta has the message.
    Shown {
        /// The tenant.
        workspace: WorkspaceId,
        /// Which delivery.
        delivery: DeliveryId,
        /// HMAC of Meta's message id.
        mid: Option<[u8; 32]>,
    },
    /// A message reached the customer.
    Arrived {
        /// The tenant.
        workspace: WorkspaceId,
        /// HMAC of Meta's message id.
        mid: [u8; 32],
    },
    /// Everything of a conversation up to a time reached the customer, or was seen.
    UpTo {
        /// The tenant.
        workspace: WorkspaceId,
        /// The conversation.
        conversation: ConversationId,
        /// Meta's watermark.
        watermark: Timestamp,
        /// Seen, not only arrived.
        is_read: bool,
    },
}

/// Settles deliveries by evidence, whatever was believed of them before.
///
/// # Errors
/// [`DbError`]; the transaction is over.
pub async fn settle_by_evidence_in(
    transaction: &mut WriteTransaction,
    evidence: &[Evidence],
    now: Timestamp,
) -> Result<(), DbError> {
    shown(transaction, evidence, now).await?;
    arrived(transaction, evidence).await?;
    for (is_read, state) in [(false, "delivered"), (true, "read")] {
        up_to(transaction, evidence, is_read, state).await?;
    }
    Ok(())
}

async fn shown(transaction: &mut WriteTransaction, evidence: &[Evidence], now: Timestamp) -> Result<(), DbError> {
    let mut update = Bulk::new(
        "update delivery set state = 'sent', reason = null, mid = coalesce(delivery.mid, v.column3), settled_at = v.column4 \
         from (values ",
    );
    for evidence in evidence {
        if let Evidence::Shown { workspace, delivery, mid } = evidence {
            let mid = mid.map(|mid| mid.to_vec());
            update.row().bind(workspace.as_str()).bind(delivery.as_str()).bind(mid).bind(now.millis());
        }
    }
    if update.is_empty() {
        return Ok(());
    }
    let update = update.end(
        ") as v where delivery.workspace_id = v.column1 and delivery.id = v.column2 \
         and delivery.state in ('staged', 'sending', 'retry', 'unknown', 'held', 'dropped')",
    );
    transaction.execute(update).await?;
    Ok(())
}

async fn arrived(transaction: &mut WriteTransaction, evidence: &[Evidence]) -> Result<(), DbError> {
    let mut update = Bulk::new("update delivery set state = 'delivered' from (values ");
    for evidence in evidence {
        if let Evidence::Arrived { workspace, mid } = evidence {
            update.row().bind(workspace.as_str()).bind(mid.to_vec());
        }
    }
    if update.is_empty() {
        return Ok(());
    }
    let update = update.end(
        ") as v where delivery.workspace_id = v.column1 and delivery.mid = v.column2 and delivery.mid is not null \
         and delivery.state = 'sent'",
    );
    transaction.execute(update).await?;
    Ok(())
}

async fn up_to(
    transaction: &mut WriteTransaction,
    evidence: &[Evidence],
    read: bool,
    state: &'static str,
) -> Result<(), DbError> {
    let mut update = Bulk::new("update delivery set state = ").bind(state).end(" from (values ");
    for evidence in evidence {
        if let Evidence::UpTo { workspace, conversation, watermark, is_read } = evidence
            && *is_read == read
        {
            update.row().bind(workspace.as_str()).bind(conversation.as_str()).bind(watermark.millis());
        }
    }
    if update.is_empty() {
        return Ok(());
    }
    // Both states are named each time, because the index of receipts names both.
    let tail = if read {
        ") as v where delivery.workspace_id = v.column1 and delivery.conversation_id = v.column2 \
         and delivery.attempted_at <= v.column3 and delivery.state in ('sent', 'delivered')"
    } else {
        ") as v where delivery.workspace_id = v.column1 and delivery.conversation_id = v.column2 \
         and delivery.attempted_at <= v.column3 and delivery.state in ('sent', 'delivered') and delivery.state = 'sent'"
    };
    transaction.execute(update.end(tail)).await?;
    Ok(())
}
