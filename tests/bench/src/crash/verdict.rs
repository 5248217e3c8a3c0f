//! The judge of a round: what was promised, what the customers saw, what the books say. Pure.
//!
//! Promised is what was answered 200. Each such message is answered once, or its delivery stands as `unknown` or `held`, or it
//! was put aside with a reason. What was promised before the next was written is answered before it.

use std::collections::{BTreeSet, HashMap};

use crate::crash::books::{Books, DeliveryEntry, EventEntry};
use crate::crash::scene::Written;

/// What became of all messages of a round.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Promised, and gone without a trace.
    pub(crate) lost: Vec<String>,
    /// Seen twice, or on the way twice.
    pub(crate) doubled: Vec<String>,
    /// Anything else that must not be: wrong order, states that do not fit, counts that do not add up.
    pub(crate) wrong: Vec<String>,
    /// Messages whose answer may or may not have been seen.
    pub(crate) n_unknown: usize,
    /// Messages that were put aside with a reason.
    pub(crate) n_parked: usize,
    /// Why they were put aside.
    pub(crate) reasons: BTreeSet<String>,
    pub(crate) n_messages: usize,
}

/// The words of each message that each customer got.
pub(crate) type Seen = Vec<Vec<Vec<String>>>;

impl Verdict {
    pub(crate) fn of(written: &[Written], seen: &Seen, books: &Books) -> Self {
        let mut verdict = Self { n_messages: written.len(), ..Self::default() };
        let case = Case::new(seen, books);
        for message in written {
            verdict.judge(message, &case);
        }
        verdict.count(written, books);
        for (customer, answers) in seen.iter().enumerate() {
            let theirs = written.iter().filter(|message| message.customer == customer);
            verdict.order(customer, answers, &theirs.map(|message| (message.word.as_str(), message)).collect());
        }
        verdict
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.lost.is_empty() && self.doubled.is_empty() && self.wrong.is_empty()
    }

    fn judge(&mut self, message: &Written, case: &Case<'_>) {
        let (events, deliveries) = (case.events_of(&message.word), case.deliveries_of(&message.word));
        let n_seen = case.n_seen.get(message.word.as_str()).copied().unwrap_or_default();
        let told = || case.told(message);
        if n_seen > 1 || deliveries.len() > 1 || events.len() > 1 {
            self.doubled.push(told());
            return;
        }
        if message.acknowledged_ms.is_none() {
            self.wrong.push(format!("never taken by any host: {}", told()));
            return;
        }
        let is_put_aside = |state: &str, reason: &Option<String>| {
            matches!(state, "parked" | "refused" | "dead" | "dropped") && reason.is_some()
        };
        match (n_seen, deliveries.first(), events.first()) {
            (_, Some(delivery), _) if matches!(delivery.state.as_str(), "unknown" | "held") => self.n_unknown += 1,
            (1, Some(delivery), _) if matches!(delivery.state.as_str(), "sent" | "delivered" | "read") => {}
            (0, Some(delivery), _) if is_put_aside(&delivery.state, &delivery.reason) => {
                self.put_aside("delivery", &delivery.state, delivery.reason.as_deref());
            }
            (0, None, Some(event)) if is_put_aside(&event.state, &event.reason) => {
                self.put_aside("event", &event.state, event.reason.as_deref());
            }
            (1, ..) => self.wrong.push(format!("seen, and the books say otherwise: {}", told())),
            _ => self.lost.push(told()),
        }
    }

    fn put_aside(&mut self, what: &str, state: &str, reason: Option<&str>) {
        self.n_parked += 1;
        self.reasons.insert(format!("{what} {state}: {}", reason.unwrap_or_default()));
    }

