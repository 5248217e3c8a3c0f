//! What an operator may ask of the engine: whether the file is whole, what a commit promises, how the schema stands. And the one
//! thing to be done about it: folding SQLite's write-ahead log back. Migrates nothing.

use std::sync::Arc;

use sqlx::{Executor, Row};
use tokio_util::sync::CancellationToken;

use super::life::Life;
use super::migrate::newest;
use super::signal::Outgoing;
use super::{Clock, Db, DbError, Engine, MAX_CONNECTIONS, Schema, open_pool};

/// How long folding waits for readers: all writers wait with it, and Meta waits for them.
const FOLD_PATIENCE: &str = "pragma busy_timeout = 100";

/// What [`open_pool`] sets, and folding sets back.
const BUSY_TIMEOUT: &str = "pragma busy_timeout = 5000";

/// What became of the write-ahead log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folded {
    /// It is small enough, or there is none.
    NotNeeded,
    /// It was folded back into the file, and its own file is empty.
    Done,
    /// A reader that does not end needs it; it grows until that reader is gone.
    Blocked,
}

/// A schema as it is and as this binary wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchemaVersion {
    /// The newest migration in the database; `None` where there never was one.
    pub found: Option<i64>,
    /// The newest that this binary knows.
    pub known: i64,
}

impl Db {
    /// Opens the database as it is, for those who only look: migrates nothing.
    ///
    /// # Errors
    /// [`DbError::Open`] when it cannot be reached.
    pub async fn look(url: &str, schema: Schema, clock: Clock) -> Result<Self, DbError> {
        sqlx::any::install_default_drivers();
        let engine = Engine::of(url)?;
        let pool = open_pool(url, engine, schema, MAX_CONNECTIONS).await.map_err(DbError::Open)?;
        let stop = Arc::new(CancellationToken::new().drop_guard());
        let (life, outgoing) = (Life::default(), Outgoing::default());
        let db = Self { writer: pool.clone(), pool, engine, clock, life, outgoing, stop };
        db.synchronise_clock().await?;
        Ok(db)
    }

    /// How the schema stands.
    pub async fn schema_version(&self, schema: Schema) -> SchemaVersion {
        let select = sqlx::query("select cast(max(version) as bigint) from _sqlx_migrations where success");
        // Without the table there never was a migration.
        let found = self.fetch_optional(select).await.ok().flatten().and_then(|row| row.try_get(0).ok());
        SchemaVersion { found, known: newest(schema) }
    }

    /// What decides over the promise of a commit, as the engine's own names and values.
    ///
    /// # Errors
    /// [`DbError::Statement`].
    pub async fn commit_settings(&self) -> Result<Vec<(String, String)>, DbError> {
        let sql = match self.engine {
            Engine::Sqlite => {
                "select 'journal_mode', journal_mode from pragma_journal_mode \
                 union all select 'synchronous', cast(synchronous as text) from pragma_synchronous"
            }
            Engine::Postgres => {
                "select cast(name as text), cast(setting as text) from pg_settings where name in ('fsync', 'synchronous_commit', \
                 'full_page_writes', 'server_version', 'synchronous_standby_names') order by name"
            }
        };
        let rows = self.fetch_all(sqlx::query(sql)).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// What is wrong with the file, by SQLite's quick check; empty when it is whole, and on PostgreSQL, which checks its own
    /// pages. Reads the whole file.
    ///
    /// # Errors
    /// [`DbError::Statement`].
    pub async fn damages(&self) -> Result<Vec<String>, DbError> {
        if self.engine == Engine::Postgres {
            return Ok(Vec::new());
        }
        let rows = self.fetch_all(sqlx::query("pragma quick_check(10)")).await?;
        let lines = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
        Ok(lines.into_iter().filter(|line| line != "ok").collect())
    }

    /// Folds SQLite's write-ahead log back into its file when it has more than `most_bytes`. `checkpoint` does that from 16 MB on, except
    /// while somebody reads without an end.
    ///
    /// # Errors
    /// [`DbError::Statement`].
    pub async fn fold_wal(&self, most_bytes: i64) -> Result<Folded, DbError> {
        if self.engine == Engine::Postgres || self.wal_bytes().await? <= most_bytes {
            return Ok(Folded::NotNeeded);
        }
        let mut connection = self.writer.acquire().await?;
        connection.execute(sqlx::raw_sql(FOLD_PATIENCE)).await?;
        let folded = connection.fetch_one(sqlx::query("pragma wal_checkpoint(truncate)")).await;
        connection.execute(sqlx::raw_sql(BUSY_TIMEOUT)).await?;
        let is_busy: i64 = folded?.try_get(0)?;
        Ok(if is_busy == 0 { Folded::Done } else { Folded::Blocked })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::fresh;
    use super::*;

    async fn fill(db: &Db, name: &str) {
        let insert = sqlx::query("insert into meta (name, value) values ($1, $2)");
        db.execute(insert.bind(name).bind("x".repeat(200_000))).await.unwrap();
    }

    #[tokio::test]
    async fn a_log_that_a_reader_holds_is_folded_once_the_reader_is_gone() {
        let (_folder, _clock, db) = fresh().await;
        let mut reader = db.reader().await.unwrap();
        reader.execute(sqlx::raw_sql("begin; select count(*) from meta")).await.unwrap();
        fill(&db, "a").await;
        assert!(db.wal_bytes().await.unwrap() > 100_000);
        assert_eq!(db.fold_wal(1_000_000_000).await.unwrap(), Folded::NotNeeded);
        assert_eq!(db.fold_wal(100_000).await.unwrap(), Folded::Blocked);
        fill(&db, "b").await;
        reader.execute(sqlx::raw_sql("commit")).await.unwrap();
        assert_eq!(db.fold_wal(100_000).await.unwrap(), Folded::Done);
        assert_eq!(db.wal_bytes().await.unwrap(), 0);
        fill(&db, "c").await;
    }

    #[tokio::test]
    async fn a_file_with_a_torn_page_is_damaged() {
        let (_folder, clock, db) = fresh().await;
        fill(&db, "a").await;
        assert_eq!(db.damages().await.unwrap(), Vec::<String>::new());
        let file = db.file().await.unwrap().unwrap();
        db.close().await;
        let mut bytes = std::fs::read(&file).unwrap();
        // In the middle of the long value, which was written last: the schema before it can still be read.
        let at = bytes.len() - 100_000;
        bytes[at..at + 20_000].fill(0xa5);
        std::fs::write(&file, bytes).unwrap();
        let db = Db::look(&Db::sqlite_url(&file), Schema::Store, clock).await.unwrap();
        let is_damaged = db.damages().await.map_or(true, |damages| !damages.is_empty());
        assert!(is_damaged, "whether the check lists it or fails over it");
    }

    #[tokio::test]
    async fn looking_migrates_nothing() {
        let (folder, clock, db) = fresh().await;
        let version = db.schema_version(Schema::Store).await;
        assert_eq!(version.found, Some(version.known));
        let empty = Db::look(&Db::sqlite_url(&folder.path().join("other.db")), Schema::Store, clock).await.unwrap();
        assert_eq!(empty.schema_version(Schema::Store).await.found, None);
    }

    #[tokio::test]
    async fn sqlite_says_what_a_commit_promises() {
        let (_folder, _clock, db) = fresh().await;
        let settings = db.commit_settings().await.unwrap();
        let pairs: Vec<_> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("journal_mode", "wal"), ("synchronous", "2")]);
    }
}
