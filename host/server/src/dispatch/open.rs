//! Opening: everything that the turns of one claim need, read with one statement a table.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bellhop_domain::event::{ContactEvent, Event};
use bellhop_domain::id::{ContactId, ConversationId, EventId, MessageId, PluginKey, TurnId, WorkspaceId};
use bellhop_domain::kind::EventKind;
use bellhop_domain::time::Timestamp;

use crate::conversation::{self, Contact, Profile, Standing, Suppressed};
use crate::directory::{Channel, Workspace};
use crate::dispatch::{Dispatch, DispatchError};
use crate::inbox::{self, Claimed, OpenEvent, SliceContent};

/// Events that one turn takes at most; more wait for the next one. A person who pastes fifty messages in six seconds is
/// answered in two turns.
const MAX_EVENTS: usize = 50;

/// A contact event of the turn, opened.
#[derive(Debug, Clone)]
pub(super) struct TurnEvent {
    pub(super) id: EventId,
    pub(super) kind: EventKind,
    pub(super) at: Timestamp,
    pub(super) received_at: Timestamp,
    pub(super) event: ContactEvent,
    /// The message it becomes.
    pub(super) message: MessageId,
    pub(super) mid: Option<[u8; 32]>,
    /// Older than what was already answered.
    pub(super) is_late: bool,
}

/// A turn, ready to run.
#[derive(Debug, Clone)]
pub(super) struct OpenTurn {
    pub(super) id: TurnId,
    pub(super) claimed: Claimed,
    pub(super) channel: Arc<Channel>,
    pub(super) workspace: Arc<Workspace>,
    pub(super) contact: Contact,
    pub(super) is_new_contact: bool,
    pub(super) events: Vec<TurnEvent>,
    /// Events that cannot be read by this version.
    pub(super) parked: Vec<EventId>,
    pub(super) took_all: bool,
    pub(super) sessions: HashMap<PluginKey, String>,
    /// Why nothing may be said to this person.
    pub(super) suppressed: Option<Suppressed>,
    pub(super) opened_at: Timestamp,
}

/// What became of a claimed conversation.
pub(super) enum Opened {
    Turn(Box<OpenTurn>),
    /// Nothing is open any more.
    Empty(Claimed),
    /// The channel or workspace is gone, or no event names a person: staff must look.
    Unusable(Claimed),
}

struct Slice {
    row: OpenEvent,
    content: Option<SliceContent>,
}

/// Opens all claimed conversations.
pub(super) async fn open(dispatch: &Dispatch, claimed: Vec<Claimed>) -> Result<Vec<Opened>, DispatchError> {
    dispatch.know(claimed.iter().map(|claimed| (&claimed.workspace, &claimed.channel))).await?;
    let now = dispatch.db.now();
    let mut slices = slices(dispatch, &claimed).await?;
    let conversations = || claimed.iter().map(|c| (&c.workspace, &c.conversation));
    let mut standings = conversation::standings(&dispatch.db, &dispatch.vault, conversations()).await?;
    let sessions = conversation::sessions_find(&dispatch.db, &dispatch.vault, conversations()).await?;
    let mut sessions = by_conversation(sessions);
    let made = new_contacts(dispatch, &claimed, &standings, &slices).await?;
    let is_new: HashSet<ContactId> = made.values().map(|contact| contact.id.clone()).collect();
    let mut opened = Vec::with_capacity(claimed.len());
    for claimed in claimed {
        let slices = slices.remove(&claimed.conversation).unwrap_or_default();
        let (contact, suppressed) = match standings.remove(&claimed.conversation) {
            Some(standing) => (standing.contact, standing.suppressed),
            None => (None, None),
        };
        let contact = contact.or_else(|| made.get(&claimed.conversation).cloned());
        let material = Material {
            slices,
            contact,
            sessions: sessions.remove(&claimed.conversation).unwrap_or_default(),
            suppressed,
            now,
        };
        opened.push(turn(dispatch, claimed, material, &is_new).await?);
    }
    Ok(opened)
}

type Sessions = HashMap<PluginKey, String>;

fn by_conversation(all: HashMap<(ConversationId, PluginKey), String>) -> HashMap<ConversationId, Sessions> {
    let mut sorted: HashMap<ConversationId, Sessions> = HashMap::new();
    for ((conversation, plugin), json) in all {
        sorted.entry(conversation).or_default().insert(plugin, json);
    }
    sorted
}

