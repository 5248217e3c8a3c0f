//! The language models that the business configured. A call waits for the whole answer and costs the business money.

use crate::Fault;
#[cfg(target_arch = "wasm32")]
use crate::bindings::bellhop::plugin::language_model as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::testing::language_model as host;

pub use crate::bindings::bellhop::plugin::language_model::{Completion, Message, Prompt};

/// Asks the model.
///
/// # Errors
/// The host's refusal, a spent budget ("quota") or a provider that does not answer ("unavailable").
pub fn complete(prompt: &Prompt) -> Result<Completion, Fault> {
    host::complete(prompt)
}
