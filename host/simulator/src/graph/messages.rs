//! `POST /{page}/messages`: messages and sender actions to people, and the one private reply to a comment.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::error::GraphError;
use crate::graph::auth::PageCaller;
use crate::graph::call::Call;
use crate::graph::rules::{self, Action, Outgoing, Wanted};
use crate::state::{Author, Message, SEVEN_DAYS_MS, State, Status, WINDOW_MS};
use crate::webhook;
use crate::webhook::item::Thread;
use crate::world::{Happening, World};

/// Tags that every request fails with since 2026-04-27 (Meta: Message tags).
const DEAD_TAGS: [&str; 3] = ["ACCOUNT_UPDATE", "CONFIRMED_EVENT_UPDATE", "POST_PURCHASE_UPDATE"];

/// To whom: a person, or the author of a comment.
#[derive(Debug)]
enum Recipient {
    Person(String),
    Comment(String),
}

/// Which rule about time applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Window,
    HumanAgent,
}

/// Sends, or says why not.
pub(crate) fn send(
    world: &Arc<World>,
    state: &mut State,
    call: &Call,
    caller: &PageCaller,
) -> Result<Value, GraphError> {
    caller.requires("pages_messaging")?;
    let wanted = rules::read(&call.params)?;
    let recipient = recipient(call)?;
    let rule = match (&wanted, &recipient) {
        (Wanted::Message(_), Recipient::Person(_)) => rule(state, call, &caller.page_id)?,
        _ => Rule::Window,
    };
    let now_ms = world.clock.now_ms();
    match (recipient, wanted) {
        (Recipient::Person(person_id), wanted) => {
            check_person(state, &caller.page_id, &person_id, rule, now_ms)?;
            let thread = Thread { page_id: &caller.page_id, person_id: &person_id };
            match wanted {
                Wanted::Message(outgoing) => Ok(deliver(world, state, thread, outgoing)),
                Wanted::Action(action) => act(world, state, thread, &action),
            }
        }
        (Recipient::Comment(comment_id), Wanted::Message(outgoing)) => {
            let person_id = spend_private_reply(state, &caller.page_id, &comment_id, now_ms)?;
            let thread = Thread { page_id: &caller.page_id, person_id: &person_id };
            Ok(deliver(world, state, thread, outgoing))
        }
        (Recipient::Comment(_), Wanted::Action(_)) => {
            Err(GraphError::parameter("A sender_action needs a recipient[id]"))
        }
    }
}

fn recipient(call: &Call) -> Result<Recipient, GraphError> {
    let recipient = call
        .params
        .get("recipient")
        .and_then(Value::as_object)
        .ok_or_else(|| GraphError::parameter("The parameter recipient is required"))?;
    let mut named = recipient.iter();
    let (Some((key, value)), None) = (named.next(), named.next()) else {
        return Err(GraphError::parameter("Param recipient must have exactly one key"));
    };
    let id = match value {
        Value::String(text) if !text.is_empty() => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return Err(GraphError::parameter(format!("Param recipient[{key}] must be a valid ID string"))),
    };
    match key.as_str() {
        "id" => Ok(Recipient::Person(id)),
        "comment_id" => Ok(Recipient::Comment(id)),
        unknown => Err(GraphError::parameter(format!("Invalid keys \"{unknown}\" were found in param \"recipient\""))),
    }
}

/// Reads `messaging_type` and `tag`. Meta took requests without a type for years; here it is an error.
fn rule(state: &State, call: &Call, page_id: &str) -> Result<Rule, GraphError> {
    match (call.text("messaging_type").as_deref(), call.text("tag").as_deref()) {
        (Some("RESPONSE" | "UPDATE"), None) => Ok(Rule::Window),
        (Some("MESSAGE_TAG"), Some("HUMAN_AGENT")) => {
            if state.app_of(page_id).is_some_and(|app| app.human_agent) {
                Ok(Rule::HumanAgent)
            } else {
                Err(GraphError::new(200, None).saying("(#200) The app does not have the feature Human Agent"))
            }
        }
        (Some("MESSAGE_TAG"), Some(dead)) if DEAD_TAGS.contains(&dead) => {
            Err(GraphError::parameter(format!("The message tag {dead} is no longer available")))
        }
        (Some("MESSAGE_TAG"), _) => Err(GraphError::parameter("Param tag must be a valid message tag")),
        _ => Err(GraphError::parameter("Param messaging_type must be one of {RESPONSE, UPDATE, MESSAGE_TAG}")),
    }
}

