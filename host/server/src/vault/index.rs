//! Index keys: Meta's ids of people and messages are looked up by their HMAC, so that no table shows them. Never gives an
//! id back.

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::seal::{self, RawKey};

/// A workspace's key for looking things up.
pub struct IndexKey(Hmac<Sha256>);

impl IndexKey {
    pub(super) fn new(raw: &RawKey) -> Self {
        Self(seal::mac_state(raw))
    }

    /// The name under which `parts` are found. `purpose` keeps equal values of different meaning apart; each part stands
    /// with its length, so `["ab", "c"]` and `["a", "bc"]` differ.
    pub fn of(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.0.clone();
        for part in std::iter::once(purpose.as_bytes()).chain(parts.iter().copied()) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        seal::digest(mac)
    }
}

impl fmt::Debug for IndexKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IndexKey(…)")
    }
}
