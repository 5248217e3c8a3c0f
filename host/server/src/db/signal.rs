//! What hosts of one PostgreSQL tell each other: that there is work, and of which kind. Only a faster poll: whoever misses a
//! signal finds the work half a second later, and a transaction never fails by one.
//!
//! Signals go out after the commit and beside it, not within: PostgreSQL lets one transaction with a `notify` commit at a time,
//! in the whole cluster, fsync included. Here a transaction of its own carries them, which waits for no disk.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bellhop_domain::time::Timestamp;
use tokio::sync::Notify;

use super::{Db, Engine};

/// The channel of `listen` and `notify`.
pub(super) const CHANNEL: &str = "bellhop";

/// What is ready. Names a queue, never whose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    /// A conversation waits for its turn.
    Contact,
    /// One will, at a time.
    ContactAt(Timestamp),
    /// A control event.
    Control,
    /// A delivery.
    Delivery,
    /// The configuration has changed.
    Configuration,
}

impl Signal {
    /// All that are about now: what a host looks for that may have missed some.
    pub const NOW: [Self; 4] = [Self::Contact, Self::Control, Self::Delivery, Self::Configuration];

    pub(super) fn payload(self) -> String {
        match self {
            Self::Contact => "contact".to_owned(),
            Self::ContactAt(at) => format!("contact {}", at.millis()),
            Self::Control => "control".to_owned(),
            Self::Delivery => "delivery".to_owned(),
            Self::Configuration => "configuration".to_owned(),
        }
    }

    /// `None` for what another version may say.
    pub(super) fn parse(payload: &str) -> Option<Self> {
        match payload.split_once(' ') {
            Some(("contact", at)) => at.parse().ok().map(|millis| Self::ContactAt(Timestamp::from_millis(millis))),
            Some(_) => None,
            None => Self::NOW.into_iter().find(|signal| signal.payload() == payload),
        }
    }
}

/// The statements that tell these.
pub(super) fn notify(signals: &BTreeSet<Signal>) -> String {
    let notify = |signal: &Signal| format!("notify {CHANNEL}, '{}'", signal.payload());
    signals.iter().map(notify).collect::<Vec<_>>().join("; ")
}

/// Who there is to hear it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Company {
    /// Not known: this process is no host, and tells at once.
    Unknown,
    /// This host is alone, and tells nobody.
    None,
    /// Others live.
    Some,
}

/// The signals of one handle, on their way out. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Outgoing(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    company: AtomicU8,
    waiting: Mutex<BTreeSet<Signal>>,
    come: Notify,
}

impl Outgoing {
    /// Hands signals to the exchange; those that the caller has to tell itself.
    pub(super) fn hand_over(&self, signals: BTreeSet<Signal>) -> BTreeSet<Signal> {
        let company = self.0.company.load(Ordering::Relaxed);
        if company == Company::Unknown as u8 {
            return signals;
        }
        if company == Company::Some as u8 && !signals.is_empty() {
            let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.extend(signals);
            drop_all_but_last_time(&mut waiting);
            self.0.come.notify_one();
        }
        BTreeSet::new()
    }

    /// Waits for signals, and takes them.
    ///
    /// # Cancel safety
    /// May be dropped and called again: what was not returned waits on.
    pub(super) async fn next(&self) -> BTreeSet<Signal> {
        loop {
            let waiting = std::mem::take(&mut *self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner));
            if !waiting.is_empty() {
                return waiting;
            }
            self.0.come.notified().await;
        }
    }
}

/// Of settle windows that close at about the same time the last is told: then all of them are closed. Bounds what waits while
/// nothing can be told.
fn drop_all_but_last_time(signals: &mut BTreeSet<Signal>) {
    let is_time = |signal: &Signal| matches!(signal, Signal::ContactAt(_));
    let last = signals.iter().copied().filter(is_time).max();
    signals.retain(|signal| !is_time(signal) || Some(*signal) == last);
}

impl Db {
    /// Says whether other hosts are there to hear this one. Until it is said for the first time this process is none, as a
    /// command is, and tells at once what it has done.
    pub fn set_company(&self, others_live: bool) {
        let company = if others_live { Company::Some } else { Company::None };
        self.outgoing.0.company.store(company as u8, Ordering::Relaxed);
    }

    /// Where transactions hand in their signals; on SQLite there is one process to hear them, and it needs none.
    pub(super) fn signals(&self) -> Option<Outgoing> {
        (self.engine == Engine::Postgres).then(|| self.outgoing.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Signal {
        Signal::ContactAt(Timestamp::from_millis(millis))
    }

    #[test]
    fn a_signal_arrives_as_it_was_told() {
        for signal in Signal::NOW.into_iter().chain([at(1_795_176_000_000)]) {
            assert_eq!(Signal::parse(&signal.payload()), Some(signal));
        }
        for payload in ["", "contact ", "contact x", "control 5", "something of a later version"] {
            assert_eq!(Signal::parse(payload), None, "{payload}");
        }
    }

    #[tokio::test]
    async fn what_waits_is_told_once_however_often_it_was_signalled() {
        let outgoing = Outgoing::default();
        outgoing.0.company.store(Company::Some as u8, Ordering::Relaxed);
        for signal in [Signal::Delivery, at(2), Signal::Delivery, at(3), at(1)] {
            assert!(outgoing.hand_over([signal].into()).is_empty());
        }
        assert_eq!(outgoing.next().await, [at(3), Signal::Delivery].into());
    }

    #[test]
    fn a_host_that_is_alone_tells_nobody_and_a_command_tells_itself() {
        let outgoing = Outgoing::default();
        assert_eq!(outgoing.hand_over([Signal::Control].into()), [Signal::Control].into());
        outgoing.0.company.store(Company::None as u8, Ordering::Relaxed);
        assert!(outgoing.hand_over([Signal::Control].into()).is_empty());
        assert!(outgoing.0.waiting.lock().unwrap().is_empty());
    }

    #[test]
    fn statements_name_queues() {
        assert_eq!(
            notify(&[Signal::Control, Signal::Contact].into()),
            "notify bellhop, 'contact'; notify bellhop, 'control'"
        );
    }
}
