//! Time as a value: the host passes it in, nothing here reads a clock.

use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// From here on a number is milliseconds; below it is seconds (Meta: `changes[]` and WhatsApp send seconds).
const SMALLEST_MILLISECONDS: i64 = 1_000_000_000_000;

impl Timestamp {
    /// A time from milliseconds.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// A time as Meta writes it, seconds or milliseconds, told apart by magnitude; `None` for what cannot be a time.
    pub fn from_meta(number: i64) -> Option<Self> {
        match number {
            ..=0 => None,
            seconds if seconds < SMALLEST_MILLISECONDS => seconds.checked_mul(1_000).map(Self),
            millis => Some(Self(millis)),
        }
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// How long ago `earlier` was; zero when it is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, wait: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_milliseconds_are_told_apart() {
        assert_eq!(Timestamp::from_meta(1_449_135_003), Some(Timestamp::from_millis(1_449_135_003_000)));
        assert_eq!(Timestamp::from_meta(1_458_692_752_478), Some(Timestamp::from_millis(1_458_692_752_478)));
        assert_eq!(Timestamp::from_meta(0), None);
        assert_eq!(Timestamp::from_meta(-5), None);
    }

    #[test]
    fn arithmetic_never_wraps() {
        let last = Timestamp::from_millis(i64::MAX);
        assert_eq!(last + Duration::MAX, last);
        assert_eq!(Timestamp::from_millis(0).since(last), Duration::ZERO);
    }
}
