//! The settle window: how long a conversation's events gather before they become one turn. Computed from stored times.

use std::time::Duration;

use crate::time::Timestamp;

/// How long events gather.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettleWindow {
    /// It closes after this much quiet. People send the parts of a thought within a second or two.
    pub quiet: Duration,
    /// It closes this long after the first event, however much follows: somebody is waiting.
    pub longest: Duration,
}

impl Default for SettleWindow {
    fn default() -> Self {
        Self { quiet: Duration::from_millis(1_500), longest: Duration::from_secs(6) }
    }
}

/// What gathers in a conversation. The times are the host's: when each event was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gathering {
    /// When the oldest waiting event was stored.
    pub first: Timestamp,
    /// When the newest was.
    pub last: Timestamp,
    /// One of them is a tap on a button or quick reply: nothing more is to come.
    pub has_tap: bool,
}

impl SettleWindow {
    /// No waiting at all: every event is a turn.
    pub const NONE: Self = Self { quiet: Duration::ZERO, longest: Duration::ZERO };

    /// When the window closes; in the past or present means now.
    pub fn closes_at(&self, gathering: Gathering) -> Timestamp {
        if gathering.has_tap {
            return gathering.first;
        }
        (gathering.last + self.quiet).min(gathering.first + self.longest)
    }

    /// The turn may begin.
    pub fn is_settled(&self, gathering: Gathering, now: Timestamp) -> bool {
        self.closes_at(gathering) <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closes(first: i64, last: i64, has_tap: bool) -> i64 {
        let gathering = Gathering { first: Timestamp::from_millis(first), last: Timestamp::from_millis(last), has_tap };
        SettleWindow::default().closes_at(gathering).millis()
    }

    #[test]
    fn a_window_closes_after_quiet_and_never_later_than_the_longest() {
        assert_eq!(closes(0, 0, false), 1_500);
        assert_eq!(closes(0, 1_000, false), 2_500);
        assert_eq!(closes(0, 4_500, false), 6_000);
        assert_eq!(closes(0, 60_000, false), 6_000);
    }

    #[test]
    fn a_tap_closes_the_window_at_once() {
        assert_eq!(closes(0, 1_000, true), 0);
    }

    #[test]
    fn without_a_window_everything_is_settled() {
        let now = Timestamp::from_millis(5);
        assert!(SettleWindow::NONE.is_settled(Gathering { first: now, last: now, has_tap: false }, now));
        assert!(!SettleWindow::default().is_settled(Gathering { first: now, last: now, has_tap: false }, now));
    }
}
