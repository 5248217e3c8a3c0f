//! `cpu_per_message`: processor time of the host from an accepted webhook to the call of Meta's Graph API, everything on:
//! durable, sealed, sandboxed, judged, recorded. The floor is an axum handler that makes one POST with reqwest. Measured by the
//! whole `serve` process over messages answered, what it still does after the last answer included.

use std::time::Duration;

use tokio::runtime;

use crate::figure::{Bar, Figure};
use crate::floor::Floor;
use crate::host::{FAQ_PAGE, HELLO_PAGE, House};
use crate::load::{self, Customer, Habit, Numbers, Server, Stretch};
use crate::meta::Meta;
use crate::sample::Samples;
use crate::webhook_durable::floor;

/// Customers who write and wait at the same time.
const CUSTOMERS: u64 = 48;

const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_millis(1_300);
const WARM_UP: Duration = Duration::from_millis(700);

const RATIO_MOST: f64 = 6.0;

/// What is asked: one entry of the 500 answers it.
const QUESTION: Habit = Habit { text: "how much does a haircut cost?", reports: false };
const REPORTED: Habit = Habit { reports: true, ..QUESTION };

/// Runs the benchmark.
pub(crate) fn run() -> anyhow::Result<Vec<Figure>> {
    runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure())
}

/// A server and those who write to it.
struct Scene {
    server: Server,
    customers: Vec<Customer>,
    habit: Habit,
}

async fn measure() -> anyhow::Result<Vec<Figure>> {
    let meta = Meta::start().await?;
    let house = House::build(&meta.url()).await?;
    let (host, mut relay) = (house.serve()?, Floor::Post(&meta.url()).start()?);
    let (hello, faq, relay) = (host.server(HELLO_PAGE), host.server(FAQ_PAGE), floor(&mut relay)?);
    let numbers = Numbers::new();
    let mut scenes = Vec::new();
    for (server, from, habit) in
        [(&hello, 0, QUESTION), (&faq, 100, QUESTION), (&hello, 200, REPORTED), (&relay, 300, QUESTION)]
    {
        let customers = load::customers(&meta, server, from, CUSTOMERS).await?;
        scenes.push(Scene { server: server.clone(), customers, habit });
    }
    for scene in &mut scenes {
        scene.play(&numbers, WARM_UP).await?;
    }
    let mut samples = Samples::<5>::new();
    for round in 0..ROUNDS {
        let mut each = Vec::new();
        for scene in &mut scenes {
            each.push(scene.play(&numbers, ROUND).await?.cpu_ms_each());
        }
        let first = first_messages(&meta, &hello, &numbers, round).await?.cpu_ms_each();
        if let [hello, faq, reported, relay] = *each.as_slice() {
            samples.add([hello, faq, reported, first, relay]);
        }
    }
    let [hello, faq, reported, first, relay] = samples.medians();
    Ok(vec![
        Figure::new("cpu_per_message", hello, "ms").over(relay).bar(Bar::RatioAtMost(RATIO_MOST)),
        Figure::new("cpu_per_message_with_reports", reported, "ms").over(relay),
        Figure::new("cpu_per_message_of_new_contact", first, "ms").over(relay),
        Figure::new("cpu_per_message_faq", faq, "ms").over(relay),
    ])
}

impl Scene {
    async fn play(&mut self, numbers: &Numbers, lasting: Duration) -> anyhow::Result<Stretch> {
        load::converse(&self.server, &mut self.customers, self.habit, numbers, lasting).await
    }
}

/// People who never wrote before: for each a contact, its key and its conversation are made.
async fn first_messages(meta: &Meta, server: &Server, numbers: &Numbers, round: usize) -> anyhow::Result<Stretch> {
    let from = 10_000 + round as u64 * load::NEWCOMERS;
    load::newcomers(meta, server, from, QUESTION, numbers).await
}
