//! Who a conversation is with, in the words by which staff find them.

use std::collections::HashMap;

use bellhop_domain::id::{ChannelId, ContactId, ConversationId, WorkspaceId};
use sqlx::Row;

use crate::conversation::{ConversationError, contacts_find};
use crate::db::{Bulk, Db};
use crate::vault::Vault;

/// The other side of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// Where they write.
    pub channel: ChannelId,
    /// Our id of them; `None` before their first turn.
    pub contact: Option<ContactId>,
    /// Their name, when Meta told it and they were not erased.
    pub name: Option<String>,
}

/// The customers of these conversations.
///
/// # Errors
/// [`ConversationError`].
pub async fn customers_find(
    db: &Db,
    vault: &Vault,
    conversations: &[(WorkspaceId, ConversationId)],
) -> Result<HashMap<ConversationId, Customer>, ConversationError> {
    let mut customers = HashMap::new();
    let mut wanted = Vec::new();
    for chunk in conversations.chunks(Bulk::MAX_ROWS) {
        let mut select =
            Bulk::new("select id, workspace_id, channel_id, contact_id from conversation where (workspace_id, id) in ")
                .keys(2);
        for (workspace, conversation) in chunk {
            select.row().bind(workspace.as_str()).bind(conversation.as_str());
        }
        let unreadable = |_| ConversationError::Unreadable("conversation");
        for row in db.fetch_all(select).await? {
            let conversation = ConversationId::parse(row.try_get(0)?).map_err(unreadable)?;
            let workspace = WorkspaceId::parse(row.try_get(1)?).map_err(unreadable)?;
            let channel = ChannelId::parse(row.try_get(2)?).map_err(unreadable)?;
            let contact: Option<String> = row.try_get(3)?;
            let contact = contact.map(|id| ContactId::parse(&id)).transpose().map_err(unreadable)?;
            wanted.extend(contact.clone().map(|contact| (workspace, contact)));
            customers.insert(conversation, Customer { channel, contact, name: None });
        }
    }
    wanted.sort_unstable();
    wanted.dedup();
    let mut names = HashMap::new();
    for chunk in wanted.chunks(Bulk::MAX_ROWS) {
        let contacts = contacts_find(db, vault, chunk).await?;
        names.extend(contacts.into_iter().filter_map(|(id, contact)| Some((id, contact.profile.name?))));
    }
    for customer in customers.values_mut() {
        customer.name = customer.contact.as_ref().and_then(|contact| names.get(contact).cloned());
    }
    Ok(customers)
}
