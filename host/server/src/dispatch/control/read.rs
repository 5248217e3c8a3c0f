//! Reading control events: what each one changes.

use std::collections::{HashMap, HashSet};

use bellhop_domain::event::{ContactEvent, ControlEvent as Control, Event, Receipt};
use bellhop_domain::host_call::Author;
use bellhop_domain::id::{ContactId, ConversationId, EventId, MessageId, WorkspaceId};
use bellhop_domain::words::{self, Signal};

use super::echo::{self, Deliveries};
use crate::conversation::{self, Body, Contact, NewContact, NewMessage, NewTask, Profile, Suppression};
use crate::dispatch::{Dispatch, DispatchError};
use crate::inbox::{self, ControlEvent, SliceContent};
use crate::outbox::Evidence;
use crate::vault::IndexKey;

/// What one control event changes.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) event: EventId,
    pub(super) workspace: WorkspaceId,
    pub(super) conversation: Option<ConversationId>,
    pub(super) evidence: Vec<Evidence>,
    pub(super) contact: Option<NewContact>,
    /// The erased contact whose place the new one takes.
    pub(super) gone: Option<ContactId>,
    pub(super) messages: Vec<NewMessage>,
    pub(super) tasks: Vec<NewTask>,
    pub(super) suppress: Option<Suppression>,
    /// A person takes over.
    pub(super) becomes_human: bool,
    /// This version cannot read it; a later one may.
    pub(super) is_unreadable: bool,
}

/// What is known of the conversations of these events.
struct Known {
    contacts: HashMap<ConversationId, Contact>,
    /// Erased: the row still names them, and nothing of theirs can be opened.
    gone: HashMap<ConversationId, ContactId>,
    deliveries: Deliveries,
}

/// Reads all events, with one statement a table for what they refer to.
pub(super) async fn read(dispatch: &Dispatch, events: &[ControlEvent]) -> Result<Vec<Change>, DispatchError> {
    dispatch.know(events.iter().map(|event| (&event.workspace, &event.channel))).await?;
    let wanted: Vec<_> = events.iter().map(|event| (event.workspace.clone(), event.key.clone())).collect();
    let keys = dispatch.vault.keys_by_id(&wanted).await?;
    let mut opened = Vec::with_capacity(events.len());
    for (event, key) in events.iter().zip(keys) {
        let content = key.and_then(|key| SliceContent::open(&event.sealed, &key, &event.id).ok().flatten());
        opened.push((event, content));
    }
    let mut known = known(dispatch, &opened).await?;
    let mut changes = Vec::with_capacity(opened.len());
    for (event, content) in opened {
        changes.push(change(dispatch, event, content.as_ref(), &mut known).await?);
    }
    Ok(changes)
}

async fn change(
    dispatch: &Dispatch,
    event: &ControlEvent,
    content: Option<&SliceContent>,
    known: &mut Known,
) -> Result<Change, DispatchError> {
    let mut change = Change {
        event: event.id.clone(),
        workspace: event.workspace.clone(),
        conversation: event.conversation.clone(),
        evidence: Vec::new(),
        contact: None,
        gone: None,
        messages: Vec::new(),
        tasks: Vec::new(),
        suppress: None,
        becomes_human: false,
        is_unreadable: content.is_none(),
    };
    let Some(content) = content else { return Ok(change) };
    let read = content.event(event.kind);
    change.is_unreadable = matches!(read, Event::Ignored(_));
    let Some(conversation) = event.conversation.as_ref() else { return Ok(change) };
    let index = dispatch.vault.index(&event.workspace).await?;
    match read {
        Event::Control(Control::Echo(echo)) => {
            let contact = known.contacts.get(conversation);
            let known = (&mut change, &mut known.deliveries);
            echo::read(dispatch, known, (event, conversation), &echo, contact).await?;
        }
        Event::Control(Control::Delivered(receipt)) => receipts(&mut change, &receipt, conversation, &index, false),
        Event::Control(Control::Read(receipt)) => receipts(&mut change, &receipt, conversation, &index, true),
        Event::Contact(said) => {
            let signal = said.text().and_then(words::recognise);
            let contact = match known.contacts.get(conversation) {
                Some(contact) => contact.clone(),
                None => {
                    let contact = new_contact(dispatch, &mut change, event, content).await?;
                    change.gone = known.gone.remove(conversation);
                    // The next event of this batch may be theirs too.
                    known.contacts.insert(conversation.clone(), contact.clone());
                    contact
                }
            };
            read_signal(&mut change, event, &said, &Heard { signal, contact, index: &index, content });
        }
        Event::Control(_) | Event::Ignored(_) => {}
    }
    Ok(change)
}

