//! Collections and records: declares them, reads them, applies buffered writes, imports, searches. Content is sealed: the
//! business's records under the workspace's key, a contact's under theirs. Never knows a plugin by name, and never decides
//! who may read what: the caller says whose records are meant.

mod cache;
mod collection;
mod import;
mod read;
pub mod schema;
pub mod search;
mod write;

use std::sync::Arc;

use bellhop_domain::id::{ContactId, PluginKey, RecordId, WorkspaceId};

use crate::db::{Db, DbError};
use crate::vault::{Place, Vault, VaultError};

pub use collection::{collection_find, collections_declare_in};
pub use import::{ImportError, ImportMode, Imported, MAX_IMPORT_BYTES, RowProblem};
pub use write::{Change, PreparedWrite, RecordWrite, apply_in};

/// Largest document in bytes: 256 of them are what one call may be given (the sandbox's limit of 4 MiB).
pub const MAX_RECORD_BYTES: usize = 16 << 10;

/// Most records of a collection that are searched and imported: with four phrasings each their index has 10 MB.
pub const MAX_RECORDS: usize = 10_000;

/// Names a collection.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CollectionKey {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// Whose state it is.
    pub plugin_key: PluginKey,
    /// Its name in the manifest.
    pub name: String,
}

/// Whose records are read or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose<'a> {
    /// The business's: the collection is owned by it.
    Business,
    /// This contact's, and no other's.
    Contact(&'a ContactId),
}

/// A record, opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Made by the host.
    pub id: RecordId,
    /// Orders ranges: an instant or a number.
    pub key: i64,
    /// The document.
    pub json: String,
    /// Grows by one with each change, from 1.
    pub revision: i64,
}

/// A range in the order of keys; both ends belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Smallest key.
    pub from: i64,
    /// Largest key.
    pub to: i64,
    /// Largest first.
    pub descending: bool,
    /// At most this many.
    pub limit: u32,
}

/// What can go wrong with records.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The database failed.
    #[error("records could not be read or written")]
    Db(#[from] DbError),
    /// Content could not be sealed or opened.
    #[error("the content of a record could not be sealed or opened")]
    Vault(#[from] VaultError),
    /// The index failed.
    #[error("the records could not be searched")]
    Search(#[from] search::SearchError),
    /// No enabled plugin has declared it.
    #[error("there is no collection `{0}`; enable the plugin that declares it first")]
    NotDeclared(String),
    /// A new version of a plugin gives a collection to another owner.
    #[error("collection `{0}` cannot change its owner; give the new one another name")]
    OwnerChanged(String),
    /// Somebody else changed or removed the record since it was read, or made one with this id.
    #[error("a record was changed by somebody else in the meantime")]
    Conflict,
    /// A row that this version cannot read.
    #[error("a stored record or declaration cannot be read")]
    Unreadable,
    /// A background task was lost.
    #[error("the index was not built")]
    Lost,
}

/// Reads and prepares records; clones share the cache.
#[derive(Clone)]
pub struct Records {
    db: Db,
    vault: Vault,
    cache: Arc<cache::Cache>,
}

impl std::fmt::Debug for Records {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Records")
    }
}

impl Records {
    /// Records of this store.
    pub fn new(db: Db, vault: Vault) -> Self {
        Self { db, vault, cache: Arc::default() }
    }

    /// Forgets what is cached of a collection; called after a commit that wrote to it. Other hosts look again after half a
    /// second.
    pub fn forget(&self, collection: &CollectionKey) {
        self.cache.forget(collection);
    }
}

impl CollectionKey {
    /// The row's name for sealing: no two records of a workspace share it.
    fn row(&self, id: &RecordId) -> String {
        format!("{} {} {id}", self.plugin_key, self.name)
    }
}

impl Whose<'_> {
    /// How the column `contact_id` reads through `coalesce(…, '')`.
    fn contact(&self) -> &str {
        match self {
            Self::Business => "",
            Self::Contact(contact) => contact.as_str(),
        }
    }
}

const fn place(row: &str, revision: i64) -> Place<'_> {
    Place { table: "record", column: "sealed", row, revision }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
