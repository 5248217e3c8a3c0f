//! Tasks: something a person must decide or do.

use std::sync::Arc;

use bellhop_domain::id::{ConversationId, DeliveryId, TaskId, WorkspaceId};
use bellhop_domain::time::Timestamp;
use sqlx::Row;

use crate::conversation::{ConversationError, sealed_column};
use crate::db::{Bulk, Db, DbError, Queue, WriteTransaction};
use crate::vault::{DataKey, Place, Vault, VaultError};

/// The kind of a task about a plugin and not about the conversation that it stands in.
pub const PLUGIN_SUSPENDED: &str = "plugin-suspended";

/// A task on its way to disk.
#[derive(Debug, Clone)]
pub struct NewTask {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The conversation it is about.
    pub conversation: ConversationId,
    /// "handoff", "human-request", "unanswered", "failed-turn", …
    pub kind: &'static str,
    /// What a person should know; sealed.
    pub note: String,
    /// A short code that stands in clear.
    pub reason: &'static str,
    /// The contact's key.
    pub key: Arc<DataKey>,
    /// The delivery that it tells of; should that turn out to have arrived, nobody needs to look after it.
    pub delivery: Option<DeliveryId>,
}

/// An open task.
#[derive(Debug, Clone)]
pub struct TaskRow {
    /// The task.
    pub id: TaskId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// What kind.
    pub kind: String,
    /// Why, as a code.
    pub reason: String,
    /// What a person should know; `None` when the contact was erased.
    pub note: Option<String>,
    /// Since when.
    pub created_at: Timestamp,
}

fn place(id: &TaskId) -> Place<'_> {
    Place { table: "task", column: "sealed", row: id.as_str(), revision: 0 }
}

/// Writes tasks.
///
/// # Errors
/// [`ConversationError`]; the transaction is over.
pub async fn tasks_insert_in(
    transaction: &mut WriteTransaction,
    tasks: &[NewTask],
    now: Timestamp,
) -> Result<(), ConversationError> {
    if tasks.is_empty() {
        return Ok(());
    }
    let mut insert = Bulk::new(
        "insert into task (workspace_id, id, conversation_id, kind, reason, state, key_id, sealed, created_at, delivery_id) values ",
    );
    for task in tasks {
        let id = TaskId::new();
        insert
            .row()
            .bind(task.workspace.as_str())
            .bind(id.as_str())
            .bind(task.conversation.as_str())
            .bind(task.kind)
            .bind(task.reason)
            .bind("open")
            .bind(task.key.id().as_str())
            .bind(task.key.seal(&place(&id), task.note.as_bytes()))
            .bind(now.millis())
            .bind(task.delivery.as_ref().map(DeliveryId::as_str));
    }
    transaction.execute(insert).await?;
    Ok(())
}

/// Closes tasks, by workspace and id, that have come to nothing. Whoever speaks in their conversations stays as it is.
///
/// # Errors
/// [`DbError`]; the transaction is over.
pub async fn tasks_close_in(
    transaction: &mut WriteTransaction,
    tasks: &[(String, String)],
    now: Timestamp,
) -> Result<(), DbError> {
    let mut close = Bulk::new("update task set state = 'done', closed_at = ").bind(now.millis());
    close = close.end(" where state = 'open' and (workspace_id, id) in ").keys(2);
    for (workspace, id) in tasks {
        close.row().bind(workspace.as_str()).bind(id.as_str());
    }
    if close.is_empty() {
        return Ok(());
    }
    transaction.execute(close).await?;
    Ok(())
}

/// Closes a task and hands its conversation back to the plugins, unless another open task still holds it (one about a plugin
/// holds none); false when there is no such open task.
///
/// # Errors
/// [`ConversationError`]; the task stays open.
pub async fn task_close(db: &Db, workspace: &WorkspaceId, id: &TaskId) -> Result<bool, ConversationError> {
    let now = db.now().millis();
    let (workspace, id) = (workspace.as_str(), id.as_str());
    let mut transaction = db.begin_write().await?;
    let close = "update task set state = 'done', closed_at = $1 where workspace_id = $2 and id = $3 and state = 'open'";
    if transaction.execute(sqlx::query(close).bind(now).bind(workspace).bind(id)).await? == 0 {
        return Ok(false);
    }
    let resume = "update conversation set mode = 'automated', mode_until = null, revision = revision + 1 \
                  where workspace_id = $1 and mode = 'human' and id in (select t.conversation_id from task t \
                  where t.workspace_id = $1 and t.id = $2 and t.kind <> 'plugin-suspended') \
                  and not exists (select 1 from task o where o.workspace_id = $1 and o.conversation_id = conversation.id and o.state = 'open' \
                  and o.kind <> 'plugin-suspended')";
    transaction.execute(sqlx::query(resume).bind(workspace).bind(id)).await?;
    transaction.commit().await?;
    Ok(true)
}

/// A workspace's open tasks, oldest first.
///
/// # Errors
/// [`ConversationError`].
pub async fn tasks_open(db: &Db, vault: &Vault, workspace: &WorkspaceId) -> Result<Vec<TaskRow>, ConversationError> {
    let select = sqlx::query(
        "select id, conversation_id, kind, reason, created_at, key_id, sealed from task \
         where workspace_id = $1 and state = 'open' order by id",
    );
    let mut tasks = Vec::new();
    for row in db.fetch_all(select.bind(workspace.as_str().to_owned())).await? {
        let id = TaskId::parse(row.try_get(0)?).map_err(|_| ConversationError::Unreadable("task"))?;
        let sealed = sealed_column(&row, 5, 6)?;
        let note = match vault.key_by_id(workspace, &sealed.key).await {
            Ok(key) => Some(String::from_utf8_lossy(&key.open(&place(&id), &sealed.bytes)?).into_owned()),
            Err(VaultError::KeyGone) => None,
            Err(error) => return Err(error.into()),
        };
        tasks.push(TaskRow {
            id,
            conversation: ConversationId::parse(row.try_get(1)?).map_err(|_| ConversationError::Unreadable("task"))?,
            kind: row.try_get(2)?,
            reason: row.try_get(3)?,
            note,
            created_at: Timestamp::from_millis(row.try_get(4)?),
        });
    }
    Ok(tasks)
}

const OPEN: &str =
    "select count(*), min(created_at) from (select created_at from task where state = 'open' limit 100000) as waiting";

/// The tasks of all workspaces that wait for a person.
///
/// # Errors
/// [`DbError`].
pub async fn task_queue(db: &Db) -> Result<Queue, DbError> {
    db.fetch_queue(sqlx::query(OPEN)).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::{fresh, reaches};

    #[tokio::test]
    async fn tasks_that_are_done_are_not_walked() {
        let (_folder, _clock, db) = fresh().await;
        reaches(&db, OPEN, "task", &["task_open"]).await;
    }
}
