//! One order in which everybody takes the rows of conversations: by workspace and thread, as arrivals write them. Never reads one.

use bellhop_domain::id::{ConversationId, WorkspaceId};

use crate::db::{Bulk, DbError, WriteTransaction};

/// Takes the locks of these conversations, before they are changed.
///
/// # Errors
/// [`DbError`]; the transaction is over.
pub async fn conversations_lock_in<'a>(
    transaction: &mut WriteTransaction,
    conversations: impl Iterator<Item = (&'a WorkspaceId, &'a ConversationId)>,
) -> Result<(), DbError> {
    let mut select = Bulk::new("select 1 from conversation where (workspace_id, id) in ").keys(2);
    for (workspace, conversation) in conversations {
        select.row().bind(workspace.as_str()).bind(conversation.as_str());
    }
    if select.is_empty() {
        return Ok(());
    }
    // Bytes, as arrivals sort them; a database's language may sort otherwise.
    transaction.lock_rows(select.end(" order by workspace_id collate \"C\", thread")).await
}
