//! A store with a real vault for the tests of this room and those below it, on SQLite, with a clock that stands still.

use bellhop_domain::time::Timestamp;
use tempfile::TempDir;

use crate::config::KeysConfig;
use crate::db::{Clock, Db, Schema};
use crate::vault::Vault;

/// When these tests take place.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// A fresh store; it is gone with the folder.
pub(crate) async fn store() -> (TempDir, Db, Vault) {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(NOW);
    let db = Db::open(&Db::sqlite_url(&folder.path().join("store.db")), Schema::Store, clock.clone()).await.unwrap();
    let keyring = Db::sqlite_url(&folder.path().join("keyring.db"));
    let keyring = Db::open(&keyring, Schema::Keyring, clock).await.unwrap();
    let keys = KeysConfig { folder: folder.path().join("keys"), ..KeysConfig::default() };
    let vault = Vault::open(&keys, keyring, db.clone()).await.unwrap();
    (folder, db, vault)
}
