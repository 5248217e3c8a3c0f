//! Listeners: bind, serve, stop gracefully.

use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A listener that serves.
#[derive(Debug, Clone)]
pub struct Listening {
    /// The address; with port 0 asked for, the one that was given.
    pub address: SocketAddr,
    tracker: TaskTracker,
}

/// Binds and serves until `stop`; connections then get to finish their request.
///
/// # Errors
/// Whatever the system says when the address cannot be bound.
pub async fn listen(address: SocketAddr, router: Router, stop: CancellationToken) -> std::io::Result<Listening> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let tracker = TaskTracker::new();
    tracker.spawn(async move {
        let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
        if let Err(error) = served {
            tracing::error!(error = &error as &dyn std::error::Error, %address, "A listener failed");
        }
    });
    tracker.close();
    Ok(Listening { address, tracker })
}

impl Listening {
    /// Waits until the last request has been answered.
    pub async fn stopped(&self) {
        self.tracker.wait().await;
    }
}
