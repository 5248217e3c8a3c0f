//! `bellhop serve`: the host, until it is told to stop.

use anyhow::Context;
use metrics_exporter_prometheus::PrometheusBuilder;
use tracing::info;

use crate::app::{App, listen};
use crate::command::{lock, log, say};
use crate::config::Config;
use crate::db::{Clock, DbError};

pub(super) async fn run(config: Config) -> anyhow::Result<()> {
    log::start(&config.log);
    log::panics_by_place();
    let _locks = lock::serving(&config)?;
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
    let store = app.stores.db.clone();
    let is_replaced = tokio::select! {
        told = told_to_stop() => told.map(|()| false)?,
        () = store.replaced() => true,
    };
    info!("Stopping: no new work, what runs comes to its end");
    stop.cancel();
    public.stopped().await;
    private.stopped().await;
    app.shutdown().await;
    if is_replaced {
        // Not a success: a service manager starts the host again, in the store's new life.
        return Err(DbError::Replaced.into());
    }
    Ok(())
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
