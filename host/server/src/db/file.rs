//! Copies of a database as one SQLite file, whichever engine it is on. Knows nothing of where backups lie.

use std::path::{Path, PathBuf};

use super::{Copied, Copy, Db, DbError, Engine, Schema};

impl Db {
    /// Writes everything as it is at this instant into a new SQLite file, while others go on writing. Whoever wants it to
    /// outlast a power cut has yet to sync it.
    ///
    /// # Errors
    /// [`DbError`]; what lies at `file` then is not whole.
    pub async fn copy_to_file(&self, file: &Path, schema: Schema, tell: impl FnMut(&Copied)) -> Result<(), DbError> {
        match self.engine {
            // Reads one view of the WAL, so that it holds up no writer; deleted rows stay behind.
            Engine::Sqlite => {
                let into = sqlx::query("vacuum into $1").bind(file.display().to_string());
                into.execute(&self.pool).await?;
                Ok(())
            }
            Engine::Postgres => {
                let target = Self::open(&Self::sqlite_url(file), schema, self.clock.clone()).await?;
                Copy::begin("backup", self, &target).await?.finish(tell).await?;
                target.close_file(file).await
            }
        }
    }

    /// Closes an SQLite file so that all of it lies in that one file.
    ///
    /// # Errors
    /// [`DbError::StillOpen`] when somebody else has it open.
    pub async fn close_file(&self, file: &Path) -> Result<(), DbError> {
        self.close().await;
        match log_of(file).exists() {
            true => Err(DbError::StillOpen(file.to_owned())),
            false => Ok(()),
        }
    }
}

/// SQLite's write-ahead log beside a file: the newest commits may stand there alone.
pub fn log_of(file: &Path) -> PathBuf {
    beside(file, "-wal")
}

/// The files that SQLite keeps beside one.
pub fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
