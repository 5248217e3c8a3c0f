//! What tests of statements need: a fresh store, and the way in which SQLite would go about a statement.

use bellhop_domain::time::Timestamp;
use sqlx::{AssertSqlSafe, Row};

use super::{Bulk, Clock, Db, Schema, Sql};

/// A store of its own, at a standing clock.
pub(crate) async fn fresh() -> (tempfile::TempDir, Clock, Db) {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(Timestamp::from_millis(1_795_176_000_000));
    let db = Db::open(&Db::sqlite_url(&folder.path().join("store.db")), Schema::Store, clock.clone()).await.unwrap();
    (folder, clock, db)
}

/// Fails when a statement reaches a table otherwise than by one of these, each an index or a part of a step of the plan.
pub(crate) async fn reaches(db: &Db, sql: &str, table: &str, indexes: &[&str]) {
    reached(db, sqlx::query(AssertSqlSafe(format!("explain query plan {sql}"))), table, indexes).await;
}

impl Bulk {
    /// The statement that tells how this one would be gone about.
    pub(crate) fn explained(self) -> Self {
        self.after("explain query plan ")
    }
}

/// The same for a statement that explains another.
pub(crate) async fn reached<'q>(db: &Db, explain: impl Sql<'q>, table: &str, indexes: &[&str]) {
    let rows = db.fetch_all(explain).await.unwrap();
    let steps: Vec<String> = rows.iter().map(|row| row.get::<String, _>(3)).collect();
    let to_table =
        |step: &&String| step.starts_with(&format!("SCAN {table}")) || step.starts_with(&format!("SEARCH {table}"));
    let found: Vec<&String> = steps.iter().filter(to_table).collect();
    assert!(!found.is_empty(), "{table} is not reached: {steps:#?}");
    let by_index = |step: &&&String| indexes.iter().any(|index| step.contains(*index));
    assert_eq!(found.iter().filter(by_index).count(), found.len(), "{steps:#?}");
}
