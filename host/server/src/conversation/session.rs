//! Sessions: what a plugin left behind in a conversation. State belongs to the plugin key, so it survives an update.

use std::collections::HashMap;
use std::sync::Arc;

use bellhop_domain::id::{ConversationId, PluginKey, WorkspaceId};
use bellhop_domain::time::Timestamp;
use sqlx::Row;

use crate::conversation::{ConversationError, sealed_column};
use crate::db::{Bulk, Db, WriteTransaction};
use crate::vault::{DataKey, Place, Vault, VaultError};

/// A session's new state.
#[derive(Debug, Clone)]
pub struct SessionWrite {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The conversation.
    pub conversation: ConversationId,
    /// Whose session.
    pub plugin: PluginKey,
    /// `None` forgets.
    pub json: Option<String>,
    /// The contact's key.
    pub key: Arc<DataKey>,
}

fn row_name(conversation: &ConversationId, plugin: &PluginKey) -> String {
    format!("{conversation}/{plugin}")
}

/// The sessions of these conversations.
///
/// # Errors
/// [`ConversationError`].
pub async fn sessions_find<'a>(
    db: &Db,
    vault: &Vault,
    conversations: impl Iterator<Item = (&'a WorkspaceId, &'a ConversationId)>,
) -> Result<HashMap<(ConversationId, PluginKey), String>, ConversationError> {
    let mut select = Bulk::new(
        "select workspace_id, conversation_id, plugin_key, key_id, sealed from session \
         where (workspace_id, conversation_id) in ",
    )
    .keys(2);
    for (workspace, conversation) in conversations {
        select.row().bind(workspace.as_str()).bind(conversation.as_str());
    }
    if select.is_empty() {
        return Ok(HashMap::new());
    }
    let mut sessions = HashMap::new();
    for row in db.fetch_all(select).await? {
        let unreadable = |_| ConversationError::Unreadable("session");
        let workspace = WorkspaceId::parse(row.try_get(0)?).map_err(unreadable)?;
        let conversation = ConversationId::parse(row.try_get(1)?).map_err(unreadable)?;
        let plugin = PluginKey::parse(row.try_get(2)?).map_err(unreadable)?;
        let sealed = sealed_column(&row, 3, 4)?;
        let key = match vault.key_by_id(&workspace, &sealed.key).await {
            Ok(key) => key,
            // Of somebody who was erased.
            Err(VaultError::KeyGone) => continue,
            Err(error) => return Err(error.into()),
        };
        let name = row_name(&conversation, &plugin);
        let place = Place { table: "session", column: "sealed", row: &name, revision: 0 };
        let plain = key.open(&place, &sealed.bytes)?;
        let json = String::from_utf8(plain.to_vec()).map_err(|_| ConversationError::Unreadable("session.sealed"))?;
        sessions.insert((conversation, plugin), json);
    }
    Ok(sessions)
}

/// Writes and forgets sessions.
///
/// # Errors
/// [`ConversationError`]; the transaction is over.
pub async fn sessions_write_in(
    transaction: &mut WriteTransaction,
    writes: &[SessionWrite],
    now: Timestamp,
) -> Result<(), ConversationError> {
    let mut upsert = Bulk::new(
        "insert into session (workspace_id, conversation_id, plugin_key, key_id, sealed, updated_at) values ",
    );
    let mut delete = Bulk::new("delete from session where (workspace_id, conversation_id, plugin_key) in ").keys(3);
    for write in writes {
        let Some(json) = &write.json else {
            let row = delete.row().bind(write.workspace.as_str()).bind(write.conversation.as_str());
            row.bind(write.plugin.as_str());
            continue;
        };
        let name = row_name(&write.conversation, &write.plugin);
        let place = Place { table: "session", column: "sealed", row: &name, revision: 0 };
        upsert
            .row()
            .bind(write.workspace.as_str())
            .bind(write.conversation.as_str())
            .bind(write.plugin.as_str())
            .bind(write.key.id().as_str())
            .bind(write.key.seal(&place, json.as_bytes()))
            .bind(now.millis());
    }
    if !upsert.is_empty() {
        let tail = " on conflict (workspace_id, conversation_id, plugin_key) do update \
                    set key_id = excluded.key_id, sealed = excluded.sealed, updated_at = excluded.updated_at";
        transaction.execute(upsert.end(tail)).await?;
    }
    if !delete.is_empty() {
        transaction.execute(delete).await?;
    }
    Ok(())
}
