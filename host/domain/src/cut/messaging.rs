//! Reads one item of `messaging[]` or `standby[]`: what it is, whose it is, and who the customer is.

use super::{EntryOf, Found, Object, Place, words_of};
use crate::json::Members;
use crate::kind::EventKind;

/// The member that makes an item what it is. The first that is present counts.
const KINDS: [(&str, EventKind); 17] = [
    ("message", EventKind::Message),
    ("postback", EventKind::Postback),
    ("message_edit", EventKind::Edit),
    ("reaction", EventKind::Reaction),
    ("read", EventKind::Read),
    ("delivery", EventKind::Delivery),
    ("referral", EventKind::Referral),
    ("optin", EventKind::Optin),
    ("account_linking", EventKind::AccountLinking),
    ("pass_thread_control", EventKind::PassThread),
    ("take_thread_control", EventKind::TakeThread),
    ("request_thread_control", EventKind::RequestThread),
    ("app_roles", EventKind::AppRoles),
    ("policy_enforcement", EventKind::Policy),
    // Older deliveries spell it so.
    ("policy-enforcement", EventKind::Policy),
    ("messaging_feedback", EventKind::Feedback),
    ("response_feedback", EventKind::ResponseFeedback),
];

pub(super) fn read<'a>(object: &Object, entry: &EntryOf, place: Place, raw: &'a str) -> Found<'a> {
    let Some(item) = Members::read(raw) else {
        return Found::unknown(place, raw);
    };
    let (name, outer) = KINDS.into_iter().find(|(name, _)| item.has(name)).unwrap_or(("", EventKind::Unknown));
    let body = item.object_or_empty(name);
    let is_echo = is_echo(&body);
    let kind = match outer {
        EventKind::Message if body.is_true("is_deleted") => EventKind::Unsend,
        EventKind::Message if is_echo => EventKind::Echo,
        other => other,
    };
    let sides = Sides {
        sender: item.object_or_empty("sender").word("id"),
        recipient: item.object_or_empty("recipient").word("id"),
        is_echo,
    };
    let (asset, person) = sides.sort(object, &entry.id);
    let time = item.time("timestamp");
    let words = words_of(kind, &body, time, person.as_deref());
    Found { place, kind, raw, asset, person, time, words }
}

/// The business itself sent it. Some libraries' deliveries spell the member in camel case.
pub(crate) fn is_echo(message: &Members<'_>) -> bool {
    message.is_true("is_echo") || message.is_true("isEcho")
}

/// Both ends of an item.
struct Sides {
    sender: Option<String>,
    recipient: Option<String>,
    is_echo: bool,
}

impl Sides {
    /// The business's end and the customer's end.
    ///
    /// A Page's `entry.id` is the Page. Instagram's sometimes names something else, so it counts only where it is one of
    /// the ends; otherwise the direction decides.
    fn sort(self, object: &Object, entry_id: &str) -> (Option<String>, Option<String>) {
        let is_entry = |end: &Option<String>| end.as_deref() == Some(entry_id);
        let sender_is_business = match (is_entry(&self.sender), is_entry(&self.recipient)) {
            (true, false) => true,
            (false, true) => false,
            (true, true) | (false, false) => self.is_echo,
        };
        let (business, customer) =
            if sender_is_business { (self.sender, self.recipient) } else { (self.recipient, self.sender) };
        let asset = match object {
            Object::Instagram => business,
            Object::Page | Object::Whatsapp | Object::Other(_) => business.filter(|_| entry_id.is_empty()),
        };
        (asset, customer)
    }
}
