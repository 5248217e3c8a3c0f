//! Which delivery a message is that Meta shows without our word for it. Decides; never reads and never settles.

use crate::delivery::DeliveryKind;
use crate::event::Echo;

/// A delivery of which nobody knows what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doubtful<'a> {
    /// What it is.
    pub kind: DeliveryKind,
    /// What it says.
    pub text: &'a str,
}

/// The delivery that an echo shows: the first that is of its kind and says the same. `doubtful` are those of its conversation,
/// oldest first; messages of one thread come back in the order in which they were sent.
pub fn shown_by(echo: &Echo, doubtful: &[Doubtful<'_>]) -> Option<usize> {
    let (kind, text) = (kind_of(echo)?, echo.text.as_deref()?);
    doubtful.iter().position(|delivery| delivery.kind == kind && says_the_same(delivery.text, text))
}

/// What an echo would be, were it ours; `None` for what is never sent from here. The preview of a link comes as an attachment
/// (Meta: Messenger webhook events, `fallback`).
fn kind_of(echo: &Echo) -> Option<DeliveryKind> {
    let is_text = echo.attachments.iter().all(|attachment| attachment.kind == "fallback");
    is_text.then_some(DeliveryKind::Text)
}

/// Platforms trim what they are given.
pub fn says_the_same(one: &str, other: &str) -> bool {
    let one = one.trim();
    !one.is_empty() && one == other.trim()
}

#[cfg(test)]
mod tests;
