//! `cpu_per_message`: processor time of the host from an accepted webhook to the call of Meta's Graph API, everything on:
//! durable, sealed, sandboxed, judged, recorded. The floor is an axum handler that makes one POST with reqwest. Measured by the
//! whole `serve` process over messages answered, what it still does after the last answer included.

use std::time::Duration;

use tokio::runtime;

use crate::customer::{self, Customer, Habit, Talk};
use crate::figure::{Bar, Figure};
use crate::floor::Floor;
use crate::host::{FAQ_PAGE, HELLO_PAGE, House};
use crate::load::{Numbers, Server};
use crate::meta::Meta;
use crate::sample::{median, quantile};
use crate::webhook_durable::floor;

/// Customers who write and wait at the same time.
const CUSTOMERS: u64 = 48;

const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_millis(1_100);

const RATIO_MOST: f64 = 6.0;

/// What is asked: one entry of the 500 answers it.
pub(crate) const QUESTION: Habit = Habit { text: "how much does a haircut cost?", reports: false };
pub(crate) const REPORTED: Habit = Habit { reports: true, ..QUESTION };

/// Runs the benchmark.
pub(crate) fn run() -> anyhow::Result<Vec<Figure>> {
    runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure())
}

/// A server and those who write to it.
pub(crate) struct Scene {
    server: Server,
    customers: Vec<Customer>,
    habit: Habit,
}

/// What all rounds of a scene came to.
#[derive(Default)]
struct Rounds {
    cpu_ms: Vec<f64>,
    rates: Vec<f64>,
    waits_ms: Vec<f64>,
}

async fn measure() -> anyhow::Result<Vec<Figure>> {
    let meta = Meta::start().await?;
    let house = House::build(&meta.url()).await?;
    let (host, mut relay) = (house.serve()?, Floor::Post(&meta.url()).start()?);
    let (on_hello, on_faq, on_relay) = (host.server(HELLO_PAGE), host.server(FAQ_PAGE), floor(&mut relay)?);
    let numbers = Numbers::new();
    let mut hello = Scene::new(&meta, &on_hello, 0, QUESTION).await?;
    let mut reported = Scene::new(&meta, &on_hello, 100, REPORTED).await?;
    let mut faq = Scene::new(&meta, &on_faq, 200, QUESTION).await?;
    let mut relay = Scene::new(&meta, &on_relay, 300, QUESTION).await?;
    let mut rounds: [Rounds; 5] = Default::default();
    for round in 0..=ROUNDS {
        let newcomers_from = 10_000 + round as u64 * customer::NEWCOMERS;
        let talks = [
            hello.play(&numbers).await?,
            reported.play(&numbers).await?,
            faq.play(&numbers).await?,
            customer::newcomers(&meta, &on_hello, newcomers_from, QUESTION, &numbers).await?,
            relay.play(&numbers).await?,
        ];
        // The first round only warms up.
        if round > 0 {
            rounds.iter_mut().zip(talks).for_each(|(rounds, talk)| rounds.add(talk));
        }
    }
    Ok(figures(rounds))
}

fn figures([hello, reported, faq, newcomers, relay]: [Rounds; 5]) -> Vec<Figure> {
    let floor = median(relay.cpu_ms);
    let cpu = |name: &str, rounds: Vec<f64>| Figure::new(name, median(rounds), "ms").over(floor);
    vec![
        cpu("cpu_per_message", hello.cpu_ms).bar(Bar::RatioAtMost(RATIO_MOST)),
        cpu("cpu_per_message_with_reports", reported.cpu_ms),
        cpu("cpu_per_message_of_newcomer", newcomers.cpu_ms),
        cpu("cpu_per_message_faq", faq.cpu_ms),
        Figure::new("messages_answered", median(hello.rates), "per_s").over(median(relay.rates)),
        Figure::new("message_to_answer_p50", quantile(hello.waits_ms.clone(), 0.5), "ms")
            .over(quantile(relay.waits_ms.clone(), 0.5)),
        Figure::new("message_to_answer_p99", quantile(hello.waits_ms, 0.99), "ms").over(quantile(relay.waits_ms, 0.99)),
    ]
}

impl Scene {
    pub(crate) async fn new(meta: &Meta, server: &Server, from: u64, habit: Habit) -> anyhow::Result<Self> {
        let customers = customer::customers(meta, std::slice::from_ref(server), from, CUSTOMERS).await?;
        Ok(Self { server: server.clone(), customers, habit })
    }

    pub(crate) async fn play(&mut self, numbers: &Numbers) -> anyhow::Result<Talk> {
        customer::converse(std::slice::from_ref(&self.server), &mut self.customers, self.habit, numbers, ROUND).await
    }
}

impl Rounds {
    fn add(&mut self, mut talk: Talk) {
        self.cpu_ms.push(talk.cpu_ms_each());
        self.rates.push(talk.rate());
        self.waits_ms.append(&mut talk.waits_ms);
    }
}
