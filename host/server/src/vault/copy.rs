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
/// [`VaultError::NotACopy`] when something else lies at `folder/keys`; nothing was touched.
pub async fn keys_copy(keys: &KeysConfig, keyring: &Db, folder: &Path) -> Result<KeysCopied, VaultError> {
    let (copy, living) = (folder.join(COPY), keys.folder.clone());
    if blocking(folder, move || Ok(is_in_use(&copy, &living))).await? {
        return Err(VaultError::NotACopy(folder.join(COPY)));
    }
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

/// True when a folder has anything to do with the living keys, or is somebody else's: the copy takes its place, and what lies
/// there is overwritten and removed.
fn is_in_use(copy: &Path, living: &Path) -> bool {
    let Ok(copy) = copy.canonicalize() else { return false };
    let living = living.canonicalize().unwrap_or_else(|_| living.to_owned());
    if copy.starts_with(&living) || living.starts_with(&copy) {
        return true;
    }
    let is_ours = |name: &str| name == KEYRING || name.starts_with("epoch-") && name.ends_with(".key");
    let Ok(mut entries) = fs::read_dir(&copy) else { return true };
    !entries.all(|entry| entry.is_ok_and(|entry| entry.file_name().to_str().is_some_and(is_ours)))
}

/// A folder that a run of ours has left: its name has an id in it that nobody types.
fn is_leftover(name: &str) -> bool {
    let id =
        name.strip_prefix("keys-").and_then(|rest| rest.strip_suffix(".old").or_else(|| rest.strip_suffix(".part")));
    id.is_some_and(|id| uuid::Uuid::try_parse(id).is_ok())
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
        if is_leftover(&name) && entry.file_type()?.is_dir() {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn with_files(folder: &Path, names: &[&str]) {
        fs::create_dir_all(folder).unwrap();
        for name in names {
            fs::write(folder.join(name), "x").unwrap();
        }
    }

    #[test]
    fn only_an_earlier_copy_is_replaced() {
        let root = tempfile::tempdir().unwrap();
        let (living, copy) = (root.path().join("living"), root.path().join("keys"));
        with_files(&living, &["master.key", "epoch-1.key"]);
        assert!(!is_in_use(&copy, &living), "nothing lies there");
        with_files(&copy, &["keyring.db", "epoch-1.key"]);
        assert!(!is_in_use(&copy, &living), "an earlier copy");
        with_files(&copy, &["letters.txt"]);
        assert!(is_in_use(&copy, &living), "somebody's folder");
        assert!(is_in_use(&living, &living), "the living keys");
        assert!(is_in_use(&living.join(".."), &living), "what they lie in");
    }

    #[test]
    fn a_folder_that_a_person_named_is_no_leftover() {
        assert!(is_leftover("keys-0199f7a2-5c3e-7b4d-8a1f-2e6d9c0b4a57.old"));
        assert!(!is_leftover("keys-2024.old") && !is_leftover("keys-.part") && !is_leftover("keys"));
    }
}
