//! What the simulator saw: who wrote what, when its webhook was answered, which calls came back. Never asks the host.

use std::collections::HashMap;

use bellhop_simulator::{Author, Ledger, Outcome, Page};
use serde::Serialize;
use serde_json::Value;

/// Webhooks and calls that are looked at, from the newest: more than belong to the turns that are shown.
const MAX_LOOKED_AT: usize = 600;

/// A customer's message on their phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) mid: String,
    pub(super) person_id: String,
    pub(super) person_name: String,
    pub(super) text: Option<String>,
    pub(super) at: i64,
}

/// The webhook of a message.
#[derive(Debug, Clone, Serialize)]
pub(super) struct WebhookView {
    bytes: usize,
    attempts: usize,
    status: Option<u16>,
    answered_at: Option<i64>,
}

/// A call of the Send API.
#[derive(Debug, Clone, Serialize)]
pub(super) struct CallView {
    at: i64,
    version: String,
    has_proof: bool,
    accepted: bool,
    /// Meta's error code.
    code: Option<i64>,
}

/// What customers wrote, oldest first.
pub(super) fn messages(page: &Page) -> Vec<Message> {
    let mut messages: Vec<Message> = Vec::new();
    for person in page.people.values() {
        let theirs = person.messages.iter().filter(|message| message.author == Author::Person);
        messages.extend(theirs.map(|message| Message {
            mid: message.id.clone(),
            person_id: person.id.clone(),
            person_name: person.name.clone(),
            text: message.text.clone(),
            at: message.at_ms,
        }));
    }
    messages.sort_by(|left, right| (left.at, &left.mid).cmp(&(right.at, &right.mid)));
    messages
}

/// The newest webhooks by the id of the message they carried.
pub(super) fn webhooks(ledger: &Ledger) -> HashMap<String, WebhookView> {
    let mut by_message = HashMap::new();
    for post in ledger.webhooks.iter().rev().take(MAX_LOOKED_AT) {
        let Ok(body) = serde_json::from_slice::<Value>(&post.body) else { continue };
        let last = post.attempts.last();
        let view = WebhookView {
            bytes: post.body.len(),
            attempts: post.attempts.len(),
            status: last.and_then(|attempt| attempt.status),
            answered_at: last.map(|attempt| attempt.at_ms),
        };
        for mid in inbound_ids(&body) {
            by_message.insert(mid.to_owned(), view.clone());
        }
    }
    by_message
}

/// Ids of what people wrote or tapped; echoes are our own words.
fn inbound_ids(body: &Value) -> impl Iterator<Item = &str> {
    let entries = body.get("entry").and_then(Value::as_array).into_iter().flatten();
    let items = entries.filter_map(|entry| entry.get("messaging")?.as_array()).flatten();
    items.filter_map(|item| {
        let carrier = item.get("message").or_else(|| item.get("postback"))?;
        let is_echo = carrier.get("is_echo").and_then(Value::as_bool).unwrap_or(false);
        carrier.get("mid").and_then(Value::as_str).filter(|_| !is_echo)
    })
}

/// The newest calls by the delivery they name, each delivery's in order.
pub(super) fn calls(ledger: &Ledger) -> HashMap<String, Vec<CallView>> {
    let mut by_delivery: HashMap<String, Vec<CallView>> = HashMap::new();
    let skipped = ledger.sends.len().saturating_sub(MAX_LOOKED_AT);
    for send in ledger.sends.iter().skip(skipped) {
        let Some(delivery) = send.metadata() else { continue };
        let code = match &send.outcome {
            Outcome::Refused { code, .. } => Some(*code),
            Outcome::Accepted { .. } | Outcome::Action | Outcome::Lost => None,
        };
        by_delivery.entry(delivery.to_owned()).or_default().push(CallView {
            at: send.at_ms,
            version: send.version.clone(),
            has_proof: send.has_proof,
            accepted: send.is_accepted_message(),
            code,
        });
    }
    by_delivery
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_echo_is_nobodys_message() {
        let body = json!({ "entry": [{ "messaging": [
            { "message": { "mid": "m.1", "text": "hi" } },
            { "message": { "mid": "m.2", "is_echo": true } },
            { "postback": { "mid": "m.3" } },
            { "read": { "watermark": 1 } },
        ] }] });
        assert_eq!(inbound_ids(&body).collect::<Vec<_>>(), ["m.1", "m.3"]);
    }
}
