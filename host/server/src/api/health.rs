//! Health: can this host store an event and read it back?

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::json;

use crate::api::Api;

/// 200 while the store answers, 503 with a reason when it does not.
pub(super) async fn health(State(api): State<Api>) -> (StatusCode, Json<serde_json::Value>) {
    match api.db.fetch_optional(sqlx::query("select name from meta limit 1")).await {
        Ok(_) => (StatusCode::OK, Json(json!({ "status": "ok" }))),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "The store does not answer");
            let body = json!({ "status": "unavailable", "reason": "the store does not answer" });
            (StatusCode::SERVICE_UNAVAILABLE, Json(body))
        }
    }
}
