//! What a message may carry (Meta: Send API reference). Where Meta's text is vague the stricter reading is taken.
//!
//! Reads a request into what is to be shown; never looks at people or windows.

use serde_json::{Map, Value};

use crate::error::GraphError;
use crate::graph::templates;
use crate::state::QuickReply;

/// Longest text, in characters.
const TEXT_MAX: usize = 2_000;
/// Most quick replies of one message.
const QUICK_REPLIES_MAX: usize = 13;
/// Longest title of a quick reply or a button, in characters. Meta cuts it; here it is an error.
pub(crate) const TITLE_MAX: usize = 20;
/// Longest payload, in bytes.
pub(crate) const PAYLOAD_MAX: usize = 1_000;
/// Longest `metadata`, in bytes.
const METADATA_MAX: usize = 1_000;
/// Most images in `attachments`.
const IMAGES_MAX: usize = 30;

const MESSAGE_KEYS: [&str; 6] = ["attachment", "attachments", "metadata", "quick_replies", "sticker_id", "text"];
const QUICK_REPLY_KEYS: [&str; 4] = ["content_type", "image_url", "payload", "title"];

/// What a request wants to do.
#[derive(Debug)]
pub(crate) enum Wanted {
    Message(Outgoing),
    Action(Action),
}

/// A message that may be shown.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    pub(crate) text: Option<String>,
    pub(crate) quick_replies: Vec<QuickReply>,
    pub(crate) attachment: Option<Value>,
    pub(crate) metadata: Option<String>,
}

/// A sender action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    Typing(bool),
    MarkSeen,
    React { message_id: String, emoji: Option<String> },
}

/// Reads what a request wants.
///
/// # Errors
/// 100, with 2018014 when it carries both a message and an action.
pub(crate) fn read(params: &Map<String, Value>) -> Result<Wanted, GraphError> {
    match (params.get("message"), params.get("sender_action")) {
        (Some(_), Some(_)) => Err(GraphError::new(100, Some(2_018_014))),
        (None, None) => Err(GraphError::parameter("Either message or sender_action is required")),
        (None, Some(action)) => read_action(action, params.get("payload")).map(Wanted::Action),
        (Some(message), None) => read_message(message).map(Wanted::Message),
    }
}

fn read_action(action: &Value, payload: Option<&Value>) -> Result<Action, GraphError> {
    let in_payload = |key: &str| {
        payload
            .and_then(|payload| payload.get(key)?.as_str())
            .map(str::to_owned)
            .ok_or_else(|| GraphError::parameter(format!("Param payload[{key}] is required for this sender_action")))
    };
    match action.as_str() {
        Some("typing_on") => Ok(Action::Typing(true)),
        Some("typing_off") => Ok(Action::Typing(false)),
        Some("mark_seen") => Ok(Action::MarkSeen),
        Some("react") => {
            Ok(Action::React { message_id: in_payload("message_id")?, emoji: Some(in_payload("reaction")?) })
        }
        Some("unreact") => Ok(Action::React { message_id: in_payload("message_id")?, emoji: None }),
        _ => Err(GraphError::parameter(
            "Param sender_action must be one of {TYPING_ON, TYPING_OFF, MARK_SEEN, REACT, UNREACT}",
        )),
    }
}

fn read_message(message: &Value) -> Result<Outgoing, GraphError> {
    let fields = object(message, "message", &MESSAGE_KEYS)?;
    let mut outgoing = Outgoing { metadata: metadata(fields)?, ..Outgoing::default() };
    if let Some(text) = fields.get("text") {
        outgoing.text = Some(required_text(Some(text), "message[text]", Limit::Characters(TEXT_MAX))?);
    }
    outgoing.attachment = attachment(fields)?;
    if outgoing.text.is_some() == outgoing.attachment.is_some() {
        return Err(GraphError::parameter("A message carries either a text or an attachment"));
    }
    if let Some(replies) = fields.get("quick_replies") {
        outgoing.quick_replies = quick_replies(replies)?;
    }
    Ok(outgoing)
}

fn metadata(fields: &Map<String, Value>) -> Result<Option<String>, GraphError> {
    let Some(metadata) = fields.get("metadata") else { return Ok(None) };
    required_text(Some(metadata), "message[metadata]", Limit::Bytes(METADATA_MAX)).map(Some)
}

fn quick_replies(replies: &Value) -> Result<Vec<QuickReply>, GraphError> {
    let replies = replies.as_array().ok_or_else(|| GraphError::parameter("Param quick_replies must be an array"))?;
    if replies.len() > QUICK_REPLIES_MAX {
        return Err(too_long("message[quick_replies]", QUICK_REPLIES_MAX));
    }
    replies.iter().map(quick_reply).collect()
}

