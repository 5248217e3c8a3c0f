//! The page's routes: four files, what happened so far as JSON, and one thing to do. Everything a customer does goes through
//! the simulator's own routes, not through here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bellhop_domain::id::ConversationId;
use bellhop_domain::time::Timestamp;
use bellhop_simulator::Control;
use serde::Deserialize;

use crate::api::Api;
use crate::command::demo::sample::Business;
use crate::command::demo::story::{self, Sources};
use crate::conversation::{self, ConversationError};
use crate::registry::Registry;

/// Scripts, styles and requests from here alone, and no style in an attribute; pictures may be a customer's link.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self'; \
     img-src 'self' data: https: http:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// What the page shows.
#[derive(Clone)]
pub(super) struct Shown {
    api: Api,
    registry: Registry,
    control: Control,
    business: Arc<Business>,
    /// Conversations that a visitor gave back to the plugins, and when.
    handed_back: Arc<Mutex<HashMap<ConversationId, Timestamp>>>,
}

impl Shown {
    pub(super) fn new(api: Api, registry: Registry, control: Control, business: Business) -> Self {
        Self { api, registry, control, business: Arc::new(business), handed_back: Arc::default() }
    }

    async fn hand_back(&self, conversation: ConversationId) -> Result<(), ConversationError> {
        let conversations = [(self.business.workspace.clone(), conversation.clone())];
        let mut transaction = self.api.db.begin_write().await?;
        conversation::conversation_set_mode_in(&mut transaction, &conversations, "automated", None).await?;
        transaction.commit().await?;
        let now = self.api.db.now();
        self.handed_back.lock().unwrap_or_else(PoisonError::into_inner).insert(conversation, now);
        Ok(())
    }
}

/// The routes of the page.
pub(super) fn router(shown: Shown) -> Router {
    Router::new()
        .route("/", get(|| async { file(HTML, include_str!("assets/page.html")) }))
        .route("/demo/page.css", get(|| async { file(CSS, include_str!("assets/page.css")) }))
        .route("/demo/story.css", get(|| async { file(CSS, include_str!("assets/story.css")) }))
        .route("/demo/page.js", get(|| async { file(SCRIPT, include_str!("assets/page.js")) }))
        .route("/demo/story.js", get(|| async { file(SCRIPT, include_str!("assets/story.js")) }))
        .route("/demo/words.js", get(|| async { file(SCRIPT, include_str!("assets/words.js")) }))
        .route("/demo/state", get(state))
        .route("/demo/hand-back", post(hand_back))
        .with_state(shown)
}

async fn state(State(shown): State<Shown>) -> Response {
    let handed_back = shown.handed_back.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let sources = Sources {
        api: &shown.api,
        registry: &shown.registry,
        control: &shown.control,
        business: &shown.business,
        handed_back: &handed_back,
    };
    match story::state(&sources).await {
        Ok(state) => ([(header::CACHE_CONTROL, "no-store")], Json(state)).into_response(),
        Err(error) => {
            tracing::error!(error = &*error as &dyn std::error::Error, "The demo's state could not be read");
            (StatusCode::INTERNAL_SERVER_ERROR, "what happened could not be read; the terminal says why")
                .into_response()
        }
    }
}

#[derive(Debug, Deserialize)]
struct HandBack {
    conversation: ConversationId,
}

async fn hand_back(State(shown): State<Shown>, Json(wanted): Json<HandBack>) -> Response {
    match shown.hand_back(wanted.conversation).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "A conversation could not be given back");
            (StatusCode::INTERNAL_SERVER_ERROR, "the conversation could not be given back; try again").into_response()
        }
    }
}

fn file(media_type: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_POLICY)),
    ];
    (headers, text).into_response()
}
