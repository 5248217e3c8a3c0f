//! The one current copy of the keyring: wrapped keys and the epoch files that unwrap them. Never the master key, and never a
//! second, older copy: whoever was erased since could be read from it.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use bellhop_domain::id::{KeyId, WorkspaceId};
use sqlx::Row;

use crate::config::KeysConfig;
use crate::db::{Copy, Db, Schema};

use super::epoch::file_name;
use super::{VaultError, blocking, files, keyring};

/// The copy's folder in the folder that was named, and its keyring.
const COPY: &str = "keys";
const KEYRING: &str = "keyring.db";

/// A key epoch that ends while it is copied makes the copy useless; the next try finds the new one.
const TRIES: usize = 3;

/// What a copy of the keyring has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysCopied {
    /// Where it lies.
    pub folder: PathBuf,
    /// Wrapped keys.
    pub n_keys: i64,
    /// Epoch files.
    pub n_epochs: usize,
}

/// Which of these keys exist; the others were destroyed.
///
/// # Errors
/// [`VaultError::Db`].
pub async fn living_keys(
    keyring: &Db,
    ids: &[(WorkspaceId, KeyId)],
) -> Result<BTreeSet<(WorkspaceId, KeyId)>, VaultError> {
    let found = keyring::keys_by_id(keyring, &ids.iter().collect::<Vec<_>>()).await?;
    Ok(found.into_iter().map(|key| (key.name.workspace, key.id)).collect())
}

/// Puts the current copy of the keyring into `folder/keys`, in the place of the last one, which is overwritten and removed.
///
/// # Errors
/// [`VaultError::Files`], [`VaultError::Db`], [`VaultError::EpochMissing`]; the last copy is still there.
pub async fn keys_copy(keys: &KeysConfig, keyring: &Db, folder: &Path) -> Result<KeysCopied, VaultError> {
    let fresh = folder.join(format!("{COPY}-{}.part", uuid::Uuid::now_v7()));
    let path = fresh.clone();
    blocking(folder, move || files::make_folder(&path)).await?;
    let made = match copy_into(keys, keyring, &fresh).await {
        Ok(made) => made,
        Err(error) => {
            blocking(folder, move || destroy_folder(&fresh)).await?;
            return Err(error);
        }
    };
    let (from, whole) = (fresh, folder.to_owned());
    blocking(folder, move || take_place(&from, &whole)).await?;
    Ok(KeysCopied { folder: folder.join(COPY), ..made })
}

async fn copy_into(keys: &KeysConfig, keyring: &Db, fresh: &Path) -> Result<KeysCopied, VaultError> {
    let file = fresh.join(KEYRING);
    let mut missing = 0;
    for _ in 0..TRIES {
        let path = file.clone();
        blocking(fresh, move || remove(&path)).await?;
        keyring.copy_to_file(&file, Schema::Keyring, |_| {}).await?;
        let copy = Db::open(&Db::sqlite_url(&file), Schema::Keyring, keyring.clock().clone()).await?;
        let row = copy.fetch_optional(sqlx::query("select count(*) from wrapped_key")).await?;
        let n_keys = row.map(|row| row.try_get(0)).transpose().map_err(crate::db::DbError::from)?.unwrap_or(0);
        let epochs = keyring::epochs_needed(&copy).await?;
        copy.close_file(&file).await?;
        missing = match epoch_files(keys, fresh, &epochs).await? {
            None => return Ok(KeysCopied { folder: fresh.to_owned(), n_keys, n_epochs: epochs.len() }),
            Some(n) => n,
        };
    }
    Err(VaultError::EpochMissing(missing))
}

/// Copies the files of these epochs; the number of one that is not there.
async fn epoch_files(keys: &KeysConfig, fresh: &Path, epochs: &[i64]) -> Result<Option<i64>, VaultError> {
    for n in epochs.iter().copied() {
        let (from, to) = (keys.folder.join(file_name(n)), fresh.to_owned());
        let copied = blocking(&keys.folder, move || match files::read(&from)? {
            Some(text) => files::publish(&to, &file_name(n), &text).map(|_| true),
            None => Ok(false),
        });
        if !copied.await? {
            return Ok(Some(n));
        }
    }
    Ok(None)
}

/// Brings a copy of the keyring back into an installation that has none.
///
/// # Errors
/// [`VaultError::KeyringInUse`] when there are keys already; otherwise as [`keys_copy`].
pub async fn keys_restore(keys: &KeysConfig, keyring: &Db, copy: &Path) -> Result<KeysCopied, VaultError> {
    if !keyring::epochs(keyring).await?.is_empty() {
        return Err(VaultError::KeyringInUse);
    }
    let folder = keys.folder.clone();
    blocking(&keys.folder, move || files::make_folder(&folder)).await?;
    // Opened in a place of its own: SQLite writes beside what it opens.
    let opened = tempfile::tempdir().map_err(|error| VaultError::Files(copy.to_owned(), error))?;
    let (from, to) = (copy.join(KEYRING), opened.path().join(KEYRING));
    blocking(copy, move || fs::copy(from, to).map(drop)).await?;
    let file = opened.path().join(KEYRING);
    let source = Db::open(&Db::sqlite_url(&file), Schema::Keyring, keyring.clock().clone()).await?;
    let epochs = keyring::epochs_needed(&source).await?;
    // The files first: a keyring whose epoch key is missing refuses to open.
    let from = KeysConfig { folder: copy.to_owned(), ..KeysConfig::default() };
    if let Some(n) = epoch_files(&from, &keys.folder, &epochs).await? {
        return Err(VaultError::EpochMissing(n));
    }
    let counts = Copy::begin("keys", &source, keyring).await?.finish(|_| {}).await?;
    source.close().await;
    let n_keys = counts.iter().find(|(table, _)| table == "wrapped_key").map_or(0, |(_, n)| *n);
    Ok(KeysCopied { folder: keys.folder.clone(), n_keys, n_epochs: epochs.len() })
}

/// Syncs what is new, exchanges it for the last copy, and destroys that and whatever a killed run has left.
fn take_place(fresh: &Path, folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(fresh)? {
        let path = entry?.path();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        fs::File::open(path)?.sync_all()?;
    }
    files::sync_folder(fresh)?;
    let (current, old) = (folder.join(COPY), folder.join(format!("{COPY}-{}.old", uuid::Uuid::now_v7())));
    if current.exists() {
        fs::rename(&current, &old)?;
    }
    fs::rename(fresh, &current)?;
    files::sync_folder(folder)?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_ours = name.starts_with("keys-") && (name.ends_with(".old") || name.ends_with(".part"));
        if is_ours && entry.file_type()?.is_dir() {
            destroy_folder(&entry.path())?;
        }
    }
    files::sync_folder(folder)
}

/// Overwrites the files of a copy and removes it.
fn destroy_folder(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let length = fs::metadata(&path)?.len();
        let mut file = OpenOptions::new().write(true).open(&path)?;
        io::copy(&mut io::Read::take(io::repeat(0), length), &mut file)?;
        file.sync_all()?;
        fs::remove_file(&path)?;
    }
    fs::remove_dir(folder)
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
