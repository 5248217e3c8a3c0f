//! The loop of the outbox.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::error;

use crate::inbox::Pace;
use crate::outbox::schedule::PACE;
use crate::outbox::{MAX_CLAIM, Outbox, OutboxError, expire, lookup};

/// The safety net under wake-ups, across hosts too.
const POLL: Duration = Duration::from_millis(500);

/// How often the leases of dead senders, the waits of unknown deliveries and what is to be looked up are considered: all last many
/// seconds.
const EXPIRE_EVERY: Duration = Duration::from_secs(1);

impl Outbox {
    /// Works until `stop`; attempts under way come to their end.
    pub async fn run(self, stop: CancellationToken) {
        let sends = TaskTracker::new();
        let mut pace = Pace::default();
        let (mut expire_at, mut look_at) = (self.db.now(), self.db.now());
        while !stop.is_cancelled() {
            if self.db.now() >= expire_at {
                expire_at = self.db.now() + EXPIRE_EVERY;
                if let Err(error) = expire::expire(&self).await {
                    error!(error = &error as &dyn std::error::Error, "Could not look for dead senders; trying again");
                }
            }
            if self.db.now() >= look_at {
                look_at = self.db.now() + self.look_up(&sends).await;
            }
            pace.keep().await;
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

    /// Beside the sends: Meta may take its time. When to take the next ones: as soon as their channels may be asked again while there
    /// are any, for an outage may leave many.
    async fn look_up(&self, sends: &TaskTracker) -> Duration {
        let looks = lookup::take(self).await.unwrap_or_else(|error| {
            error!(error = &error as &dyn std::error::Error, "Could not look deliveries up; trying again");
            Vec::new()
        });
        let next = if looks.is_empty() { EXPIRE_EVERY } else { PACE };
        for look in looks {
            let outbox = self.clone();
            sends.spawn(async move { lookup::look(&outbox, look).await });
        }
        next
    }

    /// Sends what is due and may go; true when there may be more.
    async fn step(&self, sends: &TaskTracker) -> Result<bool, OutboxError> {
        let taken = self.take(MAX_CLAIM).await?;
        for (delivery, ready) in taken.deliveries {
            let outbox = self.clone();
            sends.spawn(async move { outbox.deliver(delivery, ready).await });
        }
        Ok(taken.may_be_more)
    }
}
