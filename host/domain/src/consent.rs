//! What a business consents to, in words: clauses made from what the bytes import and from what a grant gives, and from
//! nothing else. Each names the fact that proves it. An author's own words stand beside them and cannot pass for them.

use std::collections::BTreeSet;
use std::fmt;

use crate::capability::{Capability, CapabilitySet};
use crate::grant::{Scopes, TextScope};
use crate::manifest::{Localised, Manifest, Owner};

mod arabic;
mod code;
mod english;
mod french;
mod german;
mod language;
mod quiet;
mod spanish;
mod vietnamese;
#[cfg(test)]
mod tests;

pub use code::Code;
pub use language::Language;
pub use quiet::quiet;

/// What is consented to.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// What the component imports, read from its bytes.
    pub imports: &'a CapabilitySet,
    /// What it says of itself.
    pub manifest: &'a Manifest,
    /// What a grant gives it, or would.
    pub scopes: &'a Scopes,
}

/// One thing that a plugin can do, or cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// Which; stable, for programs.
    pub code: Code,
    /// What it is about: names from the grant.
    pub names: Vec<String>,
    /// The fact that proves it.
    pub proof: Proof,
    /// Why, in the author's words.
    pub reason: Option<Localised>,
}

/// The fact behind a clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The bytes import the interface, and the grant links it.
    Imported(Capability),
    /// The bytes do not import the interface, so that nothing of it can be reached.
    NotImported(Capability),
    /// The bytes import the interface; the grant lacks it, so that a stub is linked, which answers `denied`.
    NotGranted(Capability),
    /// A member of the grant, by its name there; an empty list gives nothing.
    Grant(&'static str),
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Imported(capability) => write!(f, "imported:{}", capability.as_str()),
            Self::NotImported(capability) => write!(f, "not-imported:{}", capability.as_str()),
            Self::NotGranted(capability) => write!(f, "not-granted:{}", capability.as_str()),
            Self::Grant(member) => write!(f, "grant:{member}"),
        }
    }
}

impl Clause {
    /// The clause in a language.
    pub fn text(&self, language: Language) -> String {
        let names: Vec<String> = self.names.iter().map(|name| quiet(name)).collect();
        language.template(self.code).replace("{names}", &names.join(", "))
    }

    /// The author's reason, said to be theirs, in the language if they wrote it in that.
    pub fn reason(&self, language: Language) -> Option<String> {
        let reason = quiet(self.reason.as_ref()?.pick(language.as_str()));
        Some(language.author().replace("{names}", &reason))
    }
}

/// What a plugin can do with a grant and what it cannot: when it is called, what it reads, what it does, in this order.
pub fn clauses(request: &Request<'_>) -> Vec<Clause> {
    let mut clauses = Clauses { request, list: Vec::new() };
    clauses.triggers();
    clauses.texts();
    clauses.records();
    clauses.interfaces();
    clauses.effects();
    clauses.links();
    clauses.list
}

struct Clauses<'a> {
    request: &'a Request<'a>,
    list: Vec<Clause>,
}

