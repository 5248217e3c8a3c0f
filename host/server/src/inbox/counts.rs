//! How much waits in the inbox, and who works on it. Walks the rows that wait and never those that are settled.

use bellhop_domain::id::HostId;
use bellhop_domain::time::Timestamp;
use sqlx::Row;

use crate::db::{Db, DbError, Queue};

const CONTACT: &str = "select count(*), min(received_at) from (select received_at from inbox_event \
     where state = 'open' and lane = 'contact' limit 100000) as waiting";

const CONTROL: &str = "select count(*), min(received_at) from (select received_at from inbox_event \
     where state = 'open' and lane = 'control' limit 100000) as waiting";

const PARKED: &str = "select coalesce(reason, ''), count(*), min(received_at) from (select reason, received_at from inbox_event \
     where state = 'parked' limit 100000) as parked group by coalesce(reason, '') order by coalesce(reason, '')";

/// A lease keeps its conversation among those that come up again, so the index of those finds it.
const LEASES: &str = "select owner, count(*) from (select owner, lease_until from conversation where ready_at is not null \
     limit 100000) as held where owner is not null and lease_until >= $1 group by owner";

/// The oldest of each workspace, as a claim finds it.
const OVERDUE: &str = "with recursive tenant (workspace_id) as (select min(workspace_id) from conversation \
     where ready_at is not null union all select (select min(c.workspace_id) from conversation c \
     where c.ready_at is not null and c.workspace_id > tenant.workspace_id) from tenant where tenant.workspace_id is not null) \
     select min(oldest_at) from (select (select o.ready_at from conversation o where o.workspace_id = tenant.workspace_id \
     and o.ready_at is not null and o.ready_at < $1 and o.lease_until < $1 order by o.ready_at limit 1) as oldest_at \
     from tenant) as oldest";

/// Events that were put aside, for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// The reason, a code.
    pub reason: String,
    /// How many and since when.
    pub queue: Queue,
}

/// Contact events that wait for a turn.
///
/// # Errors
/// [`DbError`].
pub async fn contact_queue(db: &Db) -> Result<Queue, DbError> {
    db.fetch_queue(sqlx::query(CONTACT)).await
}

/// Control events that are not yet applied.
///
/// # Errors
/// [`DbError`].
pub async fn control_queue(db: &Db) -> Result<Queue, DbError> {
    db.fetch_queue(sqlx::query(CONTROL)).await
}

/// Events that were put aside, by reason.
///
/// # Errors
/// [`DbError`].
pub async fn parked_queues(db: &Db) -> Result<Vec<Parked>, DbError> {
    let rows = db.fetch_all(sqlx::query(PARKED)).await?;
    rows.iter().map(|row| Ok(Parked { reason: row.try_get(0)?, queue: Queue::read(row, 1)? })).collect()
}

/// Conversations in the hands of each host.
///
/// # Errors
/// [`DbError`].
pub async fn leases(db: &Db) -> Result<Vec<(HostId, i64)>, DbError> {
    let rows = db.fetch_all(sqlx::query(LEASES).bind(db.now().millis())).await?;
    let read = |row: &sqlx::any::AnyRow| {
        let owner = HostId::parse(row.try_get(0)?).map_err(|_| DbError::Unreadable("conversation.owner"))?;
        Ok((owner, row.try_get(1)?))
    };
    rows.iter().map(read).collect()
}

/// Since when the conversation that has waited longest is ready for a host to take it; `None` when none waits. While a host is
/// at work this is a moment ago.
///
/// # Errors
/// [`DbError`].
pub async fn ready_since(db: &Db) -> Result<Option<Timestamp>, DbError> {
    let row = db.fetch_optional(sqlx::query(OVERDUE).bind(db.now().millis())).await?;
    let oldest: Option<i64> = row.map(|row| row.try_get(0)).transpose()?.flatten();
    Ok(oldest.map(Timestamp::from_millis))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::{fresh, reaches};

    #[tokio::test]
    async fn what_is_settled_is_not_walked() {
        let (_folder, _clock, db) = fresh().await;
        reaches(&db, CONTACT, "inbox_event", &["inbox_event_open"]).await;
        reaches(&db, CONTROL, "inbox_event", &["inbox_event_control"]).await;
        reaches(&db, PARKED, "inbox_event", &["inbox_event_parked"]).await;
        reaches(&db, LEASES, "conversation", &["conversation_ready"]).await;
        reaches(&db, OVERDUE, "conversation", &["conversation_ready"]).await;
        reaches(&db, OVERDUE, "c ", &["conversation_ready (workspace_id>?)"]).await;
        reaches(&db, OVERDUE, "o ", &["conversation_ready (workspace_id=? AND ready_at>? AND ready_at<?)"]).await;
    }
}
