//! The loop of the outbox.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::error;

use crate::outbox::{MAX_IN_HAND, Outbox, OutboxError, claim};

/// The safety net under wake-ups, across hosts too.
const POLL: Duration = Duration::from_millis(500);

/// Sends under way at once: a slow answer for one page holds up nobody else's.
const MAX_SENDS: usize = 256;

impl Outbox {
    /// Works until `stop`; attempts under way come to their end.
    pub async fn run(self, stop: CancellationToken) {
        let sends = TaskTracker::new();
        let slots = Arc::new(Semaphore::new(MAX_SENDS));
        while !stop.is_cancelled() {
            let wait = match self.step(&sends, &slots).await {
                Ok(0) => self.next_look().await,
                Ok(_) => continue,
                Err(error) => {
                    error!(error = &error as &dyn std::error::Error, "The outbox failed; trying again");
                    POLL
                }
            };
            if !self.wake.wait(wait, &stop).await {
                break;
            }
        }
        sends.close();
        sends.wait().await;
    }

    async fn step(&self, sends: &TaskTracker, slots: &Arc<Semaphore>) -> Result<usize, OutboxError> {
        claim::expire(&self.db).await?;
        let room = slots.available_permits().min(MAX_IN_HAND);
        let taken = if room == 0 { Vec::new() } else { self.take(room).await? };
        let n_taken = taken.len();
        for (delivery, ready) in taken {
            let Ok(slot) = Arc::clone(slots).acquire_owned().await else { break };
            let outbox = self.clone();
            sends.spawn(async move {
                outbox.deliver(delivery, ready).await;
                drop(slot);
            });
        }
        Ok(n_taken)
    }

    async fn next_look(&self) -> Duration {
        match claim::next_due_at(&self.db).await {
            Ok(Some(due_at)) => due_at.since(self.db.now()).clamp(Duration::from_millis(20), POLL),
            Ok(None) | Err(_) => POLL,
        }
    }
}
