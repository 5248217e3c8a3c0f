//! Keys and secrets: a master key wraps epoch keys, these wrap the data keys of workspaces and contacts, and content is
//! sealed under those. Holds the tokens of channels and the secrets of apps. Never hands out the bytes of a key or a
//! secret, and never prints them.

mod cache;
mod copy;
mod custody;
mod epoch;
mod files;
mod index;
mod keyring;
mod master;
mod seal;
mod signing;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bellhop_domain::id::{ContactId, KeyId, WorkspaceId};
use bellhop_domain::time::Timestamp;

use crate::config::KeysConfig;
use crate::db::{Db, DbError};

pub use copy::{KeysCopied, keys_copy, keys_restore, living_keys};
pub use custody::SecretKind;
pub use index::IndexKey;
pub use seal::{DataKey, Place};

use cache::Generations;
use custody::Held;
use epoch::Epochs;
use keyring::{KeyName, WrappedKey};

/// Keys kept decrypted per generation: about 1 kB each with its cipher schedule, so 8 MB at the worst.
const MAX_CACHED_KEYS: usize = 4_096;

/// Owners whose secrets are kept decrypted: the channels that sent something in the last half minute.
const MAX_CACHED_SECRETS: usize = 4_096;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What vault could not do.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// A key file could not be read or written.
    #[error("could not use the key files at {0}; check `keys.folder` and who owns it")]
    Files(PathBuf, #[source] io::Error),
    /// The master key is not there, but the keyring has keys that only it can open.
    #[error("the master key {0} is missing; put it back from its backup, a new one could open nothing")]
    MasterMissing(PathBuf),
    /// The master key cannot be one.
    #[error("the master key must be 64 hexadecimal characters")]
    MasterKey,
    /// `keys.master_command` failed, took too long or is empty.
    #[error("the command `keys.master_command` gave no master key")]
    MasterCommand(#[source] Option<io::Error>),
    /// The file of an epoch key is not there.
    #[error("epoch key {0} is missing; all hosts need the same `keys.folder`, or put it back from its backup")]
    EpochMissing(i64),
    /// The file of an epoch key does not open with this master key.
    #[error("epoch key {0} does not open with this master key")]
    EpochUnreadable(i64),
    /// The file holds another installation's epoch key.
    #[error("epoch key {0} belongs to another keyring; all hosts need the same `keys.folder`")]
    EpochForeign(i64),
    /// Other hosts begin new epochs faster than this one can follow.
    #[error("no current epoch key was found")]
    EpochMoved,
    /// Keys are there already.
    #[error("there are keys here already; a copy of the keyring is brought back only where there are none")]
    KeyringInUse,
    /// The database failed.
    #[error("the keyring or the custody of secrets could not be reached")]
    Db(#[from] DbError),
    /// Something else lies where the copy of the keyring goes.
    #[error("{0} is not a copy of the keyring; name another folder, what lies there would be overwritten")]
    NotACopy(PathBuf),
    /// The key was destroyed: what it sealed is erased.
    #[error("the key was destroyed")]
    KeyGone,
    /// The bytes were changed, or belong to another place or key.
    #[error("sealed content does not open")]
    Sealed,
    /// A secret that is empty or too large.
    #[error("a secret must have 1 to 8192 bytes")]
    SecretSize,
    /// Nobody gave this secret.
    #[error("no usable {} is in custody", .0.as_str())]
    NoSecret(SecretKind),
}

/// A day in UTC, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i64);

impl Day {
    /// The day of a time.
    pub fn of(time: Timestamp) -> Self {
        Self(time.millis().div_euclid(DAY.as_millis() as i64))
    }

    /// Text that sorts like the days do.
    fn label(self) -> String {
        format!("{:08}", self.0.max(0))
    }
}

/// Whose content a key seals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner<'a> {
    /// The business itself.
    Workspace,
    /// One customer: destroying the key erases the content.
    Contact(&'a ContactId),
    /// What arrived on one day and was not looked at yet.
    Intake(Day),
}

const PURPOSE_CONTACT: &str = "contact";
const PURPOSE_INTAKE: &str = "intake";

impl Owner<'_> {
    fn name(self, workspace: &WorkspaceId) -> KeyName {
        let (purpose, label) = match self {
            Self::Workspace => ("workspace", String::new()),
            Self::Contact(contact) => (PURPOSE_CONTACT, contact.as_str().to_owned()),
            Self::Intake(day) => (PURPOSE_INTAKE, day.label()),
        };
        KeyName { workspace: workspace.clone(), purpose: Cow::Borrowed(purpose), label }
    }
}

/// The id under which rows stand that belong to the installation and to no business.
#[expect(clippy::expect_used, reason = "a constant that parses")]
pub fn installation() -> WorkspaceId {
    WorkspaceId::parse("installation").expect("visible ASCII of bounded length")
}

/// The vault; clones share it.
#[derive(Clone)]
pub struct Vault {
    inner: Arc<Inner>,
}

struct Inner {
    keyring: Db,
    store: Db,
    epochs: Epochs,
    /// By name and by id.
    keys: Generations<Arc<DataKey>>,
    indexes: Generations<Arc<IndexKey>>,
    secrets: Generations<Arc<[Held]>>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(…)")
    }
}

