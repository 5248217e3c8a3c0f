//! Receipts that beat the answer to their send: kept while a delivery of the conversation is on its way, so that the answer or the
//! echo finds them. Never kept for anybody else, and not for long.

use std::collections::HashMap;
use std::time::Duration;

use bellhop_domain::time::Timestamp;

use crate::db::{Bulk, Db, DbError, WriteTransaction};
use crate::outbox::Evidence;

/// The answer or the echo comes within seconds, a lookup within minutes.
const KEPT: Duration = Duration::from_secs(3_600);

const HEAD: &str = "insert into early_receipt (workspace_id, conversation_id, mid, state, up_to, seen_at) \
     select v.column1, v.column2, v.column3, v.column4, v.column5, v.column6 from (values ";

const KEEP: &str = ") as v where exists (select 1 from delivery o where o.workspace_id = v.column1 and o.conversation_id = v.column2 \
     and o.state in ('staged', 'retry', 'sending', 'unknown') and o.state in ('sending', 'unknown')) \
     and not exists (select 1 from delivery d where d.workspace_id = v.column1 and d.mid = v.column3 and d.mid is not null) \
     on conflict (workspace_id, conversation_id, mid, state) do update set up_to = excluded.up_to \
     where excluded.up_to > early_receipt.up_to";

const SWEEP: &str = "delete from early_receipt where (workspace_id, conversation_id, mid, state) in (\
     select workspace_id, conversation_id, mid, state from early_receipt where seen_at < $1 order by seen_at limit $2)";

/// Keeps what may be about a delivery whose answer is not there yet: all watermarks, and messages that no delivery is known by if
/// there are any.
pub(super) async fn keep(
    transaction: &mut WriteTransaction,
    evidence: &[Evidence],
    with_messages: bool,
    now: Timestamp,
) -> Result<(), DbError> {
    // A statement must not meet one row twice; of watermarks the latest counts.
    let mut rows = HashMap::new();
    for evidence in evidence {
        let (place, state, up_to) = match evidence {
            Evidence::Arrived { workspace, conversation, mid, is_read } if with_messages => {
                ((workspace, conversation, mid.to_vec()), state(*is_read), None)
            }
            Evidence::UpTo { workspace, conversation, watermark, is_read } => {
                ((workspace, conversation, Vec::new()), state(*is_read), Some(watermark.millis()))
            }
            Evidence::Shown(_) | Evidence::Arrived { .. } => continue,
        };
        let latest = rows.entry((place, state)).or_insert(up_to);
        *latest = up_to.max(*latest);
    }
    let mut insert = Bulk::new(HEAD);
    for (((workspace, conversation, mid), state), up_to) in rows {
        let row = insert.row().bind(workspace.as_str()).bind(conversation.as_str()).bind(mid);
        row.bind(state).bind(up_to).bind(now.millis());
    }
    if insert.is_empty() {
        return Ok(());
    }
    transaction.execute(insert.end(KEEP)).await?;
    Ok(())
}

const fn state(is_read: bool) -> &'static str {
    if is_read { "read" } else { "delivered" }
}

/// Removes what nobody came for; how many there were.
///
/// # Errors
/// [`DbError`]; the rest stays for the next sweep.
pub async fn early_receipts_sweep(db: &Db) -> Result<u64, DbError> {
    db.sweep_uncounted(SWEEP, db.now() - KEPT).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::{fresh, reaches};

    #[tokio::test]
    async fn deliveries_are_reached_by_what_is_open_and_by_their_id() {
        let (_folder, _clock, db) = fresh().await;
        let keep = format!("{HEAD}('a', 'b', x'00', 'read', 5, 6){KEEP}");
        reaches(&db, &keep, "o", &["delivery_open"]).await;
        reaches(&db, &keep, "d", &["delivery_by_mid"]).await;
        reaches(&db, SWEEP, "early_receipt", &["early_receipt_seen", "PRIMARY KEY"]).await;
    }
}
