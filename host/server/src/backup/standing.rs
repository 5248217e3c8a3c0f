//! Whether a store may be served: one that was moved away, is being moved, or is not whole yet may not, because two stores
//! must never both answer.

use sqlx::Row;

use super::BackupError;
use crate::db::{Db, DbError, WriteTransaction};

const NAME: &str = "standing";

/// What a store that takes part in a move is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// No part of a move: it is served.
    Living,
    /// Being copied to a place, under the id of a move.
    Moving(String, String),
    /// Copied to a place as a whole.
    Moved(String, String),
    /// Being filled from a place.
    Filling(String, String),
}

impl Standing {
    /// Of a store.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn of(db: &Db) -> Result<Self, DbError> {
        let select = sqlx::query("select value from meta where name = $1").bind(NAME);
        let Some(row) = db.fetch_optional(select).await? else { return Ok(Self::Living) };
        let text: String = row.try_get(0)?;
        let mut parts = text.splitn(3, ' ').map(str::to_owned);
        match (parts.next().as_deref(), parts.next(), parts.next()) {
            (Some("moving"), Some(id), Some(place)) => Ok(Self::Moving(id, place)),
            (Some("moved"), Some(id), Some(place)) => Ok(Self::Moved(id, place)),
            (Some("filling"), Some(id), Some(place)) => Ok(Self::Filling(id, place)),
            _ => Err(DbError::Unreadable("meta.standing")),
        }
    }

    /// Writes it down.
    pub(super) async fn set_in(&self, transaction: &mut WriteTransaction) -> Result<(), DbError> {
        let text = match self {
            Self::Living => {
                let delete = sqlx::query("delete from meta where name = $1").bind(NAME);
                return transaction.execute(delete).await.map(drop);
            }
            Self::Moving(id, place) => format!("moving {id} {place}"),
            Self::Moved(id, place) => format!("moved {id} {place}"),
            Self::Filling(id, place) => format!("filling {id} {place}"),
        };
        let upsert =
            "insert into meta (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value";
        transaction.execute(sqlx::query(upsert).bind(NAME).bind(text)).await.map(drop)
    }
}

/// Refuses a store that is not to be served or changed.
///
/// # Errors
/// [`BackupError::Moved`], [`BackupError::Moving`], [`BackupError::Filling`]: they say what to do.
pub async fn check_living(db: &Db) -> Result<(), BackupError> {
    match Standing::of(db).await? {
        Standing::Living => Ok(()),
        Standing::Moving(_, place) => Err(BackupError::Moving(place)),
        Standing::Moved(_, place) => Err(BackupError::Moved(place)),
        Standing::Filling(_, place) => Err(BackupError::Filling(place)),
    }
}
