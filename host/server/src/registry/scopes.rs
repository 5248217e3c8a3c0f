//! What a grant gives: plain lists, where an empty one gives nothing. Never decides; it says what was decided.

use std::collections::BTreeSet;

use bellhop_domain::capability::CapabilitySet;
use bellhop_domain::id::ContentHash;
use bellhop_domain::manifest::Manifest;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::RegistryError;

/// How much of what a contact writes a plugin is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
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
}

impl Scopes {
    /// All that a manifest asks for. A manifest cannot ask for text: how much a plugin sees of it is the business's word.
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
        }
    }

    /// Checks a grant against the manifest: all that is required, nothing that was not asked for.
    pub(super) fn check(&self, manifest: &Manifest) -> Result<(), RegistryError> {
        let missing: CapabilitySet = manifest.required().difference(&self.capabilities).copied().collect();
        if !missing.is_empty() {
            return Err(RegistryError::RequiredNotGranted(missing));
        }
        let asked = Self::asked(manifest, self.text);
        if let Some(capability) = self.capabilities.difference(&asked.capabilities).next() {
            return Err(RegistryError::NotAsked { scope: "capabilities", name: capability.as_str().to_owned() });
        }
        let lists = [
            ("effects", &self.effects, &asked.effects),
            ("triggers", &self.triggers, &asked.triggers),
            ("collections", &self.collections, &asked.collections),
            ("contact-fields", &self.contact_fields, &asked.contact_fields),
            ("model-profiles", &self.model_profiles, &asked.model_profiles),
            ("endpoints", &self.endpoints, &asked.endpoints),
            ("link-hosts", &self.link_hosts, &asked.link_hosts),
            ("attributes", &self.attributes, &asked.attributes),
        ];
        for (scope, granted, asked) in lists {
            if let Some(name) = granted.difference(asked).next() {
                return Err(RegistryError::NotAsked { scope, name: name.clone() });
            }
        }
        if self.history_lines > asked.history_lines {
            return Err(RegistryError::NotAsked { scope: "history-lines", name: self.history_lines.to_string() });
        }
        Ok(())
    }

    /// One text for equal scopes: members in a fixed order, lists sorted.
    pub(super) fn canonical(&self) -> String {
        // Sets of plain names and numbers always serialise.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// SHA-256 over the plugin's bytes and all that it was given: what somebody consented to.
    pub(super) fn fingerprint(&self, hash: &ContentHash) -> String {
        let mut digest = Sha256::new();
        digest.update(hash.as_str());
        digest.update([0]);
        digest.update(self.canonical());
        hex::encode(digest.finalize())
    }
}
