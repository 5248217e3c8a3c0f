//! When a failed attempt is made again: growing waits with jitter, a cap and an end.

use std::time::Duration;

/// After this many failures nobody is waiting any more: the schedule below spans about two hours.
pub const MAX_FAILURES: u32 = 10;

/// The wait after the first failure.
const FIRST_WAIT: Duration = Duration::from_secs(2);

/// How much each wait grows.
const FACTOR: u32 = 3;

/// No single wait is longer, so that a repaired connection is noticed soon.
const LONGEST_WAIT: Duration = Duration::from_secs(20 * 60);

/// The largest share that jitter adds: enough to tear a crowd apart, too little to change the order of magnitude.
pub const MAX_JITTER: f64 = 0.2;

/// The wait before attempt `failures + 1`, or `None` to give up. `jitter` is 0.0 to 0.2, anything else is clamped;
/// without a failure there is nothing to wait for.
pub fn next_attempt_after(failures: u32, jitter: f64) -> Option<Duration> {
    let Some(earlier) = failures.checked_sub(1) else {
        return Some(Duration::ZERO);
    };
    if failures > MAX_FAILURES {
        return None;
    }
    let wait = FIRST_WAIT.saturating_mul(FACTOR.saturating_pow(earlier)).min(LONGEST_WAIT);
    let share = if jitter.is_nan() { 0.0 } else { jitter.clamp(0.0, MAX_JITTER) };
    Some(wait.mul_f64(1.0 + share))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::*;

    #[test]
    fn waits_grow_to_a_cap_and_end() {
        let seconds: Vec<_> = (0..=MAX_FAILURES + 1)
            .map(|failures| next_attempt_after(failures, 0.0).map(|wait| wait.as_secs()))
            .collect();
        let expected = [0, 2, 6, 18, 54, 162, 486, 1_200, 1_200, 1_200, 1_200].map(Some);
        assert_eq!(seconds[..11], expected);
        assert_eq!(seconds[11], None);
    }

    proptest! {
        #[test]
        fn no_jitter_leaves_the_bounds(failures in any::<u32>(), jitter in any::<f64>()) {
            if let Some(wait) = next_attempt_after(failures, jitter) {
                prop_assert!(wait <= LONGEST_WAIT.mul_f64(1.0 + MAX_JITTER));
                prop_assert!(wait >= next_attempt_after(failures, 0.0).unwrap());
            }
        }
    }
}
