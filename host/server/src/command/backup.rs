//! `bellhop backup` and `bellhop restore`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::app::keyring_url;
use crate::backup::{self, Restore};
use crate::command::{lock, log, say};
use crate::config::Config;
use crate::db::{Clock, Copied, Db, Schema};
use crate::vault;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Backup {
    /// Folder for the backup; it is made when it is missing.
    #[arg(required = true, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    #[command(subcommand)]
    part: Option<BackupPart>,
}

#[derive(Debug, Subcommand)]
enum BackupPart {
    /// Replaces the one current copy of the keyring. Keep it in another place than the store's backups.
    Keys {
        /// Folder in which `keys` lies.
        folder: PathBuf,
    },
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Restoring {
    /// The backup, a file `store-….db`.
    #[arg(required = true, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Move a store with data in it aside.
    #[arg(long)]
    replace: bool,
    #[command(subcommand)]
    part: Option<RestorePart>,
}

#[derive(Debug, Subcommand)]
enum RestorePart {
    /// Brings the copy of the keyring back into an installation that has none.
    Keys {
        /// The folder `keys` that `bellhop backup keys` made.
        folder: PathBuf,
    },
}

pub(super) async fn backup(backup: Backup, config: &Config) -> anyhow::Result<()> {
    log::quiet();
    match (backup.part, backup.folder) {
        (Some(BackupPart::Keys { folder }), _) => keys(config, folder).await,
        (None, Some(folder)) => store(config, folder).await,
        (None, None) => Ok(()),
    }
}

async fn store(config: &Config, folder: PathBuf) -> anyhow::Result<()> {
    let db = super::store(config).await?;
    let taken = backup::take(&db, &folder, progress()).await?;
    db.close().await;
    say(taken.file.display());
    say(format_args!(
        "{} bytes, SHA-256 {}. The keys are not in it: run `bellhop backup keys` now, into another place",
        taken.manifest.bytes, taken.manifest.sha256
    ));
    Ok(())
}

async fn keys(config: &Config, folder: PathBuf) -> anyhow::Result<()> {
    let url = keyring_url(config);
    let keyring = Db::open(&url, Schema::Keyring, Clock::machine()).await?;
    let copied = vault::keys_copy(&config.keys, &keyring, &folder).await?;
    keyring.close().await;
    say(copied.folder.display());
    say(format_args!(
        "{} wrapped keys, {} epoch files; the copy that lay there before is destroyed, and so is who was erased since. \
         The master key is not in it: keep that in a third place",
        copied.n_keys, copied.n_epochs
    ));
    Ok(())
}

pub(super) async fn restore(restoring: Restoring, config: &Config) -> anyhow::Result<()> {
    log::quiet();
    let _locks = lock::alone(config)?;
    match (restoring.part, restoring.file) {
        (Some(RestorePart::Keys { folder }), _) => {
            let keyring = Db::open(&keyring_url(config), Schema::Keyring, Clock::machine()).await?;
            let restored = vault::keys_restore(&config.keys, &keyring, &folder).await?;
            keyring.close().await;
            say(format_args!(
                "{} wrapped keys, {} epoch files in {}; the master key has to be there too",
                restored.n_keys,
                restored.n_epochs,
                restored.folder.display()
            ));
        }
        (None, Some(file)) => {
            let asked = Restore { config, file: &file, replace: restoring.replace, clock: Clock::machine() };
            tell(&backup::restore(asked, progress()).await?);
        }
        (None, None) => {}
    }
    Ok(())
}

fn tell(restored: &backup::Restored) {
    let at = jiff::Timestamp::from_millisecond(restored.manifest.taken_at).unwrap_or_default();
    say(format_args!("the store is as it was at {at:.0}"));
    if let Some(aside) = &restored.aside {
        say(format_args!("what was there before is kept: {aside}. Remove it when you do not need it any more"));
    }
    if restored.n_erased > 0 {
        say(format_args!("{} contacts were erased since and stay erased", restored.n_erased));
    }
    if restored.held.is_empty() {
        return say("nothing was open at that time");
    }
    for held in &restored.held {
        say(format_args!(
            "workspace {}: {} messages and {} events are held",
            held.workspace, held.n_deliveries, held.n_events
        ));
    }
    say("They may have been sent and answered after the backup was taken, so nothing goes out by itself. \
         `bellhop release --workspace W --all` lets them go, with `--drop` it gives them up");
}

/// A line per table that is through.
fn progress() -> impl FnMut(&Copied) {
    |copied| {
        if copied.is_whole && copied.n_rows > 0 {
            say(format_args!("{}: {} rows", copied.table, copied.n_rows));
        }
    }
}
