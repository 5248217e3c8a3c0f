//! `bellhop plugin inspect`: all that can be known of a plugin without running it.

use std::path::Path;

use bellhop_domain::consent::{self, Clause, Language, Request};
use bellhop_domain::danger::DangerSet;
use bellhop_domain::flow::{self, Held};
use bellhop_domain::grant::Scopes;
use bellhop_domain::manifest::Manifest;
use bellhop_sandbox::Admitted;
use clap::Args;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::command::{existing, must_exist, say};
use crate::config::Config;
use crate::registry;

#[derive(Debug, Args)]
pub(in crate::command) struct Inspect {
    /// The plugin's file, or the id or hash of one that is installed.
    plugin: String,
    /// The language in which it is said what enabling it means.
    #[arg(long, default_value = "en")]
    locale: String,
    /// How much of what customers write it would be shown.
    #[arg(long, default_value = "masked", value_parser = ["masked", "clear", "none"])]
    text: String,
    /// For programs.
    #[arg(long)]
    json: bool,
}

/// What was found out.
struct Found {
    admitted: Admitted,
    manifest: Manifest,
    bytes: usize,
    signer: Option<String>,
    /// The installation's own key, where there is an installation.
    own: Option<String>,
}

pub(super) async fn run(command: &Inspect, config: &Config) -> anyhow::Result<()> {
    let file = Path::new(&command.plugin);
    let (bytes, own) = if file.is_file() {
        let own = match must_exist(config) {
            Ok(()) => Some(existing(config).await?.registry.own_fingerprint().await?),
            Err(_) => None,
        };
        (super::read(file)?, own)
    } else {
        let stores = existing(config).await?;
        let plugin = stores.registry.plugin_find(&command.plugin).await?;
        (stores.registry.file_of(&plugin).await?, Some(stores.registry.own_fingerprint().await?))
    };
    let (admitted, manifest, signer) = registry::read(&bytes)?;
    let found = Found { admitted, manifest, bytes: bytes.len(), signer, own };
    let scopes = Scopes::asked(&found.manifest, super::text_scope(&command.text));
    let request = Request { imports: &found.admitted.imports, manifest: &found.manifest, scopes: &scopes };
    let clauses = consent::clauses(&request);
    let language = Language::of(&command.locale);
    if command.json {
        say(serde_json::to_string_pretty(&found.json(&scopes, &clauses, language)?)?);
    } else {
        found.tell(&scopes, &command.locale);
        tell(&clauses, language);
    }
    Ok(())
}

/// Says what enabling means: what a plugin can do behind `+`, what it cannot behind `-`.
pub(super) fn tell(clauses: &[Clause], language: Language) {
    for clause in clauses {
        let sign = if clause.code.is_limit() { '-' } else { '+' };
        say(format_args!("  {sign} {}", clause.text(language)));
        if let Some(reason) = clause.reason(language) {
            say(format_args!("      {reason}"));
        }
    }
}

/// Who signed it, in words.
pub(super) fn signed_by(signer: Option<&str>, own: Option<&str>) -> String {
    match signer {
        None => "nobody".to_owned(),
        Some(signer) if Some(signer) == own => format!("{signer} (this installation: it came with Bellhop)"),
        Some(signer) => signer.to_owned(),
    }
}

impl Found {
    fn tell(&self, scopes: &Scopes, locale: &str) {
        let Self { admitted, manifest, .. } = self;
        let name = consent::quiet(manifest.name.pick(locale));
        let imports: Vec<&str> = admitted.imports.iter().map(|one| one.as_str()).collect();
        let needs = admitted.demands;
        say(format_args!("{} {}  {name}", manifest.id, manifest.version));
        say(format_args!("  {}", consent::quiet(manifest.description.pick(locale))));
        say(format_args!("hash       {}", admitted.hash));
        say(format_args!("bytes      {}", self.bytes));
        say(format_args!("signed by  {}", signed_by(self.signer.as_deref(), self.own.as_deref())));
        say(format_args!("imports    {}", if imports.is_empty() { "nothing".to_owned() } else { imports.join(", ") }));
        say(format_args!(
            "needs      {} KiB of memory at its start, {} memories, {} tables of {} elements at most",
            needs.memory_bytes / 1024,
            needs.memories,
            needs.tables,
            needs.table_elements
        ));
        let lists = [
            ("effects", &scopes.effects),
            ("triggers", &scopes.triggers),
            ("tables", &scopes.collections),
            ("contact", &scopes.contact_fields),
            ("models", &scopes.model_profiles),
            ("endpoints", &scopes.endpoints),
            ("links", &scopes.link_hosts),
            ("attributes", &scopes.attributes),
        ];
        for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            let shown: Vec<String> = list.iter().map(|one| consent::quiet(one)).collect();
            say(format_args!("{name:<10} {}", shown.join(", ")));
        }
        let flows = flows_needed(scopes);
        if !flows.is_empty() {
            say(format_args!("flows      needs --allow-flow {}", flows.join(",")));
        }
        say(format_args!("danger set {}", danger_fingerprint(manifest, scopes)));
    }

    fn json(&self, scopes: &Scopes, clauses: &[Clause], language: Language) -> anyhow::Result<Value> {
        let Self { admitted, manifest, .. } = self;
        let imports: Vec<&str> = admitted.imports.iter().map(|one| one.as_str()).collect();
        let clause = |clause: &Clause| {
            json!({
                "code": clause.code.as_str(), "can": !clause.code.is_limit(), "names": clause.names,
                "proof": clause.proof.to_string(), "text": clause.text(language), "reason": clause.reason(language),
            })
        };
        let signer = self.signer.as_ref().map(|signer| {
            json!({ "fingerprint": signer, "is_this_installation": self.own.as_ref().map(|own| own == signer) })
        });
        Ok(json!({
            "id": manifest.id, "version": manifest.version, "name": manifest.name, "description": manifest.description,
            "hash": admitted.hash.as_str(), "bytes": self.bytes, "signer": signer, "imports": imports,
            "asks_for": serde_json::to_value(scopes)?, "flows_needed": flows_needed(scopes),
            "needs": {
                "memory_bytes": admitted.demands.memory_bytes, "memories": admitted.demands.memories,
                "tables": admitted.demands.tables, "table_elements": admitted.demands.table_elements,
            },
            "danger_set": {
                "fingerprint": danger_fingerprint(manifest, scopes),
                "items": DangerSet::of(manifest, scopes).beyond(&DangerSet::default()),
            },
            "consent": { "language": language.as_str(), "clauses": clauses.iter().map(clause).collect::<Vec<_>>() },
        }))
    }
}

/// The pairs that it needs where nothing else was ever granted.
fn flows_needed(scopes: &Scopes) -> Vec<String> {
    let alone = [Held { plugin: "", scopes, is_current: true }];
    flow::missing(&alone).into_iter().map(|one| one.flow.to_string()).collect()
}

fn danger_fingerprint(manifest: &Manifest, scopes: &Scopes) -> String {
    hex::encode(Sha256::digest(DangerSet::of(manifest, scopes).canonical()))
}
