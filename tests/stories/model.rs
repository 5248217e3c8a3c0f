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

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Result;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use step::Step;
use tokio::runtime::Runtime;
use world::World;

use crate::support::{TestApp, postgres};

/// Cases on SQLite, unless `PROPTEST_CASES` says how many.
const CASES: u32 = 64;

/// Cases on PostgreSQL, where each costs twice the time.
const CASES_ON_POSTGRES: u32 = 24;

/// Each try to make a failing case smaller plays one case.
const MAX_SHRINKS: u32 = 1_000;

/// A case of the model: set-up, steps, end.
async fn play(app: TestApp, steps: &[Step]) -> Result<()> {
    let mut world = World::new(app).await;
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
            let first = u64::from_le_bytes(uuid::Uuid::new_v4().as_bytes()[..8].try_into().unwrap());
            let cases = std::env::var("PROPTEST_CASES").map_or(cases, |cases| cases.parse().unwrap());
            for n in 0..u64::from(cases) {
                play_seed(&runtime, on_postgres, first.wrapping_add(n));
            }
        }
    }
    runtime.shutdown_timeout(Duration::from_secs(1));
}

fn play_seed(runtime: &Runtime, on_postgres: bool, seed: u64) {
    let config = Config { cases: 1, failure_persistence: None, max_shrink_iters: MAX_SHRINKS, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let played = runner.run(&step::steps(), |steps| {
        let played = runtime.block_on(play_on(on_postgres, &steps));
        played.map_err(|error| TestCaseError::fail(format!("{error:#}")))
    });
    if let Err(error) = played {
        panic!("{}", told(seed, error));
    }
}

/// A failing case as somebody wants to read it, and to paste it into `replayed.rs`.
fn told(seed: u64, error: TestError<Vec<Step>>) -> String {
    let TestError::Fail(reason, steps) = error else { return format!("MODEL_SEED={seed}: {error}") };
    let mut text = format!("MODEL_SEED={seed}: {reason}\n\nreplay!(name, [\n");
    for step in steps {
        writeln!(text, "    {step:?},").unwrap();
    }
    text + "]);\n"
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
