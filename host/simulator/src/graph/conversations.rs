//! `GET /{page}/conversations`: the threads of a Page, newest first, with the end of each.

use serde_json::{Value, json};

use crate::error::GraphError;
use crate::graph::auth::PageCaller;
use crate::graph::call::Call;
use crate::graph::fields::{self, Field};
use crate::graph::written::written_time;
use crate::state::{Author, Message, Page, Person, State};

/// Messages of a thread whose details can be read; older ones answer 9000001 (Meta: Conversations API).
pub(crate) const DETAILED_MAX: usize = 20;

/// Threads, and messages of a thread, on one page unless a limit is given.
const PAGE_LENGTH: usize = 25;

/// Calls of one Page in a second (Meta: Messenger Platform rate limits, Conversations API).
const CALLS_MAX: usize = 2;

/// Lists threads; with `user_id` only the one with that person. What was said a moment ago may not be shown yet.
pub(crate) fn list(state: &mut State, call: &Call, caller: &PageCaller, now_ms: i64) -> Result<Value, GraphError> {
    state.ledger.n_lookups += 1;
    caller.requires("pages_messaging")?;
    let calls = state.lookups.entry(caller.page_id.clone()).or_default();
    calls.retain(|at_ms| now_ms < at_ms.saturating_add(1_000));
    if calls.len() >= CALLS_MAX {
        state.ledger.n_lookups_refused += 1;
        return Err(GraphError::new(613, None));
    }
    calls.push(now_ms);
    let until_ms = now_ms.saturating_sub(state.troubles.threads_lag_ms);
    let page = state.pages.get(&caller.page_id).ok_or_else(|| GraphError::no_object(&caller.page_id))?;
    if call.text("platform").is_some_and(|platform| !platform.eq_ignore_ascii_case("messenger")) {
        return Err(GraphError::parameter("Param platform must be one of {MESSENGER}; others are not simulated"));
    }
    let asked = fields::parse(&call.text("fields").unwrap_or_else(|| "id,updated_time".to_owned()))?;
    let only = call.text("user_id");
    let mut people: Vec<&Person> = page
        .people
        .values()
        .filter(|person| shown(person, until_ms).next().is_some() && only.as_ref().is_none_or(|id| id == &person.id))
        .collect();
    people.sort_by_key(|person| std::cmp::Reverse(shown(person, until_ms).next().map(|message| message.at_ms)));
    let threads: Result<Vec<Value>, GraphError> =
        people.into_iter().take(PAGE_LENGTH).map(|person| thread_node(page, person, &asked, until_ms)).collect();
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

/// The messages that are shown, newest first.
fn shown(person: &Person, until_ms: i64) -> impl Iterator<Item = &Message> {
    person.messages.iter().rev().filter(move |message| message.at_ms <= until_ms)
}

fn thread_node(page: &Page, person: &Person, asked: &[Field], until_ms: i64) -> Result<Value, GraphError> {
    let mut node = json!({
        "id": format!("t_{}{}", page.id, person.id),
        "updated_time": written_time(shown(person, until_ms).next().map_or(0, |message| message.at_ms)),
        "participants": { "data": [
            { "id": person.id, "name": person.name }, { "id": page.id, "name": page.name }
        ] },
        "messages": null,
    });
    if let (Some(field), Some(fields)) = (asked.iter().find(|field| field.name == "messages"), node.as_object_mut()) {
        fields.insert("messages".to_owned(), messages_node(page, person, field, until_ms)?);
    }
    fields::pick(&node, asked, "UnifiedThread")
}

fn messages_node(page: &Page, person: &Person, field: &Field, until_ms: i64) -> Result<Value, GraphError> {
    let id_only = fields::parse("id,created_time")?;
    let asked = if field.inside.is_empty() { &id_only } else { &field.inside };
    let limit = field.limit.unwrap_or(PAGE_LENGTH);
    let newest = shown(person, until_ms).take(limit).enumerate();
    let data: Result<Vec<Value>, GraphError> = newest
        .map(|(place, message)| {
            let detailed = if place < DETAILED_MAX { asked } else { &id_only };
            fields::pick(&message_node(page, person, message), detailed, "Message")
        })
        .collect();
    let cursor = |message: Option<&Message>| message.map(|message| message.id.clone());
    let (first, last) = (shown(person, until_ms).next(), shown(person, until_ms).take(limit).last());
    let mut paging = json!({ "cursors": { "before": cursor(first), "after": cursor(last) } });
    if shown(person, until_ms).nth(limit).is_some()
        && let Some(fields) = paging.as_object_mut()
    {
        fields.insert(
            "next".to_owned(),
            format!("https://graph.facebook.com/t_{}{}/messages", page.id, person.id).into(),
        );
    }
    Ok(json!({ "data": data?, "paging": paging }))
}
