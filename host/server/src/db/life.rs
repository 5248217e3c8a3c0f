//! The lives of a store. A restore begins a new one, its *incarnation*; whoever opened an earlier one writes nothing any
//! more. Knows nothing of what is in the store.
//!
//! Where the fence is, and why there: on SQLite a restore replaces the file, and locks of the system keep it from doing so
//! while anybody has the old one open, so there is nothing to check. On PostgreSQL hosts stay connected to the database that
//! is restored into. There every transaction that writes begins with a read of the incarnation, sent together with its
//! `begin`, so that it costs no round trip; the read keeps a shared lock on `meta` until the transaction ends, and a restore
//! takes that table's exclusive lock first. So each transaction is either over before the new life begins, or sees it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use sqlx::Row;
use sqlx::any::AnyRow;
use tokio_util::sync::CancellationToken;

use super::{Db, DbError, Engine, WriteTransaction};

pub(super) const INCARNATION: &str = "incarnation";

/// Begins a transaction and reads, under the table's shared lock, in which life it runs.
pub(super) const BEGIN_FENCED: &str = "begin; select value from meta where name = 'incarnation'";

/// How often an idle host looks; a busy one notices with its next write.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The life that a handle was opened in. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Life(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    opened: OnceLock<String>,
    over: CancellationToken,
}

impl Life {
    /// The incarnation, once it is known; the keyring has none.
    pub(super) fn opened(&self) -> Option<&str> {
        self.0.opened.get().map(String::as_str)
    }

    /// Compares what a transaction has read with what was opened.
    pub(super) fn check(&self, rows: &[AnyRow]) -> Result<(), DbError> {
        let found = rows.first().map(|row| row.try_get::<String, _>(0)).transpose()?;
        if found.as_deref() == self.opened() {
            return Ok(());
        }
        self.0.over.cancel();
        Err(DbError::Replaced)
    }
}

impl Db {
    /// Notes in which life the store is, and gives a new store its first.
    pub(super) async fn life_open(&self) -> Result<(), DbError> {
        if self.incarnation_stored().await?.is_none() {
            let first = "insert into meta (name, value) values ($1, $2) on conflict do nothing";
            self.execute(sqlx::query(first).bind(INCARNATION).bind(new_incarnation())).await?;
        }
        let found = self.incarnation_stored().await?.ok_or(DbError::Unreadable("meta.incarnation"))?;
        // Set once: a handle opens one life.
        drop(self.life.0.opened.set(found));
        Ok(())
    }

    /// The incarnation that this handle was opened in; empty for a keyring.
    pub fn incarnation(&self) -> &str {
        self.life.opened().unwrap_or_default()
    }

    /// A handle of the same store for the life that it is in now: for whoever has begun it.
    ///
    /// # Errors
    /// [`DbError::Statement`].
    pub async fn renewed(&self) -> Result<Self, DbError> {
        let renewed = Self { life: Life::default(), ..self.clone() };
        renewed.life_open().await?;
        Ok(renewed)
    }

    /// Waits until the store that this handle opened has begun another life; on SQLite that cannot happen under an open
    /// handle.
    pub async fn replaced(&self) {
        loop {
            tokio::select! {
                () = self.life.0.over.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            if self.engine == Engine::Postgres {
                // A store that does not answer is told of by whoever needs it; here only another answer counts.
                if let Ok(Some(found)) = self.incarnation_stored().await
                    && Some(found.as_str()) != self.life.opened()
                {
                    self.life.0.over.cancel();
                }
            }
        }
    }

    async fn incarnation_stored(&self) -> Result<Option<String>, DbError> {
        let select = sqlx::query("select value from meta where name = $1").bind(INCARNATION);
        Ok(self.fetch_optional(select).await?.map(|row| row.try_get(0)).transpose()?)
    }
}

/// Begins a new life of the store: from the commit on, every handle that was opened before writes nothing more. The new
/// incarnation.
///
/// # Errors
/// [`DbError`]; the transaction is over.
pub async fn incarnation_begin(transaction: &mut WriteTransaction) -> Result<String, DbError> {
    let fresh = new_incarnation();
    // A transaction that has read the old one ends first, and none begins before this one has ended.
    transaction.lock_table("meta").await?;
    let upsert =
        "insert into meta (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value";
    transaction.execute(sqlx::query(upsert).bind(INCARNATION).bind(fresh.clone())).await?;
    Ok(fresh)
}

/// Never one that was there before: two restores of one backup are two lives.
fn new_incarnation() -> String {
    uuid::Uuid::now_v7().to_string()
}