    /// Each message is one event, and each event has come to an end.
    fn count(&mut self, written: &[Written], books: &Books) {
        let n_promised = written.iter().filter(|message| message.acknowledged_ms.is_some()).count();
        let ended = |event: &&EventEntry| match event.state.as_str() {
            "done" => true,
            "parked" | "refused" => event.reason.is_some(),
            _ => false,
        };
        let n_ended = books.events.iter().filter(ended).count();
        if n_ended != n_promised || books.events.len() != n_ended {
            let n_events = books.events.len();
            self.wrong.push(format!("{n_promised} messages were taken, {n_events} are stored, {n_ended} have ended"));
        }
    }

    /// No answer comes before the answer to what was promised before its question was written.
    fn order(&mut self, customer: usize, answers: &[Vec<String>], written: &HashMap<&str, &Written>) {
        let words = answers.iter().enumerate().flat_map(|(nth, answer)| answer.iter().map(move |word| (nth, word)));
        let seen: Vec<(usize, &Written)> =
            words.filter_map(|(nth, word)| Some((nth, *written.get(word.as_str())?))).collect();
        for (nth, earlier) in &seen {
            let overtaken = seen.iter().find(|(other, later)| {
                other > nth && later.acknowledged_ms.is_some_and(|acknowledged_ms| acknowledged_ms < earlier.at_ms)
            });
            if let Some((_, later)) = overtaken {
                let (earlier, later) = (&earlier.word, &later.word);
                self.wrong.push(format!("customer {customer} saw the answer to {earlier} before that to {later}"));
            }
        }
        for answer in answers {
            let times: Vec<i64> = answer.iter().filter_map(|word| Some(written.get(word.as_str())?.at_ms)).collect();
            if !times.is_sorted() {
                self.wrong.push(format!("customer {customer} saw an answer out of order: {answer:?}"));
            }
        }
    }
}

/// Everything that is known, by word.
struct Case<'a> {
    n_seen: HashMap<&'a str, usize>,
    events: HashMap<&'a str, Vec<&'a EventEntry>>,
    deliveries: HashMap<&'a str, Vec<&'a DeliveryEntry>>,
}

impl<'a> Case<'a> {
    fn new(seen: &'a Seen, books: &'a Books) -> Self {
        let (mut n_seen, mut events, mut deliveries) = (HashMap::new(), HashMap::new(), HashMap::new());
        for word in seen.iter().flatten().flatten() {
            *n_seen.entry(word.as_str()).or_default() += 1;
        }
        for event in &books.events {
            let word = event.word.as_deref().unwrap_or_default();
            events.entry(word).or_insert_with(Vec::new).push(event);
        }
        for delivery in &books.deliveries {
            for word in &delivery.words {
                deliveries.entry(word.as_str()).or_insert_with(Vec::new).push(delivery);
            }
        }
        Self { n_seen, events, deliveries }
    }

    fn events_of(&self, word: &str) -> &[&'a EventEntry] {
        self.events.get(word).map(Vec::as_slice).unwrap_or_default()
    }

    fn deliveries_of(&self, word: &str) -> &[&'a DeliveryEntry] {
        self.deliveries.get(word).map(Vec::as_slice).unwrap_or_default()
    }

    /// Enough to look for the reason: our ids and states.
    fn told(&self, message: &Written) -> String {
        let n_seen = self.n_seen.get(message.word.as_str()).copied().unwrap_or_default();
        let Written { word, at_ms, acknowledged_ms, .. } = message;
        let mut told = format!("{word}, written {at_ms}, answered 200 {acknowledged_ms:?}, seen {n_seen} times");
        for EventEntry { id, state, reason, .. } in self.events_of(word) {
            told.push_str(&format!("; event {id} {state} {}", reason.as_deref().unwrap_or("-")));
        }
        for DeliveryEntry { id, state, reason, attempts, .. } in self.deliveries_of(word) {
            let reason = reason.as_deref().unwrap_or("-");
            told.push_str(&format!("; delivery {id} {state} {reason} after {attempts} attempts"));
        }
        told
    }
}

#[cfg(test)]
mod tests;
