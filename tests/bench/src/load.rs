//! The load: as many requests as a server takes, a steady rate below that, or customers who wait for their answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bellhop::db::Clock;
use futures_util::future;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time;

use crate::http::Connection;
use crate::meta::Meta;
use crate::process;
use crate::webhook::{Reply, Target};

/// How long a customer waits before the benchmark is given up.
const PATIENCE: Duration = Duration::from_secs(10);

/// After the last answer the host still has things to write down; they count too.
const AFTERWORK: Duration = Duration::from_millis(300);

/// What a stretch of load came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretch {
    /// Requests or messages that were answered.
    pub(crate) answered: f64,
    /// How long it took.
    pub(crate) seconds: f64,
    /// Processor time of the server under load, user and system.
    pub(crate) cpu_seconds: f64,
}

impl Stretch {
    /// Answered each second.
    pub(crate) fn rate(&self) -> f64 {
        self.answered / self.seconds
    }

    /// Answered with each second of one core.
    pub(crate) fn rate_per_core(&self) -> f64 {
        self.answered / self.cpu_seconds
    }

    /// Processor time of one, in milliseconds.
    pub(crate) fn cpu_ms_each(&self) -> f64 {
        self.cpu_seconds * 1_000.0 / self.answered
    }
}

/// A server under load.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) process: u32,
    pub(crate) target: Arc<Target>,
}

/// Requests of one connection after the other in ever new numbers; the person is one of `N_PEOPLE`.
#[derive(Clone)]
pub(crate) struct Numbers(Arc<std::sync::atomic::AtomicU64>);

/// People who write in a flood of webhooks.
const N_PEOPLE: u64 = 1_000;

impl Numbers {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    pub(crate) fn next(&self) -> u64 {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    }
}

/// Meta's id of a customer.
pub(crate) fn person(number: u64) -> String {
    format!("{}", 7_000_000_000_000_000 + number)
}

/// Sends over `n_connections`, the next request as soon as the last was answered.
pub(crate) async fn flood(
    server: &Server,
    numbers: &Numbers,
    n_connections: usize,
    lasting: Duration,
) -> anyhow::Result<Stretch> {
    let (started, cpu_before) = (Instant::now(), process::cpu_seconds(server.process)?);
    let senders = (0..n_connections).map(|_| async {
        let mut connection = Connection::open(server.address).await?;
        let (clock, mut answered) = (Clock::machine(), 0_u32);
        while started.elapsed() < lasting {
            let number = numbers.next();
            let request = server.target.message(&person(number % N_PEOPLE), number, "hello there", &clock);
            let status = connection.send(&request).await?;
            ensure!(status == 200, "a webhook was answered {status}");
            answered += 1;
        }
        Ok(answered)
    });
    let answered: u32 = future::try_join_all(senders).await?.into_iter().sum();
    let seconds = started.elapsed().as_secs_f64();
    let cpu_seconds = process::cpu_seconds(server.process)? - cpu_before;
    Ok(Stretch { answered: f64::from(answered), seconds, cpu_seconds })
}

/// Sends `rate` requests a second whether or not the last was answered, and measures each from the moment at which it was
/// due: a server that stalls is not spared the requests that it kept waiting. Milliseconds, unsorted.
pub(crate) async fn steady(
    server: &Server,
    numbers: &Numbers,
    (n_connections, rate): (usize, f64),
    lasting: Duration,
) -> anyhow::Result<Vec<f64>> {
    let started = time::Instant::now() + Duration::from_millis(20);
    let step = Duration::from_secs_f64(n_connections as f64 / rate);
    let senders = (0..n_connections).map(|nth| async move {
        let mut connection = Connection::open(server.address).await?;
        let clock = Clock::machine();
        let mut due = started + step.mul_f64(nth as f64 / n_connections as f64);
        let mut waits = Vec::new();
        while due - started < lasting {
            time::sleep_until(due).await;
            let number = numbers.next();
            let request = server.target.message(&person(number % N_PEOPLE), number, "hello there", &clock);
            let status = connection.send(&request).await?;
            ensure!(status == 200, "a webhook was answered {status}");
            waits.push(due.elapsed().as_secs_f64() * 1_000.0);
            due += step;
        }
        Ok(waits)
    });
    Ok(future::try_join_all(senders).await?.concat())
}

