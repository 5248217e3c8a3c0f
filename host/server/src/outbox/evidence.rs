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
    for update in [shown(evidence, now), arrived(evidence)].into_iter().flatten() {
        transaction.execute(update).await?;
    }
    for (is_read, state) in [(false, "delivered"), (true, "read")] {
        if let Some(update) = up_to(evidence, is_read, state) {
            transaction.execute(update).await?;
        }
    }
    Ok(())
}

fn shown(evidence: &[Evidence], now: Timestamp) -> Option<Bulk> {
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
    let tail = ") as v where delivery.workspace_id = v.column1 and delivery.id = v.column2 \
                and delivery.state in ('staged', 'sending', 'retry', 'unknown', 'held', 'dropped')";
    (!update.is_empty()).then(|| update.end(tail))
}

/// Keys of a `select`, not joined `values`: joined to those, SQLite walks the table.
fn arrived(evidence: &[Evidence]) -> Option<Bulk> {
    let mut update = Bulk::new(
        "update delivery set state = 'delivered' where mid is not null and state = 'sent' and (workspace_id, mid) in ",
    )
    .keys(2);
    for evidence in evidence {
        if let Evidence::Arrived { workspace, mid } = evidence {
            update.row().bind(workspace.as_str()).bind(mid.to_vec());
        }
    }
    (!update.is_empty()).then_some(update)
}

fn up_to(evidence: &[Evidence], read: bool, state: &'static str) -> Option<Bulk> {
    let mut update = Bulk::new("update delivery set state = ").bind(state).end(" from (values ");
    for evidence in evidence {
        if let Evidence::UpTo { workspace, conversation, watermark, is_read } = evidence
            && *is_read == read
        {
            update.row().bind(workspace.as_str()).bind(conversation.as_str()).bind(watermark.millis());
        }
    }
    // Both states are named each time, because the index of receipts names both.
    let tail = if read {
        ") as v where delivery.workspace_id = v.column1 and delivery.conversation_id = v.column2 \
         and delivery.attempted_at <= v.column3 and delivery.state in ('sent', 'delivered')"
    } else {
        ") as v where delivery.workspace_id = v.column1 and delivery.conversation_id = v.column2 \
         and delivery.attempted_at <= v.column3 and delivery.state in ('sent', 'delivered') and delivery.state = 'sent'"
    };
    (!update.is_empty()).then(|| update.end(tail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::{fresh, reached};

    #[tokio::test]
    async fn evidence_finds_its_delivery_among_a_million() {
        let (_folder, _clock, db) = fresh().await;
        let (workspace, conversation, delivery) = (WorkspaceId::new(), ConversationId::new(), DeliveryId::new());
        let watermark = db.now();
        let up_to_then = |is_read| Evidence::UpTo {
            workspace: workspace.clone(),
            conversation: conversation.clone(),
            watermark,
            is_read,
        };
        let all = [
            Evidence::Shown { workspace: workspace.clone(), delivery, mid: None },
            Evidence::Arrived { workspace: workspace.clone(), mid: [7; 32] },
            up_to_then(false),
            up_to_then(true),
        ];
        for n_each in [1, 100] {
            let evidence: Vec<Evidence> = all.iter().cycle().take(all.len() * n_each).cloned().collect();
            let updates = [
                (shown(&evidence, watermark), "PRIMARY KEY (workspace_id=? AND id=?)"),
                (arrived(&evidence), "delivery_by_mid (workspace_id=? AND mid=?)"),
                (up_to(&evidence, false, "delivered"), "delivery_receipts (workspace_id=? AND conversation_id=?"),
                (up_to(&evidence, true, "read"), "delivery_receipts (workspace_id=? AND conversation_id=?"),
            ];
            for (update, index) in updates {
                reached(&db, update.unwrap().explained(), "delivery", &[index]).await;
            }
        }
    }
}
