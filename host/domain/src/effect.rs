//! What a plugin wants to happen, as data. The words of `wit/effects.wit`.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Something the contact can tap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What the contact reads.
    pub title: String,
    /// What comes back.
    pub payload: String,
}

/// A card with a picture and choices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// First line.
    pub title: String,
    /// Second line.
    pub subtitle: Option<String>,
    /// Media handle or listed URL.
    pub image: Option<String>,
    /// What can be tapped.
    pub choices: Vec<Choice>,
}

/// A reply in this conversation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Say {
    /// The text.
    pub text: String,
    /// Choices under it.
    pub choices: Vec<Choice>,
    /// Cards after it.
    pub cards: Vec<Card>,
    /// Media handles.
    pub media: Vec<String>,
}

/// A person should take over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handoff {
    /// Short reason.
    pub reason: String,
    /// What staff should know.
    pub summary: Option<String>,
}

/// A value kept with the contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// Listed in the grant.
    pub name: String,
    /// Empty forgets.
    pub value: String,
}

/// Asks for a timer event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetTimer {
    /// Names the timer.
    pub key: String,
    /// When it is due.
    pub at: Timestamp,
    /// Comes back.
    pub payload: String,
}

/// An approved template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// Its name.
    pub name: String,
    /// Language as Meta names it.
    pub language: String,
    /// Positional.
    pub parameters: Vec<String>,
}

/// A call that changes the other side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Idempotency key.
    pub key: String,
    /// Alias of the endpoint.
    pub endpoint: String,
    /// HTTP method.
    pub method: String,
    /// Below the prefix.
    pub path: String,
    /// Media type.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

/// An effect that the contract has no case for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomEffect {
    /// Which.
    pub kind: String,
    /// Version of the JSON's shape.
    pub version: u32,
    /// The data.
    pub json: String,
}

/// One thing that should happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Reply in this conversation.
    Say(Say),
    /// Public answer under the comment.
    CommentReply(String),
    /// One private message to the comment's author.
    PrivateReply(String),
    /// Hide the comment.
    HideComment,
    /// Give the conversation to a person.
    Handoff(Handoff),
    /// Keep a value with the contact.
    SetAttribute(Attribute),
    /// Tag the conversation.
    AddTag(String),
    /// A note for staff.
    Note(String),
    /// Ask for a timer event.
    SetTimer(SetTimer),
    /// Forget a timer.
    CancelTimer(String),
    /// Send a template.
    SendTemplate(Template),
    /// Change another system.
    Call(Call),
    /// Anything else.
    Custom(CustomEffect),
}

impl Effect {
    /// The name of its kind, as in the contract: what scopes, traces and metrics call it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Say(_) => "say",
            Self::CommentReply(_) => "comment-reply",
            Self::PrivateReply(_) => "private-reply",
            Self::HideComment => "hide-comment",
            Self::Handoff(_) => "handoff",
            Self::SetAttribute(_) => "set-attribute",
            Self::AddTag(_) => "add-tag",
            Self::Note(_) => "note",
            Self::SetTimer(_) => "set-timer",
            Self::CancelTimer(_) => "cancel-timer",
            Self::SendTemplate(_) => "send-template",
            Self::Call(_) => "call",
            Self::Custom(_) => "custom",
        }
    }
}

/// An effect with the plugin's reason for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// What should happen.
    pub effect: Effect,
    /// Why.
    pub because: Option<String>,
}

/// What a plugin that answered leaves behind.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// In order.
    pub proposals: Vec<Proposal>,
    /// `None` forgets.
    pub session_json: Option<String>,
    /// Keep the floor.
    pub hold: bool,
}

/// The result of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Not mine.
    Pass,
    /// Mine.
    Done(Outcome),
}
