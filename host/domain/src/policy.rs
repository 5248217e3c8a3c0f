//! What may happen: judges each effect that a plugin proposes, when the turn commits and again when it is sent.
//!
//! A pure function of the effect and the facts. Never performs anything, never looks anything up, and never turns an
//! effect into one of another kind.

pub mod facts;
pub mod link;
pub mod reason;
mod grant;
mod silence;
mod text;
mod window;
#[cfg(test)]
mod tests;

pub use facts::{Facts, Granted, Mode, Moment};
pub use reason::{Reason, Remedy};
pub use silence::reaches_contact;
pub use window::{REPLY_WINDOW, reply_window_closes};

use crate::effect::Effect;

/// What policy says of an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// As proposed.
    Allow,
    /// Only like this: an effect of the same kind.
    Rewrite(Effect, Reason),
    /// Not at all.
    Deny(Reason),
}

impl Verdict {
    /// What is left to perform of the effect; `None` when it is denied.
    pub fn into_effect(self, proposed: Effect) -> Option<Effect> {
        match self {
            Self::Allow => Some(proposed),
            Self::Rewrite(effect, _) => Some(effect),
            Self::Deny(_) => None,
        }
    }

    /// Why it was changed or denied.
    pub const fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Allow => None,
            Self::Rewrite(_, reason) | Self::Deny(reason) => Some(reason),
        }
    }
}

/// Judges an effect in its final wording: facts filled in, masked values put back.
///
/// The rules see what would leave, after tidying: a character that is taken out must not hide a link. They stand in the
/// order of what a person would want to hear first: what is not granted is not worth a word about its length.
pub fn judge(effect: &Effect, facts: &Facts) -> Verdict {
    let tidied = text::tidy(effect);
    let subject = tidied.as_ref().map_or(effect, |(tidied, _)| tidied);
    let rules = [grant::check, silence::check, window::check, text::check, link::check, grant::check_standing];
    match (rules.iter().find_map(|rule| rule(subject, facts)), tidied) {
        (Some(reason), _) => Verdict::Deny(reason),
        (None, Some((tidied, reason))) => Verdict::Rewrite(tidied, reason),
        (None, None) => Verdict::Allow,
    }
}
