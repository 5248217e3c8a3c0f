//! What goes out: staged in the turn's transaction, claimed, judged again with fresh facts, sent, settled. The only caller of
//! graph's send. Makes up no rule: `domain::policy` says what may go and `domain::delivery` what may go again.
//!
//! The attempt is on record before the risk: the claim that counts it commits before a byte leaves.

mod claim;
mod evidence;
mod facts;
mod send;
mod settle;
mod stage;

use std::collections::HashSet;

use bellhop_domain::id::{ContactId, ConversationId, DeliveryId, HostId, MessageId, WorkspaceId};
use bellhop_domain::time::Timestamp;

use crate::conversation::ConversationError;
use crate::db::{Db, DbError};
use crate::directory::Directory;
use crate::graph::Graph;
use crate::inbox::Wake;
use crate::vault::{Vault, VaultError};

pub use evidence::{Evidence, settle_by_evidence_in};
pub use stage::{NewDelivery, deliveries_insert_in};

/// Deliveries in the hands of one host at once: each is one request to Meta.
const MAX_IN_HAND: usize = 64;

/// What can go wrong with the outbox itself. What Meta says is no error here but a delivery's next state.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// The database.
    #[error("could not read or write deliveries")]
    Db(#[from] DbError),
    /// Contacts or messages.
    #[error("could not read what is to be sent")]
    Conversation(#[from] ConversationError),
    /// Keys.
    #[error("could not index what was sent")]
    Vault(#[from] VaultError),
}

/// The outbox of one host. Clones share it.
#[derive(Clone)]
pub struct Outbox {
    /// The store.
    pub db: Db,
    /// Keys.
    pub vault: Vault,
    /// Channels.
    pub directory: Directory,
    /// Meta.
    pub graph: Graph,
    /// Who claims.
    pub host: HostId,
    /// Woken when something was staged.
    pub wake: Wake,
}

/// A delivery in the hands of this host.
#[derive(Debug, Clone)]
struct InHand {
    workspace: WorkspaceId,
    id: DeliveryId,
    conversation: ConversationId,
    channel: bellhop_domain::id::ChannelId,
    contact: ContactId,
    message: MessageId,
    kind: String,
    revision: i64,
    attempts: i64,
}

impl Outbox {
    /// Sends what is due: claims, judges, sends side by side, settles. The number of deliveries that were in hand.
    ///
    /// # Errors
    /// [`OutboxError`]; what was claimed comes up again when its lease ends, as `unknown` if a byte may have left.
    pub async fn run_once(&self) -> Result<usize, OutboxError> {
        let expired = claim::expire(&self.db).await?;
        let hand = claim::claim(&self.db, &self.host, MAX_IN_HAND).await?;
        if hand.is_empty() {
            return Ok(expired);
        }
        let facts = facts::gather(self, &hand).await?;
        let sends = hand.iter().map(|delivery| send::send(self, delivery, facts.get(&delivery.id)));
        let results = futures_util::future::join_all(sends).await;
        let settled = hand.iter().zip(results).map(|(delivery, result)| settle::Settled { delivery, result });
        settle::settle(self, settled.collect()).await?;
        // The next bubble of each of these conversations may be due now.
        self.wake.notify();
        Ok(hand.len())
    }

    /// When the next delivery is due; `None` when nothing waits.
    ///
    /// # Errors
    /// [`OutboxError`].
    pub async fn next_due_at(&self) -> Result<Option<Timestamp>, OutboxError> {
        Ok(claim::next_due_at(&self.db).await?)
    }
}

fn unique_conversations(hand: &[InHand]) -> Vec<(WorkspaceId, ConversationId)> {
    let mut seen = HashSet::new();
    let pairs = hand.iter().map(|delivery| (delivery.workspace.clone(), delivery.conversation.clone()));
    pairs.filter(|(_, conversation)| seen.insert(conversation.clone())).collect()
}
