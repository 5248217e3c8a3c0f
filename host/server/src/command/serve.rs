//! `bellhop serve`: the host, until it is told to stop.

use std::fs::File;

use anyhow::{Context, bail};
use metrics_exporter_prometheus::PrometheusBuilder;
use tracing::info;

use crate::app::{App, listen, make_data_folder};
use crate::command::{log, say};
use crate::config::Config;
use crate::db::Clock;

pub(super) async fn run(config: Config) -> anyhow::Result<()> {
    log::start(&config.log);
    log::panics_by_place();
    let _lock = lock(&config)?;
    let metrics = PrometheusBuilder::new().install_recorder().context("could not set up metrics")?;
    let app = App::open(&config, Clock::machine(), Some(metrics)).await?;
    let stop = app.stop_token();
    let public = listen(config.listen.public, app.public_router(), stop.clone()).await;
    let public = public.with_context(|| format!("could not listen on {}", config.listen.public))?;
    let private = listen(config.listen.private, app.private_router(), stop.clone()).await;
    let private = private.with_context(|| format!("could not listen on {}", config.listen.private))?;
    app.start();
    info!(public = %public.address, private = %private.address, "Bellhop serves");
    say(format_args!("webhooks on http://{}, health and API on http://{}", public.address, private.address));
    told_to_stop().await?;
    info!("Stopping: no new work, what runs comes to its end");
    stop.cancel();
    public.stopped().await;
    private.stopped().await;
    app.shutdown().await;
    Ok(())
}

/// An embedded store has one host. The lock goes with the process, however it ends.
fn lock(config: &Config) -> anyhow::Result<Option<File>> {
    if config.store.url.is_some() {
        return Ok(None);
    }
    let folder = &config.store.data_folder;
    make_data_folder(folder).with_context(|| format!("could not make the data folder {}", folder.display()))?;
    let file = folder.join("serve.lock");
    let file = File::create(&file).with_context(|| format!("could not open {}", file.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => bail!(
            "another `bellhop serve` is using {}; stop it first, or set `store.url` to a PostgreSQL for several hosts",
            folder.display()
        ),
        Err(std::fs::TryLockError::Error(error)) => Err(error).context("could not lock the data folder"),
    }
}

/// Ctrl-C or a service manager's SIGTERM.
pub(super) async fn told_to_stop() -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_host_on_one_embedded_store_is_refused_until_the_first_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.store.data_folder = folder.path().to_owned();
        let first = lock(&config).unwrap();
        let refused = lock(&config).unwrap_err().to_string();
        assert!(refused.contains("another `bellhop serve`"), "{refused}");
        drop(first);
        assert!(lock(&config).unwrap().is_some());
    }
}
