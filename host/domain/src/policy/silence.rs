//! When nothing may be said: erased, opted out, another app's thread, a paused channel, a person at work.

use super::{Facts, Mode, Moment, Reason};
use crate::effect::Effect;

pub(super) fn check(effect: &Effect, facts: &Facts) -> Option<Reason> {
    if facts.is_erased {
        return Some(Reason::Erased);
    }
    if !reaches_contact(effect) {
        return None;
    }
    if facts.is_opted_out {
        return Some(Reason::OptedOut);
    }
    if facts.is_standby {
        return Some(Reason::Standby);
    }
    if facts.is_channel_paused {
        return Some(Reason::ChannelPaused);
    }
    // A turn that hands off may still say so: the mode that it finds when sending is its own doing.
    if facts.moment == (Moment::Send { is_revision_unchanged: true }) {
        return None;
    }
    match facts.mode {
        Mode::Automated => None,
        Mode::Human => Some(Reason::HumanMode),
        Mode::Paused => Some(Reason::PausedMode),
    }
}

/// The contact, or everybody under the post, would see it.
pub const fn reaches_contact(effect: &Effect) -> bool {
    match effect {
        Effect::Say(_)
        | Effect::CommentReply(_)
        | Effect::PrivateReply(_)
        | Effect::SendTemplate(_)
        | Effect::Custom(_) => true,
        Effect::HideComment
        | Effect::Call(_)
        | Effect::Handoff(_)
        | Effect::SetAttribute(_)
        | Effect::AddTag(_)
        | Effect::Note(_)
        | Effect::SetTimer(_)
        | Effect::CancelTimer(_) => false,
    }
}
