//! The fake of `http`: responses that a test has set by endpoint and path.

use super::ask;
use crate::Fault;
use crate::http::{Request, Response};

pub(crate) fn send(request: &Request) -> Result<Response, Fault> {
    ask("http", |world| {
        let key = (request.endpoint.clone(), request.path.clone());
        world.responses.get(&key).cloned().ok_or_else(|| Fault::new("unavailable", "the test set no such response"))
    })
}
