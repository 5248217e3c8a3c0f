//! Deliveries as people read them.

use std::collections::HashMap;

use bellhop_domain::id::{DeliveryId, MessageId, TurnId, WorkspaceId};
use bellhop_domain::time::Timestamp;
use serde::Serialize;
use sqlx::Row;

use crate::db::{Bulk, Db, DbError};

/// Where a delivery stands.
#[derive(Debug, Clone, Serialize)]
pub struct DeliveryRow {
    /// The delivery.
    pub id: DeliveryId,
    /// What it says.
    pub message: MessageId,
    /// Name of its state.
    pub state: String,
    /// Why, where it did not go well.
    pub reason: Option<String>,
    /// Attempts that were made.
    pub attempts: i64,
    /// When it was committed with its turn.
    pub created_at: Timestamp,
    /// When the last attempt began.
    pub attempted_at: Option<Timestamp>,
    /// When it was settled.
    pub settled_at: Option<Timestamp>,
}

/// The deliveries of these turns, each turn's in order.
///
/// # Errors
/// [`DbError`].
pub async fn deliveries_of_turns(
    db: &Db,
    turns: &[(WorkspaceId, TurnId)],
) -> Result<HashMap<TurnId, Vec<DeliveryRow>>, DbError> {
    if turns.is_empty() {
        return Ok(HashMap::new());
    }
    let mut select = Bulk::new(
        "select turn_id, id, message_id, state, reason, attempts, created_at, attempted_at, settled_at from delivery \
         where turn_id is not null and (workspace_id, turn_id) in ",
    )
    .keys(2);
    for (workspace, turn) in turns {
        select.row().bind(workspace.as_str()).bind(turn.as_str());
    }
    let mut found: HashMap<TurnId, Vec<DeliveryRow>> = HashMap::new();
    let bad = |_| DbError::Unreadable("delivery");
    for row in db.fetch_all(select.end(" order by id")).await? {
        let time = |n: usize| row.try_get::<Option<i64>, _>(n).map(|millis| millis.map(Timestamp::from_millis));
        let delivery = DeliveryRow {
            id: DeliveryId::parse(row.try_get(1)?).map_err(bad)?,
            message: MessageId::parse(row.try_get(2)?).map_err(bad)?,
            state: row.try_get(3)?,
            reason: row.try_get(4)?,
            attempts: row.try_get(5)?,
            created_at: Timestamp::from_millis(row.try_get(6)?),
            attempted_at: time(7)?,
            settled_at: time(8)?,
        };
        found.entry(TurnId::parse(row.try_get(0)?).map_err(bad)?).or_default().push(delivery);
    }
    Ok(found)
}
