//! Marks on a contact: attributes, tags and notes that plugins or staff leave. Sealed under the contact's key.

use std::sync::Arc;

use bellhop_domain::id::{ContactId, WorkspaceId};
use bellhop_domain::time::Timestamp;

use crate::conversation::ConversationError;
use crate::db::{Bulk, WriteTransaction};
use crate::vault::{DataKey, Place};

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
    let mut last = std::collections::BTreeMap::new();
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
        let row = format!("{}/{}/{}", mark.contact, mark.kind, mark.name);
        let place = Place { table: "contact_mark", column: "sealed", row: &row, revision: 0 };
        upsert
            .row()
            .bind(mark.workspace.as_str())
            .bind(mark.contact.as_str())
            .bind(mark.kind)
            .bind(mark.name.as_str())
            .bind(mark.key.id().as_str())
            .bind(mark.key.seal(&place, mark.value.as_bytes()))
            .bind(now.millis());
    }
    let tail = " on conflict (workspace_id, contact_id, kind, name) do update \
                set key_id = excluded.key_id, sealed = excluded.sealed, updated_at = excluded.updated_at";
    transaction.execute(upsert.end(tail)).await?;
    Ok(())
}
