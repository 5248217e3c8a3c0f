//! The end of events that ended long ago, and how many there ever were. Never removes one that is open.

use bellhop_domain::id::WorkspaceId;
use bellhop_domain::time::Timestamp;
use serde::Serialize;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::db::{Db, DbError, Sweep};

const COUNT: &str = "insert into event_count (workspace_id, day, state, reason, n_events) values ";
const ADD: &str =
    " on conflict (workspace_id, day, state, reason) do update set n_events = event_count.n_events + excluded.n_events";

const EVENTS: Sweep = Sweep {
    window: "select id, state, received_at from inbox_event where workspace_id = $1 and id > $2 order by id limit $3",
    // One that a person brought back in the meantime stays.
    delete: "delete from inbox_event where state <> 'open' and (workspace_id, id) in ",
    returning: " returning received_at, state, coalesce(reason, '')",
    count: COUNT,
    add: ADD,
};

pub(super) const QUARANTINE: Sweep = Sweep {
    window: "select id, 'quarantined', received_at from quarantine where workspace_id = $1 and id > $2 order by id limit $3",
    delete: "delete from quarantine where (workspace_id, id) in ",
    returning: " returning received_at, 'quarantined', reason",
    count: COUNT,
    add: ADD,
};

/// One statement, so that a sweep between two looks counts nothing twice.
const TOTALS: &str = "select state, reason, cast(sum(kept) as bigint), cast(sum(swept) as bigint) from (\
     select state, coalesce(reason, '') as reason, count(*) as kept, 0 as swept from inbox_event \
     group by state, coalesce(reason, '') \
     union all select 'quarantined', reason, count(*), 0 from quarantine group by reason \
     union all select state, reason, 0, n_events from event_count) as every group by state, reason order by state, reason";

/// When events must have come to be swept: before these times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SweepBefore {
    /// Those that ended: done, refused, ignored.
    pub settled: Timestamp,
    /// Those that were put aside, and bodies in quarantine.
    pub parked: Timestamp,
}

/// All that ever ended, or stands, in one way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Total {
    /// How: "done", "parked", "refused", "ignored", "open", …
    pub state: String,
    /// Why, as a code; empty where there is no reason.
    pub reason: String,
    /// Rows that are there.
    pub kept: i64,
    /// Rows that were swept.
    pub swept: i64,
}

impl Total {
    pub(crate) fn read(row: &AnyRow) -> Result<Self, DbError> {
        Ok(Self { state: row.try_get(0)?, reason: row.try_get(1)?, kept: row.try_get(2)?, swept: row.try_get(3)? })
    }
}

/// Removes a workspace's old events that are not open; how many there were.
///
/// # Errors
/// As [`Db::sweep`].
pub async fn events_sweep(db: &Db, workspace: &WorkspaceId, before: SweepBefore) -> Result<u64, DbError> {
    let is_old = |state: &str, at: Timestamp| match state {
        "open" => false,
        // What a restore has set aside waits for its operator.
        "parked" | "held" => at < before.parked,
        _ => at < before.settled,
    };
    db.sweep(&EVENTS, workspace.as_str(), before.settled.max(before.parked), is_old).await
}

/// Removes old bodies from quarantine; how many there were.
///
/// # Errors
/// As [`Db::sweep`].
pub async fn quarantine_sweep(db: &Db, workspace: &WorkspaceId, before: Timestamp) -> Result<u64, DbError> {
    db.sweep(&QUARANTINE, workspace.as_str(), before, |_, _| true).await
}

/// All events that ever came, by how they stand: the sum over all lines is what was accepted. Walks the whole table.
///
/// # Errors
/// [`DbError`].
pub async fn event_totals(db: &Db) -> Result<Vec<Total>, DbError> {
    db.fetch_all(sqlx::query(TOTALS)).await?.iter().map(Total::read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::{fresh, reaches};

    #[tokio::test]
    async fn the_oldest_are_found_by_the_primary_key() {
        let (_folder, _clock, db) = fresh().await;
        reaches(&db, EVENTS.window, "inbox_event", &["sqlite_autoindex_inbox_event_1 (workspace_id=? AND id>?)"]).await;
    }
}