fn receipts(change: &mut Change, receipt: &Receipt, conversation: &ConversationId, index: &IndexKey, is_read: bool) {
    let workspace = &change.workspace;
    for mid in &receipt.mids {
        change.evidence.push(Evidence::Arrived {
            workspace: workspace.clone(),
            conversation: conversation.clone(),
            mid: inbox::mid_key(index, mid),
            is_read,
        });
    }
    if let Some(watermark) = receipt.watermark {
        change.evidence.push(Evidence::UpTo {
            workspace: workspace.clone(),
            conversation: conversation.clone(),
            watermark,
            is_read,
        });
    }
}

struct Heard<'a> {
    signal: Option<Signal>,
    contact: Contact,
    index: &'a IndexKey,
    content: &'a SliceContent,
}

fn read_signal(change: &mut Change, event: &ControlEvent, said: &ContactEvent, heard: &Heard<'_>) {
    let Some(conversation) = &event.conversation else { return };
    let text = said.text().unwrap_or_default().to_owned();
    change.messages.push(NewMessage {
        workspace: event.workspace.clone(),
        id: MessageId::new(),
        conversation: conversation.clone(),
        at: event.at,
        author: Author::Contact,
        author_ref: None,
        mid: said.meta_id().map(|mid| inbox::mid_key(heard.index, mid)),
        body: Body { text: text.clone(), ..Body::default() },
        key: heard.contact.key.clone(),
    });
    let suppression = heard.content.person.as_deref().map(|person| Suppression {
        workspace: event.workspace.clone(),
        channel: event.channel.clone(),
        person: inbox::thread_key(heard.index, &event.channel, person),
        reason: conversation::OPT_OUT,
        at: event.at,
    });
    match heard.signal {
        Some(Signal::OptOut) => change.suppress = suppression,
        Some(Signal::HumanRequest) => {
            change.becomes_human = true;
            change.tasks.push(NewTask {
                workspace: event.workspace.clone(),
                conversation: conversation.clone(),
                kind: "human-request",
                note: text,
                reason: "asked-for-a-person",
                key: heard.contact.key.clone(),
                delivery: None,
            });
        }
        // "Start" goes through a turn, which knows whether they had said "stop".
        Some(Signal::OptIn) | None => {}
    }
}

/// The first thing that somebody ever says may be "stop".
async fn new_contact(
    dispatch: &Dispatch,
    change: &mut Change,
    event: &ControlEvent,
    content: &SliceContent,
) -> Result<Contact, DispatchError> {
    let id = ContactId::new();
    let mut keys = dispatch.vault.contact_keys(&[(event.workspace.clone(), id.clone())]).await?;
    let key = keys.pop().ok_or(DispatchError::Unreadable("contact key"))?;
    let person = content.person.clone().unwrap_or_default();
    let profile = Profile { person, name: None, locale: None };
    let contact = Contact { workspace: event.workspace.clone(), id, channel: event.channel.clone(), profile, key };
    change.contact = Some(NewContact { contact: contact.clone() });
    Ok(contact)
}

async fn known(dispatch: &Dispatch, opened: &[(&ControlEvent, Option<SliceContent>)]) -> Result<Known, DispatchError> {
    let conversations: HashSet<_> =
        opened.iter().filter_map(|(event, _)| Some((&event.workspace, event.conversation.as_ref()?))).collect();
    let standings = conversation::standings(&dispatch.db, &dispatch.vault, conversations.into_iter()).await?;
    let deliveries = Deliveries::read(dispatch, opened).await?;
    let mut known = Known { contacts: HashMap::new(), gone: HashMap::new(), deliveries };
    for (conversation, standing) in standings {
        match (standing.contact, standing.contact_id) {
            (Some(contact), _) => drop(known.contacts.insert(conversation, contact)),
            (None, Some(gone)) => drop(known.gone.insert(conversation, gone)),
            (None, None) => {}
        }
    }
    Ok(known)
}
