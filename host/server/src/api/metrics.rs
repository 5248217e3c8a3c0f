//! `/metrics` for Prometheus: the counters that the rooms keep, and gauges of every queue, taken from the store when somebody
//! asks. A store that does not answer leaves the gauges out and keeps the counters.

use std::time::Duration;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use crate::api::Api;
use crate::db::DbError;
use crate::status::{self, Status};

/// Prometheus waits 10 s by default; counters should come also when the store hangs.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) async fn metrics(State(api): State<Api>) -> impl IntoResponse {
    let mut text = api.metrics.as_ref().map(|handle| handle.render()).unwrap_or_default();
    let taken = tokio::time::timeout(PATIENCE, status::status(&api.db)).await;
    match taken.unwrap_or(Err(DbError::TooSlow)) {
        Ok(status) => text.push_str(&gauges(&status)),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "The queues could not be counted for /metrics");
        }
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}

/// The gauges in Prometheus's text format. Written here and not kept by a recorder, so that they are never older than the
/// answer.
fn gauges(status: &Status) -> String {
    let mut text = String::new();
    let n_alive = status.hosts.iter().filter(|line| line.host.is_alive).count();
    let hosts = [("alive", n_alive), ("dead", status.hosts.len() - n_alive)];
    let age = |queue: &crate::db::Queue| queue.oldest_at.map_or(Duration::ZERO, |oldest| status.at.since(oldest));
    let queues = || status.queues.iter();
    family(&mut text, "bellhop_queue_length", queues().map(|line| ("queue", line.name, line.queue.length.to_string())));
    let ages = queues().map(|line| ("queue", line.name, age(&line.queue).as_secs_f64().to_string()));
    family(&mut text, "bellhop_queue_oldest_seconds", ages);
    family(&mut text, "bellhop_hosts", hosts.into_iter().map(|(state, n)| ("state", state, n.to_string())));
    let store = [("database", status.store.bytes), ("wal", status.store.wal_bytes)];
    family(&mut text, "bellhop_store_bytes", store.into_iter().map(|(part, bytes)| ("part", part, bytes.to_string())));
    text
}

fn family<'a>(text: &mut String, name: &str, lines: impl Iterator<Item = (&'a str, &'a str, String)>) {
    text.push_str(&format!("# TYPE {name} gauge\n"));
    for (label, value, number) in lines {
        text.push_str(&format!("{name}{{{label}=\"{value}\"}} {number}\n"));
    }
}
