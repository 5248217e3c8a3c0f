//! How much waits in the outbox, and who sends it. Walks the deliveries that are open or put aside and never those that went
//! well.

use bellhop_domain::delivery::State;
use bellhop_domain::id::HostId;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::db::{Db, DbError, Queue};

/// The states that somebody or something still has to do with, in the order of a delivery's life.
const STATES: [State; 6] = [State::Staged, State::Retry, State::Sending, State::Unknown, State::Held, State::Dead];

const OPEN: &str = "select state, count(*), min(created_at) from (select state, created_at from delivery \
     where state in ('staged', 'retry', 'sending', 'unknown') limit 100000) as waiting group by state";

const PUT_ASIDE: &str = "select state, count(*), min(created_at) from (select state, created_at from delivery \
     where state in ('held', 'dead') limit 100000) as kept group by state";

const LEASES: &str = "select owner, count(*) from delivery where state in ('sending', 'unknown') and state = 'sending' \
     and owner is not null and lease_until >= $1 group by owner";

/// Deliveries by state: those that are open, held for a person, or given up. Every such state is there, with nothing in it or
/// not.
///
/// # Errors
/// [`DbError`].
pub async fn delivery_queues(db: &Db) -> Result<Vec<(State, Queue)>, DbError> {
    let mut rows = db.fetch_all(sqlx::query(OPEN)).await?;
    rows.extend(db.fetch_all(sqlx::query(PUT_ASIDE)).await?);
    let read = |row: &AnyRow| Ok((row.try_get::<String, _>(0)?, Queue::read(row, 1)?));
    let found = rows.iter().map(read).collect::<Result<Vec<_>, DbError>>()?;
    let of = |state: State| {
        found.iter().find(|(name, _)| name == state.as_str()).map_or(Queue::default(), |(_, queue)| *queue)
    };
    Ok(STATES.map(|state| (state, of(state))).to_vec())
}

/// Deliveries in the hands of each host.
///
/// # Errors
/// [`DbError`].
pub async fn leases(db: &Db) -> Result<Vec<(HostId, i64)>, DbError> {
    let rows = db.fetch_all(sqlx::query(LEASES).bind(db.now().millis())).await?;
    let read = |row: &AnyRow| {
        let owner = HostId::parse(row.try_get(0)?).map_err(|_| DbError::Unreadable("delivery.owner"))?;
        Ok((owner, row.try_get(1)?))
    };
    rows.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::{fresh, reaches};

    #[tokio::test]
    async fn what_went_well_is_not_walked() {
        let (_folder, _clock, db) = fresh().await;
        reaches(&db, OPEN, "delivery", &["delivery_open"]).await;
        reaches(&db, PUT_ASIDE, "delivery", &["delivery_put_aside"]).await;
        reaches(&db, LEASES, "delivery", &["delivery_leased"]).await;
    }

    #[tokio::test]
    async fn every_state_that_wants_something_is_there() {
        let (_folder, _clock, db) = fresh().await;
        let states: Vec<State> = delivery_queues(&db).await.unwrap().into_iter().map(|(state, _)| state).collect();
        let settled = [State::Sent, State::Delivered, State::Read, State::Dropped];
        assert!(State::all().all(|state| states.contains(&state) != settled.contains(&state)), "{states:?}");
    }
}
