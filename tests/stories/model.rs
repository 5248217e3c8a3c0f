//! Random interleavings of what customers, Meta, time and hosts do, against a model of the invariants: nothing is lost, nothing is
//! said twice, nothing is said after it may not be said any more. docs/ARCHITECTURE.md, "Tests: three rings", says how a case is
//! played again.

mod end;
mod expect;
mod guest;
mod letter;
mod replayed;
mod step;
mod watch;
mod world;

use std::time::Duration;

use anyhow::Result;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use step::Step;
use tokio::runtime::Runtime;
use world::World;

use crate::support::{TestApp, postgres};

/// Cases on SQLite, unless `PROPTEST_CASES` says how many.
const CASES: u32 = 40;

/// Cases on PostgreSQL, where each costs twice the time.
const CASES_ON_POSTGRES: u32 = 12;

/// A case of the model: set-up, steps, end.
async fn play(app: TestApp, steps: &[Step]) -> Result<()> {
    let mut world = World::new(app).await;
    let played = play_in(&mut world, steps).await;
    world.end().await;
    played
}

async fn play_in(world: &mut World, steps: &[Step]) -> Result<()> {
    for step in steps {
        world.play(*step).await?;
    }
    world.drain().await?;
    world.judge().await
}

async fn play_on(on_postgres: bool, steps: &[Step]) -> Result<()> {
    let url = if on_postgres { postgres::database().await } else { None };
    play(TestApp::start_on(url).await, steps).await
}

/// Plays cases of many seeds, or the one that `MODEL_SEED` names.
fn play_many(on_postgres: bool, cases: u32) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    match std::env::var("MODEL_SEED") {
        Ok(seed) => play_seed(&runtime, on_postgres, seed.parse().unwrap()),
        Err(_) => {
            let first = getrandom::u64().unwrap();
            let cases = std::env::var("PROPTEST_CASES").map_or(cases, |cases| cases.parse().unwrap());
            for n in 0..u64::from(cases) {
                play_seed(&runtime, on_postgres, first.wrapping_add(n));
            }
        }
    }
    runtime.shutdown_timeout(Duration::from_secs(1));
}

fn play_seed(runtime: &Runtime, on_postgres: bool, seed: u64) {
    let config = Config { cases: 1, failure_persistence: None, max_shrink_iters: 0, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let play = |steps: &[Step]| runtime.block_on(play_on(on_postgres, steps)).map_err(|error| format!("{error:#}"));
    let played = runner.run(&step::steps(), |steps| play(&steps).map_err(TestCaseError::fail));
    match played {
        Ok(()) => {}
        Err(TestError::Fail(reason, steps)) => {
            let (steps, reason) = smallest(steps, reason.to_string(), play);
            panic!("MODEL_SEED={seed}: {reason}\n\n{}", pasted(&steps));
        }
        Err(error) => panic!("MODEL_SEED={seed}: {error}"),
    }
}

/// Leaves out what the case fails without: half of the steps, a quarter, and at last each alone. Some dozens of cases, where
/// proptest's own way takes hundreds.
fn smallest(
    mut steps: Vec<Step>,
    mut reason: String,
    play: impl Fn(&[Step]) -> Result<(), String>,
) -> (Vec<Step>, String) {
    let mut size = steps.len().div_ceil(2);
    loop {
        let n_before = steps.len();
        let mut start = 0;
        while start < steps.len() {
            let mut fewer = steps.clone();
            fewer.drain(start..(start + size).min(steps.len()));
            match play(&fewer) {
                Err(still) => (steps, reason) = (fewer, still),
                Ok(()) => start += size,
            }
        }
        match size {
            0 | 1 if steps.len() == n_before => return (steps, reason),
            _ => size = size.div_ceil(2),
        }
    }
}

/// What stands in `replayed.rs` once the case has its name.
fn pasted(steps: &[Step]) -> String {
    let lines = steps.iter().map(|step| format!("    {step:?},\n"));
    format!("replay!(a_name, [\n{}]);\n", lines.collect::<String>())
}

#[test]
fn no_interleaving_breaks_an_invariant_on_sqlite() {
    play_many(false, CASES);
}

#[test]
fn no_interleaving_breaks_an_invariant_on_postgres() {
    let runtime = Runtime::new().unwrap();
    if runtime.block_on(postgres::database()).is_some() {
        play_many(true, CASES_ON_POSTGRES);
    }
}
