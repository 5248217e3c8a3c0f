//! What goes out: staged in the turn's transaction, claimed, judged again with fresh facts, sent, settled. The only caller of
//! graph's send. Makes up no rule: `domain::policy` says what may go and `domain::delivery` what may go again.
//!
//! The attempt is on record before the risk: the claim that counts it commits before a byte leaves.

mod claim;
mod consequence;
mod counts;
mod doubtful;
mod early;
mod evidence;
mod expire;
mod facts;
mod hands;
mod held;
mod list;
mod lookup;
mod run;
mod schedule;
mod send;
mod settle;
mod stage;
mod sweep;
mod undelivered;

use std::collections::HashMap;
use std::sync::Arc;

use bellhop_domain::id::{ChannelId, ContactId, ConversationId, DeliveryId, HostId, MessageId, WorkspaceId};
use bellhop_domain::time::Timestamp;
use tokio_util::task::TaskTracker;

use crate::conversation::ConversationError;
use crate::db::{Db, DbError, Group, GroupError};
use crate::directory::{Directory, DirectoryError, Snapshot};
use crate::graph::Graph;
use crate::inbox::Wake;
use crate::outbox::claim::Take;
use crate::outbox::facts::Ready;
use crate::outbox::hands::{Grip, Hands, Room};
use crate::outbox::send::Attempt;
use crate::outbox::settle::Settled;
use crate::registry::{Registry, RegistryError};
use crate::vault::{Vault, VaultError};

pub use counts::{delivery_queues, leases};
pub use doubtful::{DoubtfulDelivery, deliveries_by_mid, deliveries_doubtful};
pub use early::early_receipts_sweep;
pub use evidence::{Evidence, Shown, settle_by_evidence_in};
pub use held::{deliveries_give_up_in, deliveries_hold_in, deliveries_release_in};
pub use list::{DeliveryRow, deliveries_of_turns};
pub use schedule::lookups_sweep;
pub use stage::{NewDelivery, deliveries_insert_in};
pub use sweep::{deliveries_sweep, delivery_totals};
pub use undelivered::{PutAside, deliveries_put_aside, delivery_give_up, delivery_retry};

