//! Takes a backup of a store while the host runs. What is half done never looks whole: file and manifest get their names at
//! the end, the manifest last.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::{BackupError, Manifest, blocking, check_living, stamp};
use crate::db::{Copied, Db, Schema};

/// A backup that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its file.
    pub file: PathBuf,
    /// What its manifest says.
    pub manifest: Manifest,
}

/// Writes `store-TIME.db` and `store-TIME.json` into a folder. They hold everything but keys.
///
/// # Errors
/// [`BackupError`]; nothing in the folder looks like a backup that was not there before.
pub async fn take(db: &Db, folder: &Path, tell: impl FnMut(&Copied)) -> Result<Taken, BackupError> {
    check_living(db).await?;
    let now = db.now();
    let file = folder.join(format!("store-{}.db", stamp(now)));
    let part = file.with_extension("db.part");
    let (made, path) = (folder.to_owned(), part.clone());
    blocking(folder, move || prepare(&made, &path)).await?;
    db.copy_to_file(&part, Schema::Store, tell).await?;
    let manifest = Manifest::of(&part, db, now.millis()).await?;
    let (to, text) = (file.clone(), serde_json::to_string_pretty(&manifest).unwrap_or_default());
    blocking(&file, move || publish(&part, &to, &text)).await?;
    Ok(Taken { file, manifest })
}

/// For its owner's eyes only: what is in clear in a store is no secret, and nobody else's business.
fn prepare(folder: &Path, part: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    // What a killed run has left under the same name.
    match fs::remove_file(part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // SQLite takes an empty file for a new one and keeps its mode.
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(part).map(drop)
}

fn publish(part: &Path, file: &Path, manifest: &str) -> io::Result<()> {
    if file.exists() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "a backup of this second is there already"));
    }
    File::open(part)?.sync_all()?;
    let (manifest_part, manifest_path) = (file.with_extension("json.part"), Manifest::path_of(file));
    let mut written = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&manifest_part)?;
    written.write_all(manifest.as_bytes())?;
    written.sync_all()?;
    fs::rename(part, file)?;
    fs::rename(manifest_part, manifest_path)?;
    let folder = file.parent().unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}
