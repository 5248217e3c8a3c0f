//! Evidence: what echoes, receipts and lookups say about deliveries. It only ever raises a delivery; `domain::delivery::next`
//! says the same in words.

use bellhop_domain::id::{ConversationId, DeliveryId, WorkspaceId};
use bellhop_domain::time::Timestamp;
use sqlx::Row;

use crate::conversation;
use crate::db::{Bulk, DbError, WriteTransaction};
use crate::outbox::early;

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// Meta shows that it has the message.
    Shown(Shown),
    /// A message reached the customer, or was seen.
    Arrived {
        /// The tenant.
        workspace: WorkspaceId,
        /// The conversation.
        conversation: ConversationId,
        /// HMAC of Meta's message id.
        mid: [u8; 32],
        /// Seen, not only arrived.
        is_read: bool,
    },
    /// Everything of a conversation up to a time reached the customer, or was seen.
    UpTo {
        /// The tenant.
        workspace: WorkspaceId,
        /// The conversation.
        conversation: ConversationId,
        /// By Meta's clock.
        watermark: Timestamp,
        /// Seen, not only arrived.
        is_read: bool,
    },
}

/// A message that Meta has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// Which delivery it is.
    pub delivery: DeliveryId,
    /// HMAC of Meta's message id.
    pub mid: Option<[u8; 32]>,
    /// When Meta took it, by its clock.
    pub at: Timestamp,
    /// It was found by what it says, among those of which nobody knew.
    pub is_likeness: bool,
}

impl Evidence {
    /// True when a delivery was found by what it says.
    pub fn is_likeness(&self) -> bool {
        matches!(self, Self::Shown(Shown { is_likeness: true, .. }))
    }
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
    lock(transaction, evidence).await?;
    shown(transaction, evidence, now).await?;
    let mut n_missed = 0;
    for (is_read, state) in RECEIPTS {
        n_missed += arrived(transaction, evidence, is_read, state).await?;
    }
    for (is_read, state) in RECEIPTS {
        up_to(transaction, evidence, is_read, state).await?;
    }
    early::keep(transaction, evidence, n_missed > 0, now).await
}

/// What receipts say.
const RECEIPTS: [(bool, &str); 2] = [(false, "delivered"), (true, "read")];

/// Takes the deliveries whose answers are not there yet before looking at anything: the host that writes such an answer then either
/// sees what is kept here, or has written the id that is looked for here.
async fn lock(transaction: &mut WriteTransaction, evidence: &[Evidence]) -> Result<(), DbError> {
    let mut select = Bulk::new(
        "select 1 from delivery where state in ('staged', 'retry', 'sending', 'unknown') and state in ('sending', 'unknown') \
         and (workspace_id, conversation_id) in ",
    )
    .keys(2);
    for evidence in evidence {
        let (workspace, conversation) = evidence.place();
        select.row().bind(workspace.as_str()).bind(conversation.as_str());
    }
    if select.is_empty() {
        return Ok(());
    }
    transaction.lock_rows(select.end(" order by workspace_id, id")).await
}

impl Evidence {
    fn place(&self) -> (&WorkspaceId, &ConversationId) {
        match self {
            Self::Shown(Shown { workspace, conversation, .. })
            | Self::Arrived { workspace, conversation, .. }
            | Self::UpTo { workspace, conversation, .. } => (workspace, conversation),
        }
    }
}

/// An echo also tells Meta's own time of what was answered for long. What was found by its words must still be in doubt, and the
/// message of nobody else.
const SHOWN: &str = ") as v where delivery.workspace_id = v.column1 and delivery.id = v.column2 \
     and (delivery.state in ('staged', 'sending', 'retry', 'unknown', 'held', 'dropped') \
     or (delivery.state in ('sent', 'delivered') and coalesce(delivery.meta_at, 0) <> v.column4)) \
     and (v.column6 = 0 or ((delivery.state in ('sending', 'unknown') or (delivery.state = 'held' and delivery.reason = 'unknown') \
     or (delivery.state = 'retry' and delivery.reason = 'not-there')) \
     and not exists (select 1 from delivery o where o.workspace_id = v.column1 and o.mid = v.column3 and o.mid is not null)))";

/// What staff were told of it.
pub(super) const ITS_TASK: &str = " returning delivery.workspace_id, (select min(t.id) from task t where t.workspace_id = delivery.workspace_id \
     and t.delivery_id = delivery.id and t.delivery_id is not null and t.state = 'open')";

