//! What the engine says of itself: its name and its size. Reads no table of ours.

use std::path::PathBuf;

use serde::Serialize;
use sqlx::Row;

use super::{Db, DbError, Engine};

/// The store as its engine tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Size {
    /// "sqlite" or "postgres".
    pub engine: &'static str,
    /// Bytes of the database.
    pub bytes: i64,
    /// Bytes of SQLite's write-ahead log, which come on top.
    pub wal_bytes: i64,
}

impl Engine {
    /// Its name, for people and machines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

impl Db {
    /// How large the database is.
    ///
    /// # Errors
    /// [`DbError::Statement`].
    pub async fn size(&self) -> Result<Size, DbError> {
        let sql = match self.engine {
            Engine::Sqlite => "select page_count * page_size from pragma_page_count, pragma_page_size",
            Engine::Postgres => "select pg_database_size(current_database())",
        };
        let row = self.fetch_optional(sqlx::query(sql)).await?;
        let bytes = row.map_or(Ok(0), |row| row.try_get(0))?;
        Ok(Size { engine: self.engine.as_str(), bytes, wal_bytes: self.wal_bytes().await? })
    }

    /// The length of SQLite's write-ahead log; 0 on PostgreSQL, whose server looks after its own.
    ///
    /// # Errors
    /// [`DbError::Statement`].
    pub async fn wal_bytes(&self) -> Result<i64, DbError> {
        let Some(file) = self.file().await? else { return Ok(0) };
        let mut name = file.into_os_string();
        name.push("-wal");
        let found = tokio::fs::metadata(PathBuf::from(name)).await;
        Ok(found.map_or(0, |found| i64::try_from(found.len()).unwrap_or(i64::MAX)))
    }

    /// SQLite's file.
    ///
    /// # Errors
    /// [`DbError::Statement`].
    pub async fn file(&self) -> Result<Option<PathBuf>, DbError> {
        if self.engine == Engine::Postgres {
            return Ok(None);
        }
        let select = sqlx::query("select file from pragma_database_list where name = 'main'");
        let row = self.fetch_optional(select).await?;
        Ok(row.map(|row| row.try_get::<String, _>(0)).transpose()?.map(PathBuf::from))
    }
}
