//! Brings a schema up to date under one lock row. Migrations only go forward: expand first, contract in a later version.

use std::borrow::Cow;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AnyPool, AssertSqlSafe, Executor, SqlSafeStr};

use super::{Clock, DbError, Engine};

/// The two schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    /// Everything but keys.
    Store,
    /// Wrapped keys: a file of its own beside SQLite, a schema of its own on PostgreSQL.
    Keyring,
    /// A store that is made ready beside the living one; on PostgreSQL alone, where it has a schema of its own.
    Staged,
}

/// A migration takes seconds; a holder that has not finished in this time is taken for dead.
const LOCK_LIFETIME: Duration = Duration::from_secs(60);
const LOCK_POLL: Duration = Duration::from_millis(250);
const LOCK_TRIES: usize = 480;

const STORE: &[(i64, &str, &str)] = &[
    (1, "first", include_str!("../../migrations/store/0001_first.sql")),
    (3, "mark names", include_str!("../../migrations/store/0003_mark_names.sql")),
    (4, "operations", include_str!("../../migrations/store/0004_operations.sql")),
    (5, "held", include_str!("../../migrations/store/0005_held.sql")),
    (6, "evidence", include_str!("../../migrations/store/0006_evidence.sql")),
    (7, "limits", include_str!("../../migrations/store/0007_limits.sql")),
    (8, "masked values", include_str!("../../migrations/store/0008_masked_values.sql")),
    (9, "ledger", include_str!("../../migrations/store/0009_ledger.sql")),
];
const KEYRING: &[(i64, &str, &str)] = &[(1, "first", include_str!("../../migrations/keyring/0001_first.sql"))];

/// Tables of short rows that SQLite keeps in one B-tree instead of two: by their key, without a rowid beside it. Rows of more
/// than a quarter of a page would spill there, so tables of content are left as they are.
const CLUSTERED: [&str; 12] = [
    "dedupe",
    "conversation",
    "contact",
    "suppression",
    "delivery",
    "audit",
    "session",
    "contact_mark",
    "masked_value",
    "message",
    "early_receipt",
    "delivery_lookup",
];

/// PostgreSQL has no type `blob`, SQLite no `bytea`.
pub(super) const POSTGRES_BLOB: &str = "do $$ begin if to_regtype('blob') is null then create domain blob as bytea; end if; \
     exception when duplicate_object then null; end $$";

const LOCK_TABLE: &str =
    "create table if not exists migration_lock (name text not null primary key, held_until bigint not null)";

pub(super) async fn run(pool: &AnyPool, engine: Engine, clock: &Clock, schema: Schema) -> Result<(), DbError> {
    if engine == Engine::Postgres {
        pool.execute(sqlx::raw_sql(POSTGRES_BLOB)).await?;
    }
    // Two hosts that start together may both find it missing; on PostgreSQL the second then gets an error of the catalogue.
    if pool.execute(sqlx::raw_sql(LOCK_TABLE)).await.is_err() {
        pool.execute(sqlx::raw_sql(LOCK_TABLE)).await?;
    }
    lock(pool, clock).await?;
    let result = migrator(schema, engine).run(pool).await.map_err(DbError::Migrate);
    pool.execute(sqlx::query("delete from migration_lock where name = 'schema'")).await?;
    result
}

/// The number of the newest migration of this version.
pub(super) fn newest(schema: Schema) -> i64 {
    list(schema).iter().map(|(version, ..)| *version).max().unwrap_or_default()
}

fn list(schema: Schema) -> &'static [(i64, &'static str, &'static str)] {
    match schema {
        Schema::Store | Schema::Staged => STORE,
        Schema::Keyring => KEYRING,
    }
}

fn migrator(schema: Schema, engine: Engine) -> Migrator {
    let migrations = list(schema).iter().map(|(version, name, sql)| {
        let written =
            Migration::new(*version, Cow::Borrowed(*name), MigrationType::Simple, (*sql).into_sql_str(), false);
        match engine {
            Engine::Postgres => written,
            // The checksum stays that of the common text: it says which migration this is, not how it was carried out.
            Engine::Sqlite => Migration { sql: AssertSqlSafe(clustered(sql)).into_sql_str(), ..written },
        }
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    // sqlx's own lock is an advisory one, which PostgreSQL-compatible engines lack.
    migrator.set_locking(false);
    // An older binary keeps working beside a newer one during a rolling upgrade.
    migrator.set_ignore_missing(true);
    migrator
}

/// The text for SQLite, with the [`CLUSTERED`] tables kept in the order of their keys.
fn clustered(sql: &str) -> String {
    let mut text = sql.to_owned();
    for table in CLUSTERED {
        let Some(from) = text.find(&format!("create table {table} (")) else { continue };
        let end = text.get(from..).and_then(|rest| rest.find("\n);")).map(|end| from + end + "\n)".len());
        if let Some(end) = end {
            text.insert_str(end, " without rowid");
        }
    }
    text
}

async fn lock(pool: &AnyPool, clock: &Clock) -> Result<(), DbError> {
    for _ in 0..LOCK_TRIES {
        let now = clock.local_millis();
        let until = now + i64::try_from(LOCK_LIFETIME.as_millis()).unwrap_or(i64::MAX);
        let take = sqlx::query(
            "insert into migration_lock (name, held_until) values ('schema', $1) \
             on conflict (name) do update set held_until = excluded.held_until \
             where migration_lock.held_until < $2",
        );
        if pool.execute(take.bind(until).bind(now)).await?.rows_affected() == 1 {
            return Ok(());
        }
        tokio::time::sleep(LOCK_POLL).await;
    }
    Err(DbError::MigrationLocked)
}
