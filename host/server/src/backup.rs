//! Copies of a store: taking one while the host runs, bringing one back as a new life of the store, and moving a store to
//! another database. Copies rows and never looks into them; keys are vault's, and never lie in a copy of the store.
//!
//! After a restore nothing goes out by itself: what was open is held until an operator releases it ([`release`]).

mod manifest;
mod relocate;
mod release;
mod restore;
mod standing;
mod swap;
mod take;

use std::io;
use std::path::{Path, PathBuf};

use crate::conversation::ConversationError;
use crate::db::DbError;
use crate::vault::VaultError;

pub use manifest::Manifest;
pub use release::{Release, Released, release};
pub use relocate::{Relocation, relocate, relocate_cancel};
pub use restore::{Restore, Restored, restore};
pub use standing::{Standing, check_living};
pub use swap::restore_unfinished;
pub use take::{Taken, take};

/// What can go wrong with copies of a store.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database.
    #[error("could not read or write a store")]
    Db(#[from] DbError),
    /// Keys.
    #[error("could not read the keyring")]
    Vault(#[from] VaultError),
    /// Contacts.
    #[error("could not note which contacts are erased")]
    Conversation(#[from] ConversationError),
    /// A file.
    #[error("could not read or write {0}")]
    File(PathBuf, #[source] io::Error),
    /// A backup that was not finished, or a file that is none.
    #[error("{0} is missing: a backup without it was not finished, or is none; choose another one")]
    NoManifest(PathBuf),
    /// A manifest that cannot be read.
    #[error("the manifest {0} cannot be read; choose another backup")]
    BadManifest(PathBuf),
    /// A backup that was changed or cut short.
    #[error("the backup {0} is damaged: its size or checksum is not what its manifest says; choose another one")]
    Damaged(PathBuf),
    /// A backup of a newer version.
    #[error("this backup was made by bellhop {0}, which is newer than this one; restore it with that version")]
    Newer(String),
    /// A store that somebody works with.
    #[error("there is a store with data in {0}; with `--replace` it is moved aside, not deleted")]
    NotEmpty(String),
    /// No keyring to read the store with.
    #[error("there is no keyring here; bring it back first, with `bellhop restore keys FOLDER/keys`")]
    NoKeyring,
    /// Another installation's keyring.
    #[error(
        "the keyring here does not belong to this backup: keys of its businesses are missing, and without them nobody can read \
         it; bring back the keyring first, with `bellhop restore keys FOLDER/keys`"
    )]
    ForeignKeyring,
    /// A store that was moved away.
    #[error("this store was moved to {0}; set `store.url` or `store.data_folder` so that it is found there")]
    Moved(String),
    /// A store that is being moved away.
    #[error(
        "this store is being moved to {0}: go on with `bellhop migrate-store`, or take it back with `bellhop migrate-store --cancel`"
    )]
    Moving(String),
    /// A store that is being filled.
    #[error("this store is not whole yet: it is being filled from {0}; let `bellhop migrate-store` come to its end")]
    Filling(String),
    /// Files that were being exchanged.
    #[error("a restore into {0} was cut short; run `bellhop restore` again, with `--replace`")]
    Unfinished(PathBuf),
    /// A move within one engine.
    #[error("the store is on that engine already; `bellhop backup` and `bellhop restore` bring it to another machine")]
    SameEngine,
    /// Two moves into one database.
    #[error("{0} is being filled by another move; name an empty database")]
    OtherMove(String),
    /// Nothing to take back.
    #[error("this store is not being moved")]
    NotMoving,
}

/// Runs work on files where it may wait.
async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, BackupError> {
    let result = tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)));
    result.map_err(|error| BackupError::File(path.to_owned(), error))
}

/// A time as it stands in names of files and schemas: `20261125t183005z`.
fn stamp(at: bellhop_domain::time::Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.millis()).unwrap_or_default();
    at.strftime("%Y%m%dt%H%M%Sz").to_string()
}
