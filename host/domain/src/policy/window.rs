//! The reply window: how long after the contact's last word the business may answer freely.

use std::time::Duration;

use super::{Facts, Reason};
use crate::channel::ChannelKind;
use crate::effect::Effect;
use crate::time::Timestamp;

/// Messenger, Instagram and WhatsApp alike (Meta: Messenger Platform policy, Cloud API conversations, 2026). The longer
/// windows after an ad are not used: nothing in the webhooks says when one is open.
pub const REPLY_WINDOW: Duration = Duration::from_secs(24 * 60 * 60);

/// When the window closes; `None` on channels without one.
pub fn reply_window_closes(kind: ChannelKind, last_contact_event_at: Timestamp) -> Option<Timestamp> {
    match kind {
        ChannelKind::Messenger | ChannelKind::Instagram | ChannelKind::Whatsapp => {
            Some(last_contact_event_at + REPLY_WINDOW)
        }
        ChannelKind::PageComments | ChannelKind::InstagramComments => None,
    }
}

pub(super) fn check(effect: &Effect, facts: &Facts) -> Option<Reason> {
    match effect {
        Effect::Say(_) => is_closed(facts),
        // Templates are what may be sent outside the window; private replies have rules of their own.
        Effect::CommentReply(_)
        | Effect::PrivateReply(_)
        | Effect::HideComment
        | Effect::Handoff(_)
        | Effect::SetAttribute(_)
        | Effect::AddTag(_)
        | Effect::Note(_)
        | Effect::SetTimer(_)
        | Effect::CancelTimer(_)
        | Effect::SendTemplate(_)
        | Effect::Call(_)
        | Effect::Custom(_) => None,
    }
}

fn is_closed(facts: &Facts) -> Option<Reason> {
    let Some(last) = facts.last_contact_event_at else {
        return Some(Reason::WindowNeverOpened);
    };
    // A clock of Meta's that runs ahead must not make the window longer.
    let Some(closes) = reply_window_closes(facts.channel_kind, last.min(facts.now)) else {
        return Some(Reason::NoConversation);
    };
    (closes <= facts.now).then_some(Reason::WindowClosed)
}
