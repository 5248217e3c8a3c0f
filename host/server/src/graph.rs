//! Meta's Graph API: sends what it is told to, and says what an error means for the one who sends. Never decides whether to
//! send, and never shows a token, an id of a person or a text in an error.

mod error;
mod thread;
mod usage;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use bellhop_domain::channel::ChannelKind;
use bellhop_domain::graph_error::Action;
use bellhop_domain::render::Outgoing;
use bellhop_domain::time::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request, Url};
use serde::Serialize;

use crate::config::GraphConfig;
use crate::directory::Channel;
use crate::egress::{Egress, Limits};
use crate::vault::{Vault, VaultError};

pub use error::{GraphError, Why};
pub use thread::{Thread, ThreadMessage};
pub use usage::Usage;

/// An answer to a send has some hundred bytes, an error perhaps two thousand.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Twenty messages of two thousand characters, each of them perhaps written as an escape of twelve bytes.
const MAX_THREAD_BYTES: usize = 1024 * 1024;

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
    /// What time it was for Meta when it answered, to the second.
    pub at: Option<Timestamp>,
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

    /// How long an answer may take: by then a request has left, or never will.
    pub fn timeout(&self) -> Duration {
        self.inner.timeout
    }

    /// Sends a message, if `may_leave` says so when everything else is done. `metadata` is our word for it (at most 1,000 characters): it comes back in the echo and is the
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
        may_leave: &(dyn Fn() -> bool + Sync),
    ) -> Result<Sent, GraphError> {
        let request = self.inner.request(channel, &wire::Send::message(recipient, outgoing, metadata));
        let (request, limits) = self.ready(channel, request, MAX_ANSWER_BYTES).await?;
        if !may_leave() {
            return Err(GraphError::TooLate);
        }
        let Answer { body: taken, at, usage } = self.exchange::<wire::Taken>(channel, request, limits).await?;
        let message_id = taken.message_id.ok_or(GraphError::Garbled)?;
        Ok(Sent { message_id, recipient_id: taken.recipient_id, at, usage })
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
        let request = self.inner.request(channel, &wire::Send::action(recipient, action));
        let (request, limits) = self.ready(channel, request, MAX_ANSWER_BYTES).await?;
        Ok(self.exchange::<wire::Taken>(channel, request, limits).await?.usage)
    }

    /// Looks at the end of the thread with a person, and how much of its allowance the channel has used. May be repeated, at most
    /// twice a second for a channel (Meta: Messenger Platform rate limits, Conversations API).
    ///
    /// # Errors
    /// [`GraphError`]; an answer that cannot be read whole is one.
    pub async fn thread(&self, channel: &Channel, person: &str) -> Result<(Thread, Usage), GraphError> {
        let request = self.inner.thread_request(channel, person);
        let (request, limits) = self.ready(channel, request, MAX_THREAD_BYTES).await?;
        let Answer { body, at, usage } = self.exchange::<thread::Answer>(channel, request, limits).await?;
        Ok((body.thread(at).ok_or(GraphError::Garbled)?, usage))
    }

    /// Makes a request ready to leave; one that there is none of is one that this version cannot make.
    async fn ready(
        &self,
        channel: &Channel,
        request: Option<Request>,
        response_bytes: usize,
    ) -> Result<(Request, Limits), GraphError> {
        let inner = &self.inner;
        let request = request.ok_or(GraphError::refused(Action::Fix, Why::Unsupported))?;
        let authorised = inner.vault.authorise(request, &channel.app, &channel.id, &channel.workspace).await;
        let request = authorised.map_err(|error| match error {
            VaultError::NoSecret(_) => GraphError::refused(Action::Reauthorise, Why::NoToken),
            other => GraphError::Vault(other),
        })?;
        Ok((request, Limits { timeout: inner.timeout, response_bytes }))
    }

    /// Asks Meta.
    async fn exchange<T: serde::de::DeserializeOwned>(
        &self,
        channel: &Channel,
        request: Request,
        limits: Limits,
    ) -> Result<Answer<T>, GraphError> {
        let response = self.inner.egress.send(request, limits).await.map_err(GraphError::from_egress)?;
        let usage = Usage::of(&response.headers, &channel.asset_id);
        // A 200 may carry an error, and an error may come without one.
        if let Some(error) = error::read(response.status.as_u16(), &response.body, usage) {
            return Err(error);
        }
        let body = serde_json::from_slice(&response.body).map_err(|_| GraphError::Garbled)?;
        Ok(Answer { body, at: wire::date(&response.headers), usage })
    }
}

/// An answer that is no error.
struct Answer<T> {
    body: T,
    /// What time it was for Meta.
    at: Option<Timestamp>,
    usage: Usage,
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
        let mut request = Request::new(Method::POST, self.edge(channel, "messages")?);
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *request.body_mut() = Some(serde_json::to_vec(body).ok()?.into());
        Some(request)
    }

    /// `None` where this version cannot look.
    fn thread_request(&self, channel: &Channel, person: &str) -> Option<Request> {
        if !channel.kind.shows_threads() {
            return None;
        }
        let mut url = self.edge(channel, "conversations")?;
        let asked = [("platform", "messenger"), ("user_id", person), ("fields", thread::FIELDS)];
        url.query_pairs_mut().extend_pairs(asked);
        Some(Request::new(Method::GET, url))
    }

    fn edge(&self, channel: &Channel, name: &str) -> Option<Url> {
        let mut url = self.base_url.clone()?;
        let prefix = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{prefix}/{}/{}/{name}", self.version, channel.asset_id));
        Some(url)
    }
}

#[cfg(test)]
mod tests;
