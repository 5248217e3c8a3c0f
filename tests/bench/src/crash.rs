//! The crash harness: real hosts in processes of their own are loaded through Meta's stand-in and killed, at random instants and
//! at every named place, and others take over. Whatever was answered 200 must be answered once, in order, or stand as unknown,
//! or be put aside with a reason. Judges, unlike the benchmarks: anything lost or doubled is a failure.
//!
//! Stays on loopback, ends by itself, and ends only processes that it started.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anyhow::{Context, bail, ensure};
use bellhop::db::Clock;
use bellhop_simulator::{Clock as MetaClock, Options, Simulator};
use clap::Parser;
use futures_util::{StreamExt, stream};
use tokio::runtime;

mod books;
mod dice;
mod echo;
pub(crate) mod host;
mod hosts;
mod house;
mod outage;
mod plan;
mod relay;
mod restore;
mod round;
mod scene;
mod verdict;

use house::House;
use plan::Plan;
use round::Outcome;

use crate::cluster::Cluster;

/// The name under which the program runs it.
pub(crate) const NAME: &str = "crash";

/// Hosts at once, over all rounds: a round mostly waits for leases to end, and a host that gets no processor looks like a dead one.
/// Two cores carry this many.
const HOSTS_AT_ONCE: usize = 12;

/// Rounds that are added at most to visit what was missed.
const MORE_ROUNDS: usize = 5;

/// `bench crash`: kills hosts and looks for what they lost.
#[derive(Debug, Parser)]
#[command(name = NAME)]
struct Arguments {
    /// How often.
    #[arg(long, default_value_t = 20)]
    rounds: usize,
    /// Hosts that share the store; more than one need PostgreSQL.
    #[arg(long, default_value_t = 1)]
    hosts: usize,
    /// On a PostgreSQL of its own in place of SQLite.
    #[arg(long)]
    postgres: bool,
    /// Kills no host: stops and starts PostgreSQL under load instead.
    #[arg(long, requires = "postgres", conflicts_with = "full_disk")]
    stop_postgres: bool,
    /// Kills no host: fills the disk under load instead. Takes root, for a small disk of its own.
    #[arg(long, conflicts_with = "postgres")]
    full_disk: bool,
    /// Kills all hosts after a backup and restores it: nothing goes out until it is released.
    #[arg(long, conflicts_with_all = ["stop_postgres", "full_disk"])]
    restore: bool,
    /// Plays the rounds of an earlier run again; without it another one each time.
    #[arg(long)]
    seed: Option<u64>,
}

/// What all rounds came to.
#[derive(Default)]
struct Total {
    n_lost: usize,
    n_doubled: usize,
    n_wrong: usize,
    n_unknown: usize,
    n_parked: usize,
    places: BTreeMap<&'static str, usize>,
}

/// Runs the harness.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let named = std::iter::once(NAME).chain(arguments.iter().map(String::as_str));
    let arguments = Arguments::try_parse_from(named)?;
    ensure!(arguments.hosts > 0, "there must be a host: `--hosts 1`");
    ensure!(arguments.hosts == 1 || arguments.postgres, "several hosts share a PostgreSQL: add `--postgres`");
    runtime::Builder::new_multi_thread().enable_all().build()?.block_on(all_rounds(&arguments))
}

async fn all_rounds(arguments: &Arguments) -> anyhow::Result<()> {
    let seed = arguments.seed.unwrap_or_else(|| Clock::machine().now().millis().unsigned_abs());
    let mut house = build(arguments.postgres).await?;
    if arguments.stop_postgres || arguments.full_disk || arguments.restore {
        return one_by_one(arguments, &mut house, seed).await;
    }
    let at_once = (HOSTS_AT_ONCE / arguments.hosts).max(1);
    let rounds = stream::iter(0..arguments.rounds).map(|round| {
        let (plan, house) = (Plan::new(seed, round), &house);
        async move { (round, round::play(plan, house, arguments.hosts).await) }
    });
    let mut rounds = std::pin::pin!(rounds.buffer_unordered(at_once));
    let mut total = Total::default();
    while let Some((round, outcome)) = rounds.next().await {
        let outcome = outcome.with_context(|| format!("round {round} of seed {seed} could not be played"))?;
        total.add(round, &outcome)?;
    }
    let mut n_rounds = arguments.rounds;
    // A host that was to die at a place may not have come there in time; it is sent there again.
    while n_rounds >= plan::FULL_TOUR && n_rounds < arguments.rounds + MORE_ROUNDS && !total.unvisited().is_empty() {
        let plan = Plan::visiting(seed, n_rounds, &total.unvisited());
        let outcome = round::play(plan, &house, arguments.hosts).await;
        total
            .add(n_rounds, &outcome.with_context(|| format!("round {n_rounds} of seed {seed} could not be played"))?)?;
        n_rounds += 1;
    }
    total.say_places()?;
    total.say(n_rounds, seed)?;
    if arguments.rounds >= plan::FULL_TOUR { total.check_places() } else { Ok(()) }
}

