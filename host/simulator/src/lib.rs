//! A faithful local stand-in for Meta: Graph API, signed webhooks, a chat page. Stricter where Meta is vague.
//!
//! For tests and for the demo. It keeps everything in memory, listens on loopback unless told otherwise, and never
//! talks to anything but the callback it was given. Time is its own clock, see [`Clock`].
//!
//! [`Simulator::start`] gives a running one; [`Control`] plays Meta and the customers.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::DropGuard;

mod clock;
mod control;
mod error;
mod graph;
mod id;
mod page;
mod state;
mod webhook;
mod wire;
mod world;

pub use clock::Clock;
pub use control::{AppKeys, Control, Customer, PageKeys, Release};
pub use error::{ControlError, GraphError};
pub use page::{PHONE_CSS, PHONE_JS};
pub use state::{
    App, Attempt, Author, Callback, FIELDS, Ledger, Message, Outcome, PAGE_INBOX_APP, Page, Person, PostState,
    QuickReply, SCOPES, Send, Signature, Status, Trouble, WebhookPost,
};

/// How long a callback may take (Meta: Messenger webhooks, 5 seconds).
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(5);

/// Waits before the second and later attempts (Meta: "immediate retries, then a few more").
const WEBHOOK_RETRIES: [Duration; 4] = [Duration::ZERO, Duration::ZERO, Duration::from_secs(2), Duration::from_secs(5)];

/// How a simulator starts.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; port 0 lets the system choose.
    pub address: SocketAddr,
    /// The time it is.
    pub clock: Clock,
    /// Whether messages of a Page come back as echoes.
    pub echoes: bool,
    /// Whether messages of a Page are reported as delivered.
    pub deliveries: bool,
    /// Whether messages of a Page are reported as read at once.
    pub reads: bool,
    /// How long a callback may take, in real time.
    pub webhook_timeout: Duration,
    /// Waits before the second and later attempts of a webhook that was not answered 200, on the simulator's clock.
    pub webhook_retries: Vec<Duration>,
}

impl Options {
    /// A port of the system's choice on loopback, echoes and delivery reports on, reads off.
    pub fn new(clock: Clock) -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            clock,
            echoes: true,
            deliveries: true,
            reads: false,
            webhook_timeout: WEBHOOK_TIMEOUT,
            webhook_retries: WEBHOOK_RETRIES.to_vec(),
        }
    }
}

/// Why a simulator could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken or not ours; choose another.
    #[error("could not listen on {address}; choose another address or port 0")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The HTTP client could not be made.
    #[error("could not make the client for webhooks")]
    Client(#[source] reqwest::Error),
    /// The TLS library refused its own defaults.
    #[error("could not set up TLS for webhooks")]
    Tls(#[source] rustls::Error),
}

/// A running simulator. Dropping it stops it; [`Simulator::shutdown`] also waits until it stopped.
pub struct Simulator {
    control: Control,
    address: SocketAddr,
    _stop: DropGuard,
}

impl Simulator {
    /// Listens and serves the Graph API, the control and the chat page.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let address = options.address;
        let listener = TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })?;
        let address = listener.local_addr().map_err(|source| StartError::Listen { address, source })?;
        let client = client(options.webhook_timeout)?;
        let habits = world::Habits { echoes: options.echoes, deliveries: options.deliveries, reads: options.reads };
        let world = world::World::new(options.clock, habits, client, options.webhook_retries);
        let control = Control { world: world.clone() };
        let routes = graph::router(world.clone()).merge(phone_routes(&control)).merge(page::chat());
        let service = routes.into_make_service_with_connect_info::<wire::Hangup>();
        let stopped = world.stop.clone().cancelled_owned();
        world.tasks.spawn(async move {
            let serving = axum::serve(wire::CuttableListener(listener), service).with_graceful_shutdown(stopped);
            if let Err(error) = serving.await {
                tracing::error!(error = &error as &dyn std::error::Error, "Simulator stopped serving");
            }
        });
        Ok(Self { _stop: world.stop.clone().drop_guard(), control, address })
    }

    /// The handle that plays Meta and the customers.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`, to be used in place of `https://graph.facebook.com`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The Graph API, the control and the phone's files, to be merged into another server.
    ///
    /// The chat page is left out, so that `/` stays free.
    pub fn router(&self) -> Router {
        graph::router(self.control.world.clone()).merge(self.phone_router())
    }

    /// Only what a page with a phone on it needs: `/_control/` and `/_phone/`.
    pub fn phone_router(&self) -> Router {
        phone_routes(&self.control)
    }

    /// Stops listening, ends webhooks under way and waits for all of it.
    pub async fn shutdown(self) {
        let world: Arc<world::World> = self.control.world.clone();
        world.stop.cancel();
        world.tasks.close();
        world.tasks.wait().await;
    }
}

fn phone_routes(control: &Control) -> Router {
    control::router(control.clone()).merge(page::assets())
}

/// A client that follows nothing, knows no proxy and trusts no certificate: the callback is local and plain.
fn client(timeout: Duration) -> Result<reqwest::Client, StartError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(StartError::Tls)?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(timeout)
        .build()
        .map_err(StartError::Client)
}

#[cfg(test)]
mod tests;
