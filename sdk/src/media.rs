//! The bytes of what the contact sent, piece by piece.

use crate::Fault;
#[cfg(target_arch = "wasm32")]
use crate::bindings::bellhop::plugin::media as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::testing::media as host;

/// At most `length` bytes from `offset`; empty at the end.
///
/// # Errors
/// The host's refusal, or "not-found" for a handle that is not of this turn.
pub fn read(handle: &str, offset: u64, length: u32) -> Result<Vec<u8>, Fault> {
    host::read(handle, offset, length)
}
