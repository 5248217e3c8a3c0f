//! Many short rounds, taken in turns, and the middle of each: what another process does for a moment hits all alike.

/// Samples of several things that are measured in turns.
#[derive(Debug)]
pub(crate) struct Samples<const N: usize>([Vec<f64>; N]);

impl<const N: usize> Samples<N> {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| Vec::new()))
    }

    /// Adds one round: a value of each thing, in order.
    pub(crate) fn add(&mut self, round: [f64; N]) {
        for (kept, value) in self.0.iter_mut().zip(round) {
            kept.push(value);
        }
    }

    /// The median of each thing.
    pub(crate) fn medians(self) -> [f64; N] {
        self.0.map(median)
    }
}

/// The middle of the values; 0 of none.
pub(crate) fn median(values: Vec<f64>) -> f64 {
    quantile(values, 0.5)
}

/// The value below which the given part (0.0 to 1.0) of the values lies; 0 of none.
#[expect(clippy::cast_sign_loss, clippy::cast_possible_truncation, reason = "a position within the list")]
pub(crate) fn quantile(mut values: Vec<f64>, part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    let position = (last as f64 * part).round() as usize;
    values.get(position).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_whatever_the_order() {
        assert_eq!(median(vec![9.0, 1.0, 5.0]), 5.0);
        assert_eq!(median(Vec::new()), 0.0);
    }

    #[test]
    fn a_quantile_counts_from_the_smallest() {
        let hundred: Vec<f64> = (0..=100).rev().map(f64::from).collect();
        assert_eq!(quantile(hundred.clone(), 0.99), 99.0);
        assert_eq!(quantile(hundred, 1.0), 100.0);
    }

    #[test]
    fn things_measured_in_turns_stay_apart() {
        let mut samples = Samples::new();
        for round in [[1.0, 10.0], [3.0, 30.0], [2.0, 20.0]] {
            samples.add(round);
        }
        assert_eq!(samples.medians(), [2.0, 20.0]);
    }
}
