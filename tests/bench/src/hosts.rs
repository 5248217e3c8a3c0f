//! `hosts`: two hosts on one PostgreSQL, against one on the same. Where cores are to be had, two answer more; where there are
//! none, nothing may get slower because two hosts reach for the same rows. The floor of each figure is one host.
//!
//! Customers, hosts and PostgreSQL share the machine: read the ratios with the number of cores.

use std::io::{self, Write};
use std::time::Duration;

use anyhow::Context;
use sqlx::{AnyConnection, Connection as _, Executor, Row};
use tokio::runtime;

use crate::cluster::Cluster;
use crate::customer::{self, Habit, Talk};
use crate::figure::{Bar, Figure};
use crate::host::{HELLO_PAGE, Host, House};
use crate::http::Connection;
use crate::load::{Numbers, Server};
use crate::meta::Meta;
use crate::sample::{Samples, quantile};

const DATABASE: &str = "hosts";

/// Customers who write and wait at the same time.
const CUSTOMERS: u64 = 96;

/// Stretches of each kind, in turns, and how long they last. Before each the hosts get to know each other, and who has gone is
/// forgotten: they look each second.
const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(3);
const WARM_UP: Duration = Duration::from_millis(2_500);

const RATIO_LEAST: f64 = 0.9;

const QUESTION: Habit = Habit { text: "hello there", reports: false };

/// Runs the benchmark; without a PostgreSQL it says so and measures nothing.
pub(crate) fn run() -> anyhow::Result<Vec<Figure>> {
    let Some(programs) = Cluster::programs() else {
        writeln!(io::stdout(), "hosts skipped: no `initdb` found")?;
        return Ok(Vec::new());
    };
    let cluster = Cluster::start_durable(&programs)?;
    runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure(&cluster))
}

/// What is measured on.
struct Bench {
    meta: Meta,
    house: House,
    url: String,
    numbers: Numbers,
}

/// What hosts have counted so far.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    turns: f64,
    overtaken: f64,
    conflicts: f64,
}

/// What one stretch came to.
struct Stretch {
    talk: Talk,
    /// By host.
    counts: Vec<Counts>,
}

async fn measure(cluster: &Cluster) -> anyhow::Result<Vec<Figure>> {
    cluster.execute(format!("create database {DATABASE}")).await?;
    let (meta, url) = (Meta::start().await?, cluster.url(DATABASE));
    let house = House::build_on(&meta.url(), Some(url.clone())).await?;
    let bench = Bench { meta, house, url, numbers: Numbers::new() };
    let first = bench.house.serve()?;
    let (mut rates, mut cpu, mut waits) = (Samples::<2>::new(), Samples::<2>::new(), [Vec::new(), Vec::new()]);
    let mut counts = [Counts::default(); 2];
    for _ in 0..ROUNDS {
        let alone = bench.play(&[&first]).await?;
        let second = bench.house.serve()?;
        let both = bench.play(&[&first, &second]).await?;
        drop(second);
        rates.add([alone.talk.rate(), both.talk.rate()]);
        cpu.add([alone.talk.cpu_ms_each(), both.talk.cpu_ms_each()]);
        counts.iter_mut().zip(&both.counts).for_each(|(all, counts)| *all = all.plus(*counts));
        waits.iter_mut().zip([alone, both]).for_each(|(all, stretch)| all.extend(stretch.talk.waits_ms));
    }
    let deadlocks = bench.number("select deadlocks from pg_stat_database where datname = current_database()").await?;
    let ([alone, both], [cpu_alone, cpu_both], [waits_alone, waits_both]) = (rates.medians(), cpu.medians(), waits);
    let turns = counts.iter().map(|counts| counts.turns).sum::<f64>();
    let mut figures = vec![
        Figure::new("hosts_cores", std::thread::available_parallelism()?.get() as f64, "cores"),
        Figure::new("hosts_answered_by_two", both, "per_s").over(alone).bar(Bar::RatioAtLeast(RATIO_LEAST)),
        Figure::new("hosts_cpu_per_message_of_two", cpu_both, "ms").over(cpu_alone),
        Figure::new("hosts_wait_p50_with_two", quantile(waits_both.clone(), 0.5), "ms")
            .over(quantile(waits_alone.clone(), 0.5)),
        Figure::new("hosts_wait_p99_with_two", quantile(waits_both, 0.99), "ms").over(quantile(waits_alone, 0.99)),
        Figure::new("hosts_conflicts", counts.iter().map(|counts| counts.conflicts).sum(), "transactions"),
        Figure::new("hosts_deadlocks", deadlocks, "transactions"),
        Figure::new("hosts_overtaken", counts.iter().map(|counts| counts.overtaken).sum(), "turns"),
    ];
    let share = |(nth, counts): (usize, &Counts)| {
        Figure::new(format!("hosts_share_of_host_{}", nth + 1), counts.turns * 100.0 / turns, "percent_of_turns")
    };
    figures.extend(counts.iter().enumerate().map(share));
    Ok(figures)
}

