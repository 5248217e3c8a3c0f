//! Wake-ups between the rooms of one process. A lost one costs a poll, never an event.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Tells a loop that there is work. Clones wake the same loop.
#[derive(Debug, Clone, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// There is work.
    pub fn notify(&self) {
        self.0.notify_one();
    }

    /// Waits for a wake-up, for `poll` to pass, or for the end; false at the end.
    ///
    /// A wake-up that came since the last wait is kept, so looking for work and then waiting loses none.
    pub async fn wait(&self, poll: Duration, stop: &CancellationToken) -> bool {
        tokio::select! {
            () = self.0.notified() => true,
            () = tokio::time::sleep(poll) => true,
            () = stop.cancelled() => false,
        }
    }
}
