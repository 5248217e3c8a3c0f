//! Makes the contract's one error shape. Never decides what a fault means to the turn: the host asks the next plugin.

use crate::bindings::bellhop::plugin::types::Fault;

impl Fault {
    /// A fault with an open-ended code and one sentence for a person.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), grant: None, retry_after_ms: None }
    }

    /// What came in is not what was agreed: settings, a record, an argument.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new("invalid", message)
    }

    /// The plugin itself failed.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new("internal", message)
    }

    /// The grant does not hold what was asked for.
    pub fn denied(grant: &str) -> Self {
        Self {
            grant: Some(grant.to_owned()),
            ..Self::new("denied", format!("`{grant}` is not granted on this channel"))
        }
    }
}
