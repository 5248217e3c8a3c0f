//! Brings a backup back as a new life of the store. Everything is made ready beside the living store, which is then replaced
//! in one instant: a restore that is cut short before that has changed nothing.
//!
//! The erasure ledger is the keyring itself, which is never restored from a store's backup: a contact whose key is gone was
//! erased after the backup was taken, and is noted as erased again.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use bellhop_domain::id::{KeyId, WorkspaceId};
use sqlx::Row;

use super::standing::Standing;
use super::{BackupError, Manifest, blocking, stamp, swap};
use crate::audit;
use crate::config::Config;
use crate::conversation;
use crate::db::{Clock, Copied, Copy, Db, DbError, Schema, incarnation_begin};
use crate::inbox;
use crate::outbox;
use crate::vault;

/// Contacts that are looked up at once.
const CONTACTS: usize = 1_000;

/// What is asked for.
#[derive(Debug)]
pub struct Restore<'a> {
    /// The installation that it goes into. Nobody may have an embedded one open.
    pub config: &'a Config,
    /// The backup.
    pub file: &'a Path,
    /// A store with data in it may be moved aside.
    pub replace: bool,
    /// The time.
    pub clock: Clock,
}

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What was restored.
    pub manifest: Manifest,
    /// Where the store that was there is now.
    pub aside: Option<String>,
    /// What is held, by workspace.
    pub held: Vec<Held>,
    /// Contacts that were erased after the backup.
    pub n_erased: u64,
}

/// What a workspace has to release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// Messages that were about to be sent.
    pub n_deliveries: i64,
    /// Events that waited.
    pub n_events: i64,
}

/// Restores a backup.
///
/// # Errors
/// [`BackupError`], which says what to do; the living store is as it was, but for [`BackupError::File`] while files are
/// exchanged: then [`super::restore_unfinished`] holds until a restore has come to its end.
pub async fn restore(asked: Restore<'_>, tell: impl FnMut(&Copied)) -> Result<Restored, BackupError> {
    let config = asked.config;
    let folder = &config.store.data_folder;
    let manifest = Manifest::verified(asked.file).await?;
    let keyring = keyring(config, asked.clock.clone()).await?;
    if !asked.replace {
        refuse_data(config, asked.clock.clone()).await?;
    }
    let fresh = folder.join("store.restoring.db");
    let (from, to) = (asked.file.to_owned(), fresh.clone());
    blocking(&fresh, move || copy_file(&from, &to)).await?;
    let staged = Db::open(&Db::sqlite_url(&fresh), Schema::Store, asked.clock.clone()).await?;
    let n_erased = make_ready(&staged, &keyring).await?;
    keyring.close().await;
    let held = held(&staged).await?;
    let stamp = stamp(staged.now());
    let aside = match &config.store.url {
        None => {
            staged.close_file(&fresh).await?;
            let (folder, fresh) = (folder.clone(), fresh.clone());
            let aside = blocking(asked.file, move || swap::exchange(&folder, &fresh, &stamp)).await?;
            aside.map(|path| path.display().to_string())
        }
        Some(url) => {
            let aside = format!("bellhop_before_{stamp}");
            let living = Db::open_staged(url, asked.clock).await?;
            Copy::begin("restore", &staged, &living).await?.finish(tell).await?;
            let was_there = living.take_place(&aside).await?;
            living.close().await;
            staged.close().await;
            blocking(&fresh.clone(), move || fs::remove_file(fresh)).await?;
            was_there.then(|| format!("the schema {aside} of the database"))
        }
    };
    Ok(Restored { manifest, aside, held, n_erased })
}

/// The keyring of this installation, which must be there already.
async fn keyring(config: &Config, clock: Clock) -> Result<Db, BackupError> {
    let file = config.store.data_folder.join("keyring.db");
    let url = match &config.store.url {
        Some(url) => url.clone(),
        // Opening would make an empty one.
        None if !file.exists() => return Err(BackupError::NoKeyring),
        None => Db::sqlite_url(&file),
    };
    Ok(Db::open(&url, Schema::Keyring, clock).await?)
}

/// Refuses a target with a business or an app in it.
async fn refuse_data(config: &Config, clock: Clock) -> Result<(), BackupError> {
    let file = swap::store_file(&config.store.data_folder);
    let (url, place) = match &config.store.url {
        Some(url) => (url.clone(), String::from("the database of `store.url`")),
        None if !file.exists() => return Ok(()),
        None => (Db::sqlite_url(&file), file.display().to_string()),
    };
    let db = Db::open(&url, Schema::Store, clock).await?;
    let count = "select (select count(*) from workspace) + (select count(*) from app)";
    let row = db.fetch_optional(sqlx::query(count)).await?;
    let n_rows: i64 = row.map(|row| row.try_get(0)).transpose().map_err(DbError::from)?.unwrap_or(0);
    db.close().await;
    if n_rows > 0 { Err(BackupError::NotEmpty(place)) } else { Ok(()) }
}

