//! Letters: the webhooks that the simulator wrote. It loses all of them, and the case delivers what it wants, when and as often
//! as it wants, to the host that it wants.

use std::collections::HashMap;

use bytes::Bytes;
use serde_json::{Value, json};

use super::expect::News;
use super::step::{What, Who};

/// One webhook.
#[derive(Debug, Clone)]
pub(super) struct Letter {
    pub(super) who: Who,
    /// When it happened.
    pub(super) at: i64,
    pub(super) news: News,
    pub(super) body: Bytes,
    pub(super) state: State,
    /// It is on disk.
    pub(super) is_stored: bool,
}

/// Where a letter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Meta has it and will send it.
    Waiting,
    /// Answered 200.
    Answered,
    /// It never arrives.
    Lost,
}

impl Letter {
    /// Reads a body that the simulator wrote. `people` are the customers by their ids, `said` is what they wrote by Meta's ids.
    pub(super) fn read(body: Bytes, people: &HashMap<String, Who>, said: &HashMap<String, (What, String)>) -> Self {
        let json: Value = serde_json::from_slice(&body).unwrap();
        let item = &json["entry"][0]["messaging"][0];
        let person = ["sender", "recipient"].iter().find_map(|side| people.get(item[*side]["id"].as_str()?));
        let message = &item["message"];
        let news = if message["is_echo"] == json!(true) {
            match message["metadata"].as_str() {
                Some(delivery) => News::Echo { delivery: delivery.to_owned() },
                None => News::Colleague,
            }
        } else if let Some(mid) = message["mid"].as_str() {
            let (what, text) = said[mid].clone();
            News::Said { what, text }
        } else if item["delivery"].is_object() {
            News::Delivered
        } else {
            News::Read
        };
        let at = item["timestamp"].as_i64().unwrap_or_default();
        Self { who: *person.unwrap(), at, news, body, state: State::Waiting, is_stored: false }
    }

    /// Meta sends what customers write until it is answered; only an echo or a receipt may be lost.
    pub(super) fn may_be_lost(&self) -> bool {
        !matches!(self.news, News::Said { .. })
    }
}

/// One body with the entries of many.
pub(super) fn together(bodies: &[Bytes]) -> Bytes {
    let entries = bodies.iter().flat_map(|body| {
        let mut json: Value = serde_json::from_slice(body).unwrap();
        let Value::Array(entries) = json["entry"].take() else { panic!("a body has entries") };
        entries
    });
    let entries: Vec<Value> = entries.collect();
    json!({ "object": "page", "entry": entries }).to_string().into()
}
