//! Puts the demo together and takes it apart: the simulator, the host as in production, the page. Nothing here answers a
//! message; every answer comes the way of production.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use bellhop_simulator::{Clock as SimulatorClock, Options, Simulator};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::app::{App, Listening, listen};
use crate::command::demo::{page, sample};
use crate::config::Config;
use crate::db::Clock;

/// How long the parts get to end by themselves; a browser that keeps a connection open must not keep the demo alive.
const STOP_PATIENCE: Duration = Duration::from_secs(3);

/// A demo that runs. [`RunningDemo::stop`] ends it and removes its folder.
pub struct RunningDemo {
    url: String,
    app: App,
    simulator: Simulator,
    public: Listening,
    page: Listening,
    folder: TempDir,
}

/// Starts the demo; its page listens on loopback, on this port or, when it is taken, on a free one.
///
/// # Errors
/// Whatever kept a part from starting; nothing runs then.
pub async fn start(port: u16) -> anyhow::Result<RunningDemo> {
    let folder =
        tempfile::Builder::new().prefix("bellhop-demo-").tempdir().context("could not make a temporary folder")?;
    let clock = Clock::machine();
    let simulator = Simulator::start(Options::new(SimulatorClock::running(clock.now().millis()))).await?;
    let app = App::open(&config(&folder, &simulator), clock, None).await?;
    let public = listen(loopback(0), app.public_router(), app.stop_token()).await?;
    let business = sample::connect(&app, &simulator.control(), public.address).await?;
    app.start();
    let shown = page::Shown::new(app.api(), app.stores.registry.clone(), simulator.control(), business);
    let routes = page::router(shown).merge(simulator.phone_router());
    let page = listen_near(port, routes, app.stop_token()).await.context("could not listen for the page")?;
    Ok(RunningDemo { url: format!("http://{}", page.address), app, simulator, public, page, folder })
}

impl RunningDemo {
    /// Where the page is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends everything and removes the folder.
    pub async fn stop(self) {
        let Self { app, simulator, public, page, folder, .. } = self;
        app.stop_token().cancel();
        let ended = async {
            // The phones' live events end with the simulator, and only then the page's listener.
            simulator.shutdown().await;
            page.stopped().await;
            public.stopped().await;
            app.shutdown().await;
        };
        if tokio::time::timeout(STOP_PATIENCE, ended).await.is_err() {
            tracing::debug!("A part of the demo did not end in time");
        }
        if let Err(error) = folder.close() {
            tracing::warn!(error = &error as &dyn std::error::Error, "Could not remove the demo's folder");
        }
    }
}

impl std::fmt::Debug for RunningDemo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RunningDemo({})", self.url)
    }
}

/// Production's own values but for the places: the settle window too is what customers will feel.
fn config(folder: &TempDir, simulator: &Simulator) -> Config {
    let mut config = Config::default();
    config.store.data_folder = folder.path().join("data");
    config.keys.folder = folder.path().join("keys");
    config.graph.base_url = simulator.url();
    config.egress.private_origins = vec![simulator.url()];
    config
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

async fn listen_near(port: u16, routes: Router, stop: CancellationToken) -> std::io::Result<Listening> {
    match listen(loopback(port), routes.clone(), stop.clone()).await {
        Err(error) if port != 0 && matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied) => {
            listen(loopback(0), routes, stop).await
        }
        listening => listening,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn a_port_that_is_taken_gives_way_to_a_free_one() {
        let stop = CancellationToken::new();
        let first = listen_near(0, Router::new(), stop.clone()).await.unwrap();
        let second = listen_near(first.address.port(), Router::new(), stop.clone()).await.unwrap();
        assert_ne!(first.address.port(), second.address.port());
        assert!(second.address.ip().is_loopback());
        stop.cancel();
    }

    async fn get(url: &str, path: &str) -> String {
        let host = url.trim_start_matches("http://");
        let mut connection = TcpStream::connect(host).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_demo_shows_its_page_and_leaves_nothing_behind() {
        let running = start(0).await.unwrap();
        let page = get(running.url(), "/").await;
        assert!(page.starts_with("HTTP/1.1 200 OK"), "{page}");
        assert!(page.contains("content-security-policy: default-src 'none'"), "{page}");
        let state = get(running.url(), "/demo/state").await;
        assert!(state.contains(r#""id":"faq""#) && state.contains(r#""stories":[]"#), "{state}");
        let folder = running.folder.path().to_owned();
        assert!(folder.join("data").exists());
        running.stop().await;
        assert!(!folder.exists());
    }
}