impl Clauses<'_> {
    fn add(&mut self, code: Code, names: impl IntoIterator<Item = String>, proof: Proof) {
        let reason = match proof {
            Proof::Imported(capability) => self.request.manifest.capabilities.get(&capability),
            Proof::NotImported(_) | Proof::NotGranted(_) | Proof::Grant(_) => None,
        };
        let reason = reason.map(|request| request.reason.clone());
        self.list.push(Clause { code, names: names.into_iter().collect(), proof, reason });
    }

    fn plain(&mut self, code: Code, member: &'static str) {
        self.add(code, [], Proof::Grant(member));
    }

    fn triggers(&mut self) {
        let triggers = &self.request.scopes.triggers;
        if triggers.is_empty() {
            self.plain(Code::NoTriggers, "triggers");
        }
        for (name, code) in Code::TRIGGERS {
            if triggers.contains(name) {
                self.plain(code, "triggers");
            }
        }
    }

    fn texts(&mut self) {
        let scopes = self.request.scopes;
        let text = match scopes.text {
            TextScope::None => Code::TextNone,
            TextScope::Masked => Code::TextMasked,
            TextScope::Clear => Code::TextClear,
        };
        self.plain(text, "text");
        self.plain(if scopes.attachments { Code::Attachments } else { Code::NoAttachments }, "attachments");
    }

    /// What of an interface reaches the plugin: `None` when all that the grant says of it counts.
    fn missing(&self, capability: Capability) -> Option<Proof> {
        if !self.request.imports.contains(&capability) {
            Some(Proof::NotImported(capability))
        } else if !self.request.scopes.capabilities.contains(&capability) {
            Some(Proof::NotGranted(capability))
        } else {
            None
        }
    }

    fn records(&mut self) {
        let Request { manifest, scopes, .. } = *self.request;
        if let Some(proof) = self.missing(Capability::Records) {
            return self.add(Code::NoRecords, [], proof);
        }
        let granted = || manifest.collections.iter().filter(|one| scopes.collections.contains(&one.name));
        if granted().next().is_none() {
            return self.plain(Code::NoRecords, "collections");
        }
        let of = |owner| granted().filter(move |one| one.owner == owner);
        for (owner, code) in [(Owner::Business, Code::BusinessRecords), (Owner::Contacts, Code::ContactRecords)] {
            let names: Vec<String> = of(owner).map(|one| one.name.clone()).collect();
            if !names.is_empty() {
                self.add(code, names, Proof::Imported(Capability::Records));
            }
        }
        let fields = |one: &crate::manifest::Collection| {
            one.shared.iter().map(|field| format!("{}.{field}", one.name)).collect::<Vec<_>>()
        };
        let shared: Vec<String> = of(Owner::Contacts).flat_map(fields).collect();
        if !shared.is_empty() {
            self.add(Code::SharedFields, shared, Proof::Imported(Capability::Records));
        }
    }

    fn interfaces(&mut self) {
        let scopes = self.request.scopes;
        let lines = if scopes.history_lines > 0 { vec![scopes.history_lines.to_string()] } else { Vec::new() };
        let lines = if scopes.text == TextScope::None { Vec::new() } else { lines };
        let from = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>();
        let interfaces = [
            (
                Capability::Contact,
                (Code::ContactFields, Code::NoContact),
                "contact-fields",
                from(&scopes.contact_fields),
            ),
            (Capability::History, (Code::History, Code::NoHistory), "history-lines", lines),
            (
                Capability::LanguageModel,
                (Code::LanguageModel, Code::NoLanguageModel),
                "model-profiles",
                from(&scopes.model_profiles),
            ),
            (Capability::Http, (Code::Network, Code::NoNetwork), "endpoints", from(&scopes.endpoints)),
        ];
        for (capability, (can, cannot), member, names) in interfaces {
            match self.missing(capability) {
                Some(proof) => self.add(cannot, [], proof),
                None if names.is_empty() => self.plain(cannot, member),
                None => self.add(can, names, Proof::Imported(capability)),
            }
        }
        match self.missing(Capability::Media) {
            Some(proof) => self.add(Code::NoMedia, [], proof),
            None => self.add(Code::Media, [], Proof::Imported(Capability::Media)),
        }
    }

    fn effects(&mut self) {
        let Scopes { effects, attributes, endpoints, .. } = self.request.scopes;
        if effects.is_empty() {
            self.plain(Code::NoEffects, "effects");
        }
        for (name, code) in Code::EFFECTS {
            let names = match code {
                Code::EffectSetAttribute => Some(attributes),
                Code::EffectCall => Some(endpoints),
                _ => None,
            };
            // Without a name to set or to call, the effect is denied each time.
            if effects.contains(name) && names.is_none_or(|names| !names.is_empty()) {
                self.add(code, names.into_iter().flatten().cloned(), Proof::Grant("effects"));
            }
        }
        for (name, code) in [("comment-reply", Code::NoPublicReply), ("call", Code::NoCall)] {
            if !effects.contains(name) {
                self.plain(code, "effects");
            }
        }
    }

    fn links(&mut self) {
        let flows = &self.request.scopes.flows;
        if !flows.is_empty() {
            self.add(Code::Flows, flows.iter().map(|flow| flow.to_string()), Proof::Grant("flows"));
        }
        let hosts = &self.request.scopes.link_hosts;
        let code = if hosts.is_empty() { Code::NoLinks } else { Code::Links };
        self.add(code, hosts.iter().cloned(), Proof::Grant("link-hosts"));
    }
}
