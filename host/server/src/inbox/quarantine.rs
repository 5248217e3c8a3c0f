//! Bodies that Meta signed and that could not be cut: which there are, and dropping them. Never opens one.

use bellhop_domain::time::Timestamp;
use serde::Serialize;
use sqlx::Row;

use crate::db::{Db, DbError, Queue, Sweep};
use crate::inbox::replay::record_in;
use crate::inbox::sweep::QUARANTINE;
use crate::vault;

const LENGTH: &str = "select count(*), min(received_at) from (select received_at from quarantine limit 100000) as kept";

/// A body in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuarantinedBody {
    /// Its id.
    pub id: String,
    /// The app whose secret signed it.
    pub app: String,
    /// Why it could not be cut.
    pub reason: String,
    /// When it came.
    pub received_at: Timestamp,
}

/// The bodies in quarantine.
///
/// # Errors
/// [`DbError`].
pub async fn quarantine_queue(db: &Db) -> Result<Queue, DbError> {
    db.fetch_queue(sqlx::query(LENGTH)).await
}

/// Bodies in quarantine, oldest first.
///
/// # Errors
/// [`DbError`].
pub async fn quarantine_list(db: &Db, limit: i64) -> Result<Vec<QuarantinedBody>, DbError> {
    let select = sqlx::query(
        "select id, app_id, reason, received_at from quarantine where workspace_id = $1 order by id limit $2",
    );
    let rows = db.fetch_all(select.bind(vault::installation().as_str().to_owned()).bind(limit)).await?;
    let read = |row: &sqlx::any::AnyRow| {
        Ok(QuarantinedBody {
            id: row.try_get(0)?,
            app: row.try_get(1)?,
            reason: row.try_get(2)?,
            received_at: Timestamp::from_millis(row.try_get(3)?),
        })
    };
    rows.iter().map(read).collect()
}

/// Drops a body, or all of them; how many there were. They stay counted.
///
/// # Errors
/// [`DbError`]; what was dropped is counted, the rest stays.
pub async fn quarantine_drop(db: &Db, id: Option<&str>) -> Result<u64, DbError> {
    let workspace = vault::installation();
    let mut n_dropped = 0;
    loop {
        let ids = match id {
            Some(id) => vec![id.to_owned()],
            None => quarantine_list(db, Sweep::BATCH as i64).await?.into_iter().map(|body| body.id).collect(),
        };
        if ids.is_empty() {
            break;
        }
        n_dropped += db.sweep_these(&QUARANTINE, workspace.as_str(), &ids).await?;
        if id.is_some() {
            break;
        }
    }
    if n_dropped > 0 {
        let mut transaction = db.begin_write().await?;
        record_in(&mut transaction, &workspace, db.now(), "quarantine-dropped").await?;
        transaction.commit().await?;
    }
    Ok(n_dropped)
}
