//! The loop of the outbox.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::error;

use crate::inbox::Pace;
use crate::outbox::{MAX_IN_HAND, Outbox, OutboxError, expire};

/// The safety net under wake-ups, across hosts too.
const POLL: Duration = Duration::from_millis(500);

/// How often the leases of dead senders and the waits of unknown deliveries are looked at: they last many seconds.
const EXPIRE_EVERY: Duration = Duration::from_secs(1);

/// Sends under way at once: a slow answer for one page holds up nobody else's.
const MAX_SENDS: usize = 256;

impl Outbox {
    /// Works until `stop`; attempts under way come to their end.
    pub async fn run(self, stop: CancellationToken) {
        let sends = TaskTracker::new();
        let (slots, mut pace) = (Arc::new(Semaphore::new(MAX_SENDS)), Pace::default());
        let mut expire_at = self.db.now();
        while !stop.is_cancelled() {
            if self.db.now() >= expire_at {
                expire_at = self.db.now() + EXPIRE_EVERY;
                if let Err(error) = expire::expire(&self).await {
                    error!(error = &error as &dyn std::error::Error, "Could not look for dead senders; trying again");
                }
            }
            pace.keep().await;
            match self.step(&sends, &slots).await {
                // A full hand: there may be more.
                Ok(n_taken) if n_taken == MAX_IN_HAND => continue,
                Ok(_) => {}
                Err(error) => error!(error = &error as &dyn std::error::Error, "The outbox failed; trying again"),
            }
            if !self.wake.wait(self.wake.until_due(self.db.now(), POLL), &stop).await {
                break;
            }
        }
        sends.close();
        sends.wait().await;
    }

    async fn step(&self, sends: &TaskTracker, slots: &Arc<Semaphore>) -> Result<usize, OutboxError> {
        let room = slots.available_permits().min(MAX_IN_HAND);
        let taken = if room == 0 { Vec::new() } else { self.take(room).await? };
        let n_taken = taken.len();
        for (delivery, ready) in taken {
            let Ok(slot) = Arc::clone(slots).acquire_owned().await else { break };
            let (outbox, slots) = (self.clone(), Arc::clone(slots));
            sends.spawn(async move {
                outbox.deliver(delivery, ready).await;
                drop(slot);
                // All hands were full: the loop waits for one.
                if slots.available_permits() == 1 {
                    outbox.wake.notify();
                }
            });
        }
        Ok(n_taken)
    }
}
