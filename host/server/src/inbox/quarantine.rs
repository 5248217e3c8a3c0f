//! Bodies that Meta signed and that could not be cut: how many there are. Never opens one.

use crate::db::{Db, DbError, Queue};

const LENGTH: &str = "select count(*), min(received_at) from (select received_at from quarantine limit 100000) as kept";

/// The bodies in quarantine.
///
/// # Errors
/// [`DbError`].
pub async fn quarantine_queue(db: &Db) -> Result<Queue, DbError> {
    db.fetch_queue(sqlx::query(LENGTH)).await
}
