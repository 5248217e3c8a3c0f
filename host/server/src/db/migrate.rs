//! Brings a schema up to date under one lock row. Migrations only go forward: expand first, contract in a later version.

use std::borrow::Cow;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{Executor, SqlSafeStr};

use super::{Db, DbError, Engine};

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
    (5, "held", include_str!("../../migrations/store/0005_held.sql")),
];
const KEYRING: &[(i64, &str, &str)] = &[(1, "first", include_str!("../../migrations/keyring/0001_first.sql"))];

/// PostgreSQL has no type `blob`, SQLite no `bytea`.
pub(super) const POSTGRES_BLOB: &str = "do $$ begin if to_regtype('blob') is null then create domain blob as bytea; end if; \
     exception when duplicate_object then null; end $$";

const LOCK_TABLE: &str =
    "create table if not exists migration_lock (name text not null primary key, held_until bigint not null)";

pub(super) async fn run(db: &Db, schema: Schema) -> Result<(), DbError> {
    let mut connection = db.pool.acquire().await?;
    if db.engine == Engine::Postgres {
        connection.execute(sqlx::raw_sql(POSTGRES_BLOB)).await?;
    }
    // Two hosts that start together may both find it missing; on PostgreSQL the second then gets an error of the catalogue.
    if connection.execute(sqlx::raw_sql(LOCK_TABLE)).await.is_err() {
        connection.execute(sqlx::raw_sql(LOCK_TABLE)).await?;
    }
    drop(connection);
    lock(db).await?;
    let result = migrator(schema).run(&db.pool).await.map_err(DbError::Migrate);
    db.execute(sqlx::query("delete from migration_lock where name = 'schema'")).await?;
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

fn migrator(schema: Schema) -> Migrator {
    let migrations = list(schema).iter().map(|(version, name, sql)| {
        Migration::new(*version, Cow::Borrowed(*name), MigrationType::Simple, (*sql).into_sql_str(), false)
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    // sqlx's own lock is an advisory one, which PostgreSQL-compatible engines lack.
    migrator.set_locking(false);
    // An older binary keeps working beside a newer one during a rolling upgrade.
    migrator.set_ignore_missing(true);
    migrator
}

async fn lock(db: &Db) -> Result<(), DbError> {
    for _ in 0..LOCK_TRIES {
        let now = db.clock.local_millis();
        let until = now + i64::try_from(LOCK_LIFETIME.as_millis()).unwrap_or(i64::MAX);
        let taken = db
            .execute(
                sqlx::query(
                    "insert into migration_lock (name, held_until) values ('schema', $1) \
                     on conflict (name) do update set held_until = excluded.held_until \
                     where migration_lock.held_until < $2",
                )
                .bind(until)
                .bind(now),
            )
            .await?;
        if taken == 1 {
            return Ok(());
        }
        tokio::time::sleep(LOCK_POLL).await;
    }
    Err(DbError::MigrationLocked)
}
