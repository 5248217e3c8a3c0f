//! The danger set: all that a plugin could do with what it asks for, as one set with one text. A new version whose set adds
//! nothing may take the place of the old one without asking; one that adds anything waits for consent.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::grant::{Scopes, TextScope};
use crate::manifest::{Manifest, Owner};

/// Everything that somebody has to consent to. Equal sets have equal texts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DangerSet {
    /// One item for each capability, name in a list, collection with its owner, shared field: `effect:say`.
    items: BTreeSet<String>,
    /// What is seen of texts.
    text: TextScope,
    /// Lines of history at most.
    history_lines: u32,
}

impl DangerSet {
    /// Of a plugin with what it is given, or would be.
    pub fn of(manifest: &Manifest, scopes: &Scopes) -> Self {
        let lists = [
            ("effect", &scopes.effects),
            ("trigger", &scopes.triggers),
            ("contact-field", &scopes.contact_fields),
            ("model-profile", &scopes.model_profiles),
            ("endpoint", &scopes.endpoints),
            ("link-host", &scopes.link_hosts),
            ("attribute", &scopes.attributes),
        ];
        let listed = lists.iter().flat_map(|(kind, names)| names.iter().map(move |name| format!("{kind}:{name}")));
        let capabilities = scopes.capabilities.iter().map(|one| format!("capability:{}", one.as_str()));
        let flows = scopes.flows.iter().map(|flow| format!("flow:{flow}"));
        let attachments = scopes.attachments.then(|| "attachments".to_owned());
        let granted = manifest.collections.iter().filter(|one| scopes.collections.contains(&one.name));
        let collections = granted.flat_map(|one| {
            let owner = match one.owner {
                Owner::Business => "business",
                Owner::Contacts => "contacts",
            };
            let shared = one.shared.iter().map(|field| format!("shared-field:{}:{field}", one.name));
            std::iter::once(format!("collection:{}:{owner}", one.name)).chain(shared)
        });
        Self {
            items: capabilities.chain(listed).chain(flows).chain(attachments).chain(collections).collect(),
            text: scopes.text,
            history_lines: scopes.history_lines,
        }
    }

    /// What stands in this set and not in the old one, by name.
    pub fn beyond(&self, old: &Self) -> Vec<String> {
        let mut beyond: Vec<String> = self.items.difference(&old.items).cloned().collect();
        if self.text > old.text {
            let text = if self.text == TextScope::Clear { "text:clear" } else { "text:masked" };
            beyond.push(text.to_owned());
        }
        if self.history_lines > old.history_lines {
            beyond.push(format!("history-lines:{}", self.history_lines));
        }
        beyond
    }

    /// It adds something to the old one, whatever it leaves out.
    pub fn is_larger_than(&self, old: &Self) -> bool {
        !self.beyond(old).is_empty()
    }

    /// One text for equal sets, another for each other set; what a fingerprint is taken of.
    pub fn canonical(&self) -> String {
        // Texts and numbers always serialise.
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
