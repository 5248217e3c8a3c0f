//! Pairs of where personal data in clear may come from and where it may go. Which of them a grant needs is said in
//! `flow`; a pair alone gives nothing.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What begins the name of a contact's field that is an attribute.
pub(crate) const ATTRIBUTE: &str = "attribute:";

/// Where personal data in clear may come from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// What customers write, as it was written.
    ClearText,
    /// A field of the customer's profile.
    ContactField(String),
    /// Files that customers send.
    Media,
    /// A collection of the plugin's that carries the label.
    Collection(String),
    /// An attribute that carries the label.
    Attribute(String),
    /// The plugin's sessions, which carry the label.
    Session,
}

/// Where it may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sink {
    /// Endpoints that are read.
    Http,
    /// Language models.
    LanguageModel,
    /// Endpoints that are called to change something.
    Call,
    /// Links, which Meta and whoever taps them open.
    Links,
    /// Answers that everybody can read.
    PublicReplies,
}

/// From where to where: `clear-text:links`, `collection/orders:http`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Flow {
    /// From where.
    pub source: Source,
    /// To where.
    pub sink: Sink,
}

/// A text that names no flow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no flow: write SOURCE:SINK; sources are clear-text, contact/FIELD, media, collection/NAME, attribute/NAME and \
     session, sinks are http, language-model, call, links and public-replies"
)]
pub struct InvalidFlow(String);

impl Sink {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Http, Self::LanguageModel, Self::Call, Self::Links, Self::PublicReplies];

    /// Its name in a pair.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::LanguageModel => "language-model",
            Self::Call => "call",
            Self::Links => "links",
            Self::PublicReplies => "public-replies",
        }
    }
}

impl Flow {
    /// Reads `SOURCE:SINK`.
    ///
    /// # Errors
    /// [`InvalidFlow`].
    pub fn parse(text: &str) -> Result<Self, InvalidFlow> {
        let refuse = || InvalidFlow(text.chars().take(100).collect());
        let (source, sink) = text.rsplit_once(':').ok_or_else(refuse)?;
        let sink = Sink::ALL.into_iter().find(|known| known.as_str() == sink).ok_or_else(refuse)?;
        let source = match (source, source.split_once('/')) {
            ("clear-text", _) => Source::ClearText,
            ("media", _) => Source::Media,
            ("session", _) => Source::Session,
            (_, Some((_, ""))) => return Err(refuse()),
            (_, Some(("contact", name))) if !name.starts_with(ATTRIBUTE) => Source::ContactField(name.to_owned()),
            (_, Some(("collection", name))) => Source::Collection(name.to_owned()),
            (_, Some(("attribute", name))) => Source::Attribute(name.to_owned()),
            _ => return Err(refuse()),
        };
        Ok(Self { source, sink })
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::ClearText => f.write_str("clear-text")?,
            Source::ContactField(name) => write!(f, "contact/{name}")?,
            Source::Media => f.write_str("media")?,
            Source::Collection(name) => write!(f, "collection/{name}")?,
            Source::Attribute(name) => write!(f, "attribute/{name}")?,
            Source::Session => f.write_str("session")?,
        }
        write!(f, ":{}", self.sink.as_str())
    }
}

impl TryFrom<String> for Flow {
    type Error = InvalidFlow;
    fn try_from(text: String) -> Result<Self, InvalidFlow> {
        Self::parse(&text)
    }
}

impl From<Flow> for String {
    fn from(flow: Flow) -> Self {
        flow.to_string()
    }
}
