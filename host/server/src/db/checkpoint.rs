//! SQLite's write-ahead log is folded back into the file beside the writer, not by a commit: no webhook waits for it. Does
//! nothing on PostgreSQL.

use std::path::PathBuf;
use std::time::Duration;

use sqlx::{AnyPool, Executor, Row};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::DbError;

/// How often the log's length is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// From this length on the log is folded back: 16 MB are read through quickly after a crash, and rewritten pages within them
/// are written to the file once.
const LONG_BYTES: u64 = 16 * 1024 * 1024;

/// The store's file, and who folds its log back.
#[derive(Debug, Clone)]
pub(super) struct Keeper {
    /// Readers: most of the log is copied on one of them, while others write.
    pub(super) readers: AnyPool,
    /// The writer: it rests while the remainder is copied and the log is begun anew.
    pub(super) writer: AnyPool,
    /// The log.
    pub(super) log: PathBuf,
}

impl Keeper {
    /// Works until `stop`.
    pub(super) async fn run(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let length = std::fs::metadata(&self.log).map_or(0, |log| log.len());
            if length >= LONG_BYTES
                && let Err(error) = self.fold().await
            {
                warn!(error = &error as &dyn std::error::Error, "SQLite's log could not be folded back; trying again");
            }
        }
    }

    /// Copies the log into the file and begins it anew. A reader that is still at work leaves it for the next time.
    async fn fold(&self) -> Result<(), DbError> {
        self.readers.execute(sqlx::raw_sql("pragma wal_checkpoint(passive)")).await?;
        let mut writer = self.writer.acquire().await?;
        // A reader may be long at work; nobody waits for it here.
        writer.execute(sqlx::raw_sql("pragma busy_timeout = 0")).await?;
        let folded = writer.execute(sqlx::raw_sql("pragma wal_checkpoint(truncate)")).await;
        writer.execute(sqlx::raw_sql("pragma busy_timeout = 5000")).await?;
        folded?;
        Ok(())
    }
}

/// Where the log of the database behind a pool lies; `None` for one without a file.
pub(super) async fn log_of(pool: &AnyPool) -> Result<Option<PathBuf>, DbError> {
    let select = "select file from pragma_database_list where name = 'main'";
    let row = pool.fetch_optional(sqlx::query(select)).await?;
    let file: Option<String> = row.map(|row| row.try_get(0)).transpose()?;
    Ok(file.filter(|file| !file.is_empty()).map(|file| PathBuf::from(format!("{file}-wal"))))
}
