//! Meta's Graph API: sends what it is told to, and says what an error means for the one who sends. Never decides whether to
//! send, and never shows a token, an id of a person or a text in an error.

mod error;
mod usage;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use bellhop_domain::channel::ChannelKind;
use bellhop_domain::graph_error::Action;
use bellhop_domain::render::Outgoing;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request, Url};
use serde::Serialize;

use crate::config::GraphConfig;
use crate::directory::Channel;
use crate::egress::{Egress, Limits};
use crate::vault::{Vault, VaultError};

pub use error::{GraphError, Why};
pub use usage::Usage;

/// An answer to a send has some hundred bytes, an error perhaps two thousand.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Who gets a message.
#[derive(Clone, PartialEq, Eq)]
pub enum Recipient {
    /// A person, by the id that Meta gives them for this channel.
    Person(String),
    /// The author of a comment: one private message.
    Comment(String),
}

/// A sign that is no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SenderAction {
    /// Three dots, for 20 seconds at most.
    TypingOn,
    /// No dots.
    TypingOff,
    /// "Seen".
    MarkSeen,
}

/// What Meta took.
#[derive(Clone, PartialEq, Eq)]
pub struct Sent {
    /// Meta's id of the message. It names a person's thread: not for logs.
    pub message_id: String,
    /// Meta's id of the person, where it says so.
    pub recipient_id: Option<String>,
    /// How much of its allowance the app and the channel have used.
    pub usage: Usage,
}

/// The Graph API; clones share the connections.
#[derive(Clone, Debug)]
pub struct Graph {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// `None` for what the configuration's check lets through and is no URL all the same; every call is refused then.
    base_url: Option<Url>,
    version: String,
    timeout: Duration,
    egress: Egress,
    vault: Vault,
}

impl Graph {
    /// The Graph API as configured.
    pub fn new(config: &GraphConfig, egress: Egress, vault: Vault) -> Self {
        let inner = Inner {
            base_url: Url::parse(&config.base_url).ok(),
            version: config.version.clone(),
            timeout: config.timeout(),
            egress,
            vault,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Sends a message. `metadata` is our word for it (at most 1,000 characters): it comes back in the echo and is the
    /// evidence that Meta took the message.
    ///
    /// # Errors
    /// [`GraphError`]; [`GraphError::maybe_taken`] tells whether sending again could say the thing twice.
    ///
    /// # Cancel safety
    /// None: a dropped call may have sent the message.
    pub async fn send(
        &self,
        channel: &Channel,
        recipient: &Recipient,
        outgoing: &Outgoing,
        metadata: &str,
    ) -> Result<Sent, GraphError> {
        let body = wire::Send::message(recipient, outgoing, metadata);
        let (taken, usage) = self.post::<wire::Taken>(channel, &body).await?;
        let message_id = taken.message_id.ok_or(GraphError::Garbled)?;
        Ok(Sent { message_id, recipient_id: taken.recipient_id, usage })
    }

    /// Shows a sign. May be repeated at will.
    ///
    /// # Errors
    /// [`GraphError`].
    pub async fn sender_action(
        &self,
        channel: &Channel,
        recipient: &Recipient,
        action: SenderAction,
    ) -> Result<Usage, GraphError> {
        let body = wire::Send::action(recipient, action);
        let (_, usage) = self.post::<wire::Taken>(channel, &body).await?;
        Ok(usage)
    }

    async fn post<T: serde::de::DeserializeOwned>(
        &self,
        channel: &Channel,
        body: &impl Serialize,
    ) -> Result<(T, Usage), GraphError> {
        let inner = &self.inner;
        let request = inner.request(channel, body).ok_or(GraphError::refused(Action::Fix, Why::Unsupported))?;
        let authorised = inner.vault.authorise(request, &channel.app, &channel.id, &channel.workspace).await;
        let request = authorised.map_err(|error| match error {
            VaultError::NoSecret(_) => GraphError::refused(Action::Reauthorise, Why::NoToken),
            other => GraphError::Vault(other),
        })?;
        let limits = Limits { timeout: inner.timeout, response_bytes: MAX_ANSWER_BYTES };
        let response = inner.egress.send(request, limits).await.map_err(GraphError::from_egress)?;
        let usage = Usage::of(&response.headers, &channel.asset_id);
        // A 200 may carry an error, and an error may come without one.
        if let Some(error) = error::read(response.status.as_u16(), &response.body, usage) {
            return Err(error);
        }
        let answer = serde_json::from_slice(&response.body).map_err(|_| GraphError::Garbled)?;
        Ok((answer, usage))
    }
}

impl Inner {
    /// `None` where this version cannot send.
    fn request(&self, channel: &Channel, body: &impl Serialize) -> Option<Request> {
        match channel.kind {
            ChannelKind::Messenger => {}
            ChannelKind::Instagram
            | ChannelKind::Whatsapp
            | ChannelKind::PageComments
            | ChannelKind::InstagramComments => return None,
        }
        let mut url = self.base_url.clone()?;
        let prefix = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{prefix}/{}/{}/messages", self.version, channel.asset_id));
        let mut request = Request::new(Method::POST, url);
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *request.body_mut() = Some(serde_json::to_vec(body).ok()?.into());
        Some(request)
    }
}

#[cfg(test)]
mod tests;