async fn shown(transaction: &mut WriteTransaction, evidence: &[Evidence], now: Timestamp) -> Result<(), DbError> {
    let mut update = Bulk::new(
        "update delivery set state = case when delivery.state in ('sent', 'delivered') then delivery.state else coalesce((\
         select max(e.state) from early_receipt e where e.workspace_id = delivery.workspace_id \
         and e.conversation_id = delivery.conversation_id and (e.mid = v.column3 or e.up_to >= v.column4)), 'sent') end, \
         reason = null, mid = coalesce(delivery.mid, v.column3), meta_at = v.column4, \
         settled_at = case when delivery.state in ('sent', 'delivered') then delivery.settled_at else v.column5 end \
         from (values ",
    );
    for evidence in evidence {
        if let Evidence::Shown(Shown { workspace, delivery, mid, at, is_likeness, .. }) = evidence {
            let mid = mid.map(|mid| mid.to_vec());
            update
                .row()
                .bind(workspace.as_str())
                .bind(delivery.as_str())
                .bind(mid)
                .bind(at.millis())
                .bind(now.millis())
                .bind(i64::from(*is_likeness));
        }
    }
    if update.is_empty() {
        return Ok(());
    }
    let mut tasks = Vec::new();
    for row in transaction.fetch_all(update.end(SHOWN).end(ITS_TASK)).await? {
        if let Some(task) = row.try_get::<Option<String>, _>(1)? {
            tasks.push((row.try_get::<String, _>(0)?, task));
        }
    }
    conversation::tasks_close_in(transaction, &tasks, now).await
}

/// How many of them no delivery was waiting for.
async fn arrived(
    transaction: &mut WriteTransaction,
    evidence: &[Evidence],
    read: bool,
    state: &'static str,
) -> Result<u64, DbError> {
    let (update, n_named) = raising(evidence, read, state);
    if n_named == 0 {
        return Ok(0);
    }
    let n_found = transaction.execute(update).await?;
    Ok(u64::saturating_sub(n_named, n_found))
}

/// The update, and how many messages it names. Keys of a `select`, not joined `values`: joined to those, SQLite walks the table.
fn raising(evidence: &[Evidence], read: bool, state: &'static str) -> (Bulk, u64) {
    let update =
        Bulk::new("update delivery set state = ").bind(state).end(" where mid is not null and state in ('sent', ");
    let update = update.end(if read { "'delivered'" } else { "'sent'" }).end(") and (workspace_id, mid) in ");
    let (mut update, mut n_named) = (update.keys(2), 0);
    for evidence in evidence {
        if let Evidence::Arrived { workspace, mid, is_read, .. } = evidence
            && *is_read == read
        {
            n_named += 1;
            update.row().bind(workspace.as_str()).bind(mid.to_vec());
        }
    }
    (update, n_named)
}

/// Meta's time where it is known, ours where it is not. Both states are named each time, because the index of receipts names both.
const DELIVERED_UP_TO: &str = ") as v where delivery.workspace_id = v.column1 and delivery.conversation_id = v.column2 \
     and coalesce(delivery.meta_at, delivery.attempted_at) <= v.column3 and delivery.state in ('sent', 'delivered') \
     and delivery.state = 'sent'";
const READ_UP_TO: &str = ") as v where delivery.workspace_id = v.column1 and delivery.conversation_id = v.column2 \
     and coalesce(delivery.meta_at, delivery.attempted_at) <= v.column3 and delivery.state in ('sent', 'delivered')";

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
    transaction.execute(update.end(if read { READ_UP_TO } else { DELIVERED_UP_TO })).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::{fresh, reached, reaches};

    #[tokio::test]
    async fn a_watermark_walks_what_may_still_be_raised() {
        let (_folder, _clock, db) = fresh().await;
        for tail in [DELIVERED_UP_TO, READ_UP_TO] {
            let update = format!("update delivery set state = 'x' from (values ('a', 'b', 5){tail}");
            reaches(&db, &update, "delivery", &["delivery_receipts"]).await;
        }
        let update =
            format!("update delivery set state = 'x' from (values ('a', 'b', x'00', 5, 6, 0){SHOWN}{ITS_TASK}");
        reaches(&db, &update, "delivery", &["PRIMARY KEY (workspace_id=? AND id=?)"]).await;
        reaches(&db, &update, "o", &["delivery_by_mid"]).await;
        reaches(&db, &update, "t", &["task_of_delivery"]).await;
    }

    #[tokio::test]
    async fn a_receipt_finds_its_delivery_among_a_million() {
        let (_folder, _clock, db) = fresh().await;
        let (workspace, conversation) = (WorkspaceId::new(), ConversationId::new());
        for (is_read, n) in [(false, 1), (false, 100), (true, 1), (true, 100)] {
            let evidence = Evidence::Arrived {
                workspace: workspace.clone(),
                conversation: conversation.clone(),
                mid: [7; 32],
                is_read,
            };
            let (update, _) = raising(&vec![evidence; n], is_read, "delivered");
            reached(&db, update.explained(), "delivery", &["delivery_by_mid (workspace_id=? AND mid=?)"]).await;
        }
    }
}
