//! What is known of the contact. Gives only the fields that the business granted.

use crate::Fault;
#[cfg(target_arch = "wasm32")]
use crate::bindings::bellhop::plugin::contact as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::testing::contact as host;

/// One field: "name", "phone", "email", "username", "attribute:…". `None` when unknown.
///
/// # Errors
/// A denial when the field is not in the grant.
pub fn field(name: &str) -> Result<Option<String>, Fault> {
    host::field(name)
}