impl Vault {
    /// Opens the vault; on the very first run makes the master key and the first epoch key.
    ///
    /// # Errors
    /// When a key is missing or wrong (the message says what to do) or the keyring cannot be reached.
    pub async fn open(keys: &KeysConfig, keyring: Db, store: Db) -> Result<Self, VaultError> {
        let folder = keys.folder.clone();
        blocking(&keys.folder, move || files::make_folder(&folder)).await?;
        let known = keyring::epochs(&keyring).await?;
        let master = master::load(keys, known.is_empty()).await?;
        let epochs = Epochs::open(keys.folder.clone(), master, &keyring, &known).await?;
        let inner = Inner {
            keyring,
            store,
            epochs,
            keys: Generations::new(MAX_CACHED_KEYS),
            indexes: Generations::new(MAX_CACHED_KEYS),
            secrets: Generations::new(MAX_CACHED_SECRETS),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The key of an owner; made, and on disk, before it is first returned.
    ///
    /// # Errors
    /// [`VaultError::Db`] when the keyring cannot be reached.
    ///
    /// # Cancel safety
    /// Either the key is in the keyring or it is not.
    pub async fn key(&self, workspace: &WorkspaceId, owner: Owner<'_>) -> Result<Arc<DataKey>, VaultError> {
        let mut keys = self.keys_of(vec![owner.name(workspace)]).await?;
        keys.pop().ok_or(VaultError::KeyGone)
    }

    /// The keys of many contacts, in their order; one statement makes all that are new.
    ///
    /// # Errors
    /// As [`Vault::key`].
    pub async fn contact_keys(&self, contacts: &[(WorkspaceId, ContactId)]) -> Result<Vec<Arc<DataKey>>, VaultError> {
        let names = contacts.iter().map(|(workspace, contact)| Owner::Contact(contact).name(workspace));
        self.keys_of(names.collect()).await
    }

    /// A key by its id.
    ///
    /// # Errors
    /// [`VaultError::KeyGone`] when it was destroyed; what it sealed is erased.
    pub async fn key_by_id(&self, workspace: &WorkspaceId, id: &KeyId) -> Result<Arc<DataKey>, VaultError> {
        let mut keys = self.keys_by_id(&[(workspace.clone(), id.clone())]).await?;
        keys.pop().flatten().ok_or(VaultError::KeyGone)
    }

    /// Many keys by id, in their order; `None` for one that was destroyed.
    ///
    /// # Errors
    /// [`VaultError::Db`], [`VaultError::EpochMissing`].
    pub async fn keys_by_id(&self, ids: &[(WorkspaceId, KeyId)]) -> Result<Vec<Option<Arc<DataKey>>>, VaultError> {
        let now = self.inner.keyring.now();
        let mut found = HashMap::with_capacity(ids.len());
        let mut missing = Vec::new();
        for wanted in ids {
            match self.inner.keys.get(&id_name(&wanted.0, &wanted.1), now) {
                Some(key) => drop(found.insert(wanted, key)),
                None => missing.push(wanted),
            }
        }
        if !missing.is_empty() {
            missing.sort_unstable();
            missing.dedup();
            let rows = keyring::keys_by_id(&self.inner.keyring, &missing).await?;
            let mut opened = HashMap::with_capacity(rows.len());
            for row in &rows {
                opened.insert((row.name.workspace.clone(), row.id.clone()), self.data_key(row, now).await?);
            }
            found.extend(missing.into_iter().filter_map(|wanted| Some((wanted, opened.remove(wanted)?))));
        }
        Ok(ids.iter().map(|wanted| found.get(wanted).cloned()).collect())
    }

    /// The workspace's key for looking up Meta's ids.
    ///
    /// # Errors
    /// As [`Vault::key`].
    pub async fn index(&self, workspace: &WorkspaceId) -> Result<Arc<IndexKey>, VaultError> {
        let now = self.inner.keyring.now();
        if let Some(index) = self.inner.indexes.get(workspace.as_str(), now) {
            return Ok(index);
        }
        let name = KeyName { workspace: workspace.clone(), purpose: Cow::Borrowed("index"), label: String::new() };
        let rows = self.find_or_make(&HashSet::from([name])).await?;
        let row = rows.first().ok_or(VaultError::KeyGone)?;
        let index = Arc::new(IndexKey::new(&self.inner.epochs.unwrap(&self.inner.keyring, row).await?));
        self.inner.indexes.insert(workspace.as_str().to_owned(), Arc::clone(&index), now);
        Ok(index)
    }

    /// Erases a contact: what its key sealed cannot be read any more, here at once and on other hosts within a minute.
    /// True when there was a key.
    ///
    /// # Errors
    /// [`VaultError::Db`].
    pub async fn destroy_contact_key(&self, workspace: &WorkspaceId, contact: &ContactId) -> Result<bool, VaultError> {
        let name = Owner::Contact(contact).name(workspace);
        let rows = keyring::keys_by_name(&self.inner.keyring, &[&name]).await?;
        let was_there = keyring::key_delete(&self.inner.keyring, &name).await?;
        self.inner.keys.remove_where(|key| rows.iter().any(|row| row.id == *key.id()));
        Ok(was_there)
    }

    /// Destroys the intake keys of the days before `day`; how many there were.
    ///
    /// # Errors
    /// [`VaultError::Db`].
    pub async fn drop_intake_keys_before(&self, day: Day) -> Result<u64, VaultError> {
        let dropped = keyring::keys_delete_before(&self.inner.keyring, PURPOSE_INTAKE, &day.label()).await?;
        if dropped > 0 {
            self.inner.keys.clear();
        }
        Ok(dropped)
    }

    /// Begins a new epoch: every living key is wrapped anew and the old epoch key destroyed, so that a key which was
    /// destroyed before cannot be read in any older copy. Returns the epoch's number.
    ///
    /// # Errors
    /// [`VaultError::Files`], [`VaultError::Db`]; calling it again goes on where it stopped.
    pub async fn rotate_epoch(&self) -> Result<i64, VaultError> {
        self.inner.epochs.rotate(&self.inner.keyring).await
    }

    /// Drops decrypted keys and secrets that are past their time; called every few seconds, for hosts that are idle.
    pub fn expire(&self) {
        let now = self.inner.keyring.now();
        self.inner.keys.expire(now);
        self.inner.indexes.expire(now);
        self.inner.secrets.expire(now);
    }

    /// Forgets every decrypted key and closes the keyring; nothing can be sealed or opened from here on.
    pub async fn close(&self) {
        self.inner.keyring.close().await;
        self.inner.keys.expire(Timestamp::from_millis(i64::MAX));
        self.inner.indexes.expire(Timestamp::from_millis(i64::MAX));
        self.inner.secrets.expire(Timestamp::from_millis(i64::MAX));
    }

    /// The keys of these names, in their order.
    async fn keys_of(&self, names: Vec<KeyName>) -> Result<Vec<Arc<DataKey>>, VaultError> {
        let now = self.inner.keyring.now();
        let mut found: HashMap<KeyName, Arc<DataKey>> = HashMap::with_capacity(names.len());
        let mut missing = HashSet::new();
        for name in &names {
            match self.inner.keys.get(&cache_name(name), now) {
                Some(key) => drop(found.insert(name.clone(), key)),
                None => drop(missing.insert(name.clone())),
            }
        }
        if !missing.is_empty() {
            for row in self.find_or_make(&missing).await? {
                let key = self.data_key(&row, now).await?;
                self.inner.keys.insert(cache_name(&row.name), Arc::clone(&key), now);
                found.insert(row.name, key);
            }
        }
        names.iter().map(|name| found.get(name).cloned().ok_or(VaultError::KeyGone)).collect()
    }

    async fn data_key(&self, row: &WrappedKey, now: Timestamp) -> Result<Arc<DataKey>, VaultError> {
        let name = id_name(&row.name.workspace, &row.id);
        if let Some(key) = self.inner.keys.get(&name, now) {
            return Ok(key);
        }
        let raw = self.inner.epochs.unwrap(&self.inner.keyring, row).await?;
        let key = Arc::new(DataKey::new(row.name.workspace.clone(), row.id.clone(), &raw));
        self.inner.keys.insert(name, Arc::clone(&key), now);
        Ok(key)
    }

    /// Wrapped keys from the keyring; those that are not there are made. Another host may make one at the same time: what
    /// the keyring then holds counts for both.
    async fn find_or_make(&self, names: &HashSet<KeyName>) -> Result<Vec<WrappedKey>, VaultError> {
        let keyring = &self.inner.keyring;
        let mut rows = keyring::keys_by_name(keyring, &names.iter().collect::<Vec<_>>()).await?;
        let known: HashSet<&KeyName> = rows.iter().map(|row| &row.name).collect();
        let new: Vec<&KeyName> = names.iter().filter(|name| !known.contains(name)).collect();
        if !new.is_empty() {
            let fresh: Vec<_> = new.iter().map(|name| ((*name).clone(), seal::random_key())).collect();
            self.inner.epochs.store(keyring, &fresh).await?;
            rows.extend(keyring::keys_by_name(keyring, &new).await?);
        }
        Ok(rows)
    }
}

fn cache_name(name: &KeyName) -> String {
    format!("{} {} {}", name.workspace, name.purpose, name.label)
}

fn id_name(workspace: &WorkspaceId, id: &KeyId) -> String {
    format!("{workspace} {id}")
}

/// Runs file work where it may wait.
async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, VaultError> {
    let result = tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)));
    result.map_err(|error| VaultError::Files(path.to_owned(), error))
}

#[cfg(test)]
mod tests;
