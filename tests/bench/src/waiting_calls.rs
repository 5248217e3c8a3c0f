//! `waiting_calls`: 1,000 calls of a plugin that all wait 2 s for the host at the same time, on two cores: how long until the
//! last one is done, and what memory they hold meanwhile and leave behind. The floor is 1,000 bare timers.

use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bellhop_domain::host_call::Hit;
use bellhop_sandbox::{CodeFolder, HostCalls, Limits, Outcome, Reply, Sandbox, SandboxOptions};
use futures_util::future;
use tokio::{runtime, time};

use crate::child::{self, Part};
use crate::figure::{Bar, Figure};
use crate::guest;
use crate::process::memory;

/// The child's part: the calls in a process of their own.
pub(crate) const PART: &str = "waiting-calls";

/// Calls that wait at the same time.
const CALLS: usize = 1_000;

/// How long the host takes to answer each: a slow language model.
const ANSWER_AFTER: Duration = Duration::from_secs(2);

/// Halfway through the wait, when every call has started and none has ended.
const LOOK_AFTER: Duration = Duration::from_millis(1_200);

/// The bars of the issue.
const SECONDS_MOST: f64 = 3.0;
const MEMORY_MB_MOST: f64 = 200.0;

/// Runs the benchmark.
pub(crate) fn run() -> anyhow::Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    // Compiled here, so that the child has the memory of a host that was restarted, not of a compiler.
    runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
        let sandbox = sandbox(folder.path().to_owned())?;
        guest::prepared(&sandbox, "faq").await.map(drop)
    })?;
    let path = folder.path().to_str().context("the folder for temporary files has a name that is not text")?;
    let mut part = Part::start(PART, &[path])?;
    let told = part.told()?;
    let memory = |name| anyhow::Ok(Figure::new(format!("waiting_calls_memory_{name}"), told.number(name)?, "MB"));
    let before = told.number("before")?;
    Ok(vec![
        Figure::new("waiting_calls", told.number("seconds")?, "s")
            .over(told.number("timers")?)
            .bar(Bar::AtMost(SECONDS_MOST)),
        memory("peak")?.over(before).bar(Bar::AtMost(MEMORY_MB_MOST)),
        memory("waiting")?.over(before).bar(Bar::AtMost(MEMORY_MB_MOST)),
        memory("after")?.over(before).bar(Bar::AtMost(MEMORY_MB_MOST)),
    ])
}

/// The child: waits, and tells times and memory.
pub(crate) fn child(arguments: &[String]) -> anyhow::Result<()> {
    let folder = arguments.first().context("the folder of compiled code is missing")?;
    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build()?;
    runtime.block_on(wait(PathBuf::from(folder)))
}

async fn wait(folder: PathBuf) -> anyhow::Result<()> {
    let sandbox = sandbox(folder)?;
    let prepared = guest::prepared(&sandbox, "faq").await?;
    let (event, context) = (Arc::new(guest::event(guest::QUESTION)), Arc::new(guest::context()));
    let timers = timers().await?;
    let before = memory(process::id())?.resident_mb;
    let started = Instant::now();
    let calls = (0..CALLS).map(|_| {
        let (prepared, event, context) = (Arc::clone(&prepared), Arc::clone(&event), Arc::clone(&context));
        tokio::spawn(async move { prepared.call(&event, &context, SlowHost, &Limits::default()).await })
    });
    let calls: Vec<_> = calls.collect();
    time::sleep(LOOK_AFTER).await;
    let waiting = memory(process::id())?.resident_mb;
    ensure!(sandbox.calls_under_way() == Some(CALLS), "{:?} calls are under way", sandbox.calls_under_way());
    for report in future::try_join_all(calls).await? {
        ensure!(matches!(report.outcome, Outcome::Answered(_)), "a call ended otherwise: {:?}", report.outcome);
    }
    let seconds = started.elapsed().as_secs_f64();
    let after = memory(process::id())?;
    let values = [
        ("seconds", seconds),
        ("timers", timers),
        ("before", before),
        ("waiting", waiting),
        ("after", after.resident_mb),
        ("peak", after.peak_mb),
    ];
    child::tell(&values.map(|(name, value)| (name, value.to_string())))
}

/// Seconds for as many tasks that only wait.
async fn timers() -> anyhow::Result<f64> {
    let started = Instant::now();
    future::try_join_all((0..CALLS).map(|_| tokio::spawn(time::sleep(ANSWER_AFTER)))).await?;
    Ok(started.elapsed().as_secs_f64())
}

fn sandbox(folder: PathBuf) -> anyhow::Result<Sandbox> {
    let code_folder = Some(CodeFolder { path: folder, key: [7; 32] });
    Ok(Sandbox::new(SandboxOptions { code_folder, ..SandboxOptions::default() })?)
}

/// A host that answers late.
struct SlowHost;

impl HostCalls for SlowHost {
    fn records_search(&mut self, _: String, _: String, _: Option<String>, _: u32) -> Reply<'_, Vec<Hit>> {
        Box::pin(async {
            time::sleep(ANSWER_AFTER).await;
            Ok(Vec::new())
        })
    }
}
