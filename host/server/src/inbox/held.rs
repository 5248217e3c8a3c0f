//! Events that a restore has set aside, and what an operator makes of them. Never looks into one.

use bellhop_domain::id::WorkspaceId;
use bellhop_domain::time::Timestamp;

use crate::db::{DbError, WriteTransaction};

/// Sets aside every open event of both lanes, and takes every conversation out of whatever hands it was in; how many events.
///
/// # Errors
/// [`DbError`]; the transaction is over.
pub async fn events_hold_in(transaction: &mut WriteTransaction) -> Result<u64, DbError> {
    // The epoch grows: a claim from before ends nothing here.
    let rest = "update conversation set epoch = epoch + 1, owner = null, lease_until = 0, first_open_at = null, ready_at = null \
                where ready_at is not null or owner is not null";
    transaction.execute(sqlx::query(rest)).await?;
    let hold = "update inbox_event set state = 'held', reason = 'restored' where state = 'open'";
    transaction.execute(sqlx::query(hold)).await
}

/// Ends the held events of people who were erased since, and removes their content: released, they would bring it back. How
/// many.
///
/// # Errors
/// [`DbError`]; the transaction is over.
pub async fn events_refuse_erased_in(transaction: &mut WriteTransaction, now: Timestamp) -> Result<u64, DbError> {
    let refuse = sqlx::query(
        "update inbox_event set state = 'refused', reason = 'erased', settled_at = $1, sealed = $2 \
         where state = 'held' and reason = 'restored' and exists (select 1 from conversation c join contact k \
         on k.workspace_id = c.workspace_id and k.id = c.contact_id where c.workspace_id = inbox_event.workspace_id \
         and c.id = inbox_event.conversation_id and k.erased_at is not null)",
    );
    transaction.execute(refuse.bind(now.millis()).bind(Vec::<u8>::new())).await
}

/// Opens a workspace's events again that arrived before `before` and that a restore had set aside; how many.
///
/// # Errors
/// [`DbError`]; the transaction is over.
pub async fn events_release_in(
    transaction: &mut WriteTransaction,
    workspace: &WorkspaceId,
    before: Timestamp,
    now: Timestamp,
) -> Result<u64, DbError> {
    // The conversations first, as arrivals do. A turn that is running sees by `arrivals` that something came in.
    let ready = sqlx::query(
        "update conversation set arrivals = arrivals + 1, first_open_at = coalesce(first_open_at, $1), \
         ready_at = case when ready_at is null or ready_at > $1 then $1 else ready_at end \
         where workspace_id = $2 and id in (select conversation_id from inbox_event \
         where workspace_id = $2 and state = 'held' and reason = 'restored' and lane = 'contact' and received_at < $3)",
    );
    let workspace = workspace.as_str().to_owned();
    transaction.execute(ready.bind(now.millis()).bind(workspace.clone()).bind(before.millis())).await?;
    let open = sqlx::query(
        "update inbox_event set state = 'open', reason = null \
         where workspace_id = $1 and state = 'held' and reason = 'restored' and received_at < $2",
    );
    transaction.execute(open.bind(workspace).bind(before.millis())).await
}

/// Gives them up instead.
///
/// # Errors
/// [`DbError`]; the transaction is over.
pub async fn events_give_up_in(
    transaction: &mut WriteTransaction,
    workspace: &WorkspaceId,
    before: Timestamp,
    now: Timestamp,
) -> Result<u64, DbError> {
    let give_up = sqlx::query(
        "update inbox_event set state = 'refused', reason = 'given-up', settled_at = $1 \
         where workspace_id = $2 and state = 'held' and reason = 'restored' and received_at < $3",
    );
    let give_up = give_up.bind(now.millis()).bind(workspace.as_str().to_owned());
    transaction.execute(give_up.bind(before.millis())).await
}
