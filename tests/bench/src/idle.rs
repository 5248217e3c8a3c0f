//! `memory_idle` and `start_cold`: what the host costs before anybody writes. Both on a folder that was served before, so that
//! compiled plugins lie ready, as after any restart.

use std::time::{Duration, Instant};

use anyhow::ensure;
use tokio::{runtime, time};

use crate::figure::{Bar, Figure};
use crate::host::{Host, House};
use crate::http::{self, Connection};
use crate::meta::Meta;
use crate::process;
use crate::sample::median;

const MEMORY_MB_MOST: f64 = 80.0;
const SECONDS_MOST: f64 = 0.5;

/// Starts of which the median counts.
const STARTS: usize = 7;

/// Long enough for what a start leaves to be done afterwards.
const SETTLED: Duration = Duration::from_secs(3);

/// Runs `memory_idle`.
pub(crate) fn memory() -> anyhow::Result<Vec<Figure>> {
    runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let meta = Meta::start().await?;
        let house = House::build(&meta.url()).await?;
        let host = house.serve()?;
        healthy(&host).await?;
        time::sleep(SETTLED).await;
        let (memory, cpu_before) = (process::memory(host.id())?, process::cpu_seconds(host.id())?);
        time::sleep(SETTLED).await;
        let idle = (process::cpu_seconds(host.id())? - cpu_before) / SETTLED.as_secs_f64();
        Ok(vec![
            Figure::new("memory_idle", memory.resident_mb, "MB").bar(Bar::AtMost(MEMORY_MB_MOST)),
            Figure::new("memory_idle_peak", memory.peak_mb, "MB"),
            Figure::new("cpu_idle", idle * 100.0, "percent_of_a_core"),
        ])
    })
}

/// Runs `start_cold`.
pub(crate) fn start() -> anyhow::Result<Vec<Figure>> {
    runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let meta = Meta::start().await?;
        let built = Instant::now();
        let house = House::build(&meta.url()).await?;
        let built = built.elapsed().as_secs_f64();
        let mut starts = Vec::new();
        for _ in 0..STARTS {
            let started = Instant::now();
            let host = house.serve()?;
            healthy(&host).await?;
            starts.push(started.elapsed().as_secs_f64());
        }
        Ok(vec![
            Figure::new("start_cold", median(starts), "s").bar(Bar::AtMost(SECONDS_MOST)),
            Figure::new("start_first_with_setup", built, "s"),
        ])
    })
}

async fn healthy(host: &Host) -> anyhow::Result<()> {
    let status = Connection::open(host.private).await?.send(&http::get("/health")).await?;
    ensure!(status == 200, "the host is not healthy: {status}");
    Ok(())
}
