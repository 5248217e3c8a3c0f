//! What was said before in this conversation, as the grant shows it.

use crate::Fault;
#[cfg(target_arch = "wasm32")]
use crate::bindings::bellhop::plugin::history as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::testing::history as host;

pub use crate::bindings::bellhop::plugin::history::{Author, Line};

/// The latest lines, oldest first, at most the grant's number.
///
/// # Errors
/// The host's refusal.
pub fn recent(limit: u32) -> Result<Vec<Line>, Fault> {
    host::recent(limit)
}
