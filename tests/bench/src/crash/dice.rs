//! Chance from a seed (SplitMix64): the same seed plays the same round, as far as timing lets it. Not for secrets.

use std::time::Duration;

/// A die. The same seed throws the same numbers.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A die for a part of the game; throwing it does not move this one.
    pub(crate) fn aside(&self, name: u64) -> Self {
        let mut other = Self(self.0 ^ name.wrapping_mul(0xd6e8_feb8_6659_fd93));
        Self(other.throw())
    }

    fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to `n - 1`; 0 when `n` is 0.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.throw().checked_rem(n).unwrap_or_default()
    }

    /// The same for a place in a list.
    pub(crate) fn place(&mut self, n: usize) -> usize {
        usize::try_from(self.below(u64::try_from(n).unwrap_or_default())).unwrap_or_default()
    }

    /// True that often of a hundred times.
    pub(crate) fn chance(&mut self, of_hundred: u64) -> bool {
        self.below(100) < of_hundred
    }

    /// From `least` to just under `most`.
    pub(crate) fn millis(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(least + self.below(most.saturating_sub(least)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_throws_the_same_numbers() {
        let throws = |seed| (0..20).scan(Dice::new(seed), |dice, _| Some(dice.below(1_000))).collect::<Vec<_>>();
        assert_eq!(throws(7), throws(7));
        assert_ne!(throws(7), throws(8));
        assert!(throws(7).iter().all(|number| *number < 1_000));
    }
}
