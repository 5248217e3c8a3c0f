//! Wake-ups between the rooms of one process. A lost one costs a poll, never an event.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bellhop_domain::time::Timestamp;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// Times are kept this coarsely, so that a busy settle window holds a few hundred at most.
const GRAIN_MILLIS: i64 = 10;

/// The least time between two looks: a look costs about the same for one conversation as for twenty, and hosts that look at each
/// arrival take from each other what would have been done together. Whoever comes after a pause waits for nobody.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// When a loop looked last.
#[derive(Debug, Default)]
pub struct Pace(Option<Instant>);

impl Pace {
    /// Waits until it is time for the next look, which is now.
    pub async fn keep(&mut self) {
        let at = self.next(Instant::now());
        sleep_until(at).await;
        self.0 = Some(at);
    }

    fn next(&self, now: Instant) -> Instant {
        self.0.map_or(now, |last| now.max(last + LOOK_EVERY))
    }
}

/// Tells a loop that there is work, or when there will be. Clones wake the same loop.
#[derive(Debug, Clone, Default)]
pub struct Wake(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    notify: Notify,
    due: Mutex<BTreeSet<i64>>,
}

impl Wake {
    /// There is work.
    pub fn notify(&self) {
        self.0.notify.notify_one();
    }

    /// There will be work at a time.
    pub fn notify_at(&self, at: Timestamp, now: Timestamp) {
        if at <= now {
            return self.notify();
        }
        let grain = at.millis().div_euclid(GRAIN_MILLIS).saturating_add(1).saturating_mul(GRAIN_MILLIS);
        let is_first = {
            let mut due = self.0.due.lock().unwrap_or_else(PoisonError::into_inner);
            due.insert(grain) && due.first() == Some(&grain)
        };
        // The loop may sleep past it.
        if is_first {
            self.notify();
        }
    }

    /// How long until the next announced time, `poll` at most; what has come due is forgotten.
    pub fn until_due(&self, now: Timestamp, poll: Duration) -> Duration {
        let mut due = self.0.due.lock().unwrap_or_else(PoisonError::into_inner);
        let later = due.split_off(&now.millis().saturating_add(1));
        let came_due = !std::mem::replace(&mut *due, later).is_empty();
        let next = due.first().map(|at| Timestamp::from_millis(*at).since(now));
        if came_due { Duration::ZERO } else { next.unwrap_or(poll).min(poll) }
    }

    /// Waits for a wake-up, for `wait` to pass, or for the end; false at the end.
    ///
    /// A wake-up that came since the last wait is kept, so looking for work and then waiting loses none.
    pub async fn wait(&self, wait: Duration, stop: &CancellationToken) -> bool {
        tokio::select! {
            () = self.0.notify.notified() => true,
            () = tokio::time::sleep(wait) => true,
            () = stop.cancelled() => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLL: Duration = Duration::from_millis(500);

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn the_next_announced_time_ends_the_wait() {
        let wake = Wake::default();
        assert_eq!(wake.until_due(at(0), POLL), POLL);
        wake.notify_at(at(1_500), at(0));
        wake.notify_at(at(200), at(0));
        assert_eq!(wake.until_due(at(0), POLL), Duration::from_millis(210));
        assert_eq!(wake.until_due(at(210), POLL), Duration::ZERO, "it has come due: look now");
        assert_eq!(wake.until_due(at(210), POLL), POLL, "and is forgotten");
        assert_eq!(wake.until_due(at(1_400), POLL), Duration::from_millis(110));
    }

    #[test]
    fn looks_are_paced_and_the_first_after_a_pause_is_not() {
        let now = Instant::now();
        assert_eq!(Pace::default().next(now), now);
        assert_eq!(Pace(Some(now)).next(now + Duration::from_millis(1)), now + LOOK_EVERY);
        assert_eq!(Pace(Some(now)).next(now + POLL), now + POLL);
    }

    #[tokio::test]
    async fn a_wake_up_before_the_wait_is_kept() {
        let (wake, stop) = (Wake::default(), CancellationToken::new());
        wake.notify();
        assert!(wake.wait(Duration::from_secs(3_600), &stop).await);
        stop.cancel();
        assert!(!wake.wait(Duration::from_secs(3_600), &stop).await);
    }
}
