//! Everything the simulator knows: apps, Pages, people and their threads, tokens, and what it was told to do wrong.
//!
//! Plain data behind one lock; nothing here sends, waits or reads a clock.

use std::collections::{BTreeMap, HashMap, VecDeque};

use serde_json::Value;
use tokio::sync::mpsc;

use crate::id::IdMaker;
use crate::webhook::Post;

mod app;
mod ledger;
mod thread;
mod trouble;

pub use app::{App, Callback, FIELDS, Page, SCOPES};
pub(crate) use app::{Holder, OAuthCode, Token};
pub use ledger::{Attempt, Ledger, Outcome, PostState, Send, WebhookPost};
pub(crate) use thread::Comment;
pub use thread::{Author, Message, Person, QuickReply, Status};
pub(crate) use trouble::Troubles;
pub use trouble::{Signature, Trouble};

/// The app id of the Page's own inbox, where its staff answer (Meta: Conversation Routing).
pub const PAGE_INBOX_APP: &str = "263902037430900";

/// How long a message from a person keeps the window open (Meta: Messenger Platform policy, 24 hours).
pub(crate) const WINDOW_MS: i64 = 24 * 3_600_000;

/// How long a comment can be answered privately, and a human agent may answer a message (Meta: 7 days).
pub(crate) const SEVEN_DAYS_MS: i64 = 7 * 24 * 3_600_000;

/// The state of one simulator.
pub(crate) struct State {
    pub(crate) ids: IdMaker,
    pub(crate) apps: BTreeMap<String, App>,
    pub(crate) pages: BTreeMap<String, Page>,
    pub(crate) tokens: HashMap<String, Token>,
    pub(crate) codes: HashMap<String, OAuthCode>,
    pub(crate) comments: BTreeMap<String, Comment>,
    pub(crate) ledger: Ledger,
    pub(crate) troubles: Troubles,
    /// When each Page's threads were listed within the last second.
    pub(crate) lookups: HashMap<String, Vec<i64>>,
    /// Header values that go on every answer of the Graph API.
    pub(crate) app_usage: Option<Value>,
    /// The same, by Page or Instagram account.
    pub(crate) business_usage: Option<Value>,
    /// One queue per Page, so that its webhooks leave in order as long as the first attempt succeeds.
    pub(crate) lanes: HashMap<String, mpsc::Sender<Post>>,
    /// Events kept back until they are released; `None` while nothing is held.
    pub(crate) held: Option<VecDeque<crate::webhook::Event>>,
    /// The same for echoes alone.
    pub(crate) held_echoes: Option<Vec<crate::webhook::Event>>,
}

impl State {
    pub(crate) fn new(started_at_ms: i64) -> Self {
        Self {
            ids: IdMaker::new(started_at_ms),
            apps: BTreeMap::new(),
            pages: BTreeMap::new(),
            tokens: HashMap::new(),
            codes: HashMap::new(),
            comments: BTreeMap::new(),
            ledger: Ledger::default(),
            troubles: Troubles::default(),
            lookups: HashMap::new(),
            app_usage: None,
            business_usage: None,
            lanes: HashMap::new(),
            held: None,
            held_echoes: None,
        }
    }

    pub(crate) fn person(&self, page_id: &str, person_id: &str) -> Option<&Person> {
        self.pages.get(page_id)?.people.get(person_id)
    }

    pub(crate) fn person_mut(&mut self, page_id: &str, person_id: &str) -> Option<&mut Person> {
        self.pages.get_mut(page_id)?.people.get_mut(person_id)
    }

    /// The app that a Page belongs to.
    pub(crate) fn app_of(&self, page_id: &str) -> Option<&App> {
        self.apps.get(&self.pages.get(page_id)?.app_id)
    }
}
