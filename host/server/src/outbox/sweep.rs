//! The end of deliveries that ended long ago, and how many there ever were. Never removes one that is open.

use bellhop_domain::delivery::State;
use bellhop_domain::id::WorkspaceId;
use bellhop_domain::time::Timestamp;

use crate::db::{Db, DbError, Sweep};
use crate::inbox::{SweepBefore, Total};

const DELIVERIES: Sweep = Sweep {
    window: "select id, state, created_at from delivery where workspace_id = $1 and id > $2 order by id limit $3",
    delete: "delete from delivery where state in ('sent', 'delivered', 'read', 'dead', 'dropped', 'held') and (workspace_id, id) in ",
    returning: " returning created_at, state, coalesce(reason, '')",
    count: "insert into delivery_count (workspace_id, day, state, reason, n_deliveries) values ",
    add: " on conflict (workspace_id, day, state, reason) \
          do update set n_deliveries = delivery_count.n_deliveries + excluded.n_deliveries",
};

const TOTALS: &str = "select state, reason, cast(sum(kept) as bigint), cast(sum(swept) as bigint) from (\
     select state, coalesce(reason, '') as reason, count(*) as kept, 0 as swept from delivery \
     group by state, coalesce(reason, '') \
     union all select state, reason, 0, n_deliveries from delivery_count) as every group by state, reason order by state, reason";

/// Removes a workspace's old deliveries that are neither open nor waiting for a person; how many there were. `before.parked` is
/// for those that are held.
///
/// # Errors
/// As [`Db::sweep`].
pub async fn deliveries_sweep(db: &Db, workspace: &WorkspaceId, before: SweepBefore) -> Result<u64, DbError> {
    let is_old = |state: &str, at: Timestamp| match State::parse(state) {
        Some(State::Sent | State::Delivered | State::Read | State::Dead | State::Dropped) => at < before.settled,
        Some(State::Held) => at < before.parked,
        Some(State::Staged | State::Sending | State::Retry | State::Unknown) | None => false,
    };
    db.sweep(&DELIVERIES, workspace.as_str(), before.settled.max(before.parked), is_old).await
}

/// All deliveries that ever were, by how they stand. Walks the whole table.
///
/// # Errors
/// [`DbError`].
pub async fn delivery_totals(db: &Db) -> Result<Vec<Total>, DbError> {
    db.fetch_all(sqlx::query(TOTALS)).await?.iter().map(Total::read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::{fresh, reaches};

    #[tokio::test]
    async fn the_oldest_are_found_by_the_primary_key() {
        let (_folder, _clock, db) = fresh().await;
        reaches(&db, DELIVERIES.window, "delivery", &["USING PRIMARY KEY (workspace_id=? AND id>?)"]).await;
    }
}
