//! The other end of the road in a benchmark: takes every message at once, as Meta's Graph API would, and tells whoever waits
//! for it. The simulator is faithful and slow; this one only has to be fast.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinHandle;

use crate::webhook::Reply;

/// The stand-in. Stops when it is dropped.
pub(crate) struct Meta {
    desk: Arc<Desk>,
    address: SocketAddr,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct Desk {
    waiting: Mutex<HashMap<String, UnboundedSender<Reply>>>,
    taken: std::sync::atomic::AtomicU64,
}

impl Meta {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let desk = Arc::new(Desk::default());
        let router = Router::new().fallback(take).with_state(Arc::clone(&desk));
        let serving = tokio::spawn(async move {
            // It never ends by itself; a connection that fails shows in the figures' own checks.
            drop(axum::serve(listener, router).await);
        });
        Ok(Self { desk, address, serving })
    }

    /// In place of `https://graph.facebook.com`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many messages and signs it has taken.
    pub(crate) fn n_taken(&self) -> u64 {
        self.desk.taken.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// What is sent to this person from now on.
    pub(crate) fn replies_to(&self, person: &str) -> UnboundedReceiver<Reply> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.desk.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(person.to_owned(), sender);
        receiver
    }
}

impl Drop for Meta {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Takes a message for a person, or the body of a webhook that a floor forwards as it is. Everything else is a sign such as
/// "typing", which is answered and forgotten.
async fn take(State(desk): State<Arc<Desk>>, body: Bytes) -> Response {
    let Ok(body) = serde_json::from_slice::<Value>(&body) else { return StatusCode::BAD_REQUEST.into_response() };
    let person = body.pointer("/recipient/id").or_else(|| body.pointer("/entry/0/messaging/0/sender/id"));
    let message = body.get("message").or_else(|| body.pointer("/entry/0/messaging/0/message"));
    let (Some(person), message) = (person.and_then(Value::as_str), message) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let number = desk.taken.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let mid = format!("m_{number:016x}{}", "Zr4XyK8uVq1LbT6nWc3HsJ9fDpG2MaE7".repeat(4));
    let answer = format!(r#"{{"recipient_id":"{person}","message_id":"{mid}"}}"#);
    if let Some(message) = message {
        let text = |name| message.get(name).and_then(Value::as_str).map(str::to_owned);
        let reply = Reply { mid, metadata: text("metadata"), text: text("text").unwrap_or_default() };
        if let Some(sender) = desk.waiting.lock().unwrap_or_else(PoisonError::into_inner).get(person) {
            // The one who waited may have gone; the message is taken all the same.
            drop(sender.send(reply));
        }
    }
    ([(header::CONTENT_TYPE, "application/json")], answer).into_response()
}