fn check_person(state: &State, page_id: &str, person_id: &str, rule: Rule, now_ms: i64) -> Result<(), GraphError> {
    let person = state.person(page_id, person_id).ok_or_else(|| GraphError::new(100, Some(2_018_001)))?;
    if person.blocked {
        return Err(GraphError::new(551, Some(1_545_041)));
    }
    let ours = state.app_of(page_id).map(|app| app.id.as_str());
    if person.owner_app.is_some() && person.owner_app.as_deref() != ours {
        return Err(GraphError::new(100, Some(2_018_300)));
    }
    let length_ms = if rule == Rule::HumanAgent { SEVEN_DAYS_MS } else { WINDOW_MS };
    if !person.wrote_within(length_ms, now_ms) {
        return Err(GraphError::new(10, Some(2_018_278)));
    }
    Ok(())
}

/// Marks the comment as answered and says who wrote it.
fn spend_private_reply(state: &mut State, page_id: &str, comment_id: &str, now_ms: i64) -> Result<String, GraphError> {
    let comment = state
        .comments
        .get_mut(comment_id)
        .filter(|comment| comment.page_id == page_id)
        .ok_or_else(|| GraphError::no_object(comment_id))?;
    if comment.answered {
        return Err(GraphError::new(10_900, None));
    }
    if now_ms >= comment.created_at_ms.saturating_add(SEVEN_DAYS_MS) {
        return Err(GraphError::new(10_902, None));
    }
    comment.answered = true;
    Ok(comment.person_id.clone())
}

fn deliver(world: &Arc<World>, state: &mut State, thread: Thread<'_>, outgoing: Outgoing) -> Value {
    let message = Message {
        id: state.ids.message_id(),
        author: Author::Page,
        text: outgoing.text,
        quick_replies: outgoing.quick_replies,
        attachment: outgoing.attachment,
        at_ms: world.clock.now_ms(),
        status: Status::Sent,
        reaction: None,
    };
    mark_seen(world, state, thread);
    if let Some(person) = state.person_mut(thread.page_id, thread.person_id) {
        person.remember(message.clone());
    }
    let (page, person) = (thread.page_id.to_owned(), thread.person_id.to_owned());
    world.announce(Happening::Message { page, person, message: message.clone() });
    webhook::item::follow_up(world, state, thread, &message, outgoing.metadata.as_deref());
    json!({ "recipient_id": thread.person_id, "message_id": message.id })
}

fn act(world: &World, state: &mut State, thread: Thread<'_>, action: &Action) -> Result<Value, GraphError> {
    let (page, person) = (thread.page_id.to_owned(), thread.person_id.to_owned());
    match action {
        Action::Typing(on) => world.announce(Happening::Typing { page, person, on: *on }),
        Action::MarkSeen => mark_seen(world, state, thread),
        Action::React { message_id, emoji } => {
            let message = state
                .person_mut(&page, &person)
                .and_then(|person| person.messages.iter_mut().find(|message| &message.id == message_id))
                .ok_or_else(|| GraphError::no_object(message_id))?;
            message.reaction.clone_from(emoji);
            let (message, emoji) = (message_id.clone(), emoji.clone());
            world.announce(Happening::Reaction { page, person, message, emoji });
        }
    }
    Ok(json!({ "recipient_id": thread.person_id }))
}

/// The Page looked at the thread.
fn mark_seen(world: &World, state: &mut State, thread: Thread<'_>) {
    let Some(person) = state.person_mut(thread.page_id, thread.person_id) else { return };
    for message in person.messages.iter_mut().filter(|message| message.author == Author::Person) {
        message.status = Status::Read;
    }
    world.announce(Happening::Progress {
        page: thread.page_id.to_owned(),
        person: thread.person_id.to_owned(),
        message: None,
        status: Status::Read,
    });
}