/// Rounds in which what the hosts stand on fails or is set back, one after the other.
async fn one_by_one(arguments: &Arguments, house: &mut House, seed: u64) -> anyhow::Result<()> {
    let mut total = Total::default();
    for round in 0..arguments.rounds {
        let plan = Plan::new(seed, round);
        let outcome = if arguments.stop_postgres {
            outage::stop_postgres(&plan, house, arguments.hosts).await.map(Some)
        } else if arguments.restore {
            restore::play(&plan, house, arguments.hosts).await.map(Some)
        } else {
            outage::fill_disk(&plan, house).await
        };
        let outcome = outcome.with_context(|| format!("round {round} of seed {seed} could not be played"))?;
        let Some(outcome) = outcome else {
            writeln!(io::stdout(), "skipped: a small disk cannot be mounted here, it takes root")?;
            return Ok(());
        };
        total.add(round, &outcome)?;
    }
    total.say(arguments.rounds, seed)
}

async fn build(on_postgres: bool) -> anyhow::Result<House> {
    let cluster = match (on_postgres, Cluster::programs()) {
        (true, Some(programs)) => Some(Cluster::start(&programs)?),
        (true, None) => bail!("no `initdb` found: install postgresql"),
        (false, _) => None,
    };
    let clock = MetaClock::standing(Clock::machine().now().millis());
    let simulator = Simulator::start(Options::new(clock)).await?;
    House::build(cluster, &simulator.control()).await
}

impl Total {
    fn add(&mut self, round: usize, outcome: &Outcome) -> anyhow::Result<()> {
        let verdict = &outcome.verdict;
        self.n_lost += verdict.lost.len();
        self.n_doubled += verdict.doubled.len();
        self.n_wrong += verdict.wrong.len();
        self.n_unknown += verdict.n_unknown;
        self.n_parked += verdict.n_parked;
        for place in &outcome.places {
            *self.places.entry(*place).or_default() += 1;
        }
        let mut error = io::stderr().lock();
        let (n_messages, n_unknown, n_parked) = (verdict.n_messages, verdict.n_unknown, verdict.n_parked);
        writeln!(error, "round {round}: {n_messages} messages, {n_unknown} unknown, {n_parked} parked")?;
        for reason in &verdict.reasons {
            writeln!(error, "round {round}: put aside, {reason}")?;
        }
        for (what, messages) in [("lost", &verdict.lost), ("doubled", &verdict.doubled), ("wrong", &verdict.wrong)] {
            for message in messages {
                writeln!(error, "round {round}: {what}: {message}")?;
            }
        }
        if let Some(folder) = &outcome.kept {
            writeln!(error, "round {round}: the store and the hosts' logs are kept in {}", folder.display())?;
        }
        Ok(())
    }

    /// # Errors
    /// When a place of death was never visited: the harness would be blind there.
    fn check_places(&self) -> anyhow::Result<()> {
        let unvisited = self.unvisited();
        ensure!(unvisited.is_empty(), "no host died at {}: is the load too small?", unvisited.join(", "));
        Ok(())
    }

    fn unvisited(&self) -> Vec<&'static str> {
        plan::places().filter(|place| !self.places.contains_key(place)).collect()
    }

    fn say_places(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        for place in plan::places() {
            writeln!(out, "died at {place} {}", self.places.get(place).copied().unwrap_or_default())?;
        }
        Ok(())
    }

    /// The last line.
    ///
    /// # Errors
    /// When anything was lost, doubled, or otherwise wrong.
    fn say(&self, n_rounds: usize, seed: u64) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        let Self { n_lost, n_doubled, n_wrong, n_unknown, n_parked, .. } = self;
        writeln!(out, "{n_rounds} rounds, {n_lost} lost, {n_doubled} doubled, {n_unknown} unknown, {n_parked} parked")?;
        out.flush()?;
        ensure!(n_lost + n_doubled + n_wrong == 0, "a promise was broken; play it again with `--seed {seed}`");
        Ok(())
    }
}
