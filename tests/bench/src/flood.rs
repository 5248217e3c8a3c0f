//! `flood`: what a business notices of another one's flood on the same host. One writes 20,000 messages of 5,000 people as fast as
//! they are taken, far more than can be answered at that moment; the other gets a message every 50 ms and has each measured from
//! when it was due to the call of Meta's Graph API. The floor is the same business on the same host before the flood.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future;
use tokio::{runtime, time};

use crate::customer::{self, Customer, Habit};
use crate::figure::{Bar, Figure};
use crate::host::{FAQ_PAGE, HELLO_PAGE, House};
use crate::http::Connection;
use crate::load::{Numbers, Server, person};
use crate::meta::Meta;
use crate::sample::quantile;

/// The flood, and over how many connections it comes.
const MESSAGES: u64 = 20_000;
const PEOPLE: u64 = 5_000;
const CONNECTIONS: usize = 64;

/// The neighbour's customers; each writes so often that one of them does every 50 ms.
const CUSTOMERS: u64 = 40;
const EVERY: Duration = Duration::from_millis(50);

const WARM_UP: Duration = Duration::from_secs(2);
const STRETCH: Duration = Duration::from_secs(5);

const RATIO_MOST: f64 = 5.0;
const LONGEST_MS_MOST: f64 = 1_000.0;

/// Any question: one of the 500 entries answers it.
const QUESTION: Habit = Habit { text: "how much does a haircut cost?", reports: false };

/// Runs the benchmark.
pub(crate) fn run() -> anyhow::Result<Vec<Figure>> {
    runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure())
}

async fn measure() -> anyhow::Result<Vec<Figure>> {
    let meta = Meta::start().await?;
    let house = House::build(&meta.url()).await?;
    let host = house.serve()?;
    let (flooded, neighbour) = (host.server(HELLO_PAGE), host.server(FAQ_PAGE));
    let numbers = Numbers::new();
    let mut customers = customer::customers(&meta, std::slice::from_ref(&neighbour), 0, CUSTOMERS).await?;
    write(&neighbour, &mut customers, &numbers, WARM_UP).await?;
    let calm = write(&neighbour, &mut customers, &numbers, STRETCH).await?;
    let n_before = meta.n_taken();
    let (waits, n_refused) =
        tokio::join!(write(&neighbour, &mut customers, &numbers, STRETCH), flood(&flooded, &numbers));
    let (waits, n_refused) = (waits?, n_refused?);
    let n_answered = meta.n_taken() - n_before - waits.len() as u64;
    let of = |waits: &[f64], part| quantile(waits.to_vec(), part);
    Ok(vec![
        Figure::new("flood_neighbour_p50", of(&waits, 0.5), "ms").over(of(&calm, 0.5)),
        Figure::new("flood_neighbour_p99", of(&waits, 0.99), "ms")
            .over(of(&calm, 0.99))
            .bar(Bar::RatioAtMost(RATIO_MOST)),
        Figure::new("flood_neighbour_longest", of(&waits, 1.0), "ms")
            .over(of(&calm, 1.0))
            .bar(Bar::AtMost(LONGEST_MS_MOST)),
        Figure::new("flood_refused", n_refused as f64, "webhooks").bar(Bar::AtMost(0.0)),
        Figure::new("flood_answered_meanwhile", n_answered as f64, "messages"),
    ])
}

/// One of the customers writes every 50 ms, for so long. From when each message was due to its answer, in milliseconds.
async fn write(
    server: &Server,
    customers: &mut [Customer],
    numbers: &Numbers,
    lasting: Duration,
) -> anyhow::Result<Vec<f64>> {
    let (started, round) = (time::Instant::now(), EVERY * u32::try_from(customers.len())?);
    let talks = customers.iter_mut().enumerate().map(|(nth, customer)| async move {
        let (mut due, mut waits_ms) = (started + EVERY.mul_f64(nth as f64), Vec::new());
        while due - started < lasting {
            time::sleep_until(due).await;
            customer.ask(&server.target, QUESTION, numbers.next()).await?;
            waits_ms.push(due.elapsed().as_secs_f64() * 1_000.0);
            due += round;
        }
        anyhow::Ok(waits_ms)
    });
    Ok(future::try_join_all(talks).await?.concat())
}

/// Sends the flood; how many of its webhooks were answered other than 200.
async fn flood(server: &Server, numbers: &Numbers) -> anyhow::Result<u64> {
    let (sent, n_refused) = (AtomicU64::new(0), AtomicU64::new(0));
    let senders = (0..CONNECTIONS).map(|_| async {
        let mut connection = Connection::open(server.address).await?;
        let clock = bellhop::db::Clock::machine();
        loop {
            let nth = sent.fetch_add(1, Ordering::Relaxed);
            if nth >= MESSAGES {
                return anyhow::Ok(());
            }
            let somebody = person(1_000_000 + nth % PEOPLE);
            let request = server.target.message(&somebody, numbers.next(), "hello there", &clock);
            if connection.send(&request).await? != 200 {
                n_refused.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    future::try_join_all(senders).await?;
    Ok(n_refused.into_inner())
}
