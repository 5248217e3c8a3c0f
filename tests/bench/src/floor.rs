//! The floors: the least that a server could do for a webhook, written by hand with the same libraries, each in a process of
//! its own.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use sqlx::any::AnyPoolOptions;
use sqlx::{AnyPool, Executor, QueryBuilder};
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::sync::{mpsc, oneshot};

use crate::child;

/// The hidden command's part; its first argument says which floor.
pub(crate) const PART: &str = "floor";

/// Bodies that share a transaction at most: as many as the host's.
const BODIES_MOST: usize = 64;

/// A floor.
pub(crate) enum Floor<'a> {
    /// Reads the body and stores nothing.
    Nothing,
    /// Awaits one group-committed insert of the body into an SQLite file in this folder.
    Insert(&'a str),
    /// Awaits one POST of the body to this address.
    Post(&'a str),
}

impl Floor<'_> {
    /// Starts it as a child.
    pub(crate) fn start(&self) -> anyhow::Result<child::Part> {
        match self {
            Self::Nothing => child::Part::start(PART, &["nothing"]),
            Self::Insert(folder) => child::Part::start(PART, &["insert", folder]),
            Self::Post(url) => child::Part::start(PART, &["post", url]),
        }
    }
}

/// The child: serves until it is killed.
pub(crate) fn child(arguments: &[String]) -> anyhow::Result<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let router = match arguments.as_slice() {
            ["nothing"] => Router::new().route("/webhook", post(nothing)),
            ["insert", folder] => Router::new().route("/webhook", post(insert)).with_state(shelf(folder).await?),
            ["post", url] => Router::new().route("/webhook", post(forward)).with_state(relay(url)?),
            _ => anyhow::bail!("a floor is nothing, insert FOLDER or post URL"),
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        child::tell(&[("address", listener.local_addr()?.to_string())])?;
        axum::serve(listener, router).await.context("the floor fell")
    })
}

async fn nothing(_body: Bytes) -> StatusCode {
    StatusCode::OK
}

/// A body on its way to disk.
struct Waiting {
    body: Bytes,
    stored: oneshot::Sender<()>,
}

async fn insert(State(shelf): State<mpsc::Sender<Waiting>>, body: Bytes) -> StatusCode {
    let (stored, on_disk) = oneshot::channel();
    let handed_in = shelf.send(Waiting { body, stored }).await.is_ok();
    if handed_in && on_disk.await.is_ok() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

/// One writer for all bodies that wait at the same time: the house's settings of SQLite, one transaction, one statement.
async fn shelf(folder: &str) -> anyhow::Result<mpsc::Sender<Waiting>> {
    sqlx::any::install_default_drivers();
    let url = format!("sqlite://{}?mode=rwc", Path::new(folder).join("floor.db").display());
    let pool = AnyPoolOptions::new().max_connections(1).connect(&url).await?;
    let set_up = "pragma journal_mode = wal; pragma synchronous = full; pragma wal_autocheckpoint = 4000; \
                  create table body (id integer primary key, bytes blob not null)";
    pool.execute(sqlx::raw_sql(set_up)).await?;
    let (sender, mut receiver) = mpsc::channel::<Waiting>(BODIES_MOST * 4);
    tokio::spawn(async move {
        let mut waiting = Vec::with_capacity(BODIES_MOST);
        while receiver.recv_many(&mut waiting, BODIES_MOST).await > 0 {
            // Whoever waits hears of a failure by being dropped.
            if write(&pool, &waiting).await.is_ok() {
                for waiting in waiting.drain(..) {
                    // The client may have gone; its body is stored all the same.
                    let _gone = waiting.stored.send(());
                }
            }
            waiting.clear();
        }
    });
    Ok(sender)
}

async fn write(pool: &AnyPool, waiting: &[Waiting]) -> sqlx::Result<()> {
    let mut connection = pool.acquire().await?;
    connection.execute("begin immediate").await?;
    let mut insert = QueryBuilder::new("insert into body (bytes) ");
    insert.push_values(waiting, |mut row, waiting| {
        row.push_bind(waiting.body.to_vec());
    });
    insert.build().execute(&mut *connection).await?;
    connection.execute("commit").await?;
    Ok(())
}

/// Where bodies are forwarded to, and the client that does it.
struct Relay {
    client: reqwest::Client,
    url: String,
}

fn relay(url: &str) -> anyhow::Result<Arc<Relay>> {
    // Reqwest wants a provider even where everything is plain text; a second one is no harm.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder().no_proxy().build()?;
    Ok(Arc::new(Relay { client, url: format!("{url}/messages") }))
}

async fn forward(State(relay): State<Arc<Relay>>, body: Bytes) -> StatusCode {
    let sent = relay.client.post(&relay.url).header("content-type", "application/json").body(body).send().await;
    let Ok(answer) = sent.and_then(reqwest::Response::error_for_status) else { return StatusCode::BAD_GATEWAY };
    if answer.bytes().await.is_ok() { StatusCode::OK } else { StatusCode::BAD_GATEWAY }
}
