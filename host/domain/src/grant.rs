//! What a grant gives: plain lists, where an empty one gives nothing. Never decides; it says what was decided.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::capability::CapabilitySet;
use crate::manifest::Manifest;

mod flow;

pub(crate) use flow::ATTRIBUTE;
pub use flow::{Flow, InvalidFlow, Sink, Source};

/// How much of what a contact writes a plugin is shown; each shows more than the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TextScope {
    /// Nothing.
    #[default]
    None,
    /// With personal data replaced by tokens.
    Masked,
    /// As it was written.
    Clear,
}

/// How far a grant reaches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Scopes {
    /// Interfaces that are linked.
    pub capabilities: CapabilitySet,
    /// Kinds of effects that are performed.
    pub effects: BTreeSet<String>,
    /// Kinds of events that it is called for.
    pub triggers: BTreeSet<String>,
    /// What it sees of texts.
    pub text: TextScope,
    /// Whether it learns that something was attached.
    pub attachments: bool,
    /// Its own collections that it may use.
    pub collections: BTreeSet<String>,
    /// Fields of the contact.
    pub contact_fields: BTreeSet<String>,
    /// Lines of history at most.
    pub history_lines: u32,
    /// Profiles of language models.
    pub model_profiles: BTreeSet<String>,
    /// Aliases of endpoints.
    pub endpoints: BTreeSet<String>,
    /// Hosts that it may link to.
    pub link_hosts: BTreeSet<String>,
    /// Attributes of the contact that it may set.
    pub attributes: BTreeSet<String>,
    /// Where personal data in clear may go that it reads, or could have kept.
    pub flows: BTreeSet<Flow>,
}

impl Scopes {
    /// All that a manifest asks for. A manifest cannot ask for text or for flows: how much a plugin sees of what customers write,
    /// and where that may go, is the business's word.
    pub fn asked(manifest: &Manifest, text: TextScope) -> Self {
        let set = |names: &[String]| names.iter().cloned().collect::<BTreeSet<String>>();
        let asked = &manifest.scopes;
        Self {
            capabilities: manifest.asked(),
            effects: set(&asked.effects),
            triggers: set(&asked.triggers),
            text,
            attachments: text != TextScope::None,
            collections: manifest.collections.iter().map(|collection| collection.name.clone()).collect(),
            contact_fields: set(&asked.contact_fields),
            history_lines: asked.history_lines,
            model_profiles: set(&asked.model_profiles),
            endpoints: set(&asked.endpoints),
            link_hosts: set(&asked.link_hosts),
            attributes: set(&asked.attributes),
            flows: BTreeSet::new(),
        }
    }

    /// One text for equal scopes: members in a fixed order, lists sorted.
    pub fn canonical(&self) -> String {
        // Sets of plain names and numbers always serialise.
        serde_json::to_string(self).unwrap_or_default()
    }
}
