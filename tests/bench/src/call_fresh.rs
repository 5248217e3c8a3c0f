//! `call_fresh`: what a call of a plugin costs in a fresh instance with every limit on, against the same component called
//! with bare wasmtime: same engine and generated code, no limits, no host behind the imports. In the same run, for
//! orientation: bare wasmtime without the code that counts fuel and ticks, and a bare instance that is used again.

use std::hint::black_box;
use std::time::Instant;

use anyhow::ensure;
use bellhop_domain::effect::Answer;
use bellhop_domain::host_call::Hit;
use bellhop_domain::plugin::{Context, PluginEvent};
use bellhop_sandbox::{HostCalls, Limits, Outcome, Prepared, Reply, Sandbox, SandboxOptions};
use tokio::runtime;

use crate::figure::{Bar, Figure};
use crate::guest;
use crate::sample::Samples;

mod bare;

use bare::{Bare, Code};

/// Rounds of which the median counts; a round takes each way of calling in turn.
const ROUNDS: usize = 400;

/// Calls of one way in one round: long enough for the clock, short enough that a disturbance spoils few rounds.
const CALLS: u32 = 40;

/// Rounds before the first one that counts: caches, frequency, the pool's slots.
const WARM_UP: usize = 40;

/// The bar; the goal is 1.3.
const RATIO_MOST: f64 = 1.5;

/// Runs the benchmark for both bundled plugins.
pub(crate) fn run() -> anyhow::Result<Vec<Figure>> {
    let runtime = runtime::Builder::new_current_thread().enable_time().build()?;
    let mut figures = Vec::new();
    for id in ["hello", "faq"] {
        figures.extend(runtime.block_on(measure(id))?);
    }
    Ok(figures)
}

async fn measure(id: &str) -> anyhow::Result<Vec<Figure>> {
    let sandbox = Sandbox::new(SandboxOptions::default())?;
    let prepared = guest::prepared(&sandbox, id).await?;
    let guarded = Bare::new(guest::file(id)?, Code::Guarded)?;
    let plain = Bare::new(guest::file(id)?, Code::Plain)?;
    let mut reused = guarded.instance().await?;
    let (event, context) = (guest::event(guest::QUESTION), guest::context());
    let mut samples = Samples::new();
    for round in 0..WARM_UP + ROUNDS {
        let values = [
            sandboxed(&prepared, &event, &context).await?,
            each(async || guarded.call().await).await?,
            each(async || plain.call().await).await?,
            each(async || reused.call().await).await?,
        ];
        if round >= WARM_UP {
            samples.add(values);
        }
    }
    let [sandboxed, guarded, plain, reused] = samples.medians();
    Ok(vec![
        Figure::new(format!("call_fresh_{id}"), sandboxed, "us").over(guarded).bar(Bar::RatioAtMost(RATIO_MOST)),
        Figure::new(format!("call_fresh_{id}_over_plain_code"), sandboxed, "us").over(plain),
        Figure::new(format!("call_fresh_{id}_over_reused_instance"), sandboxed, "us").over(reused),
    ])
}

/// Microseconds of one call in the sandbox.
async fn sandboxed(prepared: &Prepared, event: &PluginEvent, context: &Context) -> anyhow::Result<f64> {
    let limits = Limits::default();
    let started = Instant::now();
    for _ in 0..CALLS {
        let report = prepared.call(event, context, EmptyShelf, &limits).await;
        ensure!(matches!(report.outcome, Outcome::Answered(Answer::Done(_) | Answer::Pass)), "{:?}", report.outcome);
        black_box(report);
    }
    Ok(micros_each(started))
}

/// Microseconds of one call of some other way.
async fn each(mut call: impl AsyncFnMut() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let started = Instant::now();
    for _ in 0..CALLS {
        call().await?;
    }
    Ok(micros_each(started))
}

fn micros_each(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS)
}

/// A host whose collections are empty, at once: the benchmark is about calls, not about search.
struct EmptyShelf;

impl HostCalls for EmptyShelf {
    fn records_search(&mut self, _: String, _: String, _: Option<String>, _: u32) -> Reply<'_, Vec<Hit>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}
