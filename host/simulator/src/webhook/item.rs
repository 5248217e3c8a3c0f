//! The items of a webhook: one function per kind, in the shape Meta gives it (Meta: Messenger webhook events).

use serde_json::{Value, json};

use crate::state::{Message, State};
use crate::webhook::{Event, Place};
use crate::world::World;

/// Where an event belongs: Page and person.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Thread<'a> {
    pub(crate) page_id: &'a str,
    pub(crate) person_id: &'a str,
}

impl Thread<'_> {
    fn event(self, field: &'static str, item: Value) -> Event {
        Event {
            page_id: self.page_id.to_owned(),
            person_id: self.person_id.to_owned(),
            field,
            place: Place::Messaging,
            item,
            message_id: None,
        }
    }

    /// What a person did: they are the sender.
    fn by_person(self, field: &'static str, at_ms: i64, key: &str, value: Value) -> Event {
        let mut item = json!({
            "sender": { "id": self.person_id },
            "recipient": { "id": self.page_id },
            "timestamp": at_ms,
        });
        if let Some(fields) = item.as_object_mut() {
            fields.insert(key.to_owned(), value);
        }
        self.event(field, item)
    }

    /// A message; `message` holds everything but its id.
    pub(crate) fn message(self, message_id: &str, at_ms: i64, mut message: Value) -> Event {
        if let Some(fields) = message.as_object_mut() {
            fields.insert("mid".to_owned(), message_id.into());
        }
        let mut event = self.by_person("messages", at_ms, "message", message);
        event.message_id = Some(message_id.to_owned());
        event
    }

    /// A tap on a button, a menu or Get Started.
    pub(crate) fn postback(self, message_id: &str, at_ms: i64, title: &str, payload: &str) -> Event {
        let postback = json!({ "mid": message_id, "title": title, "payload": payload });
        let mut event = self.by_person("messaging_postbacks", at_ms, "postback", postback);
        event.message_id = Some(message_id.to_owned());
        event
    }

    /// A reaction to a message, or its end when there is no emoji.
    pub(crate) fn reaction(self, at_ms: i64, message_id: &str, emoji: Option<&str>) -> Event {
        let reaction = match emoji {
            Some(emoji) => {
                json!({ "action": "react", "mid": message_id, "emoji": emoji, "reaction": reaction_name(emoji) })
            }
            None => json!({ "action": "unreact", "mid": message_id }),
        };
        self.by_person("message_reactions", at_ms, "reaction", reaction)
    }

    /// The person saw everything up to `at_ms`.
    pub(crate) fn read(self, at_ms: i64) -> Event {
        self.by_person("message_reads", at_ms, "read", json!({ "watermark": at_ms }))
    }

    /// The person's device has a message. Meta sends no message id of its own and no timestamp with it.
    pub(crate) fn delivery(self, message_id: &str, at_ms: i64) -> Event {
        let item = json!({
            "sender": { "id": self.person_id },
            "recipient": { "id": self.page_id },
            "delivery": { "mids": [message_id], "watermark": at_ms },
        });
        self.event("message_deliveries", item)
    }

    /// A message of the Page comes back. `app_id` is a number when an app sent it.
    pub(crate) fn echo(self, message: &Message, app_id: Option<&str>, metadata: Option<&str>) -> Event {
        let mut echo = json!({ "is_echo": true, "mid": message.id });
        if let Some(fields) = echo.as_object_mut() {
            if let Some(number) = app_id.and_then(|id| id.parse::<u64>().ok()) {
                fields.insert("app_id".to_owned(), number.into());
            }
            if let Some(text) = &message.text {
                fields.insert("text".to_owned(), text.as_str().into());
            }
            if let Some(attachment) = &message.attachment {
                fields.insert("attachments".to_owned(), Value::Array(vec![attachment.clone()]));
            }
            if let Some(metadata) = metadata {
                fields.insert("metadata".to_owned(), metadata.into());
            }
        }
        let item = json!({
            "sender": { "id": self.page_id },
            "recipient": { "id": self.person_id },
            "timestamp": message.at_ms,
            "message": echo,
        });
        self.event("message_echoes", item)
    }

    /// A comment under a post of the Page.
    pub(crate) fn comment(self, comment_id: &str, at_ms: i64, name: &str, text: &str) -> Event {
        let post_id = comment_id.rsplit_once('_').map_or(comment_id, |(post, _)| post);
        let post_id = format!("{}_{post_id}", self.page_id);
        let item = json!({ "field": "feed", "value": {
            "item": "comment",
            "verb": "add",
            "comment_id": comment_id,
            "post_id": post_id,
            "parent_id": post_id,
            "created_time": at_ms / 1_000,
            "from": { "id": self.person_id, "name": name },
            "message": text,
            "post": { "status_type": "mobile_status_update", "is_published": true, "id": post_id },
        }});
        Event { place: Place::Changes, ..self.event("feed", item) }
    }
}

/// Sends the events that follow a message of the Page: echo, delivery, read, each if it is the habit.
pub(crate) fn follow_up(
    world: &std::sync::Arc<World>,
    state: &mut State,
    thread: Thread<'_>,
    message: &Message,
    metadata: Option<&str>,
) {
    let habits = world.habits();
    if habits.echoes {
        let app_id = state.app_of(thread.page_id).map(|app| app.id.clone());
        super::emit(world, state, thread.echo(message, app_id.as_deref(), metadata));
    }
    if habits.deliveries {
        super::emit(world, state, thread.delivery(&message.id, message.at_ms));
    }
    if habits.reads {
        super::emit(world, state, thread.read(message.at_ms));
    }
}

fn reaction_name(emoji: &str) -> &'static str {
    match emoji {
        "😆" => "smile",
        "😠" => "angry",
        "😢" => "sad",
        "😮" => "wow",
        "❤" | "❤️" => "love",
        "👍" => "like",
        "👎" => "dislike",
        _ => "other",
    }
}
