//! Remembers what was decrypted, for less than a minute and up to a bound. Never keeps a thing past its time: an erased
//! contact's key is gone from every host within that minute.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bellhop_domain::time::Timestamp;

/// A value lives for one to two of these, so 60 seconds at most: the promise of erasure.
const GENERATION: Duration = Duration::from_secs(30);

/// A map that forgets: values go into the young generation; when it is full or 30 s old it becomes the old one, and the
/// old one is dropped. Looking a value up does not prolong its life.
pub(super) struct Generations<V> {
    capacity: usize,
    inner: Mutex<Inner<V>>,
}

struct Inner<V> {
    started_at: Timestamp,
    young: HashMap<String, V>,
    old: HashMap<String, V>,
}

impl<V: Clone> Generations<V> {
    /// An empty cache; at most twice `capacity` values live at a time.
    pub(super) fn new(capacity: usize) -> Self {
        let inner = Inner { started_at: Timestamp::from_millis(0), young: HashMap::new(), old: HashMap::new() };
        Self { capacity, inner: Mutex::new(inner) }
    }

    pub(super) fn get(&self, name: &str, now: Timestamp) -> Option<V> {
        let mut inner = self.lock();
        inner.turn(now);
        inner.young.get(name).or_else(|| inner.old.get(name)).cloned()
    }

    pub(super) fn insert(&self, name: String, value: V, now: Timestamp) {
        let mut inner = self.lock();
        inner.turn(now);
        if inner.young.len() >= self.capacity {
            inner.started_at = now;
            inner.old = std::mem::take(&mut inner.young);
        }
        inner.young.insert(name, value);
    }

    /// Forgets every value for which `is_gone` says so.
    pub(super) fn remove_where(&self, is_gone: impl Fn(&V) -> bool) {
        let mut inner = self.lock();
        inner.young.retain(|_, value| !is_gone(value));
        inner.old.retain(|_, value| !is_gone(value));
    }

    pub(super) fn clear(&self) {
        self.remove_where(|_| true);
    }

    /// Drops what is past its time, for hosts that are idle and look nothing up.
    pub(super) fn expire(&self, now: Timestamp) {
        self.lock().turn(now);
    }

    fn lock(&self) -> MutexGuard<'_, Inner<V>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> Inner<V> {
    fn turn(&mut self, now: Timestamp) {
        let age = now.since(self.started_at);
        if age >= GENERATION * 2 {
            self.young = HashMap::new();
            self.old = HashMap::new();
            self.started_at = now;
        } else if age >= GENERATION {
            self.old = std::mem::take(&mut self.young);
            // Not `now`: the old ones are as old as their generation, however late this look comes.
            self.started_at = self.started_at + GENERATION;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + seconds * 1_000)
    }

    #[test]
    fn a_value_is_gone_after_sixty_seconds_however_late_the_look() {
        let cache = Generations::new(10);
        cache.insert(String::from("a"), 1, at(0));
        assert_eq!(cache.get("a", at(59)), Some(1));
        assert_eq!(cache.get("a", at(60)), None);
    }

    #[test]
    fn a_look_does_not_prolong_a_life() {
        let cache = Generations::new(10);
        cache.insert(String::from("a"), 1, at(0));
        for second in 0..60 {
            assert_eq!(cache.get("a", at(second)), Some(1), "at {second} s");
        }
        assert_eq!(cache.get("a", at(60)), None);
    }

    #[test]
    fn the_oldest_make_room() {
        let cache = Generations::new(2);
        for n in 0..5 {
            cache.insert(n.to_string(), n, at(1));
        }
        assert_eq!(cache.get("0", at(1)), None);
        assert_eq!(cache.get("2", at(1)), Some(2));
        assert_eq!(cache.get("4", at(1)), Some(4));
    }

    #[test]
    fn what_is_removed_is_gone_from_both_generations() {
        let cache = Generations::new(10);
        cache.insert(String::from("a"), 1, at(0));
        cache.insert(String::from("b"), 2, at(31));
        cache.remove_where(|value| *value < 3);
        assert_eq!(cache.get("a", at(31)).or(cache.get("b", at(31))), None);
    }
}
