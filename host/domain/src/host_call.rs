//! What a plugin may ask the host during a call: requests and replies of the capability interfaces in `wit/plugin.wit`.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// A record as a plugin sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Made by the host.
    pub id: String,
    /// The document.
    pub json: String,
    /// Grows with each change.
    pub revision: u64,
}

/// A range over a collection in the order of keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// Name of the collection.
    pub collection: String,
    /// Smallest wanted key.
    pub key_from: Option<i64>,
    /// Largest wanted key.
    pub key_to: Option<i64>,
    /// Largest first.
    pub descending: bool,
    /// At most this many.
    pub limit: u32,
}

/// A record found by text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// The record.
    pub entry: Entry,
    /// 0.0 to 1.0: how much of the question's weight the record covers.
    pub score: f64,
}

/// Who wrote a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Author {
    /// The customer.
    Contact,
    /// A plugin.
    Plugin,
    /// A person of the business.
    Agent,
}

/// One line of history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Who.
    pub author: Author,
    /// When.
    pub at: Timestamp,
    /// What, as the grant says.
    pub text: String,
}

/// One message of a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptMessage {
    /// "system", "user" or "assistant".
    pub role: String,
    /// The text.
    pub content: String,
}

/// What a model should complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// Name of the profile.
    pub profile: String,
    /// In order.
    pub messages: Vec<PromptMessage>,
    /// Upper bound of the answer.
    pub max_tokens: u32,
    /// JSON Schema of the answer.
    pub json_schema: Option<String>,
}

/// What a model said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completion {
    /// The text.
    pub content: String,
    /// Tokens read.
    pub tokens_in: u32,
    /// Tokens written.
    pub tokens_out: u32,
    /// Why it ended.
    pub finish: String,
}

/// A reading request to a configured endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpRequest {
    /// Alias.
    pub endpoint: String,
    /// Method.
    pub method: String,
    /// Below the prefix.
    pub path: String,
    /// Not yet encoded.
    pub query: Vec<(String, String)>,
    /// Media type of the body.
    pub content_type: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// What an endpoint said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpResponse {
    /// Status.
    pub status: u16,
    /// Media type.
    pub content_type: String,
    /// Cut at the host's limit.
    pub body: Vec<u8>,
}

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogLevel {
    /// For the developer at work.
    Debug,
    /// Worth knowing.
    Info,
    /// Off and handled.
    Warn,
    /// Failed.
    Error,
}
