//! The one guard for every outgoing connection: where to, how long, how much. Never follows a redirect, never reads more than
//! it was told to, and reaches private addresses only at origins that the operator listed.

mod address;
mod resolve;

use std::collections::BTreeSet;
use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::HeaderMap;
use reqwest::{Client, Request, StatusCode, Url};

use crate::config::EgressConfig;

use resolve::{Guarded, Lookup, NotPublic};

/// Idle connections kept per host: reused by the next message, few enough to forget.
const MAX_IDLE_PER_HOST: usize = 32;

/// Servers close idle connections after a minute or more; closing first avoids sending into a closing one.
const IDLE_TIMEOUT: Duration = Duration::from_secs(45);

const USER_AGENT: &str = concat!("Bellhop/", env!("CARGO_PKG_VERSION"));

/// How long and how much, for one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the start to the last byte of the answer, connecting included.
    pub timeout: Duration,
    /// Longest body of an answer.
    pub response_bytes: usize,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status, a redirect's too.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as long as the limit at most.
    pub body: Bytes,
}

/// Why there is no answer. No variant shows the URL.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// The rules forbid it; nothing was sent.
    #[error("the request was refused: {0}")]
    Refused(Refusal),
    /// No connection came about; nothing was sent.
    #[error("could not connect")]
    Connect(#[source] reqwest::Error),
    /// The time was over after the request may have been sent.
    #[error("no whole answer came in time")]
    Timeout,
    /// The connection broke after the request may have been sent.
    #[error("the connection broke before the whole answer was there")]
    Cut(#[source] reqwest::Error),
    /// The answer is longer than the limit; the other side has the request.
    #[error("the answer has more than {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: usize,
    },
}

/// Which rule forbids a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The address, or one of the name's addresses, is not on the public internet.
    #[error("the address is not public; list the origin in `egress.private_origins` if it is meant")]
    Address,
    /// Only https leaves the host.
    #[error("the scheme is not https")]
    Scheme,
    /// A URL with a user name or a password.
    #[error("the URL carries credentials")]
    Credentials,
}

/// Why the guard could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum EgressSetupError {
    /// An entry of the configuration is no origin.
    #[error("`egress.private_origins` holds {0:?}, which is not like http://10.0.0.7:11434")]
    Origin(String),
    /// TLS could not be set up.
    #[error("could not set up outgoing connections")]
    Client(#[source] reqwest::Error),
}

/// The guard; clones share its connections.
#[derive(Clone, Debug)]
pub struct Egress {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// Reaches public addresses only, by https only.
    guarded: Client,
    /// Reaches the listed origins; there is none without a list.
    private: Option<(BTreeSet<String>, Client)>,
}

impl EgressError {
    /// True when the other side may have got the request: only evidence tells whether it acted on it.
    pub fn may_have_arrived(&self) -> bool {
        match self {
            Self::Refused(_) | Self::Connect(_) => false,
            Self::Timeout | Self::Cut(_) | Self::TooLarge { .. } => true,
        }
    }
}

impl Egress {
    /// Sets the guard up, TLS included.
    ///
    /// # Errors
    /// [`EgressSetupError`], naming the key of the configuration.
    pub fn new(config: &EgressConfig) -> Result<Self, EgressSetupError> {
        Self::with_lookup(config, &resolve::system_lookup())
    }

    fn with_lookup(config: &EgressConfig, lookup: &Lookup) -> Result<Self, EgressSetupError> {
        install_tls();
        let origins = config.private_origins.iter().map(|origin| origin_of(origin));
        let origins: BTreeSet<String> = origins.collect::<Result<_, _>>()?;
        let guarded = build(config, |client| client.https_only(true).dns_resolver(Guarded(Arc::clone(lookup))))?;
        let private = if origins.is_empty() { None } else { Some((origins, build(config, |client| client)?)) };
        Ok(Self { inner: Arc::new(Inner { guarded, private }) })
    }

    /// Sends a request and reads the answer, whatever its status.
    ///
    /// # Errors
    /// [`EgressError`]; [`EgressError::may_have_arrived`] tells whether sending again could do the thing twice.
    ///
    /// # Cancel safety
    /// A dropped call closes its connection; the other side may have the request all the same.
    pub async fn send(&self, request: Request, limits: Limits) -> Result<Response, EgressError> {
        let client = self.client_for(request.url()).map_err(EgressError::Refused)?;
        let answer = async {
            let response = client.execute(request).await.map_err(classify)?;
            read(response, limits.response_bytes).await
        };
        // Connecting has a shorter timeout of its own: when this one strikes, the request is usually on its way.
        tokio::time::timeout(limits.timeout, answer).await.unwrap_or(Err(EgressError::Timeout))
    }

    /// The client that may reach this URL.
    fn client_for(&self, url: &Url) -> Result<&Client, Refusal> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::Credentials);
        }
        match &self.inner.private {
            Some((origins, client)) if origins.contains(&url.origin().ascii_serialization()) => return Ok(client),
            Some(_) | None => {}
        }
        if url.scheme() != "https" {
            return Err(Refusal::Scheme);
        }
        // An address in the URL is not asked of the resolver, so it is checked here. The URL parser has already brought
        // forms like 0x7f.1 or 2130706433 into the usual one.
        let host = url.host_str().unwrap_or("").trim_start_matches('[').trim_end_matches(']');
        match host.parse::<IpAddr>() {
            Ok(address) if !address::is_public(address) => Err(Refusal::Address),
            Ok(_) | Err(_) => Ok(&self.inner.guarded),
        }
    }
}

/// Makes ring the process's TLS provider; the first call wins, later ones change nothing.
pub fn install_tls() {
    // An error means that one is installed already.
    drop(rustls::crypto::ring::default_provider().install_default());
}

fn origin_of(text: &str) -> Result<String, EgressSetupError> {
    let wrong = || EgressSetupError::Origin(text.to_owned());
    let url = Url::parse(text).map_err(|_| wrong())?;
    let is_origin = url.origin().is_tuple() && url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let has_user = !url.username().is_empty() || url.password().is_some();
    if is_origin && !has_user { Ok(url.origin().ascii_serialization()) } else { Err(wrong()) }
}

fn build(
    config: &EgressConfig,
    finish: impl Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
) -> Result<Client, EgressSetupError> {
    let builder = || {
        let client = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .connect_timeout(config.connect_timeout())
            .pool_max_idle_per_host(MAX_IDLE_PER_HOST)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .tcp_nodelay(true);
        finish(client)
    };
    builder().build().or_else(|error| {
        // A machine without root certificates can still talk to a simulator; https fails there, and says why.
        tracing::warn!(error = &error as &dyn Error, "Found no root certificates, outgoing https will fail");
        builder().tls_certs_only([]).build().map_err(EgressSetupError::Client)
    })
}

async fn read(mut response: reqwest::Response, limit_bytes: usize) -> Result<Response, EgressError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| EgressError::Cut(error.without_url()))? {
        if body.len() + chunk.len() > limit_bytes {
            return Err(EgressError::TooLarge { limit_bytes });
        }
        body.extend_from_slice(&chunk);
    }
    let headers = std::mem::take(response.headers_mut());
    Ok(Response { status: response.status(), headers, body: body.freeze() })
}

fn classify(error: reqwest::Error) -> EgressError {
    let mut source: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(cause) = source {
        if cause.is::<NotPublic>() {
            return EgressError::Refused(Refusal::Address);
        }
        source = cause.source();
    }
    if error.is_connect() { EgressError::Connect(error.without_url()) } else { EgressError::Cut(error.without_url()) }
}

#[cfg(test)]
mod tests;
