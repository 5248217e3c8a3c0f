//! What lies beside a backup and says that it is whole: sizes, checksum, and which store at which time.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{BackupError, blocking};
use crate::db::{Db, Schema};

/// The format of files and manifest; a change that older versions cannot read makes it grow.
const FORMAT: u32 = 1;

/// A manifest has some hundred bytes; more is another file by mistake.
const MAX_BYTES: u64 = 65_536;

/// Read at once for the checksum.
const READ_BYTES: usize = 1 << 20;

/// Says what a backup is. It is written last: a backup without one was not finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The format.
    pub format: u32,
    /// The version of bellhop that made it.
    pub version: String,
    /// The newest migration in it.
    pub schema_version: i64,
    /// The life of the store that it is of.
    pub incarnation: String,
    /// When it was taken, in milliseconds since 1970.
    pub taken_at: i64,
    /// The size of the file.
    pub bytes: u64,
    /// The file's SHA-256, hexadecimal.
    pub sha256: String,
}

impl Manifest {
    /// Of a finished file.
    pub(super) async fn of(file: &Path, db: &Db, taken_at: i64) -> Result<Self, BackupError> {
        let (bytes, sha256) = digest(file).await?;
        Ok(Self {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            schema_version: Db::newest_migration(Schema::Store),
            incarnation: db.incarnation().to_owned(),
            taken_at,
            bytes,
            sha256,
        })
    }

    /// Where the manifest of a backup lies.
    pub(super) fn path_of(file: &Path) -> PathBuf {
        file.with_extension("json")
    }

    /// Reads the manifest of a backup and checks that the file is what it says.
    pub(super) async fn verified(file: &Path) -> Result<Self, BackupError> {
        let path = Self::path_of(file);
        let read = path.clone();
        let text = blocking(&path, move || match std::fs::metadata(&read) {
            Ok(found) if found.len() > MAX_BYTES => Ok(Some(String::new())),
            Ok(_) => std::fs::read_to_string(&read).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        });
        let text = text.await?.ok_or_else(|| BackupError::NoManifest(path.clone()))?;
        let manifest: Self = serde_json::from_str(&text).map_err(|_| BackupError::BadManifest(path))?;
        if manifest.format > FORMAT || manifest.schema_version > Db::newest_migration(Schema::Store) {
            return Err(BackupError::Newer(manifest.version));
        }
        let (bytes, sha256) = digest(file).await?;
        if (bytes, &sha256) != (manifest.bytes, &manifest.sha256) {
            return Err(BackupError::Damaged(file.to_owned()));
        }
        Ok(manifest)
    }
}

async fn digest(file: &Path) -> Result<(u64, String), BackupError> {
    let path = file.to_owned();
    blocking(file, move || {
        let (mut file, mut sha, mut bytes) = (File::open(path)?, Sha256::new(), 0);
        let mut buffer = vec![0; READ_BYTES];
        loop {
            let n_read = file.read(&mut buffer)?;
            let Some(read) = buffer.get(..n_read).filter(|read| !read.is_empty()) else { break };
            sha.update(read);
            bytes += read.len() as u64;
        }
        Ok((bytes, hex::encode(sha.finalize())))
    })
    .await
}
