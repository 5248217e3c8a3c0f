//! What tests of statements need: a fresh store.

use super::{Clock, Db, Schema};
use bellhop_domain::time::Timestamp;

/// A store of its own, at a standing clock.
pub(crate) async fn fresh() -> (tempfile::TempDir, Clock, Db) {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(Timestamp::from_millis(1_795_176_000_000));
    let db = Db::open(&Db::sqlite_url(&folder.path().join("store.db")), Schema::Store, clock.clone()).await.unwrap();
    (folder, clock, db)
}
