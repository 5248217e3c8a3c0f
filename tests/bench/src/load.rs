//! Webhooks in numbers: as many as a server takes, or a steady rate below that.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use bellhop::db::Clock;
use futures_util::future;
use tokio::time;

use crate::http::Connection;
use crate::process;
use crate::webhook::Target;

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
