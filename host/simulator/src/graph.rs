//! The Graph API: one door, the order of checks that Meta has, and the troubles it was told to make.
//!
//! Every call: version, then token and proof, then (if told so) a trouble, then the endpoint. An endpoint is a plain
//! function over the state; only this file waits, cuts connections or writes headers.

use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State as Shared};
use axum::http::header::DATE;
use axum::http::{HeaderName, HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::error::GraphError;
use crate::graph::call::Call;
use crate::state::{Outcome, Send, State, Trouble};
use crate::wire::{self, Hangup};
use crate::world::World;

mod auth;
mod call;
mod conversations;
mod fields;
mod messages;
mod node;
mod oauth;
mod rules;
mod subscriptions;
mod templates;
mod written;

const APP_USAGE: HeaderName = HeaderName::from_static("x-app-usage");
const BUSINESS_USAGE: HeaderName = HeaderName::from_static("x-business-use-case-usage");
const API_VERSION: HeaderName = HeaderName::from_static("facebook-api-version");
const TRACE_ID: HeaderName = HeaderName::from_static("x-fb-trace-id");

/// The routes of the Graph API, all under `/v{NN}.0/`.
pub(crate) fn router(world: Arc<World>) -> Router {
    Router::new().route("/{version}/{*path}", axum::routing::any(serve)).with_state(world)
}

/// An answer, and what stands between it and the caller.
struct Reply {
    result: Result<Value, GraphError>,
    trouble: Option<Trouble>,
    /// When the call was done; a delay counts from here.
    at_ms: i64,
    /// How often replies had been released by then; a held one waits for the next time.
    n_releases: u64,
    trace_id: String,
    headers: Vec<(HeaderName, Option<Value>)>,
}

async fn serve(Shared(world): Shared<Arc<World>>, request: Request) -> Response {
    let hangup = request.extensions().get::<ConnectInfo<Hangup>>().map(|info| info.0.clone());
    let call = match Call::read(request).await {
        Ok(call) => call,
        Err(error) => {
            let trace_id = world.lock().ids.trace_id();
            return error.into_response_with(&trace_id);
        }
    };
    let reply = answer(&world, &call);
    match &reply.trouble {
        Some(Trouble::DropBefore | Trouble::DropAfter) => return wire::hang_up(hangup.as_ref()),
        Some(Trouble::Delay(wait)) => {
            let due_ms = reply.at_ms.saturating_add(crate::clock::millis(*wait));
            tokio::select! {
                () = world.clock.until(due_ms) => (),
                () = world.stop.cancelled() => (),
            }
        }
        Some(Trouble::Hold) => wait_for_release(&world, reply.n_releases).await,
        Some(Trouble::Refuse(_)) | None => (),
    }
    let date = written::date_header(world.clock.now_ms());
    written(reply, &call.version, &date)
}

fn written(reply: Reply, version: &str, date: &str) -> Response {
    let mut response = match reply.result {
        Ok(body) => axum::Json(body).into_response(),
        Err(error) => error.into_response_with(&reply.trace_id),
    };
    let headers = response.headers_mut();
    for (name, value) in reply.headers {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value.to_string()).ok()) {
            headers.insert(name, value);
        }
    }
    // Left out, the machine's own time would stand there.
    for (name, value) in [(DATE, date), (API_VERSION, version), (TRACE_ID, reply.trace_id.as_str())] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    response
}

/// Waits until replies are released once more.
async fn wait_for_release(world: &World, released_before: u64) {
    loop {
        let mut changed = std::pin::pin!(world.changed.notified());
        changed.as_mut().enable();
        if world.lock().troubles.n_releases > released_before {
            return;
        }
        tokio::select! {
            () = changed => (),
            () = world.stop.cancelled() => return,
        }
    }
}