/// Deliveries in one claim.
const MAX_CLAIM: usize = 64;

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
    /// Grants.
    #[error("could not read the grants")]
    Registry(#[from] RegistryError),
    /// The channel's state.
    #[error("could not stop a channel")]
    Directory(#[from] DirectoryError),
    /// The settler.
    #[error("could not settle a delivery")]
    Settle(#[from] GroupError),
}

/// What the outbox is made of.
#[derive(Clone)]
pub struct Parts {
    /// The store.
    pub db: Db,
    /// Keys.
    pub vault: Vault,
    /// Channels.
    pub directory: Directory,
    /// Grants.
    pub registry: Registry,
    /// Meta.
    pub graph: Graph,
    /// Who claims.
    pub host: HostId,
    /// Woken when something was staged.
    pub wake: Wake,
}

/// The outbox of one host. Clones share it.
#[derive(Clone)]
pub struct Outbox {
    parts: Arc<Parts>,
    hands: Hands,
    settles: Group<Settled, ()>,
}

impl std::ops::Deref for Outbox {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.parts
    }
}

/// A delivery in the hands of this host.
#[derive(Debug, Clone)]
struct InHand {
    workspace: WorkspaceId,
    id: DeliveryId,
    conversation: ConversationId,
    channel: ChannelId,
    contact: ContactId,
    message: MessageId,
    kind: String,
    revision: i64,
    attempts: i64,
    /// Who has it, and until when: together they are this attempt's and no other's.
    owner: HostId,
    lease_until: Timestamp,
    /// More of the conversation waits for this one.
    has_next: bool,
    /// Its place in the hands.
    #[expect(dead_code, reason = "held, and let go when the delivery is")]
    grip: Arc<Grip>,
}

/// What a claim has brought.
#[derive(Default)]
struct Taken {
    deliveries: Vec<(InHand, Option<Ready>)>,
    /// There may be more for which there is room.
    may_be_more: bool,
}

impl Outbox {
    /// Sets up the outbox and its settler; nothing is sent before [`Outbox::run_once`] or [`Outbox::run`].
    pub fn start(parts: Parts, tracker: &TaskTracker) -> Self {
        let db = parts.db.clone();
        let settles = Group::start(tracker, MAX_CLAIM, move |settled| settle::write_group(db.clone(), settled));
        let hands = Hands::new(parts.db.clock().clone(), parts.wake.clone());
        Self { parts: Arc::new(parts), hands, settles }
    }

    /// Sends what is due, side by side, and settles it; how many deliveries there were.
    ///
    /// # Errors
    /// [`OutboxError`]; what was claimed comes up again when its lease ends, as `unknown` if a byte may have left.
    pub async fn run_once(&self) -> Result<usize, OutboxError> {
        self.run_at_most(MAX_CLAIM).await
    }

    /// The same, with `limit` deliveries at most.
    ///
    /// # Errors
    /// As [`Outbox::run_once`].
    pub async fn run_at_most(&self, limit: usize) -> Result<usize, OutboxError> {
        let expired = expire::expire(self).await?;
        let looks = lookup::take(self).await?;
        let n_looks = looks.len();
        futures_util::future::join_all(looks.into_iter().map(|look| lookup::look(self, look))).await;
        let taken = self.take(limit).await?.deliveries;
        let n_taken = taken.len();
        let deliveries = taken.into_iter().map(|(delivery, ready)| self.deliver(delivery, ready));
        futures_util::future::join_all(deliveries).await;
        Ok(expired + n_looks + n_taken)
    }

    /// Claims what is due and may go now, and gathers what sending it needs.
    async fn take(&self, limit: usize) -> Result<Taken, OutboxError> {
        let snapshot = self.directory.snapshot();
        let take = match self.hands.calm(&snapshot) {
            Some(after) => Take::Each { after, limit },
            None => Take::Rooms(self.planned(&snapshot, limit).await?),
        };
        if matches!(&take, Take::Rooms(rooms) if rooms.is_empty()) {
            return Ok(Taken::default());
        }
        let hand = claim::claim(&self.db, &self.host, &take, (&self.hands, &snapshot)).await?;
        self.hands.had_its_turn(hand.iter().map(|delivery| &delivery.workspace));
        let may_be_more = take.may_be_more(&hand);
        Ok(Taken { deliveries: self.ready(hand).await?, may_be_more })
    }

    /// Where hands are few, or somebody is slow, it takes a look before the claim.
    async fn planned(&self, snapshot: &Snapshot, limit: usize) -> Result<Vec<Room>, OutboxError> {
        let plan = self.hands.plan(snapshot, claim::due(&self.db).await?, limit);
        if let Some(at) = plan.opens_at {
            self.wake.notify_at(at, self.db.now());
        }
        Ok(plan.rooms)
    }

    async fn ready(&self, hand: Vec<InHand>) -> Result<Vec<(InHand, Option<Ready>)>, OutboxError> {
        if hand.is_empty() {
            return Ok(Vec::new());
        }
        match facts::gather(self, &hand).await {
            Ok(mut facts) => Ok(paired(hand, &mut facts)),
            Err(error) if DbError::is_behind(&error) => {
                for delivery in hand {
                    self.give_back(delivery).await;
                }
                Err(error)
            }
            Err(_) => Ok(self.take_each(hand).await),
        }
    }

    /// Something among these deliveries cannot be read: each alone, so that it fails alone.
    async fn take_each(&self, hand: Vec<InHand>) -> Vec<(InHand, Option<Ready>)> {
        let mut all = Vec::with_capacity(hand.len());
        for delivery in hand {
            match facts::gather(self, std::slice::from_ref(&delivery)).await {
                Ok(mut facts) => all.extend(paired(vec![delivery], &mut facts)),
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, delivery.id = %delivery.id, "A delivery cannot be read");
                    self.give_back(delivery).await;
                }
            }
        }
        all
    }

    /// Nothing was sent, so it may be tried again; left alone it would count as sent perhaps.
    async fn give_back(&self, delivery: InHand) {
        if let Err(error) = settle::settle(self, &delivery, None, Attempt::Unprepared.into()).await {
            tracing::error!(error = &error as &dyn std::error::Error, delivery.id = %delivery.id, "Could not give a delivery back");
        }
    }

    /// One delivery to the end of its attempt. What cannot be settled comes up again when its lease ends.
    async fn deliver(&self, delivery: InHand, ready: Option<Ready>) {
        let ended = send::send(self, &delivery, ready.as_ref()).await;
        if let Err(error) = settle::settle(self, &delivery, ready.as_ref(), ended).await {
            tracing::error!(error = &error as &dyn std::error::Error, delivery.id = %delivery.id, "Could not settle a delivery");
        }
        if delivery.has_next {
            self.wake.notify();
        }
    }
}

fn paired(hand: Vec<InHand>, facts: &mut HashMap<DeliveryId, Ready>) -> Vec<(InHand, Option<Ready>)> {
    let pair = |delivery: InHand| {
        let ready = facts.remove(&delivery.id);
        (delivery, ready)
    };
    hand.into_iter().map(pair).collect()
}
