//! The books: every send the Graph API received, every webhook that left. Bounded; counts are kept for ever.

use std::collections::VecDeque;

use bytes::Bytes;
use serde::{Serialize, Serializer};
use serde_json::Value;

/// Entries kept of each kind: enough for any test, and a demo that runs for weeks stays small.
const KEPT_MAX: usize = 20_000;

/// What was sent to the simulator and what it sent.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// Calls of the Send API in the order they arrived, oldest first.
    pub sends: VecDeque<Send>,
    /// Webhook requests in the order they were made, oldest first.
    pub webhooks: VecDeque<WebhookPost>,
    /// All messages ever accepted, forgotten ones included.
    pub n_accepted: usize,
    /// All calls of the Send API ever, refused ones included.
    pub n_sends: usize,
    /// All times that threads were listed, refused ones included.
    pub n_lookups: usize,
    /// Those of them that came too fast.
    pub n_lookups_refused: usize,
    /// All webhook requests ever made.
    pub n_webhooks: usize,
    /// All webhook requests that ended: acknowledged, given up or dropped.
    pub n_settled: usize,
}

impl Ledger {
    pub(crate) fn record_send(&mut self, send: Send) {
        self.n_sends += 1;
        self.n_accepted += usize::from(send.is_accepted_message());
        self.sends.push_back(send);
        while self.sends.len() > KEPT_MAX {
            self.sends.pop_front();
        }
    }

    pub(crate) fn record_webhook(&mut self, post: WebhookPost) {
        self.n_webhooks += 1;
        self.webhooks.push_back(post);
        while self.webhooks.len() > KEPT_MAX {
            self.webhooks.pop_front();
        }
    }

    /// The record of a webhook, unless it is long gone.
    pub(crate) fn webhook_mut(&mut self, number: u64) -> Option<&mut WebhookPost> {
        // Numbers are given out in order, so the newest match is found fast from the end.
        self.webhooks.iter_mut().rev().find(|post| post.number == number)
    }

    /// The accepted messages (no typing, nothing refused), oldest first.
    pub fn accepted(&self) -> impl Iterator<Item = &Send> {
        self.sends.iter().filter(|send| send.is_accepted_message())
    }
}

/// One call of the Send API.
#[derive(Debug, Clone, Serialize)]
pub struct Send {
    /// When it arrived, on the simulator's clock.
    pub at_ms: i64,
    /// The version that was called, as in `v25.0`.
    pub version: String,
    /// The Page that spoke.
    pub page_id: String,
    /// Everything received, except tokens and proofs.
    pub body: Value,
    /// Whether it carried an `appsecret_proof`.
    pub has_proof: bool,
    /// What became of it.
    pub outcome: Outcome,
    /// Whether the caller was deliberately left without an answer.
    pub answer_lost: bool,
}

/// What became of a call of the Send API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A message that the person got.
    Accepted {
        /// Its id.
        message_id: String,
        /// The person.
        person_id: String,
    },
    /// A sender action that was carried out.
    Action,
    /// Refused with these codes.
    Refused {
        /// Code.
        code: i64,
        /// Subcode.
        subcode: Option<i64>,
    },
    /// The connection was cut before anything was done.
    Lost,
}

impl Send {
    /// Whether it is a message that reached the person.
    pub fn is_accepted_message(&self) -> bool {
        matches!(self.outcome, Outcome::Accepted { .. })
    }

    /// The text of the message.
    pub fn text(&self) -> Option<&str> {
        self.body.pointer("/message/text")?.as_str()
    }

    /// The sender's own note on the message, which the echo repeats.
    pub fn metadata(&self) -> Option<&str> {
        self.body.pointer("/message/metadata")?.as_str()
    }

    /// The page-scoped id it was addressed to.
    pub fn recipient(&self) -> Option<&str> {
        self.body.pointer("/recipient/id")?.as_str()
    }

    /// The titles of its quick replies.
    pub fn quick_replies(&self) -> Vec<&str> {
        let replies = self.body.pointer("/message/quick_replies").and_then(Value::as_array);
        replies.into_iter().flatten().filter_map(|reply| reply.get("title")?.as_str()).collect()
    }
}

/// One webhook request: a body that is sent, byte for byte the same at every attempt.
#[derive(Debug, Clone, Serialize)]
pub struct WebhookPost {
    /// Its place in the order of all webhook requests, from 1.
    pub number: u64,
    /// The app whose callback gets it.
    pub app_id: String,
    /// The Pages it is about.
    pub page_ids: Vec<String>,
    /// The bytes on the wire.
    #[serde(serialize_with = "as_text")]
    pub body: Bytes,
    /// What happened so far.
    pub attempts: Vec<Attempt>,
    /// Whether it is over.
    pub state: PostState,
}

/// One attempt to hand over a webhook request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// When the answer came or the attempt ended, on the simulator's clock.
    pub at_ms: i64,
    /// HTTP status; `None` after a timeout or a refused connection.
    pub status: Option<u16>,
}

/// How far a webhook request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PostState {
    /// Under way, or waiting for its next attempt.
    Open,
    /// Answered 200.
    Acknowledged,
    /// All attempts failed.
    GivenUp,
    /// Lost on purpose before the first attempt.
    Dropped,
}

// Bodies are ASCII by construction, so nothing is lost.
fn as_text<S: Serializer>(body: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(body))
}
