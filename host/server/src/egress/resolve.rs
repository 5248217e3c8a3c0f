//! Turns names into addresses for outgoing connections, and refuses those that lead away from the public internet. The
//! address that was checked is the one that is connected to: a name cannot change its mind in between.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::is_public;

/// A name leads to an address that is not public.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name leads to an address that is not public")]
pub(super) struct NotPublic;

/// Asks for the addresses of a name.
pub(super) type Lookup = Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync>;

/// The system's resolver behind the rules of `address`.
pub(super) struct Guarded(pub(super) Lookup);

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let asked = (self.0)(name.as_str().to_owned());
        Box::pin(async move {
            let addresses = asked.await?;
            // One bad address spoils the name: whoever mixes them wants the bad one tried.
            if addresses.iter().any(|address| !is_public(address.ip())) {
                return Err(NotPublic.into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// The system's resolver.
pub(super) fn system_lookup() -> Lookup {
    Arc::new(|name| Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) }))
}
