//! `growth`: what a webhook and a message cost in a store with a million settled events, against a fresh one. Both are measured in
//! turns, in the same run, on the same engine; the floor of each figure is the fresh store. The rows are written by SQL,
//! beside the rooms: as many as retention would have kept, and sealed under nothing that opens.

use std::io::{self, Write};
use std::time::Duration;

use anyhow::bail;
use clap::Parser;
use tokio::{runtime, time};

use crate::cluster::Cluster;
use crate::cpu_per_message::{QUESTION, REPORTED, Scene};
use crate::customer;
use crate::figure::{Bar, Figure};
use crate::host::{HELLO_PAGE, Host, House};
use crate::load::{self, Numbers};
use crate::meta::Meta;
use crate::sample::Samples;

mod seed;

/// The name under which the program runs it.
pub(crate) const NAME: &str = "growth";

/// Stretches of which the middle counts, after one that warms up.
const ROUNDS: usize = 5;

/// Webhooks in flight, and how long they are sent in a stretch.
const CONNECTIONS: usize = 64;
const FLOOD: Duration = Duration::from_secs(1);

/// What a start leaves to be done afterwards, sweeps of old rows among it, is done by then.
const SETTLED: Duration = Duration::from_secs(5);

const RATIO_MOST: f64 = 1.2;

/// `bench growth`: cost in a store with a million events, against a fresh one.
#[derive(Debug, Parser)]
#[command(name = NAME)]
struct Arguments {
    /// On a PostgreSQL of its own in place of SQLite.
    #[arg(long)]
    postgres: bool,
    /// Settled events.
    #[arg(long, default_value_t = 1_000_000)]
    events: i64,
    /// Conversations that they belong to.
    #[arg(long, default_value_t = 100_000)]
    conversations: i64,
}

/// Runs the benchmark.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<Vec<Figure>> {
    let named = std::iter::once(NAME).chain(arguments.iter().map(String::as_str));
    let arguments = Arguments::try_parse_from(named)?;
    let cluster = match (arguments.postgres, Cluster::programs()) {
        (true, Some(programs)) => Some(Cluster::start_durable(&programs)?),
        (true, None) => bail!("no `initdb` found: install postgresql"),
        (false, _) => None,
    };
    runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure(&arguments, cluster.as_ref()))
}

async fn measure(arguments: &Arguments, cluster: Option<&Cluster>) -> anyhow::Result<Vec<Figure>> {
    let meta = Meta::start().await?;
    let (fresh, grown) = (house(&meta, cluster, "fresh").await?, house(&meta, cluster, "grown").await?);
    seed::sow(&grown, arguments.events, arguments.conversations).await?;
    let numbers = Numbers::new();
    let [plain, reported, newcomers] = messages(&meta, [&fresh, &grown], &numbers).await?;
    let [per_core, rate] = webhooks([&fresh, &grown], &numbers).await?;
    let figure =
        |name: &str, [fresh, grown]: [f64; 2], unit| Figure::new(format!("growth_{name}"), grown, unit).over(fresh);
    let most = Bar::RatioAtMost(RATIO_MOST);
    Ok(vec![
        figure("cpu_per_message", plain, "ms").bar(most),
        figure("cpu_per_message_with_reports", reported, "ms").bar(most),
        figure("cpu_per_message_of_newcomer", newcomers, "ms").bar(most),
        figure("webhook_durable", per_core, "per_s_and_core").bar(Bar::RatioAtLeast(1.0 / RATIO_MOST)),
        figure("webhook_durable_rate", rate, "per_s"),
    ])
}

async fn house(meta: &Meta, cluster: Option<&Cluster>, name: &str) -> anyhow::Result<House> {
    let url = match cluster {
        Some(cluster) => {
            cluster.execute(format!("create database {name}")).await?;
            Some(cluster.url(name))
        }
        None => None,
    };
    House::build_on(&meta.url(), url).await
}

/// Processor time of the host for a message: plain, with Meta's reports, and of people who write for the first time.
async fn messages(meta: &Meta, houses: [&House; 2], numbers: &Numbers) -> anyhow::Result<[[f64; 2]; 3]> {
    let hosts: [Host; 2] = [houses[0].serve()?, houses[1].serve()?];
    let servers = [hosts[0].server(HELLO_PAGE), hosts[1].server(HELLO_PAGE)];
    time::sleep(SETTLED).await;
    let mut scenes = Vec::new();
    for (nth, server) in (0_u64..).zip(&servers) {
        let plain = Scene::new(meta, server, nth * 1_000, QUESTION).await?;
        scenes.push((server, plain, Scene::new(meta, server, nth * 1_000 + 500, REPORTED).await?));
    }
    let (mut plain, mut reported, mut newcomers) = (Samples::<2>::new(), Samples::<2>::new(), Samples::<2>::new());
    let mut from = 10_000;
    for round in 0..=ROUNDS {
        let mut spent = [[0.0; 2]; 3];
        for (nth, (server, one, other)) in scenes.iter_mut().enumerate() {
            let talks = [
                one.play(numbers).await?,
                other.play(numbers).await?,
                customer::newcomers(meta, server, from, QUESTION, numbers).await?,
            ];
            from += customer::NEWCOMERS;
            for (spent, talk) in spent.iter_mut().zip(talks) {
                spent.iter_mut().skip(nth).take(1).for_each(|spent| *spent = talk.cpu_ms_each());
            }
        }
        if round > 0 {
            let [a, b, c] = spent;
            plain.add(a);
            reported.add(b);
            newcomers.add(c);
            writeln!(io::stderr(), "growth: stretch {round} of {ROUNDS}")?;
        }
    }
    Ok([plain.medians(), reported.medians(), newcomers.medians()])
}

/// Webhooks by second of a core, and by second, with nothing behind the door.
async fn webhooks(houses: [&House; 2], numbers: &Numbers) -> anyhow::Result<[[f64; 2]; 2]> {
    let doors = [houses[0].door()?, houses[1].door()?];
    let (mut per_core, mut rate) = (Samples::<2>::new(), Samples::<2>::new());
    for round in 0..=ROUNDS {
        let mut stretches = Vec::new();
        for door in &doors {
            stretches.push(load::flood(&door.server(HELLO_PAGE), numbers, CONNECTIONS, FLOOD).await?);
        }
        if let (true, [fresh, grown]) = (round > 0, stretches.as_slice()) {
            per_core.add([fresh.rate_per_core(), grown.rate_per_core()]);
            rate.add([fresh.rate(), grown.rate()]);
        }
    }
    Ok([per_core.medians(), rate.medians()])
}