/// Copies the backup: it is migrated and changed, and itself stays as it is.
fn copy_file(from: &Path, to: &Path) -> std::io::Result<()> {
    if let Some(folder) = to.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let leftovers = ["", "-wal", "-shm"].map(|ending| crate::db::beside(to, ending));
    for path in leftovers.iter().filter(|path| path.exists()) {
        fs::remove_file(path)?;
    }
    fs::copy(from, to)?;
    fs::set_permissions(to, PermissionsExt::from_mode(0o600))?;
    File::open(to)?.sync_all()
}

/// Begins the new life in one transaction: holds what was open and notes who was erased. The number of the latter.
async fn make_ready(staged: &Db, keyring: &Db) -> Result<u64, BackupError> {
    check_keyring(staged, keyring).await?;
    let erased = erased(staged, keyring).await?;
    let now = staged.now();
    let mut transaction = staged.begin_write().await?;
    incarnation_begin(&mut transaction).await?;
    Standing::Living.set_in(&mut transaction).await?;
    outbox::deliveries_hold_in(&mut transaction).await?;
    inbox::events_hold_in(&mut transaction).await?;
    conversation::contacts_note_erased_in(&mut transaction, &erased, now).await?;
    inbox::events_refuse_erased_in(&mut transaction, now).await?;
    // The hosts of the old life are none of this one.
    transaction.execute(sqlx::query("delete from host")).await?;
    let code = audit::Code::of("store-restored");
    let entry = audit::Entry::new(vault::installation(), audit::Kind::Configuration, code);
    audit::append(&mut transaction, now, &[entry]).await?;
    transaction.commit().await?;
    Ok(erased.len() as u64)
}

/// Without this every contact would look erased where somebody has forgotten the keyring.
async fn check_keyring(staged: &Db, keyring: &Db) -> Result<(), BackupError> {
    let select = "select distinct workspace_id, key_id from secret where retired_at is null";
    let mut wanted = Vec::new();
    for row in staged.fetch_all(sqlx::query(select)).await? {
        let (workspace, key): (String, String) =
            (row.try_get(0).map_err(DbError::from)?, row.try_get(1).map_err(DbError::from)?);
        let workspace = WorkspaceId::parse(&workspace).map_err(|_| DbError::Unreadable("secret.workspace_id"))?;
        wanted.push((workspace, KeyId::parse(&key).map_err(|_| DbError::Unreadable("secret.key_id"))?));
    }
    let living = vault::living_keys(keyring, &wanted).await?;
    if wanted.iter().all(|key| living.contains(key)) { Ok(()) } else { Err(BackupError::ForeignKeyring) }
}

async fn erased(staged: &Db, keyring: &Db) -> Result<Vec<conversation::ContactKey>, BackupError> {
    let mut erased = Vec::new();
    let mut last = None;
    loop {
        let contacts = conversation::contact_keys_after(staged, last.as_ref(), CONTACTS).await?;
        let Some(end) = contacts.last().cloned() else { return Ok(erased) };
        let keys: Vec<_> = contacts.iter().map(|contact| (contact.workspace.clone(), contact.key.clone())).collect();
        let living = vault::living_keys(keyring, &keys).await?;
        let is_gone =
            |contact: &conversation::ContactKey| !living.contains(&(contact.workspace.clone(), contact.key.clone()));
        erased.extend(contacts.into_iter().filter(is_gone));
        last = Some(end);
    }
}

/// What each workspace has to release.
async fn held(db: &Db) -> Result<Vec<Held>, BackupError> {
    let select = "select workspace_id, cast(sum(is_delivery) as bigint), cast(sum(1 - is_delivery) as bigint) from \
                  (select workspace_id, 1 as is_delivery from delivery where state = 'held' and reason = 'restored' union all \
                  select workspace_id, 0 as is_delivery from inbox_event where state = 'held' and reason = 'restored') held \
                  group by workspace_id order by workspace_id";
    let mut all = Vec::new();
    for row in db.fetch_all(sqlx::query(select)).await? {
        let workspace: String = row.try_get(0).map_err(DbError::from)?;
        all.push(Held {
            workspace: WorkspaceId::parse(&workspace).map_err(|_| DbError::Unreadable("workspace_id"))?,
            n_deliveries: row.try_get(1).map_err(DbError::from)?,
            n_events: row.try_get(2).map_err(DbError::from)?,
        });
    }
    Ok(all)
}
