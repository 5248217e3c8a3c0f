//! What a turn leaves behind: its events' end, what was said, and what plugins made of it become the rows of one commit.

use std::sync::Arc;

use bellhop_domain::host_call::Author;
use bellhop_domain::policy::Mode;

use crate::conversation::{Body, NewContact, NewMessage};
use crate::dispatch::commit::TurnCommit;
use crate::dispatch::open::OpenTurn;
use crate::dispatch::turn::Made;
use crate::dispatch::turn::shown::attachment_kinds;
use crate::dispatch::{HUMAN_MODE_LASTS, effects, masked};
use crate::inbox::{Finish, SettledEvent};
use crate::trace::{EventLine, NewTurn, Outline, PluginLine};

fn inbound_messages(turn: &OpenTurn) -> Vec<NewMessage> {
    let events = turn.events.iter().map(|event| {
        let attachments = attachment_kinds(&event.event).collect();
        NewMessage {
            workspace: turn.claimed.workspace.clone(),
            id: event.message.clone(),
            conversation: turn.claimed.conversation.clone(),
            at: event.at,
            author: Author::Contact,
            author_ref: None,
            mid: event.mid,
            body: Body { text: event.event.text().unwrap_or_default().to_owned(), choices: Vec::new(), attachments },
            key: Arc::clone(&turn.contact.key),
        }
    });
    events.collect()
}

fn outline(turn: &OpenTurn, plugins: Vec<PluginLine>) -> Outline {
    let events = turn.events.iter().map(|event| EventLine {
        kind: event.kind.as_str().to_owned(),
        at: event.at,
        received_at: event.received_at,
        message: Some(event.message.to_string()),
    });
    Outline { events: events.collect(), plugins, claimed_at: turn.opened_at }
}

fn settled(turn: &OpenTurn) -> Vec<SettledEvent> {
    let workspace = &turn.claimed.workspace;
    let done = turn.events.iter().map(|event| SettledEvent {
        workspace: workspace.clone(),
        id: event.id.clone(),
        turn: Some(turn.id.clone()),
        state: "done",
        reason: None,
    });
    let parked = turn.parked.iter().map(|id| SettledEvent {
        workspace: workspace.clone(),
        id: id.clone(),
        turn: Some(turn.id.clone()),
        state: "parked",
        reason: Some("unreadable"),
    });
    done.chain(parked).collect()
}

/// The commit of a turn that ended in this mode.
pub(super) fn commit(turn: &OpenTurn, mode: Mode, mut made: Made) -> TurnCommit {
    let mut messages = inbound_messages(turn);
    messages.append(&mut made.rows.messages);
    // A clock ahead of ours must not make everything after it late.
    let newest_answered = turn.events.iter().map(|event| event.at.min(turn.opened_at)).max();
    let keeps_mode = mode != Mode::Automated;
    let (mode, mode_until) = match (made.rows.hands_off, keeps_mode) {
        (true, _) => (Mode::Human, Some(turn.opened_at + HUMAN_MODE_LASTS)),
        (false, true) => (mode, turn.claimed.mode_until),
        (false, false) => (Mode::Automated, None),
    };
    TurnCommit {
        finish: Finish {
            contact: turn.contact.id.clone(),
            mode: mode.as_str().to_owned(),
            mode_until,
            floor: made.floor,
            last_contact_event_at: effects::last_contact_event_at(turn),
            last_answered_at: newest_answered.max(turn.claimed.last_answered_at),
            took_all: turn.took_all,
            claimed: turn.claimed.clone(),
        },
        events: settled(turn),
        contact: turn.is_new_contact.then(|| NewContact { contact: turn.contact.clone() }),
        messages,
        sessions: made.sessions,
        tasks: made.rows.tasks,
        marks: made.rows.marks,
        masked: masked::kept(turn, made.masked),
        deliveries: made.rows.deliveries,
        unsuppress: None,
        records: made.records,
        audit: made.audit,
        calls: made.calls,
        turn: NewTurn {
            workspace: turn.claimed.workspace.clone(),
            id: turn.id.clone(),
            conversation: turn.claimed.conversation.clone(),
            outcome: made.outcome,
            started_at: turn.opened_at,
            outline: outline(turn, made.lines),
            key: Arc::clone(&turn.contact.key),
        },
    }
}
