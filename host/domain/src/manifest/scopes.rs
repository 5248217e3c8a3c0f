//! How far a plugin wants its capabilities and effects to reach. Lists of names; an empty list asks for nothing.

use serde::{Deserialize, Serialize};

use crate::capability::{Capability, CapabilitySet};

/// Effects that a plugin may propose, named as in `wit/effects.wit`.
const EFFECTS: [&str; 13] = [
    "say",
    "comment-reply",
    "private-reply",
    "hide-comment",
    "handoff",
    "set-attribute",
    "add-tag",
    "note",
    "set-timer",
    "cancel-timer",
    "send-template",
    "call",
    "custom",
];
/// Events that a plugin may be called for, named as in `wit/types.wit`.
const TRIGGERS: [&str; 5] = ["messages", "comment", "timer", "response", "custom"];
/// Longest name in a list.
const MAX_NAME_BYTES: usize = 128;
/// Most names in one list: a consent screen has to show them.
const MAX_NAMES: usize = 64;

/// What stands under `[scopes]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Scopes {
    /// Kinds of effects it proposes.
    pub effects: Vec<String>,
    /// Kinds of events it wants to see.
    pub triggers: Vec<String>,
    /// Fields of the contact it reads: "name", "phone", "email", "username", "attribute:…".
    pub contact_fields: Vec<String>,
    /// Lines of history it reads at most.
    pub history_lines: u32,
    /// Profiles of language models it asks.
    pub model_profiles: Vec<String>,
    /// Aliases of endpoints it reads or calls.
    pub endpoints: Vec<String>,
    /// Hosts it puts links to.
    pub link_hosts: Vec<String>,
    /// Attributes of the contact it writes.
    pub attributes: Vec<String>,
}

impl Scopes {
    /// Checks the lists against what is known and against the capabilities that are asked for.
    pub(super) fn check(&self, asked: &CapabilitySet) -> Result<(), String> {
        known("effects", &self.effects, &EFFECTS)?;
        known("triggers", &self.triggers, &TRIGGERS)?;
        let lists = [
            ("effects", &self.effects),
            ("triggers", &self.triggers),
            ("contact-fields", &self.contact_fields),
            ("model-profiles", &self.model_profiles),
            ("endpoints", &self.endpoints),
            ("link-hosts", &self.link_hosts),
            ("attributes", &self.attributes),
        ];
        for (list, names) in lists {
            plain(list, names)?;
        }
        let needs = [
            ("contact-fields", !self.contact_fields.is_empty(), Capability::Contact),
            ("history-lines", self.history_lines > 0, Capability::History),
            ("model-profiles", !self.model_profiles.is_empty(), Capability::LanguageModel),
        ];
        for (list, is_used, capability) in needs {
            if is_used && !asked.contains(&capability) {
                let name = capability.as_str();
                return Err(format!("`{list}` needs [capabilities.{name}] with a reason"));
            }
        }
        let may_call = asked.contains(&Capability::Http) || self.effects.iter().any(|effect| effect == "call");
        if !self.endpoints.is_empty() && !may_call {
            return Err("`endpoints` needs [capabilities.http] with a reason, or the effect `call`".to_owned());
        }
        if !self.attributes.is_empty() && !self.effects.iter().any(|effect| effect == "set-attribute") {
            return Err("`attributes` needs the effect `set-attribute`".to_owned());
        }
        Ok(())
    }
}

fn known(list: &str, names: &[String], known: &[&str]) -> Result<(), String> {
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        Some(other) => Err(format!("`{other}` in `{list}` is unknown; known are {}", known.join(", "))),
        None => Ok(()),
    }
}

fn plain(list: &str, names: &[String]) -> Result<(), String> {
    if names.len() > MAX_NAMES {
        return Err(format!("`{list}` has more than {MAX_NAMES} names; shorten it"));
    }
    for (position, name) in names.iter().enumerate() {
        let fits = (1..=MAX_NAME_BYTES).contains(&name.len());
        if !fits || name.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
            return Err(format!("name {} of `{list}` is empty, too long or has spaces; mend it", position + 1));
        }
        if names.iter().take(position).any(|earlier| earlier == name) {
            return Err(format!("`{name}` stands in `{list}` twice; remove one"));
        }
    }
    Ok(())
}