fn quick_reply(reply: &Value) -> Result<QuickReply, GraphError> {
    let fields = object(reply, "quick_replies", &QUICK_REPLY_KEYS)?;
    match fields.get("content_type").and_then(Value::as_str) {
        Some("text") => Ok(QuickReply {
            title: required_text(fields.get("title"), "quick_replies[title]", Limit::Characters(TITLE_MAX))?,
            payload: required_text(fields.get("payload"), "quick_replies[payload]", Limit::Bytes(PAYLOAD_MAX))?,
        }),
        Some("user_phone_number") => Ok(QuickReply { title: "Phone number".to_owned(), payload: String::new() }),
        Some("user_email") => Ok(QuickReply { title: "E-mail address".to_owned(), payload: String::new() }),
        _ => Err(GraphError::parameter(
            "Param quick_replies[content_type] must be one of {TEXT, USER_PHONE_NUMBER, USER_EMAIL}",
        )),
    }
}

fn attachment(fields: &Map<String, Value>) -> Result<Option<Value>, GraphError> {
    match (fields.get("attachment"), fields.get("attachments"), fields.get("sticker_id")) {
        (None, None, None) => Ok(None),
        (Some(one), None, None) => checked_attachment(one).map(Some),
        (None, Some(several), None) => images(several).map(Some),
        (None, None, Some(sticker)) => Ok(Some(serde_json::json!({
            "type": "sticker", "payload": { "sticker_id": sticker }
        }))),
        _ => Err(GraphError::parameter("Only one of attachment, attachments and sticker_id is allowed")),
    }
}

fn checked_attachment(attachment: &Value) -> Result<Value, GraphError> {
    let payload = attachment.get("payload").unwrap_or(&Value::Null);
    match attachment.get("type").and_then(Value::as_str) {
        Some("template") => templates::check(payload)?,
        Some("image" | "video" | "audio" | "file") => {
            let has = |key: &str| payload.get(key).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
            if has("url") == has("attachment_id") {
                return Err(GraphError::parameter("Param attachment[payload] takes either url or attachment_id"));
            }
        }
        _ => {
            return Err(GraphError::parameter(
                "Param attachment[type] must be one of {IMAGE, VIDEO, AUDIO, FILE, TEMPLATE}",
            ));
        }
    }
    Ok(attachment.clone())
}

fn images(several: &Value) -> Result<Value, GraphError> {
    let list = several
        .as_array()
        .filter(|list| !list.is_empty())
        .ok_or_else(|| GraphError::parameter("Param message[attachments] must be an array of one or more images"))?;
    if list.len() > IMAGES_MAX {
        return Err(too_long("message[attachments]", IMAGES_MAX));
    }
    for image in list {
        if image.get("type").and_then(Value::as_str) != Some("image") {
            return Err(GraphError::parameter("Param message[attachments] takes images only"));
        }
        checked_attachment(image)?;
    }
    Ok(several.clone())
}

/// How a length is counted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    Characters(usize),
    Bytes(usize),
}

/// A text that is there, not blank and not too long.
pub(crate) fn required_text(value: Option<&Value>, name: &str, limit: Limit) -> Result<String, GraphError> {
    let text = value
        .and_then(Value::as_str)
        .filter(|text| !text.trim().is_empty())
        .ok_or_else(|| GraphError::parameter(format!("Param {name} must be a non-empty UTF-8 encoded string")))?;
    let (length, most) = match limit {
        Limit::Characters(most) => (text.chars().count(), most),
        Limit::Bytes(most) => (text.len(), most),
    };
    if length > most { Err(too_long(name, most)) } else { Ok(text.to_owned()) }
}

pub(crate) fn too_long(name: &str, most: usize) -> GraphError {
    GraphError::parameter(format!("Length of param {name} must be less than or equal to {most}"))
}

/// An object without unknown keys.
fn object<'a>(value: &'a Value, name: &str, keys: &[&str]) -> Result<&'a Map<String, Value>, GraphError> {
    let fields =
        value.as_object().ok_or_else(|| GraphError::parameter(format!("Param {name} must be a JSON object")))?;
    match fields.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(unknown) => {
            Err(GraphError::parameter(format!("Invalid keys \"{unknown}\" were found in param \"{name}\"")))
        }
        None => Ok(fields),
    }
}

#[cfg(test)]
mod tests;
