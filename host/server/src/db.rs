//! The pool, the migrations, and the few places where SQLite and PostgreSQL differ. Knows no rule of the domain.
//!
//! All SQL in the house is one text for both engines: `$1` binds, bigint, text and blob only. A write goes through
//! [`Db::begin_write`]: on SQLite writers queue in the process (its own busy handler sleeps), on PostgreSQL they run side
//! by side.

mod bulk;
mod checkpoint;
mod clock;
mod copy;
mod examine;
mod exchange;
mod file;
mod group;
mod inspect;
mod life;
mod migrate;
mod moment;
mod queue;
mod signal;
mod snapshot;
mod staged;
mod statistics;
mod sweep;
mod tables;
mod transaction;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::any::{AnyPoolOptions, AnyRow};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyPool, Executor};
use tokio_util::sync::{CancellationToken, DropGuard};

pub use bulk::Bulk;
pub use clock::Clock;
pub use copy::{Copied, Copy};
pub use examine::{Folded, SchemaVersion};
pub use file::{beside, log_of};
pub use group::{Group, GroupError};
pub use inspect::Size;
pub use life::incarnation_begin;
pub use migrate::Schema;
pub(crate) use moment::moment;
pub use moment::{Moment, watch_moments};
pub use queue::Queue;
pub use signal::Signal;
pub use snapshot::Snapshot;
pub use sweep::Sweep;
pub use tables::{Column, ColumnKind, NOT_COPIED, Table};
pub use transaction::WriteTransaction;

/// A statement with its binds.
pub type Statement<'q> = sqlx::query::Query<'q, Any, sqlx::any::AnyArguments>;

/// Connections per database file or server. SQLite reads beside its one writer; PostgreSQL hosts share a server whose
/// default limit is 100.
const MAX_CONNECTIONS: u32 = 8;

/// What can be run: a statement, or one that still has to learn which engine it is for.
pub trait Sql<'q> {
    /// The statement for an engine.
    fn statement(self, engine: Engine) -> Statement<'q>;
}

impl<'q> Sql<'q> for Statement<'q> {
    fn statement(self, _engine: Engine) -> Statement<'q> {
        self
    }
}