/// The open events of each conversation, unsealed; one more than a turn takes, to know whether any are left.
async fn slices(
    dispatch: &Dispatch,
    claimed: &[Claimed],
) -> Result<HashMap<ConversationId, Vec<Slice>>, DispatchError> {
    let rows = inbox::events_open(&dispatch.db, claimed, MAX_EVENTS + 1).await?;
    let wanted: Vec<_> = rows.iter().map(|row| (row.workspace.clone(), row.key.clone())).collect();
    let keys = dispatch.vault.keys_by_id(&wanted).await?;
    let mut sorted: HashMap<ConversationId, Vec<Slice>> = HashMap::new();
    for (row, key) in rows.into_iter().zip(keys) {
        // A key that is gone (8 days passed) or a seal that does not hold leaves nothing to act on; the event is parked.
        let content = key.and_then(|key| SliceContent::open(&row.sealed, &key, &row.id).ok().flatten());
        sorted.entry(row.conversation.clone()).or_default().push(Slice { row, content });
    }
    Ok(sorted)
}

/// Contacts for conversations that have none yet, or whose contact was erased; all their keys in one statement.
async fn new_contacts(
    dispatch: &Dispatch,
    claimed: &[Claimed],
    standings: &HashMap<ConversationId, Standing>,
    slices: &HashMap<ConversationId, Vec<Slice>>,
) -> Result<HashMap<ConversationId, Contact>, DispatchError> {
    let lacking = claimed.iter().filter(|c| standings.get(&c.conversation).is_none_or(|known| known.contact.is_none()));
    let people: Vec<(&Claimed, String)> = lacking
        .filter_map(|c| {
            let found = slices.get(&c.conversation)?.iter().find_map(|slice| slice.content.as_ref()?.person.clone())?;
            Some((c, found))
        })
        .collect();
    let ids: Vec<(WorkspaceId, ContactId)> =
        people.iter().map(|(claimed, _)| (claimed.workspace.clone(), ContactId::new())).collect();
    let keys = dispatch.vault.contact_keys(&ids).await?;
    let made = people.into_iter().zip(ids).zip(keys).map(|(((claimed, person), (workspace, id)), key)| {
        let profile = Profile { person, name: None, locale: None };
        (claimed.conversation.clone(), Contact { workspace, id, channel: claimed.channel.clone(), profile, key })
    });
    Ok(made.collect())
}

struct Material {
    slices: Vec<Slice>,
    contact: Option<Contact>,
    sessions: Sessions,
    suppressed: Option<Suppressed>,
    now: Timestamp,
}

async fn turn(
    dispatch: &Dispatch,
    claimed: Claimed,
    mut material: Material,
    is_new: &HashSet<ContactId>,
) -> Result<Opened, DispatchError> {
    if material.slices.is_empty() {
        return Ok(Opened::Empty(claimed));
    }
    let snapshot = dispatch.directory.snapshot();
    let (Some(channel), Some(workspace), Some(contact)) = (
        snapshot.channel(&claimed.workspace, &claimed.channel),
        snapshot.workspace(&claimed.workspace),
        material.contact.take(),
    ) else {
        return Ok(Opened::Unusable(claimed));
    };
    let took_all = material.slices.len() <= MAX_EVENTS;
    material.slices.truncate(MAX_EVENTS);
    let index = dispatch.vault.index(&claimed.workspace).await?;
    let mut turn = OpenTurn {
        id: TurnId::new(),
        channel,
        workspace,
        is_new_contact: is_new.contains(&contact.id),
        contact,
        events: Vec::new(),
        parked: Vec::new(),
        took_all,
        sessions: material.sessions,
        suppressed: material.suppressed,
        opened_at: material.now,
        claimed,
    };
    for Slice { row, content } in material.slices {
        let Some(Event::Contact(event)) = content.map(|content| content.event(row.kind)) else {
            turn.parked.push(row.id);
            continue;
        };
        turn.events.push(TurnEvent {
            message: MessageId::new(),
            mid: event.meta_id().map(|mid| inbox::mid_key(&index, mid)),
            is_late: turn.claimed.last_answered_at.is_some_and(|answered| row.at < answered),
            id: row.id,
            kind: row.kind,
            at: row.at,
            received_at: row.received_at,
            event,
        });
    }
    Ok(Opened::Turn(Box::new(turn)))
}
