//! `GET /{page}/conversations`: the threads of a Page, newest first, with the end of each.

use serde_json::{Value, json};

use crate::error::GraphError;
use crate::graph::auth::PageCaller;
use crate::graph::call::Call;
use crate::graph::fields::{self, Field};
use crate::state::{Author, Message, Page, Person, State};

/// Messages of a thread whose details can be read; older ones answer 9000001 (Meta: Conversations API).
pub(crate) const DETAILED_MAX: usize = 20;

/// Threads, and messages of a thread, on one page unless a limit is given.
const PAGE_LENGTH: usize = 25;

/// Lists threads; with `user_id` only the one with that person.
pub(crate) fn list(state: &State, call: &Call, caller: &PageCaller) -> Result<Value, GraphError> {
    caller.requires("pages_messaging")?;
    let page = state.pages.get(&caller.page_id).ok_or_else(|| GraphError::no_object(&caller.page_id))?;
    if call.text("platform").is_some_and(|platform| !platform.eq_ignore_ascii_case("messenger")) {
        return Err(GraphError::parameter("Param platform must be one of {MESSENGER}; others are not simulated"));
    }
    let asked = fields::parse(&call.text("fields").unwrap_or_else(|| "id,updated_time".to_owned()))?;
    let only = call.text("user_id");
    let mut people: Vec<&Person> = page
        .people
        .values()
        .filter(|person| !person.messages.is_empty() && only.as_ref().is_none_or(|id| id == &person.id))
        .collect();
    people.sort_by_key(|person| std::cmp::Reverse(person.messages.back().map(|message| message.at_ms)));
    let threads: Result<Vec<Value>, GraphError> =
        people.into_iter().take(PAGE_LENGTH).map(|person| thread_node(page, person, &asked)).collect();
    Ok(json!({ "data": threads? }))
}

/// Finds a message of the Page; the place counts from the newest of its thread.
pub(crate) fn find<'a>(page: &'a Page, message_id: &str) -> Option<(&'a Person, usize)> {
    page.people.values().find_map(|person| {
        let place = person.messages.iter().rev().position(|message| message.id == message_id)?;
        Some((person, place))
    })
}

/// A message with every field it can have.
pub(crate) fn message_node(page: &Page, person: &Person, message: &Message) -> Value {
    let customer = json!({ "id": person.id, "name": person.name, "email": format!("{}@facebook.com", person.id) });
    let business = json!({ "id": page.id, "name": page.name, "email": format!("{}@facebook.com", page.id) });
    let (from, to) = if message.author == Author::Person { (customer, business) } else { (business, customer) };
    json!({
        "id": message.id,
        "created_time": written_time(message.at_ms),
        "from": from,
        "to": { "data": [to] },
        "message": message.text.as_deref().unwrap_or_default(),
        "attachments": message.attachment.as_ref().map(|attachment| json!({ "data": [attachment] })),
    })
}

fn thread_node(page: &Page, person: &Person, asked: &[Field]) -> Result<Value, GraphError> {
    let mut node = json!({
        "id": format!("t_{}{}", page.id, person.id),
        "updated_time": written_time(person.messages.back().map_or(0, |message| message.at_ms)),
        "participants": { "data": [
            { "id": person.id, "name": person.name }, { "id": page.id, "name": page.name }
        ] },
        "messages": null,
    });
    if let (Some(field), Some(fields)) = (asked.iter().find(|field| field.name == "messages"), node.as_object_mut()) {
        fields.insert("messages".to_owned(), messages_node(page, person, field)?);
    }
    fields::pick(&node, asked, "UnifiedThread")
}

fn messages_node(page: &Page, person: &Person, field: &Field) -> Result<Value, GraphError> {
    let id_only = fields::parse("id,created_time")?;
    let asked = if field.inside.is_empty() { &id_only } else { &field.inside };
    let newest = person.messages.iter().rev().take(field.limit.unwrap_or(PAGE_LENGTH)).enumerate();
    let data: Result<Vec<Value>, GraphError> = newest
        .map(|(place, message)| {
            let detailed = if place < DETAILED_MAX { asked } else { &id_only };
            fields::pick(&message_node(page, person, message), detailed, "Message")
        })
        .collect();
    Ok(json!({ "data": data? }))
}

/// `2026-09-30T12:00:00+0000`, by the civil calendar (Howard Hinnant: days_from_civil, read backwards).
fn written_time(at_ms: i64) -> String {
    let seconds = at_ms.div_euclid(1_000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute) = (second / 3_600, second % 3_600 / 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}+0000", second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_meta_writes_them() {
        assert_eq!(written_time(0), "1970-01-01T00:00:00+0000");
        assert_eq!(written_time(951_826_199_999), "2000-02-29T12:09:59+0000");
        assert_eq!(written_time(1_790_000_000_000), "2026-09-21T14:13:20+0000");
        assert_eq!(written_time(1_798_761_599_000), "2026-12-31T23:59:59+0000");
    }
}
