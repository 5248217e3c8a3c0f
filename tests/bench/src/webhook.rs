//! Webhooks as Meta sends them for Messenger: one item in a body, signed. What a customer writes, and what comes back for
//! each message of a Page: an echo, a delivery, a read.

use bellhop::db::Clock;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::http;

/// Where a page's webhooks go and what they are signed with.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// Path of the callback.
    pub(crate) path: String,
    /// Signs; the floors do not look.
    pub(crate) app_secret: String,
    /// The Page.
    pub(crate) page_id: String,
}

/// What Meta tells of a message that a Page sent.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// Meta's id of it.
    pub(crate) mid: String,
    /// The host's word for it.
    pub(crate) metadata: Option<String>,
    /// What it says.
    pub(crate) text: String,
}

impl Target {
    /// A customer's text as a whole HTTP request. `number` tells messages apart.
    pub(crate) fn message(&self, person: &str, number: u64, text: &str, clock: &Clock) -> Vec<u8> {
        // As long as Meta's own ids are.
        let mid = format!("m_{number:016x}{}", "kR7vQ2xT9bLw4NsYc8HdJf3ZpG6MaE1u".repeat(4));
        let message = json!({ "mid": mid, "text": text });
        self.request(&json!({ "message": message }), (person, &self.page_id), clock)
    }

    /// The three events that follow a message of the Page, in Meta's order.
    pub(crate) fn aftermath(&self, person: &str, reply: &Reply, clock: &Clock) -> [Vec<u8>; 3] {
        let echo = json!({ "message": {
            "mid": reply.mid, "is_echo": true, "app_id": 1_517_776_481_860_111_u64,
            "metadata": reply.metadata, "text": reply.text,
        } });
        let now = clock.now().millis();
        let delivery = json!({ "delivery": { "mids": [reply.mid], "watermark": now } });
        let read = json!({ "read": { "watermark": now } });
        let (page, from_person) = (self.page_id.as_str(), (person, self.page_id.as_str()));
        [
            self.request(&echo, (page, person), clock),
            self.request(&delivery, from_person, clock),
            self.request(&read, from_person, clock),
        ]
    }

    fn request(&self, item: &Value, (sender, recipient): (&str, &str), clock: &Clock) -> Vec<u8> {
        let now = clock.now().millis();
        let mut item = item.clone();
        if let Value::Object(members) = &mut item {
            members.insert("sender".to_owned(), json!({ "id": sender }));
            members.insert("recipient".to_owned(), json!({ "id": recipient }));
            members.insert("timestamp".to_owned(), json!(now));
        }
        let entry = json!({ "id": self.page_id, "time": now, "messaging": [item] });
        let body = json!({ "object": "page", "entry": [entry] }).to_string();
        http::post(&self.path, &format!("x-hub-signature-256: sha256={}", self.sign(body.as_bytes())), body.as_bytes())
    }

    fn sign(&self, body: &[u8]) -> String {
        // HMAC takes a key of any length; there is nothing to be refused.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.app_secret.as_bytes()) else { return String::new() };
        mac.update(body);
        hex::encode(mac.finalize().into_bytes())
    }
}
