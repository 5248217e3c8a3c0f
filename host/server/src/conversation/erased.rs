//! Contacts whose key is gone: what was theirs cannot be read any more, and a store that is older than their erasure has yet
//! to learn of it.

use bellhop_domain::id::{ContactId, KeyId, WorkspaceId};
use bellhop_domain::time::Timestamp;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::conversation::ConversationError;
use crate::db::{Bulk, Db, WriteTransaction};

/// A contact and the key that its content is sealed under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactKey {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The contact.
    pub contact: ContactId,
    /// Its key.
    pub key: KeyId,
}

/// The next contacts after one, in order, that are not known to be erased.
///
/// # Errors
/// [`ConversationError`].
pub async fn contact_keys_after(
    db: &Db,
    last: Option<&ContactKey>,
    limit: usize,
) -> Result<Vec<ContactKey>, ConversationError> {
    let select = sqlx::query(
        "select workspace_id, id, key_id from contact where erased_at is null and (workspace_id, id) > ($1, $2) \
         order by workspace_id, id limit $3",
    );
    // Ids are never empty, so that empty ones stand before all.
    let (workspace, id) = last.map_or(("", ""), |last| (last.workspace.as_str(), last.contact.as_str()));
    let select = select.bind(workspace.to_owned()).bind(id.to_owned());
    let rows = db.fetch_all(select.bind(i64::try_from(limit).unwrap_or(i64::MAX))).await?;
    let read = |row: &AnyRow| {
        Ok(ContactKey {
            workspace: WorkspaceId::parse(row.try_get(0)?).map_err(|_| ConversationError::Unreadable("contact"))?,
            contact: ContactId::parse(row.try_get(1)?).map_err(|_| ConversationError::Unreadable("contact"))?,
            key: KeyId::parse(row.try_get(2)?).map_err(|_| ConversationError::Unreadable("contact"))?,
        })
    };
    rows.iter().map(read).collect()
}

/// Notes that these contacts are erased: nothing is said to them any more, and who writes again is a new contact.
///
/// # Errors
/// [`ConversationError`]; the transaction is over.
pub async fn contacts_note_erased_in(
    transaction: &mut WriteTransaction,
    contacts: &[ContactKey],
    now: Timestamp,
) -> Result<(), ConversationError> {
    for chunk in contacts.chunks(Bulk::MAX_ROWS) {
        let mut update = Bulk::new("update contact set erased_at = ")
            .bind(now.millis())
            .end(" where erased_at is null and (workspace_id, id) in ")
            .keys(2);
        for contact in chunk {
            update.row().bind(contact.workspace.as_str()).bind(contact.contact.as_str());
        }
        transaction.execute(update).await?;
    }
    Ok(())
}
