//! What is granted and what this version performs. Never lets a plugin claim that a person wrote.

use super::{Facts, Granted, Reason};
use crate::effect::{CustomEffect, Effect};

pub(super) fn check(effect: &Effect, facts: &Facts) -> Option<Reason> {
    if let Effect::Custom(custom) = effect
        && asks_for_tag(custom)
    {
        return Some(Reason::TagFromPlugin);
    }
    is_not_granted(effect, facts).or_else(|| is_not_available(effect))
}

/// Stands behind all other rules: where silence is due anyway, that a plugin was disabled is no news.
pub(super) fn check_standing(_: &Effect, facts: &Facts) -> Option<Reason> {
    (facts.granted == Granted::Revoked).then_some(Reason::GrantRevoked)
}

fn is_not_granted(effect: &Effect, facts: &Facts) -> Option<Reason> {
    let Granted::Plugin { effects, attributes, .. } = &facts.granted else {
        return None;
    };
    if !effects.contains(effect.name()) {
        return Some(Reason::EffectNotGranted(effect.name()));
    }
    match effect {
        Effect::SetAttribute(attribute) if !attributes.contains(&attribute.name) => {
            Some(Reason::AttributeNotGranted(shown(&attribute.name)))
        }
        Effect::SetAttribute(_)
        | Effect::Say(_)
        | Effect::CommentReply(_)
        | Effect::PrivateReply(_)
        | Effect::HideComment
        | Effect::Handoff(_)
        | Effect::AddTag(_)
        | Effect::Note(_)
        | Effect::SetTimer(_)
        | Effect::CancelTimer(_)
        | Effect::SendTemplate(_)
        | Effect::Call(_)
        | Effect::Custom(_) => None,
    }
}

const fn is_not_available(effect: &Effect) -> Option<Reason> {
    match effect {
        Effect::Say(_) | Effect::Handoff(_) | Effect::SetAttribute(_) | Effect::AddTag(_) | Effect::Note(_) => None,
        Effect::CommentReply(_)
        | Effect::PrivateReply(_)
        | Effect::HideComment
        | Effect::SetTimer(_)
        | Effect::CancelTimer(_)
        | Effect::SendTemplate(_)
        | Effect::Call(_)
        | Effect::Custom(_) => Some(Reason::NotAvailable(effect.name())),
    }
}

/// The contract has no word for message tags, so that only a custom effect could ask for one.
fn asks_for_tag(custom: &CustomEffect) -> bool {
    let words = format!("{} {}", custom.kind, custom.json).to_ascii_lowercase().replace(['-', ' '], "_");
    words.contains("human_agent") || words.contains("message_tag")
}

/// A name as it may stand in a reason: short, and nothing that breaks a line.
fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(64).collect()
}
