//! The loop of the outbox.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::error;

use crate::outbox::{Outbox, OutboxError, expire};

/// The safety net under wake-ups, across hosts too.
const POLL: Duration = Duration::from_millis(500);

/// How often the leases of dead senders and the waits of unknown deliveries are looked at: they last many seconds.
const EXPIRE_EVERY: Duration = Duration::from_secs(1);

impl Outbox {
    /// Works until `stop`; attempts under way come to their end.
    pub async fn run(self, stop: CancellationToken) {
        let sends = TaskTracker::new();
        let mut expire_at = self.db.now();
        while !stop.is_cancelled() {
            if self.db.now() >= expire_at {
                expire_at = self.db.now() + EXPIRE_EVERY;
                if let Err(error) = expire::expire(&self).await {
                    error!(error = &error as &dyn std::error::Error, "Could not look for dead senders; trying again");
                }
            }
            match self.step(&sends).await {
                Ok(may_be_more) if may_be_more => continue,
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

    /// Sends what is due and may go; true when there may be more.
    async fn step(&self, sends: &TaskTracker) -> Result<bool, OutboxError> {
        let taken = self.take().await?;
        for (delivery, ready) in taken.deliveries {
            let outbox = self.clone();
            sends.spawn(async move { outbox.deliver(delivery, ready).await });
        }
        Ok(taken.may_be_more)
    }
}
