//! Fresh facts for the second judgement: what is true of the conversation at the moment of sending.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bellhop_domain::id::{DeliveryId, MessageId};
use bellhop_domain::policy::{Facts, Granted, Moment};

use crate::conversation::{self, Body, Contact, MessageRow};
use crate::directory::{Channel, ChannelState};
use crate::outbox::{InHand, Outbox, OutboxError};

/// Everything that sending one delivery needs.
#[derive(Debug, Clone)]
pub(super) struct Ready {
    pub(super) channel: Arc<Channel>,
    /// `None` when the contact was erased.
    pub(super) contact: Option<Contact>,
    /// `None` when the message's key is gone.
    pub(super) body: Option<Body>,
    pub(super) facts: Facts,
}

/// Gathers facts for all deliveries in hand with one statement a table. A delivery whose channel is gone has none.
pub(super) async fn gather(outbox: &Outbox, hand: &[InHand]) -> Result<HashMap<DeliveryId, Ready>, OutboxError> {
    let now = outbox.db.now();
    let snapshot = outbox.directory.snapshot();
    let messages: Vec<_> = hand.iter().map(|delivery| (delivery.workspace.clone(), delivery.message.clone())).collect();
    let conversations: HashSet<_> = hand.iter().map(|delivery| (&delivery.workspace, &delivery.conversation)).collect();
    let standings = conversation::standings(&outbox.db, &outbox.vault, conversations.into_iter()).await?;
    let mut messages = conversation::messages_find(&outbox.db, &outbox.vault, &messages).await?;
    let revoked = revoked(outbox, hand, &messages).await?;
    let mut ready = HashMap::with_capacity(hand.len());
    for delivery in hand {
        let (Some(channel), Some(known)) =
            (snapshot.channel(&delivery.workspace, &delivery.channel), standings.get(&delivery.conversation))
        else {
            continue;
        };
        // Somebody who was erased and wrote again is another contact.
        let contact = known.contact.clone().filter(|contact| contact.id == delivery.contact);
        let facts = Facts {
            channel_kind: channel.kind,
            mode: known.mode_at(now),
            moment: Moment::Send { is_revision_unchanged: known.revision == delivery.revision },
            last_contact_event_at: known.last_contact_event_at,
            now,
            is_opted_out: known.suppressed.is_some(),
            is_erased: contact.is_none(),
            is_standby: false,
            is_channel_paused: matches!(channel.state, ChannelState::Paused | ChannelState::Disconnected),
            // How far the grant reached was judged at the commit, and is in the message.
            granted: if revoked.contains(&delivery.id) { Granted::Revoked } else { Granted::Host },
        };
        let body = messages.remove(&delivery.message).map(|message| message.body);
        ready.insert(delivery.id.clone(), Ready { channel, contact, body, facts });
    }
    Ok(ready)
}

/// What plugins said that are not enabled any more. Costs nothing while all of them are: grants are read from memory.
async fn revoked(
    outbox: &Outbox,
    hand: &[InHand],
    messages: &HashMap<MessageId, MessageRow>,
) -> Result<HashSet<DeliveryId>, OutboxError> {
    let is_revoked = |delivery: &&InHand| {
        let plugin = messages.get(&delivery.message).and_then(|message| message.plugin.as_deref());
        plugin.is_some_and(|plugin| !outbox.registry.is_enabled(&delivery.workspace, &delivery.channel, plugin))
    };
    if hand.iter().any(|delivery| is_revoked(&delivery)) {
        // A plugin that somebody has just enabled may be news to this host and not to the one that asked it.
        outbox.registry.refresh_if_changed().await?;
    }
    Ok(hand.iter().filter(is_revoked).map(|delivery| delivery.id.clone()).collect())
}
