//! What staff are told of a message that did not reach its customer, and what they make of it. Sends nothing: what they try
//! again is judged again when its turn comes.

use bellhop_domain::delivery::{self, Happening, Repeat, State};
use bellhop_domain::graph_error::Action;
use bellhop_domain::id::{ChannelId, ConversationId, DeliveryId, WorkspaceId};
use bellhop_domain::policy::Reason;
use bellhop_domain::time::Timestamp;
use serde::Serialize;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::conversation::{Body, Contact, NewTask};
use crate::db::{Db, DbError, Signal};
use crate::outbox::send::Attempt;

/// The kind of task.
const UNDELIVERED: &str = "undelivered";

/// Why: an attempt ended without an answer, and no evidence came in time.
pub(super) const NOBODY_KNOWS: &str = "nobody-knows";

/// A delivery that waits for a person, or was given up.
#[derive(Debug, Clone, Serialize)]
pub struct PutAside {
    /// The delivery.
    pub id: DeliveryId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// Its channel.
    pub channel: ChannelId,
    /// "held" or "dead".
    pub state: String,
    /// Why, as a code.
    pub reason: Option<String>,
    /// Attempts that were made.
    pub attempts: i64,
    /// When it was committed with its turn.
    pub created_at: Timestamp,
}

/// The task that tells of a message; its words are the note.
pub(super) fn task(
    (workspace, conversation, delivery): (&WorkspaceId, &ConversationId, &DeliveryId),
    contact: &Contact,
    body: Option<&Body>,
    reason: &'static str,
) -> NewTask {
    NewTask {
        workspace: workspace.clone(),
        conversation: conversation.clone(),
        kind: UNDELIVERED,
        note: body.map(|body| body.text.clone()).unwrap_or_default(),
        reason,
        key: contact.key.clone(),
        delivery: Some(delivery.clone()),
    }
}

/// Why staff should hear of a delivery that is dead or was dropped; `None` where nobody can do anything: a person who blocked the Page, or
/// left, is not reached by trying again.
pub(super) fn reason_to_tell(attempt: &Attempt) -> Option<&'static str> {
    match attempt {
        Attempt::Refused(Action::Suppress, _) => None,
        Attempt::Refused(..) => Some("refused-by-meta"),
        Attempt::Unreachable => Some("meta-unreachable"),
        // The customer waits for an answer, and the plugin that had one is gone.
        Attempt::Denied(reason) if *reason == Reason::GrantRevoked.code() => Some(Reason::GrantRevoked.code()),
        Attempt::Unprepared
        | Attempt::Lost(_)
        | Attempt::Denied(_)
        | Attempt::Postponed(..)
        | Attempt::Accepted(..) => None,
    }
}

/// What of a workspace waits for a person or was given up, oldest first.
///
/// # Errors
/// [`DbError`].
pub async fn deliveries_put_aside(db: &Db, workspace: &WorkspaceId, limit: i64) -> Result<Vec<PutAside>, DbError> {
    let rows = db.fetch_all(sqlx::query(PUT_ASIDE).bind(workspace.as_str().to_owned()).bind(limit)).await?;
    rows.iter().map(put_aside).collect()
}

const PUT_ASIDE: &str = "select id, conversation_id, channel_id, state, reason, attempts, created_at from delivery \
     where workspace_id = $1 and state in ('held', 'dead') order by id limit $2";

fn put_aside(row: &AnyRow) -> Result<PutAside, DbError> {
    let bad = |_| DbError::Unreadable("delivery");
    Ok(PutAside {
        id: DeliveryId::parse(row.try_get(0)?).map_err(bad)?,
        conversation: ConversationId::parse(row.try_get(1)?).map_err(bad)?,
        channel: ChannelId::parse(row.try_get(2)?).map_err(bad)?,
        state: row.try_get(3)?,
        reason: row.try_get(4)?,
        attempts: row.try_get(5)?,
        created_at: Timestamp::from_millis(row.try_get(6)?),
    })
}

/// Tries one again that is held or dead, with all its attempts; policy judges it anew. False when it is neither.
///
/// # Errors
/// [`DbError`]; it stays as it is.
pub async fn delivery_retry(db: &Db, workspace: &WorkspaceId, id: &DeliveryId) -> Result<bool, DbError> {
    // Whoever lets it go has seen how the conversation stands now.
    let retry = "update delivery set state = $1, reason = 'tried-again', due_at = $2, attempts = 0, settled_at = null, \
                 revision = coalesce((select c.revision from conversation c where c.workspace_id = delivery.workspace_id \
                 and c.id = delivery.conversation_id), delivery.revision) \
                 where workspace_id = $3 and id = $4 and state in ('held', 'dead')";
    let retry = sqlx::query(retry).bind(after(Happening::Released)).bind(db.now().millis());
    let mut transaction = db.begin_write().await?;
    let n_let_go = transaction.execute(retry.bind(workspace.as_str().to_owned()).bind(id.as_str().to_owned())).await?;
    transaction.signal(Signal::Delivery);
    transaction.commit().await?;
    Ok(n_let_go == 1)
}

/// Gives one up that is held. False when it is not.
///
/// # Errors
/// [`DbError`]; it stays as it is.
pub async fn delivery_give_up(db: &Db, workspace: &WorkspaceId, id: &DeliveryId) -> Result<bool, DbError> {
    let give_up = "update delivery set state = $1, reason = 'given-up', settled_at = $2 \
                   where workspace_id = $3 and id = $4 and state = 'held'";
    let give_up = sqlx::query(give_up).bind(after(Happening::Abandoned)).bind(db.now().millis());
    Ok(db.execute(give_up.bind(workspace.as_str().to_owned()).bind(id.as_str().to_owned())).await? == 1)
}

/// What becomes of a held delivery; the same for every kind.
fn after(happening: Happening) -> &'static str {
    delivery::next(State::Held, Repeat::ByEvidence, happening).as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::{fresh, reaches};

    #[test]
    fn the_domain_lets_both_go_again() {
        for state in [State::Held, State::Dead] {
            assert_eq!(delivery::next(state, Repeat::ByEvidence, Happening::Released), State::Retry);
        }
        assert_eq!(after(Happening::Abandoned), "dead");
    }

    #[tokio::test]
    async fn what_went_well_is_not_walked() {
        let (_folder, _clock, db) = fresh().await;
        reaches(&db, PUT_ASIDE, "delivery", &["delivery_put_aside"]).await;
    }
}
