//! The model: what Meta was told that the host has stored, what the host has applied, and what may be said after it. Pure; it
//! knows nothing of tables.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Result, bail, ensure};

use super::step::{DAY, What, Who};

/// What a letter of Meta's tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    /// A customer wrote.
    Said { what: What, text: String },
    /// A message of ours came back.
    Echo { delivery: String },
    /// A colleague's message came back.
    Colleague,
    /// Something reached the customer.
    Delivered,
    /// The customer looked.
    Read,
}

impl News {
    /// The kind of event that it becomes.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Said { .. } => "message",
            Self::Echo { .. } | Self::Colleague => "echo",
            Self::Delivered => "delivery",
            Self::Read => "read",
        }
    }
}

/// What is known of one customer.
#[derive(Debug, Default)]
pub(super) struct Person {
    /// What they wrote that waits for a turn or had one.
    pub(super) for_turns: Vec<String>,
    /// Requests for a person that were stored.
    pub(super) n_requests: i64,
    /// When they said "start", as far as stored.
    starts: Vec<i64>,
    /// "Stop" that is stored and not applied.
    stops_waiting: Vec<i64>,
    /// Since when they want to hear nothing, as far as applied.
    stopped_at: Option<i64>,
    human_waits: bool,
    /// Until when a colleague has the conversation.
    human_until: Option<i64>,
    /// Meta said that they cannot be reached.
    pub(super) was_unreachable: bool,
    /// The receipts that were stored, by kind.
    pub(super) receipts: BTreeSet<&'static str>,
    /// What reached their phone by us: delivery and text.
    pub(super) phone: Vec<(String, String)>,
}

impl Person {
    /// They said "stop" at some time.
    pub(super) fn was_stopped(&self) -> bool {
        self.stopped_at.is_some()
    }

    /// A colleague had the conversation at some time.
    pub(super) fn was_human(&self) -> bool {
        self.human_until.is_some()
    }
}

/// Everybody.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) people: BTreeMap<Who, Person>,
    /// Events that were stored, by kind.
    pub(super) n_stored: HashMap<&'static str, i64>,
    /// Deliveries whose echo was stored.
    pub(super) echoed: BTreeSet<String>,
    /// How far the clocks have moved.
    pub(super) waited: u64,
}

impl Model {
    /// A letter was answered 200 for the first time.
    pub(super) fn stored(&mut self, who: Who, at: i64, news: &News) {
        *self.n_stored.entry(news.kind()).or_default() += 1;
        let person = self.people.entry(who).or_default();
        match news {
            News::Said { what: What::Stop, .. } => person.stops_waiting.push(at),
            News::Said { what: What::Person, .. } => {
                person.n_requests += 1;
                person.human_waits = true;
            }
            News::Said { what, text } => {
                if *what == What::Start {
                    person.starts.push(at);
                }
                person.for_turns.push(text.clone());
            }
            News::Echo { delivery } => drop(self.echoed.insert(delivery.clone())),
            News::Colleague => person.human_waits = true,
            News::Delivered | News::Read => drop(person.receipts.insert(news.kind())),
        }
    }

    /// A host has applied all control events that are stored.
    pub(super) fn control_applied(&mut self, now: i64) {
        for person in self.people.values_mut() {
            person.stopped_at = person.stops_waiting.drain(..).chain(person.stopped_at).max();
            if std::mem::take(&mut person.human_waits) {
                person.human_until = Some(now + i64::try_from(DAY).unwrap());
            }
        }
    }

    /// A message of ours reached a phone.
    ///
    /// # Errors
    /// When it should not have.
    pub(super) fn accepted(&mut self, who: Who, at: i64, delivery: &str, text: &str) -> Result<()> {
        let person = self.people.entry(who).or_default();
        if let Some(since) = person.stopped_at {
            let may_speak = person.starts.iter().any(|start| *start > since);
            ensure!(may_speak, "{who:?} said \"stop\" and heard {text:?}");
        }
        if person.human_until.is_some_and(|until| at < until) {
            bail!("a colleague has the conversation with {who:?}, who heard {text:?}");
        }
        for (earlier, said) in &person.phone {
            ensure!(earlier != delivery, "{who:?} heard {text:?} twice");
            ensure!(earlier.as_str() < delivery, "{who:?} heard {text:?} after {said:?}, which was committed later");
            ensure!(!is_known(text) || said != text, "{who:?} was told {text:?} twice");
        }
        person.phone.push((delivery.to_owned(), text.to_owned()));
        Ok(())
    }
}

/// The plugin answers such a text with the text itself, once for each time it was written; no two are the same.
pub(super) fn is_known(text: &str) -> bool {
    text.starts_with('m')
}