/// Decides and does, in one go under the lock.
fn answer(world: &Arc<World>, call: &Call) -> Reply {
    let mut state = world.lock();
    let now_ms = world.clock.now_ms();
    let mut trouble = None;
    let result = if call.is(&Method::GET, &["oauth", "access_token"]) {
        oauth::access_token(&mut state, call, now_ms)
    } else {
        auth::authorise(&state, call, now_ms).and_then(|caller| {
            trouble = next_trouble(&mut state, call);
            match &trouble {
                Some(Trouble::Refuse(error)) => Err(error.clone()),
                Some(Trouble::DropBefore) => Ok(Value::Null),
                Some(Trouble::Delay(_) | Trouble::Hold | Trouble::DropAfter) | None => {
                    route(world, &mut state, call, &caller)
                }
            }
        })
    };
    if call.is_send() {
        let send = recorded(call, &result, trouble.as_ref(), now_ms);
        state.ledger.record_send(send);
    }
    let headers = vec![(APP_USAGE, state.app_usage.clone()), (BUSINESS_USAGE, state.business_usage.clone())];
    let trace_id = state.ids.trace_id();
    let n_releases = state.troubles.n_releases;
    drop(state);
    world.changed.notify_waiters();
    Reply { result, trouble, at_ms: now_ms, n_releases, trace_id, headers }
}

fn next_trouble(state: &mut State, call: &Call) -> Option<Trouble> {
    if let Some(trouble) = &state.troubles.every_call {
        return Some(trouble.clone());
    }
    if call.is_send() && call.params.contains_key("message") {
        return state.troubles.next_sends.pop_front();
    }
    None
}

/// Finds the endpoint. What is not here is not simulated, and says so with Meta's own error.
fn route(world: &Arc<World>, state: &mut State, call: &Call, caller: &auth::Caller) -> Result<Value, GraphError> {
    let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
    match (&call.method, path.as_slice()) {
        (&Method::POST, [page, "messages"]) => messages::send(world, state, call, &caller.page(page)?),
        (&Method::GET, ["debug_token"]) => oauth::debug_token(state, call, caller, world.clock.now_ms()),
        (&Method::GET, [page, "conversations"]) => {
            conversations::list(state, call, &caller.page(page)?, world.clock.now_ms())
        }
        (&Method::GET, [page, "subscribed_apps"]) => subscriptions::list(state, &caller.page(page)?),
        (&Method::POST, [page, "subscribed_apps"]) => subscriptions::subscribe(state, call, &caller.page(page)?),
        (&Method::DELETE, [page, "subscribed_apps"]) => subscriptions::unsubscribe(state, &caller.page(page)?),
        (&Method::GET, [id]) => node::read(state, call, caller, id),
        (&Method::GET, [_, ..]) => {
            Err(GraphError::new(2_500, None).saying(format!("Unknown path components: /{}", path.join("/"))))
        }
        (_, [id, ..]) => Err(GraphError::no_object(id)),
        (_, []) => Err(GraphError::new(2_500, None)),
    }
}

fn recorded(call: &Call, result: &Result<Value, GraphError>, trouble: Option<&Trouble>, at_ms: i64) -> Send {
    let outcome = match (result, trouble) {
        (_, Some(Trouble::DropBefore)) => Outcome::Lost,
        (Err(error), _) => Outcome::Refused { code: error.code, subcode: error.subcode },
        (Ok(body), _) => {
            let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            match body.get("message_id") {
                Some(_) => Outcome::Accepted { message_id: text("message_id"), person_id: text("recipient_id") },
                None => Outcome::Action,
            }
        }
    };
    let mut body = call.params.clone();
    body.remove("access_token");
    let has_proof = body.remove("appsecret_proof").is_some();
    Send {
        at_ms,
        version: call.version.clone(),
        page_id: call.path.first().cloned().unwrap_or_default(),
        body: Value::Object(body),
        has_proof,
        outcome,
        answer_lost: matches!(trouble, Some(Trouble::DropBefore | Trouble::DropAfter)),
    }
}
