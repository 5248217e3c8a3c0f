//! What a plugin is shown: the event, the context, and the one shape of a fault. The words of `wit/types.wit`.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// The one error shape between host and plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Fault {
    /// Open-ended: "denied", "quota", "not-found", "invalid", "unavailable", "internal".
    pub code: String,
    /// One sentence for a person.
    pub message: String,
    /// The capability or scope that was missing.
    pub grant: Option<String>,
    /// When the same call may succeed.
    pub retry_after_ms: Option<u32>,
}

impl Fault {
    /// The code of whoever failed himself: the host in what it answers a plugin, the plugin in what it answers the host.
    pub const INTERNAL: &str = "internal";

    /// A fault with a code and a sentence.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), grant: None, retry_after_ms: None }
    }

    /// The grant does not hold what was asked for.
    pub fn denied(grant: &str) -> Self {
        Self {
            grant: Some(grant.to_owned()),
            ..Self::new("denied", format!("`{grant}` is not granted on this channel"))
        }
    }
}

/// A file the contact sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// "image", "video", "audio", "file", "sticker", "location", …
    pub kind: String,
    /// Media type, empty when unknown.
    pub mime: String,
    /// Size, 0 when unknown.
    pub bytes: u64,
    /// What `media.read` takes; empty when the bytes cannot be read.
    pub handle: String,
}

/// Something the contact wrote or tapped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The host's id of the message.
    pub id: String,
    /// When it was sent, by Meta's clock.
    pub at: Timestamp,
    /// What was written, as the grant says.
    pub text: Option<String>,
    /// The payload of a button or quick reply.
    pub payload: Option<String>,
    /// In order.
    pub attachments: Vec<Attachment>,
    /// The message this one answers.
    pub reply_to: Option<String>,
    /// Older than a message that was already answered.
    pub late: bool,
}

/// A comment under a post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// What was written, as the grant says.
    pub text: Option<String>,
    /// The host's reference of the post.
    pub post: String,
    /// The comment this one answers.
    pub parent: Option<String>,
}

/// A timer that came due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    /// The key it was set with.
    pub key: String,
    /// The payload it was set with.
    pub payload: String,
}

/// What came back for a `call` effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// Key of the effect.
    pub key: String,
    /// HTTP status.
    pub status: u16,
    /// Media type.
    pub content_type: String,
    /// Cut at the host's limit.
    pub body: Vec<u8>,
}

/// An event that the contract has no case for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomEvent {
    /// What happened.
    pub kind: String,
    /// Version of the JSON's shape.
    pub version: u32,
    /// The data.
    pub json: String,
}

/// What a plugin is told has happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PluginEvent {
    /// All that settled together, oldest first, never empty.
    Messages(Vec<Message>),
    /// A comment.
    Comment(Comment),
    /// A timer.
    Timer(Timer),
    /// A response.
    Response(Response),
    /// Anything else.
    Custom(CustomEvent),
}

/// All that a plugin may know without asking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// The turn's id.
    pub turn: String,
    /// The time of the attempt.
    pub now: Timestamp,
    /// Chance for this attempt.
    pub seed: u64,
    /// Name of the channel's kind.
    pub channel_kind: String,
    /// The contact's pseudonym for this plugin and channel.
    pub contact: String,
    /// BCP 47.
    pub locale: String,
    /// IANA name.
    pub time_zone: String,
    /// When the reply window closes.
    pub reply_window_closes: Option<Timestamp>,
    /// Settings, valid against the manifest's schema.
    pub settings_json: String,
    /// What the plugin left behind last time.
    pub session_json: Option<String>,
    /// The plugin kept the floor.
    pub holds_floor: bool,
    /// A shadow run.
    pub dry_run: bool,
    /// Pairs of name and value.
    pub facts: Vec<(String, String)>,
}
