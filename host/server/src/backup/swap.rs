//! Exchanges the file of an embedded store. Never deletes the one that was there.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::db::{beside, log_of};

/// The embedded store in the data folder.
const STORE: &str = "store.db";

/// Stands while files are exchanged: a host that started in between would begin an empty store.
const UNFINISHED: &str = "restore.unfinished";

/// True when an exchange in this data folder was cut short; only a restore may work there.
pub fn restore_unfinished(data_folder: &Path) -> bool {
    data_folder.join(UNFINISHED).exists()
}

/// Where the embedded store lies.
pub(super) fn store_file(data_folder: &Path) -> PathBuf {
    data_folder.join(STORE)
}

/// Puts `fresh`, a whole file with no log beside it, in the place of the store. Answers where the one that was there is now.
pub(super) fn exchange(data_folder: &Path, fresh: &Path, aside: &str) -> io::Result<Option<PathBuf>> {
    let (store, mark) = (store_file(data_folder), data_folder.join(UNFINISHED));
    let aside = data_folder.join(format!("store-before-{aside}.db"));
    if aside.exists() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{} is there already", aside.display())));
    }
    File::open(fresh)?.sync_all()?;
    File::create(&mark)?.sync_all()?;
    File::open(data_folder)?.sync_all()?;
    let was_there = store.exists();
    // The log goes with its file: it may hold the newest commits, and must not lie beside another one.
    for (from, to) in [(log_of(&store), log_of(&aside)), (beside(&store, "-shm"), beside(&aside, "-shm"))] {
        if from.exists() {
            fs::rename(from, to)?;
        }
    }
    if was_there {
        fs::rename(&store, &aside)?;
    }
    fs::rename(fresh, &store)?;
    File::open(data_folder)?.sync_all()?;
    fs::remove_file(&mark)?;
    File::open(data_folder)?.sync_all()?;
    Ok(was_there.then_some(aside))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_goes_aside_with_its_file_and_nothing_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str| fs::write(folder.path().join(name), name).unwrap();
        ["store.db", "store.db-wal", "store.db-shm", "fresh.db"].into_iter().for_each(write);
        let aside = exchange(folder.path(), &folder.path().join("fresh.db"), "x").unwrap().unwrap();
        let read = |path: &Path| fs::read_to_string(path).unwrap();
        assert_eq!(read(&aside), "store.db");
        assert_eq!(read(&log_of(&aside)), "store.db-wal");
        assert_eq!(read(&store_file(folder.path())), "fresh.db");
        assert!(!log_of(&store_file(folder.path())).exists());
        assert!(!restore_unfinished(folder.path()));
    }

    #[test]
    fn an_exchange_that_fails_in_its_middle_leaves_its_mark() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["store.db", "store.db-wal", "fresh.db"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        // A file cannot be renamed over a folder.
        fs::create_dir(folder.path().join("store-before-x.db-wal")).unwrap();
        assert!(exchange(folder.path(), &folder.path().join("fresh.db"), "x").is_err());
        assert!(restore_unfinished(folder.path()));
    }
}
