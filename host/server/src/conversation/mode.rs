//! The conversation's mode and what bumps its revision: a person took over, a customer opted out, a message was taken back.

use std::collections::BTreeMap;

use bellhop_domain::id::{ChannelId, ConversationId, WorkspaceId};
use bellhop_domain::time::Timestamp;

use crate::conversation::ConversationError;
use crate::db::{Bulk, WriteTransaction};

/// Why a person who said "stop" is suppressed. Only their own word lifts it; any other reason ends when they write again.
pub const OPT_OUT: &str = "opt-out";

/// A person who must not be written to on a channel. Survives erasure, so it is only an HMAC.
#[derive(Debug, Clone)]
pub struct Suppression {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The channel.
    pub channel: ChannelId,
    /// HMAC of channel and person: the conversation's thread key.
    pub person: [u8; 32],
    /// [`OPT_OUT`], "unreachable", …
    pub reason: &'static str,
    /// When they said so, by Meta's clock where there is a message: what they said before lifts nothing.
    pub at: Timestamp,
}

/// Sets the mode and bumps the revision, so that a running turn and every open delivery look again.
///
/// # Errors
/// [`ConversationError`]; the transaction is over.
pub async fn conversation_set_mode_in(
    transaction: &mut WriteTransaction,
    conversations: &[(WorkspaceId, ConversationId)],
    mode: &'static str,
    until: Option<Timestamp>,
) -> Result<(), ConversationError> {
    if conversations.is_empty() {
        return Ok(());
    }
    let mut update = Bulk::new("update conversation set revision = revision + 1, mode = ")
        .bind(mode)
        .end(", mode_until = ")
        .bind(until.map(Timestamp::millis))
        .end(" where (workspace_id, id) in ")
        .keys(2);
    for (workspace, conversation) in conversations {
        update.row().bind(workspace.as_str()).bind(conversation.as_str());
    }
    transaction.execute(update).await?;
    Ok(())
}

/// Bumps the revision alone.
///
/// # Errors
/// [`ConversationError`]; the transaction is over.
pub async fn conversations_touch_in(
    transaction: &mut WriteTransaction,
    conversations: &[(WorkspaceId, ConversationId)],
) -> Result<(), ConversationError> {
    if conversations.is_empty() {
        return Ok(());
    }
    let mut update = Bulk::new("update conversation set revision = revision + 1 where (workspace_id, id) in ").keys(2);
    for (workspace, conversation) in conversations {
        update.row().bind(workspace.as_str()).bind(conversation.as_str());
    }
    transaction.execute(update).await?;
    Ok(())
}

/// Puts people on the suppression list. That somebody said "stop" outweighs what is known of them already.
///
/// # Errors
/// [`ConversationError`]; the transaction is over.
pub async fn suppress_in(
    transaction: &mut WriteTransaction,
    suppressions: &[Suppression],
) -> Result<(), ConversationError> {
    if suppressions.is_empty() {
        return Ok(());
    }
    // One row a person: PostgreSQL refuses to update a row twice in one statement.
    let mut people = BTreeMap::new();
    for suppression in suppressions {
        let person = (suppression.workspace.as_str(), suppression.channel.as_str(), suppression.person);
        let known = people.entry(person).or_insert(suppression);
        if suppression.reason == OPT_OUT && (known.reason != OPT_OUT || known.at < suppression.at) {
            *known = suppression;
        }
    }
    let mut insert =
        Bulk::new("insert into suppression (workspace_id, channel_id, person, reason, created_at) values ");
    for suppression in people.into_values() {
        insert
            .row()
            .bind(suppression.workspace.as_str())
            .bind(suppression.channel.as_str())
            .bind(suppression.person.as_slice())
            .bind(suppression.reason)
            .bind(suppression.at.millis());
    }
    let insert = insert
        .end(
            " on conflict (workspace_id, channel_id, person) do update set reason = excluded.reason, created_at = \
             case when excluded.created_at > suppression.created_at then excluded.created_at else suppression.created_at end \
             where excluded.reason = ",
        )
        .bind(OPT_OUT);
    transaction.execute(insert).await?;
    Ok(())
}

/// Takes people off the suppression list.
///
/// # Errors
/// [`ConversationError`]; the transaction is over.
pub async fn unsuppress_in(
    transaction: &mut WriteTransaction,
    suppressions: &[Suppression],
) -> Result<(), ConversationError> {
    if suppressions.is_empty() {
        return Ok(());
    }
    let mut delete = Bulk::new("delete from suppression where (workspace_id, channel_id, person) in ").keys(3);
    for suppression in suppressions {
        let row = delete.row().bind(suppression.workspace.as_str()).bind(suppression.channel.as_str());
        row.bind(suppression.person.as_slice());
    }
    transaction.execute(delete).await?;
    Ok(())
}