/// How long a request may wait for a connection before it fails.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// What can go wrong in the database.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The address is neither `sqlite:` nor `postgres:`.
    #[error("database url must start with sqlite: or postgres:")]
    UnknownEngine,
    /// Connecting failed.
    #[error("could not open the database")]
    Open(#[source] sqlx::Error),
    /// A statement failed.
    #[error("a database statement failed")]
    Statement(#[from] sqlx::Error),
    /// A statement after an error, or a commit after one.
    #[error("the transaction has already failed and was rolled back")]
    TransactionEnded,
    /// Two transactions stood in each other's way; run it again.
    #[error("the transaction conflicted with another one")]
    Conflict,
    /// A migration failed or the database is newer than this binary.
    #[error("could not migrate the database")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// Another host has held the migration lock for too long.
    #[error("another host has been migrating for too long; if none is, delete the row of `migration_lock`")]
    MigrationLocked,
    /// The database did not answer within the time that the asker had.
    #[error("the database did not answer in time")]
    TooSlow,
    /// The store has begun another life since this handle was opened; nothing was written.
    #[error("the store was restored or moved since this process opened it; start the process again")]
    Replaced,
    /// Two databases whose schemas differ.
    #[error("the table {0} is not the same on both sides; both must have been opened by this version of bellhop")]
    OtherSchema(String),
    /// A target that holds something else already.
    #[error("the target is not empty: there are rows in {0}; name an empty database")]
    NotEmpty(String),
    /// An SQLite file that cannot be moved.
    #[error("another process has {0} open; let it end first")]
    StillOpen(std::path::PathBuf),
    /// A copy that is not like what it was made from.
    #[error("the copy of the table {table} has {here} rows instead of {there}; do not use it")]
    CopyDiffers {
        /// The table.
        table: String,
        /// Rows in the source.
        there: i64,
        /// Rows in the copy.
        here: i64,
    },
    /// A mistake in this program; nothing was written.
    #[error("writing ended in a panic")]
    Panicked,
    /// A row that this version cannot read.
    #[error("unreadable value in column {0}")]
    Unreadable(&'static str),
}

impl DbError {
    /// True when an error, or what caused it, is the store's and says nothing about what was asked of it: the same again may
    /// succeed. False for content that cannot be read, which will not read better next time.
    pub fn is_behind(error: &(dyn std::error::Error + 'static)) -> bool {
        let causes = std::iter::successors(Some(error), |error| error.source());
        causes
            .filter_map(|cause| cause.downcast_ref::<Self>())
            .any(|cause| !matches!(cause, Self::Unreadable(_) | Self::Panicked))
    }
}

/// The two engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Embedded.
    Sqlite,
    /// Shared by any number of hosts.
    Postgres,
}

/// A handle to one database; clones share the pool.
#[derive(Clone, Debug)]
pub struct Db {
    pool: AnyPool,
    engine: Engine,
    clock: Clock,
    life: life::Life,
    /// SQLite: the one connection that writes, so that its page cache stays warm; nobody else's writes empty it.
    writer: AnyPool,
    /// What other hosts are to hear.
    outgoing: signal::Outgoing,
    /// Ends what works on the database by itself when the last handle is gone.
    stop: Arc<DropGuard>,
}

impl Db {
    /// Opens the database and brings its schema up to date.
    ///
    /// # Errors
    /// [`DbError::Open`] when it cannot be reached, [`DbError::Migrate`] when the schema cannot be brought up to date.
    pub async fn open(url: &str, schema: Schema, clock: Clock) -> Result<Self, DbError> {
        sqlx::any::install_default_drivers();
        let engine = Engine::of(url)?;
        let first = open_pool(url, engine, schema, 1).await.map_err(DbError::Open)?;
        migrate::run(&first, engine, &clock, schema).await?;
        let log = match engine {
            Engine::Sqlite => {
                statistics::tell(&first).await?;
                checkpoint::log_of(&first).await?
            }
            Engine::Postgres => None,
        };
        // Whoever is connected from here on knows the schema and its statistics.
        first.close().await;
        let pool = open_pool(url, engine, schema, MAX_CONNECTIONS).await.map_err(DbError::Open)?;
        let writer = match engine {
            Engine::Sqlite => open_pool(url, engine, schema, 1).await.map_err(DbError::Open)?,
            Engine::Postgres => pool.clone(),
        };
        let stop = CancellationToken::new();
        if let Some(log) = log {
            let keeper = checkpoint::Keeper { readers: pool.clone(), writer: writer.clone(), log };
            tokio::spawn(keeper.run(stop.clone()));
        }
        let (life, stop) = (life::Life::default(), Arc::new(stop.drop_guard()));
        let outgoing = signal::Outgoing::default();
        let db = Self { pool, engine, clock, life, writer, outgoing, stop };
        if schema != Schema::Keyring {
            db.life_open().await?;
        }
        if engine == Engine::Postgres {
            db.synchronise_clock().await?;
        }
        Ok(db)
    }

    /// The address of an SQLite file, made when it is missing.
    pub fn sqlite_url(file: &Path) -> String {
        format!("sqlite://{}?mode=rwc", file.display())
    }

    /// Which engine this is.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// The number of the newest migration that this version knows.
    pub fn newest_migration(schema: Schema) -> i64 {
        migrate::newest(schema)
    }

    /// The database's time.
    pub fn now(&self) -> bellhop_domain::time::Timestamp {
        self.clock.now()
    }

    /// The clock itself, for those who only need the time.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Takes over the server's clock: hosts compare leases by one clock, not by their own.
    ///
    /// # Errors
    /// [`DbError::Statement`] when the server cannot be asked.
    pub async fn synchronise_clock(&self) -> Result<(), DbError> {
        if self.engine == Engine::Postgres {
            let before = self.clock.local_millis();
            let sql = "select cast(extract(epoch from clock_timestamp()) * 1000 as bigint)";
            let server: i64 = sqlx::query_scalar(sql).fetch_one(&self.pool).await?;
            let after = self.clock.local_millis();
            self.clock.set_server_offset(server - (before + after) / 2);
        }
        Ok(())
    }

    /// Starts a transaction that writes, in the life of the store that this handle was opened in.
    ///
    /// # Errors
    /// [`DbError::Statement`] when no connection can be had in time, [`DbError::Replaced`] when that life is over.
    pub async fn begin_write(&self) -> Result<WriteTransaction, DbError> {
        let (begin, life) = match (self.engine, self.life.opened()) {
            (Engine::Sqlite, _) => ("begin immediate", None),
            (Engine::Postgres, None) => ("begin", None),
            (Engine::Postgres, Some(_)) => (life::BEGIN_FENCED, Some(&self.life)),
        };
        WriteTransaction::begin(self.writer.acquire().await?, self.engine, begin, life, self.signals()).await
    }

    /// A connection for several reads in a row.
    ///
    /// # Errors
    /// [`DbError::Statement`] when none can be had in time.
    pub async fn reader(&self) -> Result<PoolConnection<Any>, DbError> {
        Ok(self.pool.acquire().await?)
    }

    /// All rows of a read.
    ///
    /// # Errors
    /// [`DbError::Statement`].
    pub async fn fetch_all<'q>(&self, statement: impl Sql<'q>) -> Result<Vec<AnyRow>, DbError> {
        Ok(self.pool.fetch_all(statement.statement(self.engine)).await?)
    }

    /// The first row of a read.
    ///
    /// # Errors
    /// [`DbError::Statement`].
    pub async fn fetch_optional<'q>(&self, statement: impl Sql<'q>) -> Result<Option<AnyRow>, DbError> {
        Ok(self.pool.fetch_optional(statement.statement(self.engine)).await?)
    }

    /// One write as a transaction of its own; the number of rows it touched.
    ///
    /// # Errors
    /// [`DbError::Statement`]; nothing was written.
    pub async fn execute<'q>(&self, statement: impl Sql<'q>) -> Result<u64, DbError> {
        let mut transaction = self.begin_write().await?;
        let touched = transaction.execute(statement).await?;
        transaction.commit().await?;
        Ok(touched)
    }

    /// Closes all connections; SQLite then leaves no WAL behind.
    pub async fn close(&self) {
        self.stop.token().cancel();
        self.writer.close().await;
        self.pool.close().await;
    }
}

