//! Who may use an embedded store: one host, any number of commands, and alone whoever replaces or moves it. The locks are the
//! system's and go with the process, however it ends. On PostgreSQL the store itself keeps old hosts out (`db::life`).

use std::fs::{File, TryLockError};

use anyhow::{Context, bail};

use crate::app::make_data_folder;
use crate::config::Config;

/// Held by the one host.
const SERVE: &str = "serve.lock";

/// Shared by all that have the store open. SQLite must not have a file replaced under it.
const STORE: &str = "store.lock";

/// Locks, until it is dropped.
#[derive(Debug)]
pub(super) struct Locks(#[expect(dead_code, reason = "held, not read")] Vec<File>);

/// For commands: others may work beside this one.
pub(super) fn shared(config: &Config) -> anyhow::Result<Locks> {
    locks(config, |locks| locks.take(STORE, File::try_lock_shared, REPLACED))
}

/// For the host: there is one.
pub(super) fn serving(config: &Config) -> anyhow::Result<Locks> {
    locks(config, |locks| {
        locks.take(SERVE, File::try_lock, SERVED)?;
        locks.take(STORE, File::try_lock_shared, REPLACED)
    })
}

/// For whoever replaces or moves the store.
pub(super) fn alone(config: &Config) -> anyhow::Result<Locks> {
    locks(config, |locks| {
        locks.take(SERVE, File::try_lock, "`bellhop serve` is using {}; stop it first")?;
        locks.take(STORE, File::try_lock, "another command is using {}; let it end first")
    })
}

const SERVED: &str =
    "another `bellhop serve` is using {}; stop it first, or set `store.url` to a PostgreSQL for several hosts";
const REPLACED: &str = "the store in {} is just being restored or moved; try again when that has ended";

struct Taking<'a> {
    config: &'a Config,
    taken: Vec<File>,
}

fn locks(config: &Config, take: impl FnOnce(&mut Taking<'_>) -> anyhow::Result<()>) -> anyhow::Result<Locks> {
    let mut taking = Taking { config, taken: Vec::new() };
    if config.store.url.is_none() {
        let folder = &config.store.data_folder;
        make_data_folder(folder).with_context(|| format!("could not make the data folder {}", folder.display()))?;
        take(&mut taking)?;
    }
    Ok(Locks(taking.taken))
}

impl Taking<'_> {
    fn take(
        &mut self,
        name: &str,
        lock: fn(&File) -> Result<(), TryLockError>,
        refusal: &'static str,
    ) -> anyhow::Result<()> {
        let folder = &self.config.store.data_folder;
        let path = folder.join(name);
        let file = File::create(&path).with_context(|| format!("could not open {}", path.display()))?;
        match lock(&file) {
            Ok(()) => self.taken.push(file),
            Err(TryLockError::WouldBlock) => bail!(refusal.replace("{}", &folder.display().to_string())),
            Err(TryLockError::Error(error)) => return Err(error).context("could not lock the data folder"),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> (tempfile::TempDir, Config) {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.store.data_folder = folder.path().to_owned();
        (folder, config)
    }

    #[test]
    fn a_second_host_on_one_embedded_store_is_refused_until_the_first_is_gone() {
        let (_folder, config) = config();
        let first = serving(&config).unwrap();
        let refused = serving(&config).unwrap_err().to_string();
        assert!(refused.contains("another `bellhop serve`"), "{refused}");
        drop(first);
        assert!(serving(&config).is_ok());
    }

    #[test]
    fn commands_work_beside_a_host_and_nobody_beside_a_restore() {
        let (_folder, config) = config();
        let host = serving(&config).unwrap();
        let command = shared(&config).unwrap();
        assert!(alone(&config).unwrap_err().to_string().contains("`bellhop serve` is using"));
        drop(host);
        assert!(alone(&config).unwrap_err().to_string().contains("another command is using"));
        drop(command);
        let restore = alone(&config).unwrap();
        assert!(shared(&config).is_err() && serving(&config).is_err());
        drop(restore);
        assert!(shared(&config).is_ok());
    }
}
