//! Health: does this process answer, and can this host do its work? Says codes, never what is in the store.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::api::Api;
use crate::status::Reason;

/// 200 as long as the process answers: what is wrong with the store, a restart does not mend.
pub(super) async fn live() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// 200 while nothing keeps this host from its work; 503 with the reasons when something does.
pub(super) async fn ready(State(api): State<Api>) -> (StatusCode, Json<Value>) {
    let reasons: Vec<&str> = api.health.reasons().await.into_iter().map(Reason::as_str).collect();
    if reasons.is_empty() {
        return (StatusCode::OK, Json(json!({ "status": "ok" })));
    }
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "unavailable", "reasons": reasons })))
}