impl Bench {
    /// The customers write to these hosts in turn; the first stretch only warms up.
    async fn play(&self, hosts: &[&Host]) -> anyhow::Result<Stretch> {
        // A host that was killed left its row behind, and would be taken for alive for a while.
        self.number("with gone as (delete from host returning 1) select count(*) from gone").await?;
        let servers: Vec<Server> = hosts.iter().map(|host| host.server(HELLO_PAGE)).collect();
        let mut customers = customer::customers(&self.meta, &servers, 0, CUSTOMERS).await?;
        customer::converse(&servers, &mut customers, QUESTION, &self.numbers, WARM_UP).await?;
        let mut before = Vec::new();
        for host in hosts {
            before.push(Counts::of(host).await?);
        }
        let talk = customer::converse(&servers, &mut customers, QUESTION, &self.numbers, ROUND).await?;
        let mut counts = Vec::new();
        for (host, before) in hosts.iter().zip(before) {
            counts.push(Counts::of(host).await?.minus(before));
        }
        Ok(Stretch { talk, counts })
    }

    /// One number from the store.
    async fn number(&self, select: &'static str) -> anyhow::Result<f64> {
        sqlx::any::install_default_drivers();
        let mut connection = AnyConnection::connect(&self.url).await?;
        let number: i64 = connection.fetch_one(select).await?.try_get(0)?;
        connection.close().await?;
        Ok(number as f64)
    }
}

impl Counts {
    async fn of(host: &Host) -> anyhow::Result<Self> {
        let text = Connection::open(host.private).await?.fetch("/metrics").await.context("a host's metrics")?;
        Ok(Self {
            turns: counter(&text, "bellhop_turns_total", "answered"),
            overtaken: counter(&text, "bellhop_turns_total", "overtaken"),
            conflicts: counter(&text, "bellhop_store_conflicts_total", ""),
        })
    }

    fn plus(self, other: Self) -> Self {
        Self {
            turns: self.turns + other.turns,
            overtaken: self.overtaken + other.overtaken,
            conflicts: self.conflicts + other.conflicts,
        }
    }

    fn minus(self, other: Self) -> Self {
        self.plus(Self { turns: -other.turns, overtaken: -other.overtaken, conflicts: -other.conflicts })
    }
}

/// A counter's value by name and outcome; 0 before it was counted for the first time.
fn counter(text: &str, name: &str, outcome: &str) -> f64 {
    let mut lines = text.lines().filter_map(|line| line.rsplit_once(' '));
    let found = lines.find(|(left, _)| left.starts_with(name) && left.contains(outcome));
    found.and_then(|(_, value)| value.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_found_by_name_and_outcome() {
        let text = "# TYPE bellhop_turns_total counter\nbellhop_turns_total{outcome=\"answered\"} 12\n\
                    bellhop_turns_total{outcome=\"overtaken\"} 3\nbellhop_store_conflicts_total 4\n";
        assert_eq!(counter(text, "bellhop_turns_total", "overtaken"), 3.0);
        assert_eq!(counter(text, "bellhop_store_conflicts_total", ""), 4.0);
        assert_eq!(counter("", "bellhop_turns_total", "answered"), 0.0);
    }
}
