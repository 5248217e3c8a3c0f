//! Runs a plugin natively against a fake host: event in, effects out. Never part of a component.
//!
//! ```
//! use bellhop_sdk::testing::{self, Host};
//! use bellhop_sdk::{Answer, Fault, Plugin, Turn, contact};
//!
//! struct Greeter;
//!
//! impl Plugin for Greeter {
//!     type Settings = ();
//!     type Session = u32;
//!
//!     fn handle(turn: Turn<Self>) -> Result<Answer<u32>, Fault> {
//!         let name = contact::field("name")?.unwrap_or_default();
//!         let times = turn.session.unwrap_or(0) + 1;
//!         Ok(Answer::say(format!("Hello {name}, {times}")).remember(times))
//!     }
//! }
//!
//! let mut host = Host::new().contact("name", "Ada");
//! host.run::<Greeter>(testing::text("hi"))?;
//! let answer = host.run::<Greeter>(testing::text("hi again"))?;
//! assert_eq!(answer.texts(), ["Hello Ada, 2"]);
//! # Ok::<(), Fault>(())
//! ```

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::Value;

use crate::bindings::bellhop::plugin::effects::Answer as WireAnswer;
use crate::history::Line;
use crate::http::Response as HttpResponse;
use crate::language_model::Completion;
use crate::log::Level;
use crate::{Context, Event, Fault, Message, Outcome, Plugin, run};

pub(crate) mod contact;
pub(crate) mod history;
pub(crate) mod http;
pub(crate) mod language_model;
pub(crate) mod media;
pub(crate) mod records;
mod world;

use world::World;

thread_local! {
    /// The host of the call that runs on this thread.
    static CURRENT: RefCell<Option<Rc<RefCell<World>>>> = const { RefCell::new(None) };
}

/// A fake host with one conversation. Sessions, the floor and committed records live on between runs.
pub struct Host {
    context: Context,
    world: Rc<RefCell<World>>,
}

/// What a plugin wanted.
#[derive(Debug, Clone, PartialEq)]
pub enum Ran {
    /// The next plugin would be asked.
    Passed,
    /// The plugin answered.
    Answered(Outcome),
}

impl Default for Host {
    fn default() -> Self {
        Self::new()
    }
}

impl Host {
    /// A Messenger conversation in English with nothing stored, nothing denied.
    pub fn new() -> Self {
        let context = Context {
            turn: "turn-1".to_owned(),
            now: 1_800_000_000_000,
            seed: 1,
            channel_kind: "messenger".to_owned(),
            contact: "contact-1".to_owned(),
            locale: "en".to_owned(),
            time_zone: "UTC".to_owned(),
            reply_window_closes: None,
            settings_json: "{}".to_owned(),
            session_json: None,
            holds_floor: false,
            dry_run: false,
            facts: Vec::new(),
        };
        Self { context, world: Rc::default() }
    }

    /// The business's settings.
    #[must_use]
    pub fn settings(mut self, settings: &Value) -> Self {
        self.context.settings_json = settings.to_string();
        self
    }

    /// The contact's locale.
    #[must_use]
    pub fn locale(mut self, locale: &str) -> Self {
        locale.clone_into(&mut self.context.locale);
        self
    }

    /// Adds documents to a collection; their ids are "1", "2", … in the order they were added. A document's `language`
    /// is what `search` prefers by.
    #[must_use]
    pub fn records(self, collection: &str, documents: impl IntoIterator<Item = Value>) -> Self {
        documents.into_iter().for_each(|document| self.world.borrow_mut().add(collection, &document));
        self
    }

    /// The fields that `search` looks into, as in the manifest; without them it looks into everything.
    #[must_use]
    pub fn searched_by(self, collection: &str, fields: &[&str]) -> Self {
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        self.world.borrow_mut().searched_by.insert(collection.to_owned(), fields);
        self
    }

    /// A known field of the contact.
    #[must_use]
    pub fn contact(self, field: &str, value: &str) -> Self {
        self.world.borrow_mut().contact.insert(field.to_owned(), value.to_owned());
        self
    }

    /// Lines of history, oldest first.
    #[must_use]
    pub fn history(self, lines: impl IntoIterator<Item = Line>) -> Self {
        self.world.borrow_mut().history.extend(lines);
        self
    }

    /// What the model says next; answers are used up in the order they were given.
    #[must_use]
    pub fn completion(self, content: &str) -> Self {
        let completion =
            Completion { content: content.to_owned(), tokens_in: 0, tokens_out: 0, finish: "stop".to_owned() };
        self.world.borrow_mut().completions.push_back(completion);
        self
    }

    /// What an endpoint answers under a path.
    #[must_use]
    pub fn response(self, endpoint: &str, path: &str, response: HttpResponse) -> Self {
        self.world.borrow_mut().responses.insert((endpoint.to_owned(), path.to_owned()), response);
        self
    }

