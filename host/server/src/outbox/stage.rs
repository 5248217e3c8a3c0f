//! Staging: a delivery's row, written in the turn's own transaction.

use bellhop_domain::id::{ChannelId, ContactId, ConversationId, DeliveryId, MessageId, TurnId, WorkspaceId};
use bellhop_domain::time::Timestamp;

use crate::db::{Bulk, DbError, WriteTransaction};

/// A delivery on its way to disk. Its content is the message's.
#[derive(Debug, Clone)]
pub struct NewDelivery {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The delivery; also what Meta echoes back to us.
    pub id: DeliveryId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// Its channel.
    pub channel: ChannelId,
    /// To whom.
    pub contact: ContactId,
    /// What it says.
    pub message: MessageId,
    /// The turn that wanted it.
    pub turn: Option<TurnId>,
    /// The conversation's revision at the commit.
    pub revision: i64,
}

/// Writes deliveries, in the order in which they are to be sent.
///
/// # Errors
/// [`DbError`]; the transaction is over.
pub async fn deliveries_insert_in(
    transaction: &mut WriteTransaction,
    deliveries: &[NewDelivery],
    now: Timestamp,
) -> Result<(), DbError> {
    for chunk in deliveries.chunks(Bulk::MAX_ROWS) {
        let mut insert = Bulk::new(
            "insert into delivery (workspace_id, id, conversation_id, channel_id, contact_id, message_id, turn_id, kind, state, \
             revision, attempts, due_at, lease_until, created_at) values ",
        );
        for delivery in chunk {
            insert
                .row()
                .bind(delivery.workspace.as_str())
                .bind(delivery.id.as_str())
                .bind(delivery.conversation.as_str())
                .bind(delivery.channel.as_str())
                .bind(delivery.contact.as_str())
                .bind(delivery.message.as_str())
                .bind(delivery.turn.as_ref().map(TurnId::as_str))
                .bind("text")
                .bind("staged")
                .bind(delivery.revision)
                .bind(0_i64)
                .bind(now.millis())
                .bind(0_i64)
                .bind(now.millis());
        }
        transaction.execute(insert).await?;
    }
    Ok(())
}
