//! Meta and the customers in a round: who wrote what, which troubles befall webhooks and sends, and what the customers saw.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bellhop::db::Clock;
use bellhop_simulator::{
    AppKeys, Clock as MetaClock, Control, Customer, GraphError, Options, PostState, Release, Simulator, Trouble,
    WebhookPost,
};
use futures_util::future;
use serde_json::Value;
use tokio::time::sleep;

use crate::crash::dice::Dice;
use crate::crash::house;

/// Customers who write at the same time. Two of them write in every act, the others are new in each: a conversation whose
/// delivery waits for evidence sends nothing for half a minute.
pub(crate) const CUSTOMERS: usize = 6;
const REGULARS: usize = 2;

/// Messages of one customer between two deaths: at least so many, so that each death has something to lose …
const FEWEST: usize = 3;
/// … and at most so many while a host that is to die has not died: bounds a round.
const MOST: usize = 90;

/// A callback that does not answer within this time is asked again: short, as the hosts die often.
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(2);

/// An answer of Meta's that comes late, at most; a sender waits for 10 s.
const SLOWEST_ANSWER_MS: u64 = 600;

/// Where a host's machine says that it should be, for as long as the whole round may take.
fn webhook_retries() -> Vec<Duration> {
    let soon = [0, 20, 50, 100, 200, 400];
    soon.into_iter().chain([500; 100]).map(Duration::from_millis).collect()
}

/// A message that a customer wrote.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    /// The customer's number.
    pub(crate) customer: usize,
    /// What it says: one word, unlike any other's.
    pub(crate) word: String,
    /// Meta's id of it.
    mid: String,
    /// When it was written, by Meta's clock.
    pub(crate) at_ms: i64,
    /// When a host had said 200 to it.
    pub(crate) acknowledged_ms: Option<i64>,
}

#[cfg(test)]
impl Written {
    pub(crate) fn acknowledged(customer: usize, word: &str, at_ms: i64, acknowledged_ms: i64) -> Self {
        let acknowledged_ms = Some(acknowledged_ms);
        Self { customer, word: word.to_owned(), mid: String::new(), at_ms, acknowledged_ms }
    }
}

/// Meta and the customers.
pub(crate) struct Scene {
    _simulator: Simulator,
    pub(crate) control: Control,
    pub(crate) meta_app: AppKeys,
    url: String,
    customers: Vec<Customer>,
    written: Mutex<Vec<Written>>,
    /// Sends that may still lose their answer.
    losses_left: Mutex<u64>,
    /// Whether a send may be lost on its way to Meta.
    may_lose_all: bool,
}

impl Scene {
    /// Opens the stage for so many acts. `n_losses` sends may lose their answer; `may_lose_all` lets some be lost before Meta
    /// has them.
    pub(crate) async fn open(n_acts: usize, n_losses: u64, may_lose_all: bool) -> anyhow::Result<Self> {
        let clock = MetaClock::running(Clock::machine().now().millis());
        let options =
            Options { webhook_timeout: WEBHOOK_TIMEOUT, webhook_retries: webhook_retries(), ..Options::new(clock) };
        let simulator = Simulator::start(options).await?;
        let control = simulator.control();
        let (meta_app, page) = house::meta_side(&control)?;
        let person = |n: usize| control.add_person(&page.id, &format!("Customer {n}"));
        let customers = (0..REGULARS + n_acts * (CUSTOMERS - REGULARS)).map(person).collect::<Result<_, _>>()?;
        Ok(Self {
            url: simulator.url(),
            _simulator: simulator,
            control,
            meta_app,
            customers,
            written: Mutex::default(),
            losses_left: Mutex::new(n_losses),
            may_lose_all,
        })
    }

    /// In place of `https://graph.facebook.com`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The customers of an act write, and webhooks and sends go wrong, until `stop`; a few messages are written whatever `stop` says.
    pub(crate) async fn play(&self, act: usize, dice: &Dice, stop: &AtomicBool) -> anyhow::Result<()> {
        let is_over = AtomicBool::new(false);
        let newcomers = REGULARS + act * (CUSTOMERS - REGULARS);
        let cast = (0..REGULARS).chain(newcomers..newcomers + CUSTOMERS - REGULARS);
        let writing = async {
            let lines = cast.map(|number| self.write(number, dice.aside(number as u64 + 1), stop));
            let written = future::try_join_all(lines).await;
            is_over.store(true, Ordering::Relaxed);
            written
        };
        let (written, ()) = future::join(writing, self.disturb(dice.aside(0), &is_over)).await;
        written.map(drop)
    }

    async fn write(&self, number: usize, mut dice: Dice, stop: &AtomicBool) -> anyhow::Result<()> {
        let Some(customer) = self.customers.get(number) else { return Ok(()) };
        for n_written in 0..MOST {
            if n_written >= FEWEST && stop.load(Ordering::Relaxed) {
                break;
            }
            let at_ms = self.control.clock().now_ms();
            let word = self.next_word(number);
            let mid = customer.says(&word)?;
            self.written().push(Written { customer: number, word, mid, at_ms, acknowledged_ms: None });
            // Often the next one follows at once, and several become one turn; but never in the same millisecond, which
            // would leave their order open.
            let pause = if dice.chance(30) { dice.millis(2, 5) } else { dice.millis(20, 220) };
            sleep(pause).await;
        }
        Ok(())
    }

