//! A store that is made ready beside the living one and takes its place in one instant, on PostgreSQL. Never deletes the one
//! that was there: its tables are moved into a schema of their own.

use sqlx::{AssertSqlSafe, Row};

use super::{Clock, Db, DbError, Engine, Schema, WriteTransaction, migrate};

/// The schema in which a store is made ready.
pub(super) const STAGE: &str = "bellhop_stage";

/// How often the exchange is tried when somebody's read stands in its way.
const TRIES: usize = 5;

impl Db {
    /// Opens an empty store beside the one of this database; what an earlier, unfinished one left is dropped.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn open_staged(url: &str, clock: Clock) -> Result<Self, DbError> {
        sqlx::any::install_default_drivers();
        let plain = super::open_pool(url, Engine::Postgres, Schema::Store, 1).await.map_err(DbError::Open)?;
        // The type is made where the tables will be, not in the schema that goes away.
        sqlx::raw_sql(migrate::POSTGRES_BLOB).execute(&plain).await?;
        let fresh = format!("drop schema if exists {STAGE} cascade; create schema {STAGE}");
        sqlx::raw_sql(AssertSqlSafe(fresh)).execute(&plain).await?;
        plain.close().await;
        Self::open(url, Schema::Staged, clock).await
    }

    /// Puts a staged store in the place of the living one, whose tables go into the schema `aside`; from the commit on, hosts
    /// that had the old one open write nothing more. This handle then is one of the living store. True when there was one.
    ///
    /// # Errors
    /// [`DbError`]; the living store is as it was.
    pub async fn take_place(&self, aside: &str) -> Result<bool, DbError> {
        let mut tries = 0;
        loop {
            match self.try_take_place(aside).await {
                // A read that holds one table and waits for another.
                Err(DbError::Conflict) if tries < TRIES => tries += 1,
                other => return other,
            }
        }
    }

    async fn try_take_place(&self, aside: &str) -> Result<bool, DbError> {
        let mut transaction = self.begin_write().await?;
        let found = transaction.fetch_all(sqlx::query("select cast((current_schemas(false))[2] as text)")).await?;
        let living: String = found.first().ok_or(DbError::Unreadable("search_path"))?.try_get(0)?;
        let old = tables_in(&mut transaction, &living).await?;
        let new = tables_in(&mut transaction, STAGE).await?;
        let old: Vec<&String> = old.iter().filter(|table| new.contains(table)).collect();
        // Whoever writes has read this table first: they end before, or see the new life.
        if old.iter().any(|table| *table == "meta") {
            run(&mut transaction, format!("lock table \"{living}\".meta in access exclusive mode")).await?;
        }
        let was_there = !old.is_empty();
        if was_there {
            run(&mut transaction, format!("create schema {aside}")).await?;
        }
        for table in old {
            run(&mut transaction, format!("alter table \"{living}\".{table} set schema {aside}")).await?;
        }
        for table in &new {
            run(&mut transaction, format!("alter table {STAGE}.{table} set schema \"{living}\"")).await?;
        }
        run(&mut transaction, format!("drop schema {STAGE}")).await?;
        transaction.commit().await?;
        Ok(was_there)
    }
}

/// Our tables in a schema: those that a store has, and what goes with it.
async fn tables_in(transaction: &mut WriteTransaction, schema: &str) -> Result<Vec<String>, DbError> {
    let select = "select cast(table_name as text) from information_schema.tables \
                  where table_schema = $1 and table_type = 'BASE TABLE' order by table_name";
    let rows = transaction.fetch_all(sqlx::query(select).bind(schema.to_owned())).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

async fn run(transaction: &mut WriteTransaction, statement: String) -> Result<(), DbError> {
    transaction.execute(sqlx::query(AssertSqlSafe(statement))).await.map(drop)
}
