//! How a running installation stands: its hosts, what each holds, what waits in which queue and since when. The numbers that
//! `bellhop status`, `/metrics` and health show are these. Each room answers for its own tables; here they are put together.
//! Writes nothing, opens nothing.

mod health;

use std::collections::HashMap;

use bellhop_domain::delivery::State;
use bellhop_domain::id::HostId;
use bellhop_domain::time::Timestamp;
use serde::Serialize;

use crate::audit;
use crate::conversation;
use crate::db::{Db, DbError, Queue, Size};
use crate::host::{self, HostRow};
use crate::inbox::{self, Total};
use crate::outbox;

pub use health::{Health, Reason};

/// The whole picture at one moment. The names of its fields are a contract with whoever reads `bellhop status --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The database's time when it was taken.
    pub at: Timestamp,
    /// The store.
    pub store: Size,
    /// Hosts, in the order in which they started.
    pub hosts: Vec<HostLine>,
    /// What waits, by queue.
    pub queues: Vec<QueueLine>,
    /// Parked events by reason; together they are the queue `parked`.
    pub parked: Vec<ParkedLine>,
    /// All that ever were, when it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub totals: Option<Totals>,
}

/// Everything that was ever accepted and everything that was ever to be sent, by how it stands: rows that are there and rows
/// that were swept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Events; their sum is all that Meta got a 200 for.
    pub events: Vec<Total>,
    /// Deliveries.
    pub deliveries: Vec<Total>,
}

/// One host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HostLine {
    /// Its row.
    #[serde(flatten)]
    pub host: HostRow,
    /// Conversations in its hands.
    pub conversations: i64,
    /// Deliveries in its hands.
    pub deliveries: i64,
}

/// One queue. Lengths are counted up to [`Queue::COUNTED`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QueueLine {
    /// "contact", "control", "parked", "quarantine", "delivery-staged" …, "task", "audit".
    pub name: &'static str,
    /// How much of it there is.
    #[serde(flatten)]
    pub queue: Queue,
}

/// Events that were put aside for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ParkedLine {
    /// The reason, a code.
    pub reason: String,
    /// How many.
    #[serde(flatten)]
    pub queue: Queue,
}

/// How everything stands.
///
/// # Errors
/// [`DbError`]: the store cannot be read.
pub async fn status(db: &Db) -> Result<Status, DbError> {
    let parked = inbox::parked_queues(db).await?;
    let parked = parked.into_iter().map(|parked| ParkedLine { reason: parked.reason, queue: parked.queue });
    Ok(Status {
        at: db.now(),
        store: db.size().await?,
        hosts: hosts(db).await?,
        queues: queues(db).await?,
        parked: parked.collect(),
        totals: None,
    })
}

/// All that ever were. Walks every row that is kept: for people who ask, not for metrics.
///
/// # Errors
/// [`DbError`]: the store cannot be read.
pub async fn totals(db: &Db) -> Result<Totals, DbError> {
    Ok(Totals { events: inbox::event_totals(db).await?, deliveries: outbox::delivery_totals(db).await? })
}

/// All queues, always the same ones in the same order, with nothing in them or not.
///
/// # Errors
/// [`DbError`]: the store cannot be read.
pub async fn queues(db: &Db) -> Result<Vec<QueueLine>, DbError> {
    let parked = inbox::parked_queues(db).await?.into_iter().map(|parked| parked.queue);
    let mut queues = vec![
        ("contact", inbox::contact_queue(db).await?),
        ("control", inbox::control_queue(db).await?),
        ("parked", parked.fold(Queue::default(), Queue::and)),
        ("quarantine", inbox::quarantine_queue(db).await?),
    ];
    queues.extend(outbox::delivery_queues(db).await?.into_iter().map(|(state, queue)| (delivery_name(state), queue)));
    queues.push(("task", conversation::task_queue(db).await?));
    queues.push(("audit", audit::unsealed(db).await?));
    Ok(queues.into_iter().map(|(name, queue)| QueueLine { name, queue }).collect())
}

/// Hosts with what they hold. A holder without a row is one whose row was swept: what it holds falls to others.
async fn hosts(db: &Db) -> Result<Vec<HostLine>, DbError> {
    let conversations: HashMap<HostId, i64> = inbox::leases(db).await?.into_iter().collect();
    let deliveries: HashMap<HostId, i64> = outbox::leases(db).await?.into_iter().collect();
    let line = |host: HostRow| HostLine {
        conversations: conversations.get(&host.id).copied().unwrap_or(0),
        deliveries: deliveries.get(&host.id).copied().unwrap_or(0),
        host,
    };
    Ok(host::hosts(db).await?.into_iter().map(line).collect())
}

fn delivery_name(state: State) -> &'static str {
    match state {
        State::Staged => "delivery-staged",
        State::Retry => "delivery-retry",
        State::Sending => "delivery-sending",
        State::Unknown => "delivery-unknown",
        State::Held => "delivery-held",
        State::Dead => "delivery-dead",
        State::Sent | State::Delivered | State::Read | State::Dropped => "delivery-settled",
    }
}
