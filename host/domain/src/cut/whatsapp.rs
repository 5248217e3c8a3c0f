//! Reads one change of a WhatsApp account: its messages, echoes and statuses one by one, anything else as a whole.

use super::{Found, Place, words_of};
use crate::json::Members;
use crate::kind::EventKind;

/// The lists that are cut further, by field.
const LISTS: [(&str, &str); 4] = [
    ("messages", "messages"),
    ("messages", "statuses"),
    ("smb_message_echoes", "message_echoes"),
    ("user_preferences", "user_preferences"),
];

pub(super) fn read<'a>(field: &str, value: &Members<'a>, raw: &'a str) -> Vec<Found<'a>> {
    let asset = value.object_or_empty("metadata").word("phone_number_id");
    let people = People::read(value);
    let mut found = Vec::new();
    for (_, list) in LISTS.into_iter().filter(|(of, _)| *of == field) {
        for item in value.list(list).unwrap_or_default() {
            found.push(read_item(list, item, Place::Change(field.to_owned()), &people));
        }
    }
    if found.is_empty() {
        let kind = match field {
            "messages" if value.has("errors") => EventKind::AccountError,
            "" | "messages" => EventKind::Unknown,
            _ => EventKind::Account,
        };
        found.push(Found { kind, ..Found::unknown(Place::Change(field.to_owned()), raw) });
    }
    for slice in &mut found {
        slice.asset.clone_from(&asset);
    }
    found
}

fn read_item<'a>(list: &str, raw: &'a str, place: Place, people: &People) -> Found<'a> {
    let Some(item) = Members::read(raw) else {
        return Found::unknown(place, raw);
    };
    let time = item.time("timestamp");
    let (kind, person) = match list {
        "statuses" => (EventKind::Status, people.find(item.word("recipient_user_id"), item.word("recipient_id"))),
        "message_echoes" => (EventKind::Echo, people.find(item.word("to_user_id"), item.word("to"))),
        "user_preferences" => (EventKind::Preference, people.find(item.word("user_id"), item.word("wa_id"))),
        _ => (message_kind(&item), people.find(item.word("from_user_id"), item.word("from"))),
    };
    let words = match kind {
        // Each reaction and edit has an id of its own here.
        EventKind::Reaction | EventKind::Edit => item.word("id").map(|id| vec![id]),
        _ => words_of(kind, &item, time, person.as_deref()),
    };
    Found { place, kind, raw, asset: None, person, time, words }
}

fn message_kind(item: &Members<'_>) -> EventKind {
    match item.word("type").as_deref() {
        Some("button" | "interactive") => EventKind::Postback,
        Some("reaction") => EventKind::Reaction,
        Some("edit") => EventKind::Edit,
        Some("revoke") => EventKind::Unsend,
        Some("system") => EventKind::System,
        Some("request_welcome") => EventKind::Referral,
        // An unknown type is still something that the customer sent: it stands in the thread.
        Some(_) | None => EventKind::Message,
    }
}

/// The people of `contacts[]`: their id within the business and their number, either of which may be missing.
struct People(Vec<(Option<String>, Option<String>)>);

impl People {
    fn read(value: &Members<'_>) -> Self {
        let contacts = value.list("contacts").unwrap_or_default();
        let people = contacts.into_iter().filter_map(Members::read);
        Self(people.map(|contact| (contact.word("user_id"), contact.word("wa_id"))).collect())
    }

    /// The id that stays the same when the number is hidden: the user id if anything names it, else the number.
    fn find(&self, user_id: Option<String>, number: Option<String>) -> Option<String> {
        if user_id.is_some() {
            return user_id;
        }
        let by_number = || self.0.iter().find(|(_, of)| number.is_some() && *of == number);
        // A message that names nobody belongs to the only person there is.
        let only = || if number.is_none() && self.0.len() == 1 { self.0.first() } else { None };
        let (listed_id, listed_number) = by_number().or_else(only).cloned().unwrap_or_default();
        listed_id.or(number).or(listed_number)
    }
}
