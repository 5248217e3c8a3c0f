//! What plugins are shown of a turn, before a grant narrows it. Reads nothing.

use bellhop_domain::event::ContactEvent;
use bellhop_domain::policy;
use bellhop_domain::time::Timestamp;

use crate::dispatch::effects;
use crate::dispatch::open::OpenTurn;
use crate::permission::{Circumstances, Heard, HeardAttachment, Masker};
use crate::registry::EnabledPlugin;

/// What the contact wrote and tapped.
pub(super) fn heard(turn: &OpenTurn) -> Vec<Heard> {
    let heard = turn.events.iter().map(|event| Heard {
        id: event.message.clone(),
        at: event.at,
        text: event.event.text().map(str::to_owned),
        payload: event.event.payload().map(str::to_owned),
        attachments: attachment_kinds(&event.event).map(|kind| HeardAttachment { kind }).collect(),
        reply_to: None,
        late: event.is_late,
    });
    heard.collect()
}

/// The kinds of what was attached.
pub(super) fn attachment_kinds(event: &ContactEvent) -> impl Iterator<Item = String> {
    let attachments = match event {
        ContactEvent::Message(message) => message.attachments.as_slice(),
        ContactEvent::Postback(_) | ContactEvent::Comment(_) => &[],
    };
    attachments.iter().map(|attachment| attachment.kind.clone())
}

/// What else holds when the plugin is asked.
pub(super) fn circumstances<'a>(
    turn: &'a OpenTurn,
    plugin: &EnabledPlugin,
    now: Timestamp,
    masker: &'a Masker,
) -> Circumstances<'a> {
    let last = effects::last_contact_event_at(turn);
    Circumstances {
        turn: &turn.id,
        now,
        seed: seed(turn),
        channel_kind: turn.channel.kind,
        contact: &turn.contact.id,
        locale: turn.contact.profile.locale.as_deref().unwrap_or(&turn.channel.locale),
        time_zone: &turn.workspace.time_zone,
        reply_window_closes: last.and_then(|last| policy::reply_window_closes(turn.channel.kind, last)),
        session_json: turn.sessions.get(&plugin.plugin_key).cloned(),
        holds_floor: turn.claimed.floor.as_deref() == Some(plugin.plugin_key.as_str()),
        dry_run: false,
        masker,
    }
}

/// Chance for this attempt: the random part of the turn's id.
fn seed(turn: &OpenTurn) -> u64 {
    let digits = turn.id.as_str().bytes().rev().filter(u8::is_ascii_hexdigit).take(12);
    digits.fold(0, |seed, digit| (seed << 4) | u64::from(char::from(digit).to_digit(16).unwrap_or(0)))
}
