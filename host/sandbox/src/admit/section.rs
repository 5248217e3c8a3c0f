//! The sections of a plugin's file that are ours: where the manifest stands, where the signature begins. Appends both.
//!
//! A file is a component, in it one custom section `bellhop:manifest`, and behind everything else at most one custom section
//! `bellhop:signature` of 96 bytes: the Ed25519 public key and the signature over the content hash. The content hash is the
//! SHA-256 of all bytes before the signature section's first byte.

use wasm_encoder::{CustomSection, Section};
use wasmparser::{Chunk, ComponentExport, ComponentImport, CustomSectionReader, Parser, Payload};

use super::demand::Demands;
use super::refusal::Refusal;

/// Name of the manifest's section.
const MANIFEST: &str = "bellhop:manifest";

/// Name of the signature's section.
const SIGNATURE: &str = "bellhop:signature";

/// A public key and a signature.
const SIGNATURE_BYTES: usize = 32 + 64;

/// Who says they made a plugin. Not verified here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    /// Ed25519 public key.
    pub public_key: [u8; 32],
    /// Ed25519 signature over the 32 bytes of the content hash.
    pub signature: [u8; 64],
}

/// What a file consists of, as far as admission cares.
pub(super) struct Sections<'a> {
    /// All before the signature section.
    pub(super) component: &'a [u8],
    /// Contents of all manifest sections of the component itself.
    pub(super) manifests: Vec<&'a [u8]>,
    /// The signature, if there is one.
    pub(super) signature: Option<Signature>,
    /// Imports of the component itself.
    pub(super) imports: Vec<ComponentImport<'a>>,
    /// Exports of the component itself.
    pub(super) exports: Vec<ComponentExport<'a>>,
    /// What its modules need.
    pub(super) demands: Demands,
}

/// Appends the manifest. Goes after linking: a section that a compiler makes lands in a nested module.
#[must_use]
pub fn with_manifest(wasm: &[u8], manifest_toml: &str) -> Vec<u8> {
    with_section(wasm, MANIFEST, manifest_toml.as_bytes())
}

/// Appends a signature: the last thing that is done to a file. `signature` is over the 32 bytes of the content hash.
#[must_use]
pub fn with_signature(wasm: &[u8], public_key: &[u8; 32], signature: &[u8; 64]) -> Vec<u8> {
    with_section(wasm, SIGNATURE, &[public_key.as_slice(), signature.as_slice()].concat())
}

/// The signature of a plugin's file. `None` when it has none, or when the file would be refused anyway for its sections.
#[must_use]
pub fn signature_of(bytes: &[u8]) -> Option<Signature> {
    scan(bytes).ok()?.signature
}

/// Walks over all sections, nested ones included, without recursion.
pub(super) fn scan(bytes: &[u8]) -> Result<Sections<'_>, Refusal> {
    let mut sections = Sections {
        component: bytes,
        manifests: Vec::new(),
        signature: None,
        imports: Vec::new(),
        exports: Vec::new(),
        demands: Demands::default(),
    };
    let mut parser = Parser::new(0);
    let mut outer = Vec::new();
    let mut at = 0;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let (consumed, payload) = match parser.parse(rest, true).map_err(Refusal::invalid)? {
            Chunk::Parsed { consumed, payload } => (consumed, payload),
            Chunk::NeedMoreData(_) => return Err(Refusal::NotWasm),
        };
        let ends = matches!(payload, Payload::End(_));
        if sections.signature.is_some() && outer.is_empty() && !ends {
            return Err(Refusal::SignatureMisplaced);
        }
        match payload {
            Payload::CustomSection(section) if outer.is_empty() => sections.take_custom(&section, bytes, at)?,
            Payload::CustomSection(section) => refuse_nested(section.name())?,
            Payload::ComponentImportSection(section) if outer.is_empty() => {
                let imports = section.into_iter().collect::<Result<Vec<_>, _>>().map_err(Refusal::invalid)?;
                sections.imports.extend(imports);
            }
            Payload::ComponentExportSection(section) if outer.is_empty() => {
                let exports = section.into_iter().collect::<Result<Vec<_>, _>>().map_err(Refusal::invalid)?;
                sections.exports.extend(exports);
            }
            Payload::MemorySection(section) => sections.demands.take_memories(section)?,
            Payload::TableSection(section) => sections.demands.take_tables(section)?,
            Payload::ModuleSection { parser: inner, .. } | Payload::ComponentSection { parser: inner, .. } => {
                outer.push(std::mem::replace(&mut parser, inner));
            }
            _ => {}
        }
        at += consumed;
        if ends {
            match outer.pop() {
                Some(enclosing) => parser = enclosing,
                None => return Ok(sections),
            }
        }
    }
}

impl<'a> Sections<'a> {
    fn take_custom(&mut self, section: &CustomSectionReader<'a>, bytes: &'a [u8], at: usize) -> Result<(), Refusal> {
        match section.name() {
            MANIFEST => self.manifests.push(section.data()),
            SIGNATURE => {
                self.signature = Some(signature(section.data())?);
                self.component = bytes.get(..at).unwrap_or(bytes);
            }
            _ => {}
        }
        Ok(())
    }
}

fn refuse_nested(name: &str) -> Result<(), Refusal> {
    match name {
        MANIFEST => Err(Refusal::NestedSection { section: MANIFEST }),
        SIGNATURE => Err(Refusal::NestedSection { section: SIGNATURE }),
        _ => Ok(()),
    }
}

fn signature(data: &[u8]) -> Result<Signature, Refusal> {
    let malformed = || Refusal::SignatureMalformed { bytes: data.len(), expected: SIGNATURE_BYTES };
    let (public_key, rest) = data.split_first_chunk().ok_or_else(malformed)?;
    let signature = rest.try_into().map_err(|_| malformed())?;
    Ok(Signature { public_key: *public_key, signature })
}

fn with_section(wasm: &[u8], name: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = wasm.to_vec();
    CustomSection { name: name.into(), data: data.into() }.append_to(&mut bytes);
    bytes
}