    fn next_word(&self, customer: usize) -> String {
        let n_before = self.written().iter().filter(|written| written.customer == customer).count();
        format!("c{customer}n{n_before}")
    }

    fn written(&self) -> MutexGuard<'_, Vec<Written>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Webhooks are delayed, batched, turned round, sent twice; sends are answered late, refused for now, or not answered.
    async fn disturb(&self, mut dice: Dice, is_over: &AtomicBool) {
        while !is_over.load(Ordering::Relaxed) {
            self.control.duplicate_webhooks(dice.place(4));
            if dice.chance(60) {
                let trouble = self.trouble(&mut dice);
                self.control.next_sends(1, trouble);
            }
            if dice.chance(15) {
                self.repeat_one(&mut dice);
            }
            self.control.hold_webhooks();
            sleep(dice.millis(10, 150)).await;
            self.control.release_webhooks(&match dice.below(3) {
                0 => Release::InOrder,
                1 => Release::Reversed,
                _ => Release::OneBatch,
            });
            sleep(dice.millis(10, 150)).await;
        }
        self.control.release_webhooks(&Release::InOrder);
    }

    fn trouble(&self, dice: &mut Dice) -> Trouble {
        let mut losses_left = self.losses_left.lock().unwrap_or_else(PoisonError::into_inner);
        if *losses_left > 0 && dice.chance(25) {
            *losses_left -= 1;
            return if self.may_lose_all && dice.chance(30) { Trouble::DropBefore } else { Trouble::DropAfter };
        }
        // "Service temporarily unavailable" (Meta: error codes); the next attempt is seconds away.
        if dice.chance(15) {
            Trouble::Refuse(GraphError::new(2, None))
        } else {
            Trouble::Delay(dice.millis(0, SLOWEST_ANSWER_MS))
        }
    }

    /// Any earlier webhook once more, whether or not it was taken.
    fn repeat_one(&self, dice: &mut Dice) {
        let n_webhooks = self.control.ledger().webhooks.len();
        // One that is long gone is not repeated.
        drop(self.control.redeliver(dice.below(u64::try_from(n_webhooks).unwrap_or_default()) + 1));
    }

    /// Messages that people got, since the start.
    pub(crate) fn n_accepted(&self) -> usize {
        self.control.ledger().n_accepted
    }

    /// Webhooks that a host has refused because it could not store them, since the start.
    pub(crate) fn n_refused(&self) -> usize {
        let attempts = |post: &WebhookPost| post.attempts.iter().filter(|attempt| attempt.status == Some(503)).count();
        self.control.ledger().webhooks.iter().map(attempts).sum()
    }

    /// Sends again what was given up, once each, and says how many requests are still under way.
    pub(crate) fn redeliver_given_up(&self, done: &mut HashSet<u64>) -> usize {
        let ledger = self.control.ledger();
        let given_up = ledger.webhooks.iter().filter(|post| post.state == PostState::GivenUp);
        let again: Vec<u64> = given_up.map(|post| post.number).filter(|number| done.insert(*number)).collect();
        for number in &again {
            // One that is long gone is not repeated; the judge will say so.
            drop(self.control.redeliver(*number));
        }
        ledger.webhooks.iter().filter(|post| post.state == PostState::Open).count() + again.len()
    }

    /// Everything that was written, with what the books say of its webhooks.
    pub(crate) fn all_written(&self) -> Vec<Written> {
        let mut written = self.written().clone();
        let mut acknowledged = HashMap::new();
        for post in &self.control.ledger().webhooks {
            let taken = post.attempts.iter().filter(|attempt| attempt.status == Some(200)).map(|attempt| attempt.at_ms);
            let Some(taken_ms) = taken.min() else { continue };
            for mid in mids(&post.body) {
                let first = acknowledged.entry(mid).or_insert(taken_ms);
                *first = taken_ms.min(*first);
            }
        }
        written.iter_mut().for_each(|written| written.acknowledged_ms = acknowledged.get(&written.mid).copied());
        written
    }

    /// The words of each message that each customer got, in order.
    pub(crate) fn seen(&self) -> Vec<Vec<Vec<String>>> {
        let accepted = self.control.accepted();
        let of = |customer: &Customer| {
            let theirs = accepted.iter().filter(|send| send.recipient() == Some(&customer.person_id));
            theirs.map(|send| words(send.text().unwrap_or_default())).collect()
        };
        self.customers.iter().map(of).collect()
    }
}

/// The words of a text.
pub(crate) fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// Meta's ids of the messages in a webhook's body.
fn mids(body: &[u8]) -> Vec<String> {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return Vec::new() };
    let members = |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let items = members(&body, "entry").into_iter().flat_map(|entry| members(&entry, "messaging"));
    items.filter_map(|item| item.pointer("/message/mid")?.as_str().map(str::to_owned)).collect()
}
