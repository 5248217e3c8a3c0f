//! Deliveries that a restore has set aside, and what an operator makes of them. Sends nothing: what is released is judged
//! again when its turn comes, like everything else.

use bellhop_domain::delivery::{self, Happening, Repeat, State};
use bellhop_domain::id::WorkspaceId;
use bellhop_domain::time::Timestamp;

use crate::db::{DbError, WriteTransaction};

/// Sets aside every delivery that may still go out; how many there were. What was on the wire when the backup was taken was
/// settled long ago by a host that this store knows nothing of, so it is set aside like the rest.
///
/// # Errors
/// [`DbError`]; the transaction is over.
pub async fn deliveries_hold_in(transaction: &mut WriteTransaction) -> Result<u64, DbError> {
    let hold = "update delivery set state = 'held', reason = 'restored', owner = null, lease_until = 0 \
                where state in ('staged', 'retry', 'sending', 'unknown')";
    transaction.execute(sqlx::query(hold)).await
}

/// Lets a workspace's deliveries of before `before` go that a restore had set aside; how many.
///
/// # Errors
/// [`DbError`]; the transaction is over.
pub async fn deliveries_release_in(
    transaction: &mut WriteTransaction,
    workspace: &WorkspaceId,
    before: Timestamp,
    now: Timestamp,
) -> Result<u64, DbError> {
    let release = sqlx::query(
        "update delivery set state = $1, reason = 'released', due_at = $2 \
         where workspace_id = $3 and state = 'held' and reason = 'restored' and created_at < $4",
    );
    let release = release.bind(after(Happening::Released)).bind(now.millis());
    transaction.execute(release.bind(workspace.as_str().to_owned()).bind(before.millis())).await
}

/// Gives them up instead.
///
/// # Errors
/// [`DbError`]; the transaction is over.
pub async fn deliveries_give_up_in(
    transaction: &mut WriteTransaction,
    workspace: &WorkspaceId,
    before: Timestamp,
    now: Timestamp,
) -> Result<u64, DbError> {
    let give_up = sqlx::query(
        "update delivery set state = $1, reason = 'given-up', settled_at = $2 \
         where workspace_id = $3 and state = 'held' and reason = 'restored' and created_at < $4",
    );
    let give_up = give_up.bind(after(Happening::Abandoned)).bind(now.millis());
    transaction.execute(give_up.bind(workspace.as_str().to_owned()).bind(before.millis())).await
}

/// What becomes of a held delivery; the same for every kind.
fn after(happening: Happening) -> &'static str {
    delivery::next(State::Held, Repeat::ByEvidence, happening).as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_says_the_same() {
        assert_eq!((after(Happening::Released), after(Happening::Abandoned)), ("retry", "dead"));
        let open: Vec<&str> = State::all().filter(|state| state.holds_conversation()).map(State::as_str).collect();
        assert_eq!(open, ["staged", "sending", "retry", "unknown"], "all of these are set aside");
    }
}
