//! The private listener: health, metrics, and a small read-only API for people who hold a token. Opens content only through
//! conversation and trace; never touches graph.

mod health;
mod metrics;
mod token;
mod turns;

use axum::Router;
use axum::middleware;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::db::Db;
use crate::directory::Directory;
use crate::status::Health;
use crate::vault::Vault;

pub use token::{token_issue, token_revoke};
pub use turns::{TurnView, turns_view};

/// What the private listener needs.
#[derive(Clone)]
pub struct Api {
    /// The store.
    pub db: Db,
    /// Keys.
    pub vault: Vault,
    /// Workspaces.
    pub directory: Directory,
    /// What health looks at.
    pub health: Health,
    /// What `/metrics` prints; `None` where nobody installed a recorder.
    pub metrics: Option<PrometheusHandle>,
}

/// The routes of the private listener.
pub fn router(api: Api) -> Router {
    let guarded = Router::new()
        .route("/api/v1/workspaces/{workspace}/turns", get(turns::list))
        .layer(middleware::from_fn_with_state(api.clone(), token::require));
    Router::new()
        .route("/health", get(health::ready))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(metrics::metrics))
        .merge(guarded)
        .with_state(api)
}
