//! Customers: each writes, waits for the answer, and writes again. Load that goes all the way through a server and back.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bellhop::db::Clock;
use futures_util::future;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time;

use crate::http::Connection;
use crate::load::{Numbers, Server, person};
use crate::meta::Meta;
use crate::process;
use crate::webhook::{Reply, Target};

/// How long a customer waits before the benchmark is given up.
const PATIENCE: Duration = Duration::from_secs(10);

/// After the last answer the host still has things to write down; they count too.
const AFTERWORK: Duration = Duration::from_millis(300);

/// How many people write for the first time in one stretch, and how many of them at once.
pub(crate) const NEWCOMERS: u64 = 480;
const NEWCOMERS_AT_ONCE: u64 = 48;

/// What a stretch of conversations came to.
#[derive(Debug)]
pub(crate) struct Talk {
    /// From each message to its answer, in milliseconds.
    pub(crate) waits_ms: Vec<f64>,
    seconds: f64,
    cpu_seconds: f64,
}

impl Talk {
    /// Processor time of the server for one message, in milliseconds.
    pub(crate) fn cpu_ms_each(&self) -> f64 {
        self.cpu_seconds * 1_000.0 / self.waits_ms.len() as f64
    }

    /// Messages answered each second.
    pub(crate) fn rate(&self) -> f64 {
        self.waits_ms.len() as f64 / self.seconds
    }
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

/// Customers number `from` and so many after, who write to the servers in turn.
pub(crate) async fn customers(meta: &Meta, servers: &[Server], from: u64, n: u64) -> anyhow::Result<Vec<Customer>> {
    let one = |number| async move {
        let person = person(number);
        let nth = usize::try_from(number)? % servers.len();
        let server = servers.get(nth).context("there is no server")?;
        let (replies, connection) = (meta.replies_to(&person), Connection::open(server.address).await?);
        Ok(Customer { person, connection, replies })
    };
    future::try_join_all((from..from + n).map(one)).await
}

/// All customers write and wait at the same time, for so long; what the servers still do afterwards counts as well. The servers
/// are hosts of one store.
pub(crate) async fn converse(
    servers: &[Server],
    customers: &mut [Customer],
    habit: Habit,
    numbers: &Numbers,
    lasting: Duration,
) -> anyhow::Result<Talk> {
    let target = &servers.first().context("there is no server")?.target;
    let (started, cpu_before) = (Instant::now(), cpu_seconds(servers)?);
    let talks = customers.iter_mut().map(|customer| async {
        let mut waits_ms = Vec::new();
        while started.elapsed() < lasting {
            waits_ms.push(customer.ask(target, habit, numbers.next()).await?);
        }
        anyhow::Ok(waits_ms)
    });
    let waits_ms = future::try_join_all(talks).await?.concat();
    let seconds = started.elapsed().as_secs_f64();
    time::sleep(AFTERWORK).await;
    for customer in customers {
        ensure!(customer.replies.is_empty(), "a message was answered twice");
    }
    let cpu_seconds = cpu_seconds(servers)? - cpu_before;
    Ok(Talk { waits_ms, seconds, cpu_seconds })
}

fn cpu_seconds(servers: &[Server]) -> anyhow::Result<f64> {
    servers.iter().map(|server| process::cpu_seconds(server.process)).sum()
}

impl Customer {
    /// One message up to its answer, and what Meta says of the answer. Milliseconds up to the answer.
    pub(crate) async fn ask(&mut self, target: &Target, habit: Habit, number: u64) -> anyhow::Result<f64> {
        let (clock, asked) = (Clock::machine(), Instant::now());
        let status = self.connection.send(&target.message(&self.person, number, habit.text, &clock)).await?;
        ensure!(status == 200, "a webhook was answered {status}");
        let reply = time::timeout(PATIENCE, self.replies.recv()).await.context("a message was not answered")?;
        let reply = reply.context("Meta's stand-in has stopped")?;
        let waited_ms = asked.elapsed().as_secs_f64() * 1_000.0;
        if habit.reports {
            for request in target.aftermath(&self.person, &reply, &clock) {
                let status = self.connection.send(&request).await?;
                ensure!(status == 200, "a report was answered {status}");
            }
        }
        Ok(waited_ms)
    }
}

/// People who write once, and whom the host has never seen.
pub(crate) async fn newcomers(
    meta: &Meta,
    server: &Server,
    from: u64,
    habit: Habit,
    numbers: &Numbers,
) -> anyhow::Result<Talk> {
    let (started, cpu_before) = (Instant::now(), process::cpu_seconds(server.process)?);
    let queues = (0..NEWCOMERS_AT_ONCE).map(|nth| async move {
        let mut connection = Connection::open(server.address).await?;
        let mut waits_ms = Vec::new();
        for number in (from + nth..from + NEWCOMERS).step_by(usize::try_from(NEWCOMERS_AT_ONCE)?) {
            let person = person(number);
            let mut customer = Customer { replies: meta.replies_to(&person), person, connection };
            waits_ms.push(customer.ask(&server.target, habit, numbers.next()).await?);
            connection = customer.connection;
        }
        anyhow::Ok(waits_ms)
    });
    let waits_ms = future::try_join_all(queues).await?.concat();
    let seconds = started.elapsed().as_secs_f64();
    time::sleep(AFTERWORK).await;
    let cpu_seconds = process::cpu_seconds(server.process)? - cpu_before;
    Ok(Talk { waits_ms, seconds, cpu_seconds })
}
