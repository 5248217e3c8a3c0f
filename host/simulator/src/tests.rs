//! The simulator as a whole, against a callback on a port of its own.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Mutex as AsyncMutex, mpsc};

use super::*;

mod customers;
mod graph_api;
mod http_control;
mod sends;
mod tokens;
mod troubles;
mod webhooks;

const START: i64 = 1_790_000_000_000;

/// How long a test waits for what must happen; far more than it ever takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the callback does with one request.
#[derive(Debug, Clone, Copy)]
enum Reaction {
    Answer(u16),
    Hang,
}

/// One webhook as it arrived.
#[derive(Debug)]
struct Received {
    headers: HeaderMap,
    body: Bytes,
}

impl Received {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The only item of the only entry.
    fn item(&self) -> Value {
        let json = self.json();
        assert_eq!(json["entry"].as_array().unwrap().len(), 1);
        json["entry"][0]["messaging"][0].clone()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// A callback that answers 200 unless it was told otherwise.
#[derive(Clone)]
struct FakeCallback {
    url: String,
    reactions: Arc<Mutex<VecDeque<Reaction>>>,
    received: Arc<AsyncMutex<mpsc::UnboundedReceiver<Received>>>,
}

#[derive(Clone)]
struct CallbackState {
    reactions: Arc<Mutex<VecDeque<Reaction>>>,
    sender: mpsc::UnboundedSender<Received>,
}

impl FakeCallback {
    async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/webhook", listener.local_addr().unwrap());
        let (sender, receiver) = mpsc::unbounded_channel();
        let reactions: Arc<Mutex<VecDeque<Reaction>>> = Arc::default();
        let state = CallbackState { reactions: reactions.clone(), sender };
        let routes = Router::new().route("/webhook", get(handshake).post(receive)).with_state(state);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { url, reactions, received: Arc::new(AsyncMutex::new(receiver)) }
    }

    /// What it does with the next `n` requests.
    fn will(&self, n: usize, reaction: Reaction) {
        self.reactions.lock().unwrap().extend(std::iter::repeat_n(reaction, n));
    }

    async fn next(&self) -> Received {
        tokio::time::timeout(PATIENCE, self.received.lock().await.recv()).await.expect("no webhook came").unwrap()
    }

    /// What came so far and was not taken.
    async fn nothing_more(&self) {
        assert!(self.received.lock().await.try_recv().is_err(), "a webhook came that was not expected");
    }
}

#[derive(serde::Deserialize)]
struct Handshake {
    #[serde(rename = "hub.verify_token")]
    verify_token: String,
    #[serde(rename = "hub.mode")]
    mode: String,
    #[serde(rename = "hub.challenge")]
    challenge: String,
}

async fn handshake(Query(asked): Query<Handshake>) -> Response {
    if asked.mode == "subscribe" && asked.verify_token == "verify-me" {
        asked.challenge.into_response()
    } else {
        StatusCode::FORBIDDEN.into_response()
    }
}

async fn receive(State(state): State<CallbackState>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let reaction = state.reactions.lock().unwrap().pop_front().unwrap_or(Reaction::Answer(200));
    state.sender.send(Received { headers, body }).unwrap();
    match reaction {
        Reaction::Answer(status) => StatusCode::from_u16(status).unwrap(),
        Reaction::Hang => std::future::pending().await,
    }
}

/// A simulator with an app, a subscribed Page, a customer who has written nothing yet, and a callback.
struct Stage {
    simulator: Simulator,
    control: Control,
    app: AppKeys,
    page: PageKeys,
    ana: Customer,
    callback: FakeCallback,
    client: reqwest::Client,
}

impl Stage {
    async fn new() -> Self {
        Self::with(|_options| ()).await
    }

    async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options { deliveries: false, ..Options::new(Clock::standing(START)) };
        options.echoes = false;
        change(&mut options);
        let simulator = Simulator::start(options).await.unwrap();
        let control = simulator.control();
        let callback = FakeCallback::start().await;
        let app = control.add_app("Bellhop");
        control.configure_webhook(&app.id, &callback.url, "verify-me").await.unwrap();
        let page = control.add_page(&app.id, "Lantern Bakery").unwrap();
        control.subscribe(&page.id).unwrap();
        let ana = control.add_person(&page.id, "Ana Lopes").unwrap();
        Self { simulator, control, app, page, ana, callback, client: client(PATIENCE).unwrap() }
    }

    /// Opens the window and takes the webhook that says so.
    async fn greeted() -> Self {
        let stage = Self::new().await;
        stage.ana.says("hello").unwrap();
        stage.callback.next().await;
        stage
    }

    fn text_to_ana(&self, text: &str) -> Value {
        json!({ "recipient": { "id": self.ana.person_id }, "messaging_type": "RESPONSE", "message": { "text": text } })
    }

    /// Posts JSON with the Page's token.
    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = self.client.post(format!("{}/v25.0/{path}", self.simulator.url())).json(body);
        answered(request.bearer_auth(&self.page.token)).await.unwrap()
    }

    /// Posts to the Page's messages.
    async fn send(&self, body: &Value) -> (u16, Value) {
        self.post(&format!("{}/messages", self.page.id), body).await
    }

    /// Gets with the Page's token.
    async fn get(&self, path: &str) -> (u16, Value) {
        self.get_as(&self.page.token, path).await
    }

    async fn get_as(&self, token: &str, path: &str) -> (u16, Value) {
        let request = self.client.get(format!("{}/v25.0/{path}", self.simulator.url())).bearer_auth(token);
        answered(request).await.unwrap()
    }

    /// Sends, and expects this error.
    async fn send_fails(&self, body: &Value, status: u16, code: i64, subcode: Option<i64>) {
        let answer = self.send(body).await;
        is_error(&answer, status, code, subcode);
        assert_eq!(self.control.accepted().len(), 0, "something was sent all the same");
    }
}

async fn answered(request: reqwest::RequestBuilder) -> Result<(u16, Value), reqwest::Error> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    Ok((status, response.json().await?))
}

fn is_error((status, body): &(u16, Value), expected_status: u16, code: i64, subcode: Option<i64>) {
    let error = &body["error"];
    assert_eq!(
        (*status, error["code"].as_i64(), error["error_subcode"].as_i64()),
        (expected_status, Some(code), subcode),
        "{body}"
    );
    assert!(error["fbtrace_id"].as_str().is_some_and(|id| !id.is_empty()));
    assert!(error["type"].as_str().is_some_and(|kind| kind.ends_with("Exception")));
}
