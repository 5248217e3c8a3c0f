//! Capabilities: the interfaces that the host can offer. Importing one asks for it; a grant links it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// One interface of `wit/plugin.wit`, one line on the consent screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// The plugin's tables.
    Records,
    /// What is known of the contact.
    Contact,
    /// What was said before.
    History,
    /// The business's language models.
    LanguageModel,
    /// Reading from configured endpoints.
    Http,
    /// The bytes of attachments.
    Media,
}

/// What a component asks for, or what it was given.
pub type CapabilitySet = BTreeSet<Capability>;

impl Capability {
    /// All of them, in the order of the consent screen.
    pub const ALL: [Self; 6] =
        [Self::Records, Self::Contact, Self::History, Self::LanguageModel, Self::Http, Self::Media];

    /// The interface's name in `bellhop:plugin`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Contact => "contact",
            Self::History => "history",
            Self::LanguageModel => "language-model",
            Self::Http => "http",
            Self::Media => "media",
        }
    }

    /// Reads an interface's name; `None` for an unknown one.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|capability| capability.as_str() == name)
    }
}
