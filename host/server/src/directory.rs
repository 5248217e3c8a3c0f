//! Workspaces, apps and channels: what is connected, and for whom. Never holds a token or a secret, and never talks to Meta.
//!
//! Hosts read it from memory: a snapshot that is made anew when the generation changes. Every write of configuration, here
//! or in another room, ends in [`generation_bump`].

mod add;
mod channel;
mod rest;
mod rows;
mod snapshot;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bellhop_domain::id::AppId;
use bellhop_domain::time::Timestamp;
use sqlx::Row;
use tokio::sync::Mutex;

use crate::db::{Db, DbError, Signal, WriteTransaction};
use crate::vault::{Vault, VaultError};

pub use add::{AppSecrets, NewApp, NewChannel, NewWorkspace, app_add, app_secret_replace, channel_add, workspace_add};
pub use channel::{channel_remove, channel_state_set, channel_token_replace};
pub use rest::{app_rest, channel_rest};
pub use snapshot::{App, Channel, ChannelState, Rest, Snapshot, Workspace};

/// How often somebody who names what the directory does not know may have it look again: as often as hosts look anyway.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Who names something that the directory does not know. Each has looks of its own, so that strangers use up nobody else's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// Anybody on the net, before anything was verified.
    Stranger,
    /// A body that an app of ours has signed.
    Signed,
}

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
    #[error(
        "this Page, account or number is connected already; disconnect it there first with `bellhop channel remove`"
    )]
    Taken,
    /// A Meta app is there once in a workspace.
    #[error("that Meta app is here already, as {0}: connect channels with that id; `bellhop app list` shows all apps")]
    AppTaken(AppId),
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
    /// When a stranger, and when a signed body, last made it look again.
    looked: [Mutex<Option<Timestamp>>; 2],
}

impl Directory {
    /// Reads the directory.
    ///
    /// # Errors
    /// [`DirectoryError::Db`].
    pub async fn open(db: Db, vault: Vault) -> Result<Self, DirectoryError> {
        let snapshot = rows::read(&db).await?;
        Ok(Self {
            inner: Arc::new(Inner { db, vault, current: RwLock::new(Arc::new(snapshot)), looked: Default::default() }),
        })
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

    /// For whoever was asked about something that is not here and that another process may just have added: looks once more,
    /// at most once a second for all askers of a kind. Whoever asks while another looks waits for what that one finds, so
    /// that of a burst nobody is turned away a moment too early. Take a new snapshot afterwards.
    ///
    /// # Errors
    /// [`DirectoryError::Db`]; the old snapshot stays.
    pub async fn look_again(&self, asker: Asker) -> Result<(), DirectoryError> {
        let [stranger, signed] = &self.inner.looked;
        let (looked, is_signed) = match asker {
            Asker::Stranger => (stranger, false),
            Asker::Signed => (signed, true),
        };
        let mut looked = looked.lock().await;
        let now = self.inner.db.now();
        if looked.is_some_and(|last| now.since(last) < LOOK_AGAIN) {
            return Ok(());
        }
        // A store that fails must not be asked again by every stranger. A signed body is not acknowledged then and comes back.
        let last = looked.replace(now);
        let result = self.refresh_if_changed().await;
        if result.is_err() && is_signed {
            *looked = last;
        }
        result.map(drop)
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
    transaction.signal(Signal::Configuration);
    transaction.execute(bump).await.map(drop)
}

#[cfg(test)]
mod tests;
