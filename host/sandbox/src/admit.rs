//! Admission: looks at the bytes of a plugin and says what they are and what they ask for, or why they are refused.
//! Never compiles and never runs anything; the manifest's text is handed on unread, the signature unverified.

use std::sync::Arc;

use bellhop_domain::capability::CapabilitySet;
use bellhop_domain::id::ContentHash;
use sha2::{Digest, Sha256};
use wasmparser::{Parser, Validator, WasmFeatures};

mod demand;
mod interface;
mod refusal;
mod section;
#[cfg(test)]
mod tests;

pub use demand::Demands;
pub use refusal::Refusal;
pub use section::{Signature, signature_of, with_manifest, with_signature};

/// Largest plugin file. A Python component with its interpreter has 18 MB, the largest that was seen.
pub const FILE_BYTES_MAX: usize = 32 << 20;

/// Largest manifest: settings schema and texts in a dozen languages.
pub const MANIFEST_BYTES_MAX: usize = 64 << 10;

/// The engine's features, and not one more: what is refused here would be refused by the compiler with a worse message.
const FEATURES: WasmFeatures = WasmFeatures::WASM2
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::MULTI_MEMORY)
    .union(WasmFeatures::COMPONENT_MODEL)
    .difference(WasmFeatures::GC_TYPES);

/// A plugin that may be compiled. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// SHA-256 of the file without its signature section: what authority belongs to.
    pub hash: ContentHash,
    /// What it imports. Only a grant of all that the manifest does not call optional lets it run.
    pub imports: CapabilitySet,
    /// Text of `plugin.toml`, not yet parsed.
    pub manifest: String,
    /// What it needs at its start.
    pub demands: Demands,
    /// Who says they made it, not yet verified: a signature over the 32 bytes of `hash`.
    pub signature: Option<Signature>,
    /// The file without its signature section: the bytes that were hashed are the bytes that are compiled.
    pub(crate) component: Arc<[u8]>,
}

/// Looks at the bytes of a plugin, however hostile. Takes about as long as reading them.
///
/// # Errors
/// A [`Refusal`] that tells the author what to change.
pub fn admit(bytes: &[u8]) -> Result<Admitted, Refusal> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(Refusal::FileTooLarge { bytes: bytes.len(), limit: FILE_BYTES_MAX });
    }
    if Parser::is_core_wasm(bytes) {
        return Err(Refusal::CoreModule);
    }
    if !Parser::is_component(bytes) {
        return Err(Refusal::NotWasm);
    }
    let sections = section::scan(bytes)?;
    let manifest = manifest_text(&sections)?;
    let types = Validator::new_with_features(FEATURES).validate_all(sections.component).map_err(Refusal::invalid)?;
    sections.demands.check()?;
    let imports = interface::imports(&sections.imports, &types)?;
    interface::check_exports(&sections.exports)?;
    Ok(Admitted {
        hash: content_hash(sections.component)?,
        imports,
        manifest,
        demands: sections.demands,
        signature: sections.signature,
        component: sections.component.into(),
    })
}

fn manifest_text(sections: &section::Sections<'_>) -> Result<String, Refusal> {
    let manifest = match sections.manifests.as_slice() {
        [] => return Err(Refusal::NoManifest),
        [manifest] => *manifest,
        several => return Err(Refusal::SeveralManifests { count: several.len() }),
    };
    if manifest.len() > MANIFEST_BYTES_MAX {
        return Err(Refusal::ManifestTooLarge { bytes: manifest.len(), limit: MANIFEST_BYTES_MAX });
    }
    std::str::from_utf8(manifest).map(str::to_owned).map_err(|_| Refusal::ManifestNotText)
}

fn content_hash(component: &[u8]) -> Result<ContentHash, Refusal> {
    let digest: String = Sha256::digest(component).iter().map(|byte| format!("{byte:02x}")).collect();
    ContentHash::parse(&digest).map_err(|_| Refusal::NotWasm)
}
