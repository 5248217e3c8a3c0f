//! What may be granted of what a manifest asks for, and the fingerprint of what was.

use bellhop_domain::capability::CapabilitySet;
use bellhop_domain::flow;
use bellhop_domain::grant::Scopes;
use bellhop_domain::id::ContentHash;
use bellhop_domain::manifest::Manifest;
use sha2::{Digest, Sha256};

use super::RegistryError;

/// Checks a grant against the manifest: all that is required, nothing that was not asked for.
pub(super) fn check(scopes: &Scopes, manifest: &Manifest) -> Result<(), RegistryError> {
    let missing: CapabilitySet = manifest.required().difference(&scopes.capabilities).copied().collect();
    if !missing.is_empty() {
        return Err(RegistryError::RequiredNotGranted(missing));
    }
    let asked = Scopes::asked(manifest, scopes.text);
    if let Some(capability) = scopes.capabilities.difference(&asked.capabilities).next() {
        return Err(RegistryError::NotAsked { scope: "capabilities", name: capability.as_str().to_owned() });
    }
    let lists = [
        ("effects", &scopes.effects, &asked.effects),
        ("triggers", &scopes.triggers, &asked.triggers),
        ("collections", &scopes.collections, &asked.collections),
        ("contact-fields", &scopes.contact_fields, &asked.contact_fields),
        ("model-profiles", &scopes.model_profiles, &asked.model_profiles),
        ("endpoints", &scopes.endpoints, &asked.endpoints),
        ("link-hosts", &scopes.link_hosts, &asked.link_hosts),
        ("attributes", &scopes.attributes, &asked.attributes),
    ];
    for (scope, granted, asked) in lists {
        if let Some(name) = granted.difference(asked).next() {
            return Err(RegistryError::NotAsked { scope, name: name.clone() });
        }
    }
    if scopes.history_lines > asked.history_lines {
        return Err(RegistryError::NotAsked { scope: "history-lines", name: scopes.history_lines.to_string() });
    }
    if let Some(flow) = scopes.flows.difference(&flow::possible(scopes)).next() {
        return Err(RegistryError::NotAsked { scope: "flows", name: flow.to_string() });
    }
    Ok(())
}

/// SHA-256 over the plugin's bytes and all that it was given: what somebody consented to. The bytes hold the manifest, and
/// with it whose its collections are. `canonical` is the grant's text as it stands in the store.
pub(super) fn fingerprint(hash: &ContentHash, canonical: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(hash.as_str());
    digest.update([0]);
    digest.update(canonical);
    hex::encode(digest.finalize())
}
