//! Contacts: a customer on one channel. Meta's id of the person stands only inside the sealed profile.

use std::collections::HashMap;
use std::sync::Arc;

use bellhop_domain::id::{ChannelId, ContactId, WorkspaceId};
use bellhop_domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::Row;

use crate::conversation::{ConversationError, SealedColumn, sealed_column};
use crate::db::{Bulk, Db, WriteTransaction};
use crate::vault::{DataKey, Place, Vault};

/// What is known of a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Meta's id of the person on this channel.
    pub person: String,
    /// Name, when Meta told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// BCP 47, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}

/// A contact with an open profile and the key of everything that is theirs.
#[derive(Debug, Clone)]
pub struct Contact {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The contact.
    pub id: ContactId,
    /// Its channel.
    pub channel: ChannelId,
    /// What is known.
    pub profile: Profile,
    /// Seals and opens what belongs to this contact.
    pub key: Arc<DataKey>,
}

/// A contact that a turn has met for the first time.
#[derive(Debug, Clone)]
pub struct NewContact {
    /// The contact as it will be.
    pub contact: Contact,
}

fn place(id: &ContactId) -> Place<'_> {
    Place { table: "contact", column: "profile", row: id.as_str(), revision: 0 }
}

/// The contacts with these ids; erased ones are not among them.
///
/// # Errors
/// [`ConversationError`].
pub async fn contacts_find(
    db: &Db,
    vault: &Vault,
    ids: &[(WorkspaceId, ContactId)],
) -> Result<HashMap<ContactId, Contact>, ConversationError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut select = Bulk::new(
        "select workspace_id, id, channel_id, key_id, profile from contact where erased_at is null \
         and (workspace_id, id) in ",
    )
    .keys(2);
    for (workspace, id) in ids {
        select.row().bind(workspace.as_str()).bind(id.as_str());
    }
    let mut found = Vec::new();
    for row in &db.fetch_all(select).await? {
        let unreadable = |_| ConversationError::Unreadable("contact");
        found.push(SealedContact {
            workspace: WorkspaceId::parse(row.try_get(0)?).map_err(unreadable)?,
            id: ContactId::parse(row.try_get(1)?).map_err(unreadable)?,
            channel: ChannelId::parse(row.try_get(2)?).map_err(unreadable)?,
            profile: sealed_column(row, 3, 4)?,
        });
    }
    open_all(vault, found).await
}

/// Whether there is, or was, a contact of this id.
///
/// # Errors
/// [`ConversationError`].
pub async fn contact_is_known(db: &Db, workspace: &WorkspaceId, id: &ContactId) -> Result<bool, ConversationError> {
    let select = sqlx::query("select id from contact where workspace_id = $1 and id = $2");
    Ok(db.fetch_optional(select.bind(workspace.as_str()).bind(id.as_str())).await?.is_some())
}

/// A contact as it stands in its row.
pub(super) struct SealedContact {
    pub(super) workspace: WorkspaceId,
    pub(super) id: ContactId,
    pub(super) channel: ChannelId,
    pub(super) profile: SealedColumn,
}

/// Opens contacts; one whose key is gone is not among them.
pub(super) async fn open_all(
    vault: &Vault,
    sealed: Vec<SealedContact>,
) -> Result<HashMap<ContactId, Contact>, ConversationError> {
    let wanted: Vec<_> =
        sealed.iter().map(|contact| (contact.workspace.clone(), contact.profile.key.clone())).collect();
    let keys = vault.keys_by_id(&wanted).await?;
    let mut contacts = HashMap::with_capacity(sealed.len());
    for (SealedContact { workspace, id, channel, profile }, key) in sealed.into_iter().zip(keys) {
        // Erased between the two reads.
        let Some(key) = key else { continue };
        let plain = key.open(&place(&id), &profile.bytes)?;
        let profile = serde_json::from_slice(&plain).map_err(|_| ConversationError::Unreadable("contact.profile"))?;
        contacts.insert(id.clone(), Contact { workspace, id, channel, profile, key });
    }
    Ok(contacts)
}

/// Writes contacts that were met for the first time.
///
/// # Errors
/// [`ConversationError`]; the transaction is over.
pub async fn contacts_insert_in(
    transaction: &mut WriteTransaction,
    new: &[NewContact],
    now: Timestamp,
) -> Result<(), ConversationError> {
    if new.is_empty() {
        return Ok(());
    }
    let mut insert =
        Bulk::new("insert into contact (workspace_id, id, channel_id, key_id, profile, created_at) values ");
    for NewContact { contact } in new {
        let profile = serde_json::to_vec(&contact.profile).map_err(|_| ConversationError::Unreadable("profile"))?;
        insert
            .row()
            .bind(contact.workspace.as_str())
            .bind(contact.id.as_str())
            .bind(contact.channel.as_str())
            .bind(contact.key.id().as_str())
            .bind(contact.key.seal(&place(&contact.id), &profile))
            .bind(now.millis());
    }
    transaction.execute(insert).await?;
    Ok(())
}
