//! Reading from endpoints that the business configured. What changes the other side is a `call` effect, never a request
//! from here.

use crate::Fault;
#[cfg(target_arch = "wasm32")]
use crate::bindings::bellhop::plugin::http as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::testing::http as host;

pub use crate::bindings::bellhop::plugin::http::{Request, Response};

impl Request {
    /// A GET below an endpoint's prefix.
    pub fn get(endpoint: &str, path: &str) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            method: "GET".to_owned(),
            path: path.to_owned(),
            query: Vec::new(),
            content_type: None,
            body: Vec::new(),
        }
    }
}

/// Sends the request and waits.
///
/// # Errors
/// The host's refusal, or "unavailable" when the other side does not answer.
pub fn send(request: &Request) -> Result<Response, Fault> {
    host::send(request)
}
