//! Key files: owner-only, written whole or not at all, overwritten before they are removed. Never replaces a file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use zeroize::Zeroizing;

/// A key file holds some hundred characters; more is another file by mistake.
const MAX_FILE_BYTES: u64 = 4_096;

/// Makes the folder, readable by its owner only.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// The text of a file; `None` when there is none.
pub(super) fn read(file: &Path) -> io::Result<Option<Zeroizing<String>>> {
    match fs::metadata(file) {
        Ok(found) if found.len() > MAX_FILE_BYTES => Err(io::Error::other("too large for a key file")),
        Ok(_) => Ok(Some(Zeroizing::new(fs::read_to_string(file)?))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes a new file and has it on disk when this returns; false when a file of that name was there (it stays as it is).
/// Two hosts that share the folder may both try: one wins, and nobody ever reads half a key.
pub(super) fn publish(folder: &Path, name: &str, text: &str) -> io::Result<bool> {
    let draft = folder.join(format!("{name}.{}.draft", uuid::Uuid::now_v7()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, folder.join(name));
    fs::remove_file(&draft)?;
    sync_folder(folder)?;
    match linked {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Overwrites a file and removes it. On copy-on-write disks the old blocks may live on for a while; the file held a
/// wrapped key, which needs the master key too.
pub(super) fn destroy(folder: &Path, name: &str) -> io::Result<()> {
    let path = folder.join(name);
    let length = match fs::metadata(&path) {
        Ok(found) => found.len().min(MAX_FILE_BYTES),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut file = OpenOptions::new().write(true).open(&path)?;
    io::copy(&mut io::Read::take(io::repeat(b'0'), length), &mut file)?;
    file.sync_all()?;
    fs::remove_file(&path)?;
    sync_folder(folder)
}

/// Has the names in a folder on disk.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_written_once_and_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        assert!(publish(folder.path(), "a.key", "first").unwrap());
        assert!(!publish(folder.path(), "a.key", "second").unwrap());
        let path = folder.path().join("a.key");
        assert_eq!(read(&path).unwrap().unwrap().as_str(), "first");
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn a_destroyed_file_is_gone_and_may_be_destroyed_again() {
        let folder = tempfile::tempdir().unwrap();
        publish(folder.path(), "a.key", "first").unwrap();
        destroy(folder.path(), "a.key").unwrap();
        destroy(folder.path(), "a.key").unwrap();
        assert!(read(&folder.path().join("a.key")).unwrap().is_none());
    }
}
