//! A transaction that writes. An error ends it: no statement and no commit follows one, because PostgreSQL's `commit`
//! answers Ok after having rolled back.

use std::collections::BTreeSet;

use sqlx::any::AnyRow;
use sqlx::pool::PoolConnection;
use sqlx::{Any, AssertSqlSafe, Executor};

use super::life::Life;
use super::signal::{Outgoing, notify};
use super::{Bulk, DbError, Engine, Signal, Sql};

/// A transaction that writes; dropped without [`WriteTransaction::commit`] it is rolled back.
#[derive(Debug)]
pub struct WriteTransaction {
    connection: PoolConnection<Any>,
    engine: Engine,
    state: State,
    signals: BTreeSet<Signal>,
    outgoing: Option<Outgoing>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Failed,
    Ended,
}

impl WriteTransaction {
    pub(super) async fn begin(
        mut connection: PoolConnection<Any>,
        engine: Engine,
        begin: &'static str,
        life: Option<&Life>,
        outgoing: Option<Outgoing>,
    ) -> Result<Self, DbError> {
        let signals = BTreeSet::new();
        let Some(life) = life else {
            connection.execute(sqlx::raw_sql(begin)).await?;
            return Ok(Self { connection, engine, state: State::Open, signals, outgoing });
        };
        // From here on an early end must roll back.
        let mut begun = Self { connection, engine, state: State::Failed, signals, outgoing };
        life.check(&begun.connection.fetch_all(sqlx::raw_sql(begin)).await?)?;
        begun.state = State::Open;
        Ok(begun)
    }

    /// Keeps everybody else from reading and writing a table until this transaction ends. On SQLite whoever writes is alone
    /// already.
    pub(super) async fn lock_table(&mut self, table: &'static str) -> Result<(), DbError> {
        if self.engine == Engine::Postgres {
            let lock = format!("lock table {table} in access exclusive mode");
            self.execute(sqlx::query(AssertSqlSafe(lock))).await?;
        }
        Ok(())
    }

    /// Takes the locks of the rows of a `select` in the order that it names, before statements change them in an order of their
    /// own: two transactions that lock the same rows in different orders stop each other for a second, and one fails. On SQLite
    /// whoever writes is alone, and nothing is read.
    ///
    /// # Errors
    /// As [`WriteTransaction::execute`].
    pub async fn lock_rows(&mut self, select: Bulk) -> Result<(), DbError> {
        match self.engine {
            Engine::Sqlite => self.check(),
            Engine::Postgres => self.execute(select.end(" for update")).await.map(drop),
        }
    }

    /// Runs a statement; the number of rows it touched.
    ///
    /// # Errors
    /// [`DbError::Statement`] or [`DbError::Conflict`]: the transaction is over. [`DbError::TransactionEnded`]: it was over before.
    pub async fn execute<'q>(&mut self, statement: impl Sql<'q>) -> Result<u64, DbError> {
        self.check()?;
        let result = self.connection.execute(statement.statement(self.engine)).await.map(|done| done.rows_affected());
        self.settle(result)
    }

    /// Runs a statement that returns rows.
    ///
    /// # Errors
    /// As [`WriteTransaction::execute`].
    pub async fn fetch_all<'q>(&mut self, statement: impl Sql<'q>) -> Result<Vec<AnyRow>, DbError> {
        self.check()?;
        let result = self.connection.fetch_all(statement.statement(self.engine)).await;
        self.settle(result)
    }

    /// Once this is committed, other hosts hear of what is ready.
    pub fn signal(&mut self, signal: Signal) {
        self.signals.insert(signal);
    }

    /// Makes everything permanent; on disk when this returns.
    ///
    /// # Errors
    /// [`DbError::TransactionEnded`] when a statement failed before; nothing was written. [`DbError::Statement`] when the
    /// commit itself failed; whether it was written is unknown.
    pub async fn commit(mut self) -> Result<(), DbError> {
        self.check()?;
        self.state = State::Failed;
        let result = self.connection.execute(sqlx::raw_sql("commit")).await;
        match result {
            Ok(_) => {
                self.state = State::Ended;
                self.tell().await;
                Ok(())
            }
            Err(error) => Err(classify(error)),
        }
    }

    /// What was committed stands whether or not anybody hears of it at once.
    async fn tell(&mut self) {
        let Some(outgoing) = &self.outgoing else { return };
        let ours = outgoing.hand_over(std::mem::take(&mut self.signals));
        if !ours.is_empty() {
            drop(self.connection.execute(sqlx::raw_sql(AssertSqlSafe(notify(&ours)))).await);
        }
    }

    fn check(&self) -> Result<(), DbError> {
        if self.state == State::Open { Ok(()) } else { Err(DbError::TransactionEnded) }
    }

    fn settle<T>(&mut self, result: sqlx::Result<T>) -> Result<T, DbError> {
        result.map_err(|error| {
            self.state = State::Failed;
            classify(error)
        })
    }
}

impl Drop for WriteTransaction {
    fn drop(&mut self) {
        if self.state != State::Ended {
            // The connection may be in the middle of a statement; closing it rolls back on both engines, and the pool
            // opens another.
            self.connection.close_on_drop();
        }
    }
}

/// PostgreSQL: serialisation failure and deadlock. SQLite: busy.
fn classify(error: sqlx::Error) -> DbError {
    let code = error.as_database_error().and_then(|database| database.code().map(|code| code.into_owned()));
    match code.as_deref() {
        Some("40001" | "40P01" | "5" | "517") => {
            metrics::counter!("bellhop_store_conflicts_total").increment(1);
            DbError::Conflict
        }
        _ => DbError::Statement(error),
    }
}
