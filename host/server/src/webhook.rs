//! Meta's door: verify on the raw bytes, cut, seal, store, answer. Does nothing else: no plugin, no parsing of content beyond
//! the cut, no answer before the events are on disk.

mod body;
mod signature;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bellhop_domain::cut;
use bellhop_domain::id::AppId;
use serde::Deserialize;
use tokio::sync::Semaphore;
use tracing::{error, warn};

use crate::db::Db;
use crate::directory::{Asker, Directory};
use crate::inbox::Inbox;
use crate::vault::{SecretKind, Vault};

/// Meta's largest body is 3 MB (Meta: WhatsApp webhooks); more is no webhook.
const MAX_BODY_BYTES: usize = 3_500_000;

/// Bodies in memory at once, in kilobytes: 64 MB. Beyond it Meta is told to come again.
const MAX_KILOBYTES_IN_FLIGHT: usize = 64_000;

/// How long a body may take to come. Meta gives the whole exchange 5 s (Meta: Webhooks); whoever is slower only keeps the
/// place of others.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// What the door needs.
#[derive(Clone)]
pub struct Webhook {
    /// The store, for its clock and the quarantine.
    pub db: Db,
    /// Keys and secrets.
    pub vault: Vault,
    /// Apps and channels.
    pub directory: Directory,
    /// Where events go.
    pub inbox: Inbox,
}

#[derive(Clone)]
struct Door {
    webhook: Webhook,
    in_flight: Arc<Semaphore>,
}

/// The public listener's routes: `/webhook/{app}` and nothing else.
pub fn router(webhook: Webhook) -> Router {
    let door = Door { webhook, in_flight: Arc::new(Semaphore::new(MAX_KILOBYTES_IN_FLIGHT)) };
    Router::new()
        .route("/webhook/{app}", get(handshake).post(receive))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(door)
}

#[derive(Deserialize)]
struct Handshake {
    #[serde(rename = "hub.mode")]
    mode: Option<String>,
    #[serde(rename = "hub.verify_token")]
    verify_token: Option<String>,
    #[serde(rename = "hub.challenge")]
    challenge: Option<String>,
}

/// Meta asks whether this is ours (Meta: Webhooks, Verification Requests).
async fn handshake(State(door): State<Door>, Path(app): Path<String>, Query(asked): Query<Handshake>) -> Response {
    let (Some("subscribe"), Some(token), Some(challenge)) =
        (asked.mode.as_deref(), asked.verify_token.as_deref(), asked.challenge)
    else {
        return StatusCode::FORBIDDEN.into_response();
    };
    let Some(app) = known(&door.webhook.directory, &app).await else { return StatusCode::FORBIDDEN.into_response() };
    match door.webhook.vault.matches(SecretKind::VerifyToken, app.as_str(), token.as_bytes()).await {
        Ok(true) => ([(header::CONTENT_TYPE, "text/plain")], challenge).into_response(),
        Ok(false) => StatusCode::FORBIDDEN.into_response(),
        Err(error) => unavailable(&error),
    }
}

/// Events. 200 once they are on disk, 401 for what Meta did not sign, 413 for what is too large, 503 when they cannot be
/// stored.
async fn receive(State(door): State<Door>, Path(app): Path<String>, headers: HeaderMap, body: Body) -> Response {
    let Some(tag) = signature::read(&headers) else {
        count("unsigned");
        return (StatusCode::UNAUTHORIZED, "X-Hub-Signature-256 is missing or malformed").into_response();
    };
    let Some(app) = known(&door.webhook.directory, &app).await else { return StatusCode::NOT_FOUND.into_response() };
    let announced = announced_bytes(&headers);
    if announced.is_some_and(|bytes| bytes > MAX_BODY_BYTES) {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    }
    let kilobytes = u32::try_from(announced.unwrap_or(MAX_BODY_BYTES) / 1_000 + 1).unwrap_or(u32::MAX);
    let Ok(_held) = door.in_flight.try_acquire_many(kilobytes) else {
        count("overloaded");
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let bytes = match tokio::time::timeout(BODY_TIMEOUT, axum::body::to_bytes(body, MAX_BODY_BYTES)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(_)) => return StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(_) => {
            count("slow");
            return StatusCode::REQUEST_TIMEOUT.into_response();
        }
    };
    match door.webhook.vault.verify(SecretKind::AppSecret, app.as_str(), &bytes, &tag).await {
        Ok(true) => store(&door.webhook, &app, &bytes).await,
        Ok(false) => {
            count("forged");
            (StatusCode::UNAUTHORIZED, "the signature does not match").into_response()
        }
        Err(error) => unavailable(&error),
    }
}

async fn store(webhook: &Webhook, app: &AppId, bytes: &Bytes) -> Response {
    let stored = match cut::cut(bytes) {
        Ok(slices) => body::store(webhook, app, &slices).await,
        Err(reason) => {
            warn!(app.id = %app, reason = %reason, "A signed body could not be cut; it is in quarantine");
            count("quarantined");
            body::quarantine(webhook, app, bytes, &reason).await
        }
    };
    match stored {
        Ok(()) => {
            count("accepted");
            StatusCode::OK.into_response()
        }
        Err(error) => unavailable(&error),
    }
}

/// The app of this name; another process may have added it a moment ago. Anybody on the net may ask, and nothing is verified
/// yet: all strangers together make the directory look again once a second at most, and an unknown name keeps nothing in memory.
async fn known(directory: &Directory, app: &str) -> Option<AppId> {
    let app = AppId::parse(app).ok()?;
    if directory.snapshot().app(&app).is_none()
        && let Err(error) = directory.look_again(Asker::Stranger).await
    {
        warn!(error = &error as &dyn std::error::Error, "Could not look for an app that is not known");
    }
    directory.snapshot().app(&app).is_some().then_some(app)
}

fn announced_bytes(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn count(outcome: &'static str) {
    metrics::counter!("bellhop_webhook_bodies_total", "outcome" => outcome).increment(1);
}

fn unavailable(error: &(dyn std::error::Error + 'static)) -> Response {
    count("unavailable");
    error!(error = error, "A webhook could not be stored; Meta will send it again");
    StatusCode::SERVICE_UNAVAILABLE.into_response()
}
