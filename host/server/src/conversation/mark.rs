//! Marks on a contact: attributes, tags and notes that plugins or staff leave. What they are called and what they say is sealed
//! under the contact's key; a row is found by the HMAC of its kind and name.

use std::collections::BTreeMap;
use std::sync::Arc;

use bellhop_domain::id::{ContactId, WorkspaceId};
use bellhop_domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::Row;

use crate::conversation::{ConversationError, sealed_column};
use crate::db::{Bulk, Db, WriteTransaction};
use crate::vault::{DataKey, IndexKey, Place, Vault, VaultError};

/// A mark to set; the same kind and name replaces.
#[derive(Debug, Clone)]
pub struct Mark {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The contact.
    pub contact: ContactId,
    /// "attribute", "tag" or "note".
    pub kind: &'static str,
    /// Name of the attribute or tag, or a note's own id.
    pub name: String,
    /// Value of the attribute, text of the note; empty for a tag.
    pub value: String,
    /// The contact's key.
    pub key: Arc<DataKey>,
    /// The workspace's key for looking names up.
    pub index: Arc<IndexKey>,
}

/// A mark that is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkRow {
    /// "attribute", "tag" or "note".
    pub kind: String,
    /// Name of the attribute or tag, or a note's own id.
    pub name: String,
    /// Value of the attribute, text of the note; empty for a tag.
    pub value: String,
    /// When it was set last.
    pub updated_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Content {
    name: String,
    value: String,
}

/// What a mark is found by. The same name at two contacts has the same one, so that all who have a tag can be found.
fn name_key(index: &IndexKey, kind: &str, name: &str) -> [u8; 32] {
    index.of("mark", &[kind.as_bytes(), name.as_bytes()])
}

fn row_name(contact: &ContactId, kind: &str, name: &[u8]) -> String {
    format!("{contact}/{kind}/{}", hex::encode(name))
}

fn place(row: &str) -> Place<'_> {
    Place { table: "contact_mark", column: "sealed", row, revision: 0 }
}

/// Writes marks.
///
/// # Errors
/// [`ConversationError`]; the transaction is over.
pub async fn marks_write_in(
    transaction: &mut WriteTransaction,
    marks: &[Mark],
    now: Timestamp,
) -> Result<(), ConversationError> {
    // A turn may set the same mark twice; the last one counts, and PostgreSQL refuses to update a row twice.
    let mut last = BTreeMap::new();
    for mark in marks {
        last.insert((mark.workspace.as_str(), mark.contact.as_str(), mark.kind, mark.name.as_str()), mark);
    }
    if last.is_empty() {
        return Ok(());
    }
    let mut upsert = Bulk::new(
        "insert into contact_mark (workspace_id, contact_id, kind, name, key_id, sealed, updated_at) values ",
    );
    for mark in last.values() {
        let name = name_key(&mark.index, mark.kind, &mark.name);
        let row = row_name(&mark.contact, mark.kind, &name);
        let content = Content { name: mark.name.clone(), value: mark.value.clone() };
        let plain = serde_json::to_vec(&content).map_err(|_| ConversationError::Unreadable("contact_mark"))?;
        upsert
            .row()
            .bind(mark.workspace.as_str())
            .bind(mark.contact.as_str())
            .bind(mark.kind)
            .bind(name.to_vec())
            .bind(mark.key.id().as_str())
            .bind(mark.key.seal(&place(&row), &plain))
            .bind(now.millis());
    }
    let tail = " on conflict (workspace_id, contact_id, kind, name) do update \
                set key_id = excluded.key_id, sealed = excluded.sealed, updated_at = excluded.updated_at";
    transaction.execute(upsert.end(tail)).await?;
    Ok(())
}

/// The marks of a contact, by kind and name; none when the contact was erased.
///
/// # Errors
/// [`ConversationError`].
pub async fn marks_find(
    db: &Db,
    vault: &Vault,
    workspace: &WorkspaceId,
    contact: &ContactId,
) -> Result<Vec<MarkRow>, ConversationError> {
    let select = sqlx::query(
        "select kind, name, key_id, sealed, updated_at from contact_mark where workspace_id = $1 and contact_id = $2",
    );
    let mut marks = Vec::new();
    for row in db.fetch_all(select.bind(workspace.as_str().to_owned()).bind(contact.as_str().to_owned())).await? {
        let (kind, name): (String, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
        let sealed = sealed_column(&row, 2, 3)?;
        let key = match vault.key_by_id(workspace, &sealed.key).await {
            Ok(key) => key,
            Err(VaultError::KeyGone) => continue,
            Err(error) => return Err(error.into()),
        };
        let plain = key.open(&place(&row_name(contact, &kind, &name)), &sealed.bytes)?;
        let content: Content =
            serde_json::from_slice(&plain).map_err(|_| ConversationError::Unreadable("contact_mark"))?;
        let updated_at = Timestamp::from_millis(row.try_get(4)?);
        marks.push(MarkRow { kind, name: content.name, value: content.value, updated_at });
    }
    marks.sort_by(|one, other| (&one.kind, &one.name).cmp(&(&other.kind, &other.name)));
    Ok(marks)
}
