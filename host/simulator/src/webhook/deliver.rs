//! Carries webhook requests to the callback: one lane per thread, the timeout, the retries, the end after an hour.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{StatusCode, header};
use tokio::sync::mpsc;

use crate::clock::millis;
use crate::error::ControlError;
use crate::state::{Attempt, PostState, State, Status};
use crate::webhook::Post;
use crate::world::{Happening, World};

/// A callback that fails this long loses its Pages (Meta: Messenger webhooks, "Webhooks Disabled" after 1 hour).
const FAILING_MAX: Duration = Duration::from_hours(1);

/// Bytes of an answer to the handshake that are read; a challenge has ten.
const HANDSHAKE_BYTES_MAX: usize = 4_096;

/// Sends one thread's requests in order. A failed one is retried beside the lane, so later ones may overtake it.
pub(crate) async fn lane(world: Arc<World>, mut posts: mpsc::Receiver<Post>) {
    loop {
        let post = tokio::select! {
            post = posts.recv() => post,
            () = world.stop.cancelled() => None,
        };
        let Some(post) = post else { return };
        if let Err(failed) = attempt(&world, &post).await {
            world.tasks.spawn(retry(world.clone(), post, failed));
        }
    }
}

async fn retry(world: Arc<World>, post: Post, mut failed: Failed) {
    for wait in &world.webhook_retries {
        let due_ms = failed.at_ms.saturating_add(millis(*wait));
        tokio::select! {
            () = world.clock.until(due_ms) => (),
            () = world.stop.cancelled() => return,
        }
        match attempt(&world, &post).await {
            Ok(()) => return,
            Err(again) => failed = again,
        }
    }
    let mut state = world.lock();
    settle(&mut state, &post, PostState::GivenUp);
    drop(state);
    world.changed.notify_waiters();
}

/// An attempt that was not answered with 200.
struct Failed {
    /// When it ended; the next wait counts from here.
    at_ms: i64,
}

/// One attempt; fine when the callback answered 200 or the simulator stops.
async fn attempt(world: &Arc<World>, post: &Post) -> Result<(), Failed> {
    let mut request = world
        .client
        .post(&post.url)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, "facebookexternalua")
        .body(post.body.clone());
    if let Some(signature) = &post.sha1 {
        request = request.header("X-Hub-Signature", signature);
    }
    if let Some(signature) = &post.sha256 {
        request = request.header("X-Hub-Signature-256", signature);
    }
    let status = tokio::select! {
        answer = request.send() => answer.ok().map(|response| response.status()),
        () = world.stop.cancelled() => return Ok(()),
    };
    let taken = status == Some(StatusCode::OK);
    let mut state = world.lock();
    let at_ms = world.clock.now_ms();
    if let Some(record) = state.ledger.webhook_mut(post.number) {
        record.attempts.push(Attempt { at_ms, status: status.map(|status| status.as_u16()) });
    }
    if taken {
        settle(&mut state, post, PostState::Acknowledged);
        mark_delivered(world, &mut state, post);
    } else {
        note_failure(world, &mut state, post, at_ms);
    }
    drop(state);
    world.changed.notify_waiters();
    if taken { Ok(()) } else { Err(Failed { at_ms }) }
}

fn settle(state: &mut State, post: &Post, end: PostState) {
    state.ledger.n_settled += 1;
    if let Some(record) = state.ledger.webhook_mut(post.number) {
        record.state = end;
    }
    if end == PostState::Acknowledged {
        for page_id in &post.page_ids {
            if let Some(page) = state.pages.get_mut(page_id) {
                page.failing_since_ms = None;
            }
        }
    }
}

fn mark_delivered(world: &World, state: &mut State, post: &Post) {
    for (page_id, person_id, message_id) in &post.carries {
        let Some(person) = state.person_mut(page_id, person_id) else { continue };
        let Some(message) = person.messages.iter_mut().rev().find(|message| &message.id == message_id) else {
            continue;
        };
        message.status = message.status.max(Status::Delivered);
        world.announce(Happening::Progress {
            page: page_id.clone(),
            person: person_id.clone(),
            message: Some(message_id.clone()),
            status: Status::Delivered,
        });
    }
}

fn note_failure(world: &Arc<World>, state: &mut State, post: &Post, at_ms: i64) {
    for page_id in &post.page_ids {
        let Some(page) = state.pages.get_mut(page_id) else { continue };
        if page.failing_since_ms.is_none() {
            page.failing_since_ms = Some(at_ms);
            world.tasks.spawn(unsubscribe_when_hopeless(world.clone(), page_id.clone(), at_ms));
        }
    }
}

/// Takes the Page away from an app whose callback failed for an hour without one success.
async fn unsubscribe_when_hopeless(world: Arc<World>, page_id: String, since_ms: i64) {
    tokio::select! {
        () = world.clock.until(since_ms.saturating_add(millis(FAILING_MAX))) => (),
        () = world.stop.cancelled() => return,
    }
    let mut state = world.lock();
    if let Some(page) = state.pages.get_mut(&page_id)
        && page.failing_since_ms == Some(since_ms)
    {
        page.subscribed = None;
        page.failing_since_ms = None;
        tracing::warn!(page.id = %page_id, "Webhooks disabled, unsubscribed the app from page {page_id}");
    }
    drop(state);
    world.changed.notify_waiters();
}

/// Asks the callback to send a challenge back, as Meta does whenever it is configured.
///
/// # Errors
/// [`ControlError::Unreachable`] or [`ControlError::Handshake`]; nothing is configured then.
pub(crate) async fn handshake(world: &World, url: &str, verify_token: &str) -> Result<(), ControlError> {
    let challenge = world.lock().ids.challenge();
    let query = [("hub.mode", "subscribe"), ("hub.verify_token", verify_token), ("hub.challenge", &challenge)];
    let mut response = world.client.get(url).query(&query).send().await.map_err(ControlError::Unreachable)?;
    let status = response.status();
    let mut body = Vec::new();
    while body.len() <= HANDSHAKE_BYTES_MAX
        && let Some(chunk) = response.chunk().await.map_err(ControlError::Unreachable)?
    {
        body.extend_from_slice(&chunk);
    }
    match (status, body == challenge.as_bytes()) {
        (StatusCode::OK, true) => Ok(()),
        (status, true) => Err(ControlError::Handshake { status: status.as_u16(), what: "the challenge" }),
        (status, false) => Err(ControlError::Handshake { status: status.as_u16(), what: "something else" }),
    }
}
