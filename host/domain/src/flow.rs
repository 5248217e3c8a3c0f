//! Flow rules: what a plugin reads in clear, or could have kept of it, reaches the outside only by a pair that its grant names.
//! Judged on grants and not on calls: what is read in one turn may leave in another, by way of a session, a record, a mark.

use std::collections::BTreeSet;

use crate::capability::Capability;
use crate::grant::{ATTRIBUTE, Flow, Scopes, Sink, Source, TextScope};

/// A grant of a business, as far as flows go.
#[derive(Debug, Clone)]
pub struct Held<'a> {
    /// The plugin's key: what its collections and sessions belong to.
    pub plugin: &'a str,
    /// What it gives, or gave.
    pub scopes: &'a Scopes,
    /// It counts now. One that was revoked has left its label on what the plugin keeps.
    pub is_current: bool,
}

/// A pair that a current grant needs and does not name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Missing {
    /// The plugin's key.
    pub plugin: String,
    /// The pair.
    pub flow: Flow,
}

/// The pairs that a business's current grants lack, given all grants that it ever made.
pub fn missing(grants: &[Held<'_>]) -> BTreeSet<Missing> {
    let labels = Labels::of(grants);
    let mut missing = BTreeSet::new();
    for grant in grants.iter().filter(|grant| grant.is_current) {
        let labelled = sources(grant.scopes).into_iter().filter(|source| labels.on(grant.plugin, source));
        for flow in pairs(labelled.collect(), grant.scopes) {
            if !grant.scopes.flows.contains(&flow) {
                missing.insert(Missing { plugin: grant.plugin.to_owned(), flow });
            }
        }
    }
    missing
}

/// All pairs that a grant could ever need, whatever carries the label.
pub fn possible(scopes: &Scopes) -> BTreeSet<Flow> {
    pairs(sources(scopes), scopes)
}

fn pairs(sources: BTreeSet<Source>, scopes: &Scopes) -> BTreeSet<Flow> {
    let sinks = sinks(scopes);
    let with = |source: Source| sinks.iter().map(move |sink| Flow { source: source.clone(), sink: *sink });
    sources.into_iter().flat_map(with).collect()
}

/// What a grant reads that is personal data in clear, or may carry its label.
fn sources(scopes: &Scopes) -> BTreeSet<Source> {
    let has = |capability| scopes.capabilities.contains(&capability);
    let mut sources = BTreeSet::from([Source::Session]);
    if scopes.text == TextScope::Clear {
        sources.insert(Source::ClearText);
    }
    if has(Capability::Media) {
        sources.insert(Source::Media);
    }
    if has(Capability::Records) {
        sources.extend(scopes.collections.iter().cloned().map(Source::Collection));
    }
    if has(Capability::Contact) {
        sources.extend(scopes.contact_fields.iter().map(|field| match field.strip_prefix(ATTRIBUTE) {
            Some(name) => Source::Attribute(name.to_owned()),
            None => Source::ContactField(field.clone()),
        }));
    }
    sources
}

/// The ways out that a grant opens.
fn sinks(scopes: &Scopes) -> Vec<Sink> {
    let has = |capability| scopes.capabilities.contains(&capability);
    let may = |effect: &str| scopes.effects.contains(effect);
    let open = [
        (Sink::Http, has(Capability::Http) && !scopes.endpoints.is_empty()),
        (Sink::LanguageModel, has(Capability::LanguageModel) && !scopes.model_profiles.is_empty()),
        (Sink::Call, may("call") && !scopes.endpoints.is_empty()),
        (Sink::Links, !scopes.link_hosts.is_empty()),
        (Sink::PublicReplies, may("comment-reply")),
    ];
    open.into_iter().filter(|(_, is_open)| *is_open).map(|(sink, _)| sink).collect()
}

/// What may hold personal data in clear, because somebody who read it could write there.
#[derive(Debug, Default, PartialEq, Eq)]
struct Labels<'a> {
    /// Plugins whose collections and sessions may.
    plugins: BTreeSet<&'a str>,
    attributes: BTreeSet<&'a str>,
}

impl<'a> Labels<'a> {
    /// Who reads a labelled attribute labels what it keeps, and the attributes it sets: repeated until nothing is added.
    fn of(grants: &'a [Held<'a>]) -> Self {
        let mut labels = Self::default();
        loop {
            let before = (labels.plugins.len(), labels.attributes.len());
            for grant in grants {
                if sources(grant.scopes).iter().any(|source| labels.on(grant.plugin, source)) {
                    labels.plugins.insert(grant.plugin);
                }
                if labels.plugins.contains(grant.plugin) && grant.scopes.effects.contains("set-attribute") {
                    labels.attributes.extend(grant.scopes.attributes.iter().map(String::as_str));
                }
            }
            if before == (labels.plugins.len(), labels.attributes.len()) {
                return labels;
            }
        }
    }

    fn on(&self, plugin: &str, source: &Source) -> bool {
        match source {
            Source::ClearText | Source::ContactField(_) | Source::Media => true,
            Source::Collection(_) | Source::Session => self.plugins.contains(plugin),
            Source::Attribute(name) => self.attributes.contains(name.as_str()),
        }
    }
}

#[cfg(test)]
mod tests;