/// A customer who writes, waits for the answer, and writes again.
pub(crate) struct Customer {
    person: String,
    connection: Connection,
    replies: UnboundedReceiver<Reply>,
}

/// How customers behave.
#[derive(Clone, Copy)]
pub(crate) struct Habit {
    /// What they write.
    pub(crate) text: &'static str,
    /// Whether Meta reports each answer: echo, delivery, read.
    pub(crate) reports: bool,
}

/// Customers number `from` and so many after.
pub(crate) async fn customers(meta: &Meta, server: &Server, from: u64, n: u64) -> anyhow::Result<Vec<Customer>> {
    let one = |number| async move {
        let person = person(number);
        let (replies, connection) = (meta.replies_to(&person), Connection::open(server.address).await?);
        Ok(Customer { person, connection, replies })
    };
    future::try_join_all((from..from + n).map(one)).await
}

/// All customers write and wait at the same time, for so long; what the server still does afterwards counts as well.
pub(crate) async fn converse(
    server: &Server,
    customers: &mut [Customer],
    habit: Habit,
    numbers: &Numbers,
    lasting: Duration,
) -> anyhow::Result<Stretch> {
    let (started, cpu_before) = (Instant::now(), process::cpu_seconds(server.process)?);
    let talks = customers.iter_mut().map(|customer| async {
        let mut answered = 0_u32;
        while started.elapsed() < lasting {
            customer.ask(&server.target, habit, numbers.next()).await?;
            answered += 1;
        }
        anyhow::Ok(answered)
    });
    let answered: u32 = future::try_join_all(talks).await?.into_iter().sum();
    let seconds = started.elapsed().as_secs_f64();
    time::sleep(AFTERWORK).await;
    for customer in customers {
        ensure!(customer.replies.is_empty(), "a message was answered twice");
    }
    let cpu_seconds = process::cpu_seconds(server.process)? - cpu_before;
    Ok(Stretch { answered: f64::from(answered), seconds, cpu_seconds })
}

impl Customer {
    /// One message up to its answer, and what Meta says of the answer.
    pub(crate) async fn ask(&mut self, target: &Target, habit: Habit, number: u64) -> anyhow::Result<()> {
        let clock = Clock::machine();
        let status = self.connection.send(&target.message(&self.person, number, habit.text, &clock)).await?;
        ensure!(status == 200, "a webhook was answered {status}");
        let reply = time::timeout(PATIENCE, self.replies.recv()).await.context("a message was not answered")?;
        let reply = reply.context("Meta's stand-in has stopped")?;
        if habit.reports {
            for request in target.aftermath(&self.person, &reply, &clock) {
                let status = self.connection.send(&request).await?;
                ensure!(status == 200, "a report was answered {status}");
            }
        }
        Ok(())
    }
}

/// How many people write for the first time in one stretch, and how many of them at once.
pub(crate) const NEWCOMERS: u64 = 960;
const NEWCOMERS_AT_ONCE: u64 = 48;

/// People who write once, and whom the host has never seen.
pub(crate) async fn newcomers(
    meta: &Meta,
    server: &Server,
    from: u64,
    habit: Habit,
    numbers: &Numbers,
) -> anyhow::Result<Stretch> {
    let (started, cpu_before) = (Instant::now(), process::cpu_seconds(server.process)?);
    let queues = (0..NEWCOMERS_AT_ONCE).map(|nth| async move {
        let mut connection = Connection::open(server.address).await?;
        for number in (from + nth..from + NEWCOMERS).step_by(usize::try_from(NEWCOMERS_AT_ONCE)?) {
            let person = person(number);
            let mut customer = Customer { replies: meta.replies_to(&person), person, connection };
            customer.ask(&server.target, habit, numbers.next()).await?;
            connection = customer.connection;
        }
        anyhow::Ok(())
    });
    future::try_join_all(queues).await?;
    let seconds = started.elapsed().as_secs_f64();
    time::sleep(AFTERWORK).await;
    let cpu_seconds = process::cpu_seconds(server.process)? - cpu_before;
    Ok(Stretch { answered: NEWCOMERS as f64, seconds, cpu_seconds })
}
