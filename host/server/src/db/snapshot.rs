//! Reads that all see the store as it was at one instant, while others go on writing.

use sqlx::any::AnyRow;
use sqlx::pool::PoolConnection;
use sqlx::{Any, Executor};

use super::{Db, DbError, Engine, Sql};

/// A view of one instant; it ends when dropped.
#[derive(Debug)]
pub struct Snapshot {
    connection: PoolConnection<Any>,
    engine: Engine,
}

impl Db {
    /// The store as it is now.
    ///
    /// # Errors
    /// [`DbError::Statement`] when no connection can be had in time.
    pub async fn snapshot(&self) -> Result<Snapshot, DbError> {
        let mut connection = self.reader().await?;
        // The instant is that of the first read.
        let begin = match self.engine {
            Engine::Sqlite => "begin",
            Engine::Postgres => "begin isolation level repeatable read read only",
        };
        connection.execute(sqlx::raw_sql(begin)).await?;
        Ok(Snapshot { connection, engine: self.engine })
    }
}

impl Snapshot {
    /// All rows of a read.
    ///
    /// # Errors
    /// [`DbError::Statement`]; on PostgreSQL the view is then over.
    pub async fn fetch_all<'q>(&mut self, statement: impl Sql<'q>) -> Result<Vec<AnyRow>, DbError> {
        Ok(self.connection.fetch_all(statement.statement(self.engine)).await?)
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        // The transaction ends with its connection; the pool opens another.
        self.connection.close_on_drop();
    }
}
