//! When a plugin that keeps failing is switched off on a channel, and when it is tried again.

use std::time::Duration;

/// Failures in a row that switch a plugin off. One bad message, and its second attempt, must not do it; a customer each that
/// waits for nothing is enough.
pub const FAILURES_IN_A_ROW: u32 = 5;

/// The pause before the first try: by then a slow neighbour or a bad hour of somebody else's is often over.
const FIRST_PAUSE: Duration = Duration::from_secs(60);

/// How much each pause grows.
const FACTOR: u32 = 4;

/// No pause is longer, so that what was mended is noticed within a working day.
const LONGEST_PAUSE: Duration = Duration::from_secs(6 * 3_600);

/// How long a host may take for a try before another one makes its own: a call and its commit take seconds.
pub const PROBE_LASTS: Duration = Duration::from_secs(60);

/// How long a plugin rests before it is asked once, after it was switched off and has failed `n_probes` tries since.
pub fn pause_after(n_probes: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(FACTOR.saturating_pow(n_probes)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_cap_and_never_end() {
        let minutes: Vec<u64> = (0..7).map(|n_probes| pause_after(n_probes).as_secs() / 60).collect();
        assert_eq!(minutes, [1, 4, 16, 64, 256, 360, 360]);
        assert_eq!(pause_after(u32::MAX), LONGEST_PAUSE);
    }
}
