//! Messages in both directions. The one place where a text is stored.

use std::collections::HashMap;
use std::sync::Arc;

use bellhop_domain::effect::Choice;
use bellhop_domain::host_call::{Author, Line};
use bellhop_domain::id::{ConversationId, MessageId, WorkspaceId};
use bellhop_domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::Row;

use crate::conversation::{ConversationError, SealedColumn, sealed_column};
use crate::db::{Bulk, Db, WriteTransaction};
use crate::vault::{DataKey, Place, Vault, VaultError};

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Body {
    /// The text; empty for a message that has none.
    pub text: String,
    /// Choices under it (outbound).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
    /// Kinds of attachments (inbound).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<String>,
}

/// A message on its way to disk.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The message.
    pub id: MessageId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// When it was written, by Meta's clock for inbound ones.
    pub at: Timestamp,
    /// Who wrote it.
    pub author: Author,
    /// The plugin key, for a plugin's.
    pub author_ref: Option<String>,
    /// HMAC of Meta's message id.
    pub mid: Option<[u8; 32]>,
    /// What it says.
    pub body: Body,
    /// The contact's key.
    pub key: Arc<DataKey>,
}

/// A message that was read back.
#[derive(Debug, Clone)]
pub struct MessageRow {
    /// The message.
    pub id: MessageId,
    /// The plugin that wrote it, by its key.
    pub plugin: Option<String>,
    /// What it says.
    pub body: Body,
}

fn place(id: &MessageId) -> Place<'_> {
    Place { table: "message", column: "sealed", row: id.as_str(), revision: 0 }
}

const fn author_name(author: Author) -> &'static str {
    match author {
        Author::Contact => "contact",
        Author::Plugin => "plugin",
        Author::Agent => "agent",
    }
}

fn author_parse(name: &str) -> Author {
    match name {
        "contact" => Author::Contact,
        "plugin" => Author::Plugin,
        _ => Author::Agent,
    }
}

/// Writes messages; one whose Meta id is already there is left as it is.
///
/// # Errors
/// [`ConversationError`]; the transaction is over.
pub async fn messages_insert_in(
    transaction: &mut WriteTransaction,
    messages: &[NewMessage],
) -> Result<(), ConversationError> {
    for chunk in messages.chunks(Bulk::MAX_ROWS) {
        let mut insert = Bulk::new(
            "insert into message (workspace_id, id, conversation_id, at, author, author_ref, mid, key_id, sealed) values ",
        );
        for message in chunk {
            let body = serde_json::to_vec(&message.body).map_err(|_| ConversationError::Unreadable("body"))?;
            insert
                .row()
                .bind(message.workspace.as_str())
                .bind(message.id.as_str())
                .bind(message.conversation.as_str())
                .bind(message.at.millis())
                .bind(author_name(message.author))
                .bind(message.author_ref.as_deref())
                .bind(message.mid.map(|mid| mid.to_vec()))
                .bind(message.key.id().as_str())
                .bind(message.key.seal(&place(&message.id), &body));
        }
        transaction.execute(insert).await?;
    }
    Ok(())
}

/// The messages with these ids. One whose key is gone is not among them.
///
/// # Errors
/// [`ConversationError`].
pub async fn messages_find(
    db: &Db,
    vault: &Vault,
    ids: &[(WorkspaceId, MessageId)],
) -> Result<HashMap<MessageId, MessageRow>, ConversationError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut select =
        Bulk::new("select workspace_id, id, key_id, sealed, author_ref from message where (workspace_id, id) in ")
            .keys(2);
    for (workspace, id) in ids {
        select.row().bind(workspace.as_str()).bind(id.as_str());
    }
    let mut found = HashMap::with_capacity(ids.len());
    for row in db.fetch_all(select).await? {
        let workspace = WorkspaceId::parse(row.try_get(0)?).map_err(|_| ConversationError::Unreadable("message"))?;
        let id = MessageId::parse(row.try_get(1)?).map_err(|_| ConversationError::Unreadable("message"))?;
        if let Some(body) = open(vault, &workspace, &id, &sealed_column(&row, 2, 3)?).await? {
            found.insert(id.clone(), MessageRow { id, plugin: row.try_get(4)?, body });
        }
    }
    Ok(found)
}

/// The last lines of a conversation, oldest first.
///
/// # Errors
/// [`ConversationError`].
pub async fn history(
    db: &Db,
    vault: &Vault,
    workspace: &WorkspaceId,
    conversation: &ConversationId,
    limit: u32,
) -> Result<Vec<Line>, ConversationError> {
    let select = sqlx::query(
        "select id, key_id, sealed, author, at from message where workspace_id = $1 and conversation_id = $2 \
         order by at desc, id desc limit $3",
    );
    let select =
        select.bind(workspace.as_str().to_owned()).bind(conversation.as_str().to_owned()).bind(i64::from(limit));
    let mut lines = Vec::new();
    for row in db.fetch_all(select).await? {
        let id = MessageId::parse(row.try_get(0)?).map_err(|_| ConversationError::Unreadable("message"))?;
        if let Some(body) = open(vault, workspace, &id, &sealed_column(&row, 1, 2)?).await? {
            let author = author_parse(row.try_get(3)?);
            lines.push(Line { author, at: Timestamp::from_millis(row.try_get(4)?), text: body.text });
        }
    }
    lines.reverse();
    Ok(lines)
}

/// The message that Meta knows by this id.
///
/// # Errors
/// [`ConversationError`].
pub async fn message_id_by_mid(
    db: &Db,
    workspace: &WorkspaceId,
    mid: &[u8; 32],
) -> Result<Option<MessageId>, ConversationError> {
    let select = sqlx::query("select id from message where workspace_id = $1 and mid = $2");
    let row = db.fetch_optional(select.bind(workspace.as_str().to_owned()).bind(mid.to_vec())).await?;
    row.map(|row| MessageId::parse(row.try_get(0)?).map_err(|_| ConversationError::Unreadable("message"))).transpose()
}

async fn open(
    vault: &Vault,
    workspace: &WorkspaceId,
    id: &MessageId,
    sealed: &SealedColumn,
) -> Result<Option<Body>, ConversationError> {
    let key = match vault.key_by_id(workspace, &sealed.key).await {
        Ok(key) => key,
        Err(VaultError::KeyGone) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let plain = key.open(&place(id), &sealed.bytes)?;
    serde_json::from_slice(&plain).map(Some).map_err(|_| ConversationError::Unreadable("message.sealed"))
}
