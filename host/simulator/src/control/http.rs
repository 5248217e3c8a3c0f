//! The control over HTTP, under `/_control/`: commands as JSON, the books, and the live events of the phones.
//!
//! Only JSON bodies are taken, so that a page of another origin cannot post here without asking first. Tokens and
//! secrets are answered only to whoever makes the app or the Page.

use std::convert::Infallible;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::{Stream, StreamExt, stream};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::broadcast::error::RecvError;

use crate::control::{Command, Control};
use crate::error::ControlError;

/// Routes of the control.
pub(crate) fn router(control: Control) -> Router {
    Router::new()
        .route("/_control/events", get(events))
        .route("/_control/ledger", get(ledger))
        .route("/_control/phone", get(phone))
        .route("/_control/{verb}", post(perform))
        .with_state(control)
}

async fn perform(
    State(control): State<Control>,
    Path(verb): Path<String>,
    Json(fields): Json<Map<String, Value>>,
) -> Response {
    let command = match Command::read(verb, fields) {
        Ok(command) => command,
        Err(error) => return refused(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    match control.perform(command).await {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => refused(status_of(&error), &error.to_string()),
    }
}

async fn ledger(State(control): State<Control>) -> Response {
    let ledger = control.ledger();
    Json(json!({
        "n_accepted": ledger.n_accepted,
        "n_sends": ledger.n_sends,
        "n_webhooks": ledger.n_webhooks,
        "n_settled": ledger.n_settled,
        "sends": ledger.sends,
        "webhooks": ledger.webhooks,
    }))
    .into_response()
}

#[derive(Debug, Deserialize)]
struct WhichPage {
    page: Option<String>,
}

/// What a phone shows when it is switched on: the Page, its people, their threads.
async fn phone(State(control): State<Control>, Query(which): Query<WhichPage>) -> Response {
    let state = control.world.lock();
    let page = match &which.page {
        Some(id) => state.pages.get(id),
        None => state.pages.values().next(),
    };
    let Some(page) = page else {
        return refused(StatusCode::NOT_FOUND, "no such page; add one with /_control/add-page");
    };
    let now_ms = control.world.clock.now_ms();
    let mut people: Vec<_> = page.people.values().collect();
    people.sort_by_key(|person| person.place);
    let people: Vec<Value> = people
        .into_iter()
        .map(|person| json!({ "id": person.id, "name": person.name, "messages": person.messages }))
        .collect();
    Json(json!({ "page": { "id": page.id, "name": page.name }, "people": people, "now_ms": now_ms })).into_response()
}

/// The live events of one Page. A phone that lags too far behind is told to look again (`reset`).
async fn events(
    State(control): State<Control>,
    Query(which): Query<WhichPage>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let stop = control.world.stop.clone();
    let receiver = control.world.happenings.subscribe();
    // The first event makes proxies and browsers flush the headers at once.
    let hello = stream::iter([Ok(Event::default().event("hello").data("{}"))]);
    let happenings = stream::unfold((receiver, which.page), |(mut receiver, page)| async move {
        loop {
            match receiver.recv().await {
                Ok(happening) if page.as_deref().is_none_or(|page| page == happening.page()) => {
                    let event = Event::default().event("phone").json_data(&happening).unwrap_or_default();
                    return Some((Ok(event), (receiver, page)));
                }
                Ok(_of_another_page) => (),
                Err(RecvError::Lagged(_)) => {
                    return Some((Ok(Event::default().event("reset").data("{}")), (receiver, page)));
                }
                Err(RecvError::Closed) => return None,
            }
        }
    });
    // Ends with the simulator; otherwise an open page would keep it from stopping.
    Sse::new(hello.chain(happenings).take_until(stop.cancelled_owned())).keep_alive(KeepAlive::default())
}

fn refused(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({ "error": why }))).into_response()
}

fn status_of(error: &ControlError) -> StatusCode {
    match error {
        ControlError::NoSuchApp(_)
        | ControlError::NoSuchPage(_)
        | ControlError::NoSuchPerson { .. }
        | ControlError::NoSuchThing { .. } => StatusCode::NOT_FOUND,
        ControlError::Unreachable(_) | ControlError::Handshake { .. } => StatusCode::BAD_GATEWAY,
        ControlError::TimedOut { .. } => StatusCode::GATEWAY_TIMEOUT,
    }
}
