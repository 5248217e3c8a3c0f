//! People, their thread with a Page, and the comments they wrote.

use std::collections::VecDeque;

use serde::Serialize;
use serde_json::Value;

/// Messages kept per thread; older ones are forgotten, as the phone shows only the end.
const THREAD_MAX: usize = 500;

/// Somebody who writes to a Page.
#[derive(Debug, Clone)]
pub struct Person {
    /// Page-scoped id (PSID).
    pub id: String,
    /// First and last name.
    pub name: String,
    /// Their place among the people of the Page, by when they were added.
    pub place: usize,
    /// When they last did something that opens the window.
    pub last_inbound_ms: Option<i64>,
    /// Whether they blocked the Page.
    pub blocked: bool,
    /// Whether their profile may not be read.
    pub profile_hidden: bool,
    /// The app that controls the thread; `None` while it is idle and everyone may answer.
    pub owner_app: Option<String>,
    /// The thread, oldest first.
    pub messages: VecDeque<Message>,
}

impl Person {
    pub(crate) fn new(id: String, name: String, place: usize) -> Self {
        Self {
            id,
            name,
            place,
            last_inbound_ms: None,
            blocked: false,
            profile_hidden: false,
            owner_app: None,
            messages: VecDeque::new(),
        }
    }

    /// Whether the last inbound message is younger than `length_ms`.
    pub(crate) fn wrote_within(&self, length_ms: i64, now_ms: i64) -> bool {
        self.last_inbound_ms.is_some_and(|last| now_ms < last.saturating_add(length_ms))
    }

    pub(crate) fn remember(&mut self, message: Message) {
        self.messages.push_back(message);
        while self.messages.len() > THREAD_MAX {
            self.messages.pop_front();
        }
    }
}

/// Who wrote a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Author {
    /// The customer.
    Person,
    /// The Page, through the API.
    Page,
    /// The Page, by a colleague in Meta's own inbox.
    Staff,
}

/// How far a message got. Only grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Meta has it.
    Sent,
    /// The other side has it: for a customer's message, the callback answered 200.
    Delivered,
    /// The other side looked at it.
    Read,
}

/// A quick reply below a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuickReply {
    /// What the person sees.
    pub title: String,
    /// What the app gets back.
    pub payload: String,
}

/// One message of a thread.
#[derive(Debug, Clone, Serialize)]
pub struct Message {
    /// Meta's id (`mid`).
    pub id: String,
    /// Who wrote it.
    pub author: Author,
    /// Its text.
    pub text: Option<String>,
    /// Quick replies offered with it.
    pub quick_replies: Vec<QuickReply>,
    /// An attachment as it was sent.
    pub attachment: Option<Value>,
    /// When Meta took it.
    pub at_ms: i64,
    /// How far it got.
    pub status: Status,
    /// The emoji the other side put on it.
    pub reaction: Option<String>,
}

/// A comment under a post of a Page.
#[derive(Debug, Clone)]
pub(crate) struct Comment {
    pub(crate) page_id: String,
    pub(crate) person_id: String,
    pub(crate) created_at_ms: i64,
    /// Whether the one private reply is spent.
    pub(crate) answered: bool,
}