impl Engine {
    /// The end of a subquery that chooses rows to change: what somebody else is just changing is left to them. SQLite has one
    /// writer, and needs no words for it.
    pub(crate) const fn skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " for update skip locked",
        }
    }

    /// The text before and after a subquery that gives a few ids and depends on the row at hand, in `where id …`: each engine
    /// looks such ids up by their index only when it is asked in its own way.
    pub(crate) const fn one_of(self) -> (&'static str, &'static str) {
        match self {
            Self::Sqlite => ("in (", ")"),
            Self::Postgres => ("= any (array(", "))"),
        }
    }

    fn of(url: &str) -> Result<Self, DbError> {
        match url.split_once(':') {
            Some(("sqlite", _)) => Ok(Self::Sqlite),
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres),
            _ => Err(DbError::UnknownEngine),
        }
    }
}

async fn open_pool(url: &str, engine: Engine, schema: Schema, max_connections: u32) -> sqlx::Result<AnyPool> {
    let set_up = match (engine, schema) {
        // FULL: a commit is on disk when it returns. `checkpoint` folds the WAL back at 16 MB; a commit does it only where that
        // has fallen behind, at 64 MB. 8 MB of pages are cached, the rest of the file is read without copying.
        (Engine::Sqlite, _) => {
            "pragma journal_mode = wal; pragma synchronous = full; pragma busy_timeout = 5000; pragma foreign_keys = on; \
             pragma wal_autocheckpoint = 16000; pragma cache_size = -8000; pragma mmap_size = 268435456; \
             pragma temp_store = memory"
        }
        (Engine::Postgres, Schema::Store) => "set synchronous_commit = on",
        (Engine::Postgres, Schema::Keyring) => {
            "create schema if not exists keyring; set search_path = keyring; set synchronous_commit = on"
        }
        // What is not found in the stage, the type `blob` for one, is looked for where it always is.
        (Engine::Postgres, Schema::Staged) => {
            "select set_config('search_path', 'bellhop_stage, ' || current_setting('search_path'), false); \
             set synchronous_commit = on"
        }
    };
    AnyPoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(engine == Engine::Postgres)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                connection.execute(sqlx::raw_sql(set_up)).await?;
                Ok(())
            })
        })
        .connect(url)
        .await
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
