//! A queue in a table, as its length and its oldest entry. Knows no table.

use bellhop_domain::time::Timestamp;
use serde::Serialize;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Db, DbError, Sql};

/// How much of a queue there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Queue {
    /// Entries, up to [`Queue::COUNTED`].
    pub length: i64,
    /// Since when the oldest of them waits.
    pub oldest_at: Option<Timestamp>,
}

impl Queue {
    /// Counting ends here, so that looking at a backlog costs some 100 ms at the worst. The statements say `limit 100000`.
    pub const COUNTED: i64 = 100_000;

    /// Reads the columns `length` and `oldest` that begin at a place.
    ///
    /// # Errors
    /// [`DbError::Statement`] when these are other columns.
    pub fn read(row: &AnyRow, place: usize) -> Result<Self, DbError> {
        let oldest: Option<i64> = row.try_get(place + 1)?;
        Ok(Self { length: row.try_get(place)?, oldest_at: oldest.map(Timestamp::from_millis) })
    }

    /// Both queues as one.
    pub fn and(self, other: Self) -> Self {
        let oldest = [self.oldest_at, other.oldest_at].into_iter().flatten().min();
        Self { length: self.length + other.length, oldest_at: oldest }
    }
}

impl Db {
    /// A statement that answers with one row: the length of a queue and the time of its oldest entry.
    ///
    /// # Errors
    /// [`DbError::Statement`].
    pub async fn fetch_queue<'q>(&self, statement: impl Sql<'q>) -> Result<Queue, DbError> {
        let row = self.fetch_optional(statement).await?;
        row.as_ref().map_or(Ok(Queue::default()), |row| Queue::read(row, 0))
    }
}
