//! Fresh facts for the second judgement: what is true of the conversation at the moment of sending.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bellhop_domain::id::{ConversationId, DeliveryId};
use bellhop_domain::policy::{Facts, Granted, Mode, Moment};
use bellhop_domain::time::Timestamp;
use sqlx::Row;

use crate::conversation::{self, Body, Contact};
use crate::db::{Bulk, DbError};
use crate::directory::{Channel, ChannelState};
use crate::outbox::{InHand, Outbox, OutboxError, unique_conversations};

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

struct ConversationFacts {
    mode: Mode,
    revision: i64,
    last_contact_event_at: Option<Timestamp>,
    is_suppressed: bool,
}

/// Gathers facts for all deliveries in hand with one statement a table. A delivery whose channel is gone has none.
pub(super) async fn gather(outbox: &Outbox, hand: &[InHand]) -> Result<HashMap<DeliveryId, Ready>, OutboxError> {
    let now = outbox.db.now();
    let snapshot = outbox.directory.snapshot();
    let mut seen = HashSet::new();
    let contacts: Vec<_> = hand
        .iter()
        .map(|delivery| (delivery.workspace.clone(), delivery.contact.clone()))
        .filter(|(_, contact)| seen.insert(contact.clone()))
        .collect();
    let messages: Vec<_> = hand.iter().map(|delivery| (delivery.workspace.clone(), delivery.message.clone())).collect();
    let conversations = conversations(outbox, hand, now).await?;
    let contacts = conversation::contacts_find(&outbox.db, &outbox.vault, &contacts).await?;
    let mut messages = conversation::messages_find(&outbox.db, &outbox.vault, &messages).await?;
    let mut ready = HashMap::with_capacity(hand.len());
    for delivery in hand {
        let (Some(channel), Some(known)) =
            (snapshot.channel(&delivery.workspace, &delivery.channel), conversations.get(&delivery.conversation))
        else {
            continue;
        };
        let contact = contacts.get(&delivery.contact).cloned();
        let facts = Facts {
            channel_kind: channel.kind,
            mode: known.mode,
            moment: Moment::Send { is_revision_unchanged: known.revision == delivery.revision },
            last_contact_event_at: known.last_contact_event_at,
            now,
            is_opted_out: known.is_suppressed,
            is_erased: contact.is_none(),
            is_standby: false,
            is_channel_paused: matches!(channel.state, ChannelState::Paused | ChannelState::Disconnected),
            // What the plugin was granted was judged at the commit and is in the message; a revoked grant reaches new turns.
            granted: Granted::Host,
        };
        let body = messages.remove(&delivery.message).map(|message| message.body);
        ready.insert(delivery.id.clone(), Ready { channel, contact, body, facts });
    }
    Ok(ready)
}

async fn conversations(
    outbox: &Outbox,
    hand: &[InHand],
    now: Timestamp,
) -> Result<HashMap<ConversationId, ConversationFacts>, OutboxError> {
    let mut select = Bulk::new(
        "select c.id, c.mode, c.mode_until, c.revision, c.last_contact_event_at, cast(case when exists (select 1 from suppression s \
         where s.workspace_id = c.workspace_id and s.channel_id = c.channel_id and s.person = c.thread) then 1 else 0 end as bigint) \
         from conversation c where (c.workspace_id, c.id) in ",
    ).keys(2);
    for (workspace, conversation) in unique_conversations(hand) {
        select.row().bind(workspace.as_str()).bind(conversation.as_str());
    }
    let mut found = HashMap::new();
    for row in outbox.db.fetch_all(select).await? {
        let known = |row: &sqlx::any::AnyRow| -> Result<(ConversationId, ConversationFacts), DbError> {
            let id = ConversationId::parse(row.try_get(0)?).map_err(|_| DbError::Unreadable("conversation.id"))?;
            let mode = Mode::parse(row.try_get(1)?).ok_or(DbError::Unreadable("conversation.mode"))?;
            let until: Option<i64> = row.try_get(2)?;
            let is_over = until.is_some_and(|until| until <= now.millis());
            let last: Option<i64> = row.try_get(4)?;
            let known = ConversationFacts {
                mode: if is_over { Mode::Automated } else { mode },
                revision: row.try_get(3)?,
                last_contact_event_at: last.map(Timestamp::from_millis),
                is_suppressed: row.try_get::<i64, _>(5)? != 0,
            };
            Ok((id, known))
        };
        let (id, known) = known(&row)?;
        found.insert(id, known);
    }
    Ok(found)
}
