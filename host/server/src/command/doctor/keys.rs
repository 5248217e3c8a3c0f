//! The keys: where they lie, who may read them, whether they open what is there, and whether a copy of the keyring could.

use std::path::{Path, PathBuf};

use sqlx::Row;

use crate::config::Config;
use crate::db::{Clock, Db, DbError, Schema};
use crate::vault::Vault;

use super::finding::{Findings, chain};
use super::store::others_may_look;

/// Where the keys lie and who may read them.
pub(super) fn folder(findings: &mut Findings, config: &Config) {
    let folder = &config.keys.folder;
    let (Ok(keys), data) = (folder.canonicalize(), config.store.data_folder.canonicalize()) else {
        let says =
            "is not there: put it back from its backup, or let the first `serve` make it when there is no data yet";
        return findings.broken("keys folder", format!("{} {says}", folder.display()));
    };
    // The configuration was checked as it is written; links are followed here.
    if data.is_ok_and(|data| keys.starts_with(data)) {
        let says = "lies in the data folder by way of a link: whoever has the data has the keys; put it elsewhere";
        return findings.broken("keys folder", format!("{} {says}", folder.display()));
    }
    match readable_by_others(&keys) {
        Ok(None) => {
            findings.ok("keys folder", format!("{} is its owner's alone, outside of the data", folder.display()));
        }
        Ok(Some(path)) => findings.warning(
            "keys folder",
            format!("others on this machine can read {0}: run `chmod -R go= {0}`", path.display()),
        ),
        Err(error) => findings.broken("keys folder", format!("{} cannot be read: {error}", folder.display())),
    }
}

/// The folder, when others may look into it and read a key there.
fn readable_by_others(folder: &Path) -> std::io::Result<Option<PathBuf>> {
    let is_open = others_may_look(folder)?;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() && others_may_look(&path)? {
            return Ok(Some(path));
        }
    }
    Ok(is_open.then(|| folder.to_owned()))
}

/// The vault, when master key, epoch key and keyring belong together.
pub(super) async fn open(findings: &mut Findings, config: &Config, keyring: Db, db: &Db) -> Option<Vault> {
    match epochs(&keyring).await {
        // Opening would make a master key and a first epoch.
        Ok(epochs) if epochs.is_empty() => {
            findings.broken("keys", "the keyring is empty: put it back from its copy, or let the first `serve` begin one when there is no data yet");
            return None;
        }
        Ok(_) => {}
        Err(error) => {
            findings.broken("keys", chain("the keyring cannot be read", &error));
            return None;
        }
    }
    match Vault::open(&config.keys, keyring, db.clone()).await {
        Ok(vault) => {
            findings.ok("keys", "the master key opens the epoch key, and that one belongs to the keyring");
            Some(vault)
        }
        Err(error) => {
            findings.broken("keys", chain("the keys do not open the keyring", &error));
            None
        }
    }
}

/// An epoch as keyrings are compared by it: number, state, fingerprint.
type Epoch = (i64, String, Vec<u8>);

async fn epochs(keyring: &Db) -> Result<Vec<Epoch>, DbError> {
    let rows = keyring.fetch_all(sqlx::query("select n, state, fingerprint from epoch order by n")).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))).collect()
}

/// Could the copy of the keyring be used today.
pub(super) async fn copied(findings: &mut Findings, config: &Config, keyring: &Db, copy: Option<PathBuf>) {
    const WHAT: &str = "keyring copy";
    let Some(copy) = copy else {
        return findings.warning(WHAT, "not looked at: without the keyring no content can be read, so keep one current copy apart from the store's backups, and name it with `--keyring-copy FILE`");
    };
    if config.store.url.is_some() {
        return findings.warning(
            WHAT,
            "a dump of PostgreSQL cannot be looked into; load it into a scratch database to be sure of it",
        );
    }
    if copy.canonicalize().ok() == config.store.data_folder.join("keyring.db").canonicalize().ok() {
        return findings.broken(WHAT, format!("{} is the keyring itself: copy it to another place", copy.display()));
    }
    if !copy.is_file() {
        return findings.broken(WHAT, format!("{} is not there: make a copy", copy.display()));
    }
    let compared = async {
        let copied = Db::look(&Db::sqlite_url(&copy), Schema::Keyring, Clock::machine()).await?;
        let epochs_there = epochs(&copied).await;
        copied.close().await;
        Ok::<_, DbError>((epochs_there?, epochs(keyring).await?))
    };
    let current = |epochs: &[Epoch]| epochs.iter().find(|(_, state, _)| state == "current").cloned();
    match compared.await {
        Ok((there, here)) if current(&there).is_some() && current(&there) == current(&here) => {
            findings.ok(WHAT, format!("{} is of the current epoch and can be used", copy.display()));
        }
        Ok(_) => findings.broken(
            WHAT,
            format!(
                "{} is of another epoch, whose key is destroyed or soon will be: copy the keyring anew",
                copy.display()
            ),
        ),
        Err(error) => findings.broken(WHAT, chain(&format!("{} cannot be read", copy.display()), &error)),
    }
}
