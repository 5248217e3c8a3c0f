//! Workspaces, apps and channels: what is connected, and for whom. Never holds a token or a secret, and never talks to Meta.
//!
//! Hosts read it from memory: a snapshot that is made anew when the generation changes. Every write of configuration, here
//! or in another room, ends in [`generation_bump`].

mod add;
mod channel;
mod rows;
mod snapshot;

use std::sync::{Arc, PoisonError, RwLock};

use sqlx::Row;

use crate::db::{Db, DbError, WriteTransaction};
use crate::vault::{Vault, VaultError};

pub use add::{AppSecrets, NewApp, NewChannel, NewWorkspace, app_add, channel_add, workspace_add};
pub use channel::{channel_back_off, channel_state_set, channel_token_replace};
pub use snapshot::{App, Channel, ChannelState, Snapshot, Workspace};

/// What could not be done with the directory.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The database failed.
    #[error("the directory could not be reached")]
    Db(#[from] DbError),
    /// A secret could not be taken into custody.
    #[error("a secret could not be taken into custody")]
    Vault(#[from] VaultError),
    /// A value cannot be one.
    #[error("{field} {problem}")]
    Value {
        /// Which.
        field: &'static str,
        /// What it must be.
        problem: &'static str,
    },
    /// There is no such thing in this workspace.
    #[error("there is no such {0} in this workspace")]
    Missing(&'static str),
    /// A Page, account or number can be connected once.
    #[error("this Page, account or number is connected already; disconnect it there first")]
    Taken,
}

/// The directory in memory; clones share it.
#[derive(Clone, Debug)]
pub struct Directory {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    db: Db,
    vault: Vault,
    current: RwLock<Arc<Snapshot>>,
}

impl Directory {
    /// Reads the directory.
    ///
    /// # Errors
    /// [`DirectoryError::Db`].
    pub async fn open(db: Db, vault: Vault) -> Result<Self, DirectoryError> {
        let snapshot = rows::read(&db).await?;
        Ok(Self { inner: Arc::new(Inner { db, vault, current: RwLock::new(Arc::new(snapshot)) }) })
    }

    /// What is connected at this moment. Taken once per piece of work, so that it does not change underneath.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.inner.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads everything anew when the configuration has changed, and makes vault forget the secrets it remembers; true when
    /// it had. Called each second, and at once by whoever wrote.
    ///
    /// # Errors
    /// [`DirectoryError::Db`]; the old snapshot stays.
    pub async fn refresh_if_changed(&self) -> Result<bool, DirectoryError> {
        if generation(&self.inner.db).await? == self.snapshot().generation() {
            return Ok(false);
        }
        self.inner.vault.secrets_forget();
        let snapshot = rows::read(&self.inner.db).await?;
        *self.inner.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
        Ok(true)
    }
}

/// The number of the configuration's latest change; 0 before the first.
///
/// # Errors
/// [`DbError`].
pub async fn generation(db: &Db) -> Result<i64, DbError> {
    let select = sqlx::query("select value from meta where name = 'generation'");
    match db.fetch_optional(select).await? {
        Some(row) => row.try_get::<String, _>(0)?.parse().map_err(|_| DbError::Unreadable("meta.value")),
        None => Ok(0),
    }
}

/// Tells all hosts, from the commit on, that the configuration has changed.
///
/// # Errors
/// As [`WriteTransaction::execute`].
pub async fn generation_bump(transaction: &mut WriteTransaction) -> Result<(), DbError> {
    let bump = sqlx::query(
        "insert into meta (name, value) values ('generation', '1') \
         on conflict (name) do update set value = cast(cast(meta.value as bigint) + 1 as text)",
    );
    transaction.execute(bump).await.map(drop)
}

#[cfg(test)]
mod tests;
