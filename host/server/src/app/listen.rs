//! Listeners: bind, serve, stop gracefully.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long connections get to finish their request once the host is told to stop: twice what the slowest webhook may
/// take. Somebody who never finishes must not keep the host from ending.
const GRACE: Duration = Duration::from_secs(10);

/// A listener that serves.
#[derive(Debug, Clone)]
pub struct Listening {
    /// The address; with port 0 asked for, the one that was given.
    pub address: SocketAddr,
    tracker: TaskTracker,
}

/// Binds and serves until `stop`; connections then get some seconds to finish their request.
///
/// # Errors
/// Whatever the system says when the address cannot be bound.
pub async fn listen(address: SocketAddr, router: Router, stop: CancellationToken) -> std::io::Result<Listening> {
    listen_with(address, router, stop, GRACE).await
}

async fn listen_with(
    address: SocketAddr,
    router: Router,
    stop: CancellationToken,
    grace: Duration,
) -> std::io::Result<Listening> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let tracker = TaskTracker::new();
    tracker.spawn(async move {
        let serving = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
        let out_of_grace = async {
            stop.cancelled().await;
            tokio::time::sleep(grace).await;
        };
        tokio::select! {
            served = serving => {
                if let Err(error) = served {
                    tracing::error!(error = &error as &dyn std::error::Error, %address, "A listener failed");
                }
            }
            () = out_of_grace => tracing::warn!(%address, "Some connections did not end in time and are cut"),
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

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    #[tokio::test]
    async fn somebody_who_never_finishes_a_request_does_not_keep_the_host_from_ending() {
        let stop = CancellationToken::new();
        let grace = Duration::from_millis(1);
        let listening = listen_with(([127, 0, 0, 1], 0).into(), Router::new(), stop.clone(), grace).await.unwrap();
        let mut slow = tokio::net::TcpStream::connect(listening.address).await.unwrap();
        slow.write_all(b"POST / HTTP/1.1\r\nHost:").await.unwrap();
        stop.cancel();
        tokio::time::timeout(GRACE, listening.stopped()).await.unwrap();
    }
}