    /// The bytes behind a media handle.
    #[must_use]
    pub fn media(self, handle: &str, bytes: &[u8]) -> Self {
        self.world.borrow_mut().media.insert(handle.to_owned(), bytes.to_vec());
        self
    }

    /// Refuses every call of a capability, as an optional import that was not granted does.
    #[must_use]
    pub fn deny(self, capability: &str) -> Self {
        self.world.borrow_mut().denied.insert(capability.to_owned());
        self
    }

    /// Runs the plugin on an event. What it buffered is committed if it answered and dropped if it passed or failed.
    ///
    /// # Errors
    /// The plugin's fault.
    pub fn run<P: Plugin>(&mut self, event: Event) -> Result<Ran, Fault> {
        let before = self.world.borrow().collections.clone();
        let previous = CURRENT.replace(Some(Rc::clone(&self.world)));
        let result = run::<P>(event, self.context.clone());
        CURRENT.set(previous);
        match result {
            Ok(WireAnswer::Done(outcome)) => {
                self.context.session_json.clone_from(&outcome.session_json);
                self.context.holds_floor = outcome.hold;
                Ok(Ran::Answered(outcome))
            }
            Ok(WireAnswer::Pass) => {
                self.world.borrow_mut().collections = before;
                Ok(Ran::Passed)
            }
            Err(fault) => {
                self.world.borrow_mut().collections = before;
                Err(fault)
            }
        }
    }

    /// Lets time pass in the conversation.
    pub fn wait_millis(&mut self, millis: u64) {
        self.context.now += millis;
    }

    /// The context of the next run, to change what no builder names.
    pub fn context_mut(&mut self) -> &mut Context {
        &mut self.context
    }

    /// The lines that were logged so far.
    pub fn logged(&self) -> Vec<(Level, String)> {
        self.world.borrow().logged.clone()
    }

    /// The documents of a collection, in the order they were added.
    pub fn documents(&self, collection: &str) -> Vec<Value> {
        self.world.borrow().documents(collection)
    }
}

impl Ran {
    /// What was answered; `None` for a pass.
    pub fn outcome(&self) -> Option<&Outcome> {
        match self {
            Self::Passed => None,
            Self::Answered(outcome) => Some(outcome),
        }
    }

    /// The texts of the replies, in order.
    pub fn texts(&self) -> Vec<&str> {
        self.replies().map(|say| say.text.as_str()).collect()
    }

    /// The choices of all replies as (title, payload).
    pub fn choices(&self) -> Vec<(&str, &str)> {
        self.replies()
            .flat_map(|say| &say.choices)
            .map(|choice| (choice.title.as_str(), choice.payload.as_str()))
            .collect()
    }

    fn replies(&self) -> impl Iterator<Item = &crate::Say> {
        self.outcome().into_iter().flat_map(|outcome| &outcome.proposals).filter_map(|proposal| {
            match &proposal.effect {
                crate::Effect::Say(say) => Some(say),
                _ => None,
            }
        })
    }
}

/// One written message.
pub fn text(text: &str) -> Event {
    texts(&[text])
}

/// Several messages that settled together.
pub fn texts(texts: &[&str]) -> Event {
    Event::Messages(texts.iter().map(|text| Message { text: Some((*text).to_owned()), ..blank() }).collect())
}

/// A tap on a choice with this payload.
pub fn tap(payload: &str) -> Event {
    Event::Messages(vec![Message { payload: Some(payload.to_owned()), ..blank() }])
}

/// A message without text, to fill in what a test needs.
pub fn blank() -> Message {
    Message {
        id: "message-1".to_owned(),
        at: 1_800_000_000_000,
        text: None,
        payload: None,
        attachments: Vec::new(),
        reply_to: None,
        late: false,
    }
}

/// Keeps a line of the running plugin; outside a run there is nobody to keep it.
pub(crate) fn note_line(level: Level, message: &str) {
    if let Some(world) = CURRENT.with_borrow(Clone::clone) {
        world.borrow_mut().logged.push((level, message.to_owned()));
    }
}

/// Runs `ask` on the world of the current call, if the capability is not denied.
pub(crate) fn ask<T>(capability: &str, ask: impl FnOnce(&mut World) -> Result<T, Fault>) -> Result<T, Fault> {
    let Some(world) = CURRENT.with_borrow(Clone::clone) else {
        return Err(Fault::new("unavailable", "no host: run the plugin through `bellhop_sdk::testing::Host`"));
    };
    let mut world = world.borrow_mut();
    if world.denied.contains(capability) { Err(Fault::denied(capability)) } else { ask(&mut world) }
}

#[cfg(test)]
mod tests;
