//! How much of the log is not sealed yet.

use crate::db::{Db, DbError, Queue};

const UNSEALED: &str = "select count(*), min(at) from (select at from audit where seq is null limit 100000) as waiting";

/// The rows that the sealing job has not chained yet; while it works they are a second old.
///
/// # Errors
/// [`DbError`].
pub async fn unsealed(db: &Db) -> Result<Queue, DbError> {
    db.fetch_queue(sqlx::query(UNSEALED)).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::{fresh, reaches};

    #[tokio::test]
    async fn what_is_sealed_is_not_walked() {
        let (_folder, _clock, db) = fresh().await;
        reaches(&db, UNSEALED, "audit", &["audit_unsealed"]).await;
    }
}
