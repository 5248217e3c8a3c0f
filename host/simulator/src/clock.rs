//! The simulator's own time: it stands still until it is moved, or runs with the machine.
//!
//! Never reads the wall clock: the start is given, and a running clock adds what a monotonic timer measured.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// A clock that everything in one simulator shares.
#[derive(Debug, Clone)]
pub struct Clock {
    /// When it runs, the moment it was started.
    running_since: Option<Instant>,
    /// Milliseconds since 1970 at that moment, or now when it stands still; grows when the clock is moved.
    base_ms: Arc<watch::Sender<i64>>,
}

impl Clock {
    /// A clock that only [`Clock::advance`] moves.
    pub fn standing(start_ms: i64) -> Self {
        Self { running_since: None, base_ms: Arc::new(watch::Sender::new(start_ms)) }
    }

    /// A clock that starts at `start_ms` and runs; it can be moved forward as well.
    pub fn running(start_ms: i64) -> Self {
        Self { running_since: Some(Instant::now()), base_ms: Arc::new(watch::Sender::new(start_ms)) }
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub fn now_ms(&self) -> i64 {
        let run = self.running_since.map_or(Duration::ZERO, |started| started.elapsed());
        self.base_ms.borrow().saturating_add(millis(run))
    }

    /// Moves the clock forward and wakes all that waited for a time now past.
    pub fn advance(&self, by: Duration) {
        self.base_ms.send_modify(|base| *base = base.saturating_add(millis(by)));
    }

    /// Waits until the clock shows `deadline_ms` or more.
    ///
    /// # Cancel safety
    /// Holds nothing; may be dropped and called again.
    pub async fn until(&self, deadline_ms: i64) {
        // Subscribed before the look, so that a move in between is not missed.
        let mut moved = self.base_ms.subscribe();
        loop {
            let missing_ms = deadline_ms.saturating_sub(self.now_ms());
            let Ok(missing_ms @ 1..) = u64::try_from(missing_ms) else { return };
            if self.running_since.is_some() {
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(missing_ms)) => (),
                    _ = moved.changed() => (),
                }
            } else if moved.changed().await.is_err() {
                // `self` holds the sender, so this cannot be reached; returning is the harmless answer.
                return;
            }
        }
    }
}

/// A duration in milliseconds, capped.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_790_000_000_000;

    #[tokio::test]
    async fn a_standing_clock_moves_only_when_told() {
        let clock = Clock::standing(START);
        assert_eq!(clock.now_ms(), START);
        clock.advance(Duration::from_secs(2));
        assert_eq!(clock.now_ms(), START + 2_000);
    }

    #[tokio::test]
    async fn a_waiter_wakes_at_its_time_and_not_before() {
        let clock = Clock::standing(START);
        let mut waiter = Box::pin(clock.until(START + 2_000));
        assert!(futures_util::poll!(&mut waiter).is_pending());
        clock.advance(Duration::from_millis(1_999));
        assert!(futures_util::poll!(&mut waiter).is_pending());
        clock.advance(Duration::from_millis(1));
        assert!(futures_util::poll!(&mut waiter).is_ready());
    }

    #[tokio::test]
    async fn a_time_already_past_does_not_wait() {
        let clock = Clock::standing(START);
        assert!(futures_util::poll!(Box::pin(clock.until(START))).is_ready());
    }

    #[tokio::test]
    async fn a_running_clock_can_still_be_moved() {
        let clock = Clock::running(START);
        clock.advance(Duration::from_hours(24));
        assert!(clock.now_ms() >= START + 86_400_000);
        clock.until(START + 86_400_000).await;
    }
}
