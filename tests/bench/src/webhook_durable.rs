//! `webhook_durable`: webhooks that are verified, cut, sealed and on disk before they are answered, against an axum handler that
//! awaits one group-committed insert of the body, and against one that stores nothing. The first figure counts by processor
//! time of the server (a second of one core); the others are what a customer of the door sees.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::runtime;

use crate::child::Part;
use crate::figure::{Bar, Figure};
use crate::floor::Floor;
use crate::host::{HELLO_PAGE, House};
use crate::load::{self, Numbers, Server};
use crate::meta::Meta;
use crate::sample::{Samples, quantile};
use crate::webhook::Target;

/// Webhooks in flight: what a group commit can take at once.
const CONNECTIONS: usize = 64;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(1);
const WARM_UP: Duration = Duration::from_millis(500);

/// The steady load: which part of the highest rate it has, and how long each of its stretches lasts. The stretch in the
/// middle counts, so that what else the machine does for a second does not.
const STEADY_PART: f64 = 0.7;
const STEADY: Duration = Duration::from_millis(1_500);
const STEADY_ROUNDS: usize = 3;

const RATIO_LEAST: f64 = 0.5;
const P99_MS_MOST: f64 = 50.0;

/// Runs the benchmark.
pub(crate) fn run() -> anyhow::Result<Vec<Figure>> {
    runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure())
}

async fn measure() -> anyhow::Result<Vec<Figure>> {
    let meta = Meta::start().await?;
    let house = House::build(&meta.url()).await?;
    let folder = tempfile::tempdir()?;
    let folder = folder.path().to_str().context("the folder for temporary files has a name that is not text")?;
    let (host, mut insert, mut nothing) = (house.door()?, Floor::Insert(folder).start()?, Floor::Nothing.start()?);
    let servers = [host.server(HELLO_PAGE), floor(&mut insert)?, floor(&mut nothing)?];
    let numbers = Numbers::new();
    let (mut per_core, mut rates) = (Samples::<3>::new(), Samples::<3>::new());
    for server in &servers {
        load::flood(server, &numbers, CONNECTIONS, WARM_UP).await?;
    }
    for _ in 0..ROUNDS {
        let mut round = Vec::new();
        for server in &servers {
            round.push(load::flood(server, &numbers, CONNECTIONS, ROUND).await?);
        }
        let [host, insert, nothing] = round.as_slice() else { continue };
        per_core.add([host, insert, nothing].map(load::Stretch::rate_per_core));
        rates.add([host, insert, nothing].map(load::Stretch::rate));
    }
    let ([host_core, insert_core, nothing_core], [host_rate, insert_rate, _]) = (per_core.medians(), rates.medians());
    let mut p99 = Samples::<2>::new();
    for _ in 0..STEADY_ROUNDS {
        let mut round = [0.0; 2];
        for ((server, rate), p99) in servers.iter().zip([host_rate, insert_rate]).zip(&mut round) {
            let load = (CONNECTIONS, rate * STEADY_PART);
            *p99 = quantile(load::steady(server, &numbers, load, STEADY).await?, 0.99);
        }
        p99.add(round);
    }
    let [host_p99, insert_p99] = p99.medians();
    Ok(vec![
        Figure::new("webhook_durable", host_core, "per_s_and_core")
            .over(insert_core)
            .bar(Bar::RatioAtLeast(RATIO_LEAST)),
        Figure::new("webhook_durable_over_nothing", host_core, "per_s_and_core").over(nothing_core),
        Figure::new("webhook_durable_rate", host_rate, "per_s").over(insert_rate),
        Figure::new("webhook_durable_p99", host_p99, "ms").over(insert_p99).bar(Bar::AtMost(P99_MS_MOST)),
    ])
}

/// A floor as the load sees it.
pub(crate) fn floor(part: &mut Part) -> anyhow::Result<Server> {
    let address: SocketAddr = part.told()?.text("address")?.parse()?;
    let target = Target {
        path: "/webhook".to_owned(),
        app_secret: "nobody looks".to_owned(),
        page_id: HELLO_PAGE.id.to_owned(),
    };
    Ok(Server { address, process: part.id(), target: Arc::new(target) })
}
