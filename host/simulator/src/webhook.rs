//! Webhooks: turns events into signed requests and puts them on their way.
//!
//! An event reaches the app only if its Page is subscribed to the field and the callback passed the handshake.
//! Nothing here waits: requests are handed to the lanes in `deliver`.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::state::{PostState, Signature, State, WebhookPost};
use crate::world::World;

pub(crate) mod body;
mod deliver;
pub(crate) mod item;
pub(crate) mod sign;

pub(crate) use deliver::handshake;

/// Requests that may wait in one lane; more than any test or demo makes, and a bound all the same.
const LANE_MAX: usize = 10_000;

/// The field of echoes.
const ECHOES: &str = "message_echoes";

/// Where an event stands in its entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Messaging,
    Changes,
}

/// Something Meta tells the app about.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) page_id: String,
    pub(crate) person_id: String,
    pub(crate) field: &'static str,
    pub(crate) place: Place,
    pub(crate) item: Value,
    /// The message of the person that is delivered once the callback answers 200.
    pub(crate) message_id: Option<String>,
}

/// A request on its way: the same bytes and signatures at every attempt.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    pub(crate) number: u64,
    pub(crate) url: String,
    pub(crate) body: Bytes,
    pub(crate) sha256: Option<String>,
    pub(crate) sha1: Option<String>,
    pub(crate) page_ids: Vec<String>,
    /// Messages that count as delivered with this request: Page, person, message.
    pub(crate) carries: Vec<(String, String, String)>,
}

/// Tells the app about `event`, now or when held events are released.
pub(crate) fn emit(world: &Arc<World>, state: &mut State, event: Event) {
    let Some(page) = state.pages.get(&event.page_id) else { return };
    let field = if is_standby(state, &event) { "standby" } else { event.field };
    if !page.hears(field) {
        return;
    }
    if field == ECHOES
        && let Some(held) = &mut state.held_echoes
    {
        held.push(event);
        return;
    }
    match &mut state.held {
        Some(held) => held.push_back(event),
        None => post_together(world, state, &[event]),
    }
}

/// Puts events into one request with an entry for each, and sends it to the app of the first.
pub(crate) fn post_together(world: &Arc<World>, state: &mut State, events: &[Event]) {
    let Some(first) = events.first() else { return };
    let Some(app) = state.app_of(&first.page_id) else { return };
    let app_id = app.id.clone();
    let now_ms = world.clock.now_ms();
    let entries: Vec<Value> = events.iter().map(|event| entry(state, event, now_ms)).collect();
    let body = body::write("page", &entries);
    let mut page_ids: Vec<String> = events.iter().map(|event| event.page_id.clone()).collect();
    page_ids.dedup();
    let carries = events
        .iter()
        .filter_map(|event| Some((event.page_id.clone(), event.person_id.clone(), event.message_id.clone()?)))
        .collect();
    let lane = format!("{}/{}", first.page_id, first.person_id);
    let copies = if state.troubles.duplicate_webhooks > 0 {
        state.troubles.duplicate_webhooks -= 1;
        2
    } else {
        1
    };
    let parcel = Parcel { app_id, body, page_ids, carries, lane };
    for _ in 0..copies {
        dispatch(world, state, parcel.clone());
    }
}

/// Sends an earlier request once more, as a request of its own.
pub(crate) fn redeliver(world: &Arc<World>, state: &mut State, earlier: &WebhookPost) {
    let lane = format!("redelivered/{}", earlier.app_id);
    dispatch(
        world,
        state,
        Parcel {
            app_id: earlier.app_id.clone(),
            body: earlier.body.clone(),
            page_ids: earlier.page_ids.clone(),
            carries: Vec::new(),
            lane,
        },
    );
}

/// A request before it has a number and signatures.
#[derive(Clone)]
struct Parcel {
    app_id: String,
    body: Bytes,
    page_ids: Vec<String>,
    carries: Vec<(String, String, String)>,
    lane: String,
}

fn dispatch(world: &Arc<World>, state: &mut State, parcel: Parcel) {
    let Some((url, secret)) =
        state.apps.get(&parcel.app_id).and_then(|app| Some((app.callback.as_ref()?.url.clone(), app.secret.clone())))
    else {
        return;
    };
    let number = u64::try_from(state.ledger.n_webhooks).unwrap_or(u64::MAX).saturating_add(1);
    let dropped = state.troubles.drop_webhooks > 0;
    if dropped {
        state.troubles.drop_webhooks -= 1;
        state.ledger.n_settled += 1;
    }
    state.ledger.record_webhook(WebhookPost {
        number,
        app_id: parcel.app_id,
        page_ids: parcel.page_ids.clone(),
        body: parcel.body.clone(),
        attempts: Vec::new(),
        state: if dropped { PostState::Dropped } else { PostState::Open },
    });
    world.changed.notify_waiters();
    if dropped {
        return;
    }
    let signature = state.troubles.next_signatures.pop_front().unwrap_or_default();
    let (sha256, sha1) = signatures(signature, &secret, &parcel.body);
    let post =
        Post { number, url, body: parcel.body, sha256, sha1, page_ids: parcel.page_ids, carries: parcel.carries };
    enqueue(world, state, parcel.lane, post);
}

fn signatures(signature: Signature, secret: &str, body: &[u8]) -> (Option<String>, Option<String>) {
    match signature {
        Signature::Right => (Some(sign::sha256(secret, body)), Some(sign::sha1(secret, body))),
        Signature::Wrong => (Some(sign::sha256("not the secret", body)), Some(sign::sha1("not the secret", body))),
        Signature::Missing => (None, None),
        Signature::Sha1Only => (None, Some(sign::sha1(secret, body))),
    }
}

fn enqueue(world: &Arc<World>, state: &mut State, lane: String, post: Post) {
    let number = post.number;
    let sender = state.lanes.entry(lane).or_insert_with(|| {
        let (sender, receiver) = mpsc::channel(LANE_MAX);
        world.tasks.spawn(deliver::lane(world.clone(), receiver));
        sender
    });
    if sender.try_send(post).is_err() {
        tracing::warn!(webhook.number = number, "Lane is full or closed, dropped webhook {number}");
        if let Some(record) = state.ledger.webhook_mut(number) {
            record.state = PostState::Dropped;
            state.ledger.n_settled += 1;
        }
    }
}

/// Whether another app controls the thread, so that ours only listens.
fn is_standby(state: &State, event: &Event) -> bool {
    let Some(owner) = state.person(&event.page_id, &event.person_id).and_then(|person| person.owner_app.as_ref())
    else {
        return false;
    };
    event.place == Place::Messaging && state.app_of(&event.page_id).is_some_and(|app| &app.id != owner)
}

fn entry(state: &State, event: &Event, now_ms: i64) -> Value {
    let mut item = event.item.clone();
    match event.place {
        // Changes count in seconds, messaging in milliseconds.
        Place::Changes => json!({ "id": event.page_id, "time": now_ms / 1_000, "changes": [item] }),
        Place::Messaging if is_standby(state, event) => {
            if let Some(postback) = item.get_mut("postback").and_then(Value::as_object_mut) {
                postback.remove("payload");
            }
            json!({ "id": event.page_id, "time": now_ms, "standby": [item] })
        }
        Place::Messaging => json!({ "id": event.page_id, "time": now_ms, "messaging": [item] }),
    }
}

/// Takes what was held and lets new events pass again.
pub(crate) fn take_held(state: &mut State) -> VecDeque<Event> {
    state.held.take().unwrap_or_default()
}
