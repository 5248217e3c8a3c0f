//! Why a plugin's file is refused, each with what its author can do.

use wasmparser::BinaryReaderError;

use crate::stop::shorten;

/// Bytes of a foreign name that a message repeats.
const NAME_BYTES_MAX: usize = 120;

/// Why a plugin's file was refused. Messages are for its author.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Over the size cap.
    #[error("the file has {bytes} bytes and may have {limit}: build in release mode and strip it")]
    FileTooLarge {
        /// Its size.
        bytes: usize,
        /// The cap.
        limit: usize,
    },
    /// Not WebAssembly.
    #[error("this is not a WebAssembly component: upload the .wasm file that the build made")]
    NotWasm,
    /// A core module.
    #[error(
        "this is a core module, not a component: link it with wasm-component-ld, or wrap it with `wasm-tools component new`"
    )]
    CoreModule,
    /// Does not validate, or needs a feature that is switched off.
    #[error("the component is not valid here (at byte {offset}): {message}")]
    Invalid {
        /// Where.
        offset: usize,
        /// What the validator says.
        message: String,
    },
    /// No manifest.
    #[error("the component has no `bellhop:manifest` section: append plugin.toml after linking")]
    NoManifest,
    /// More than one manifest.
    #[error(
        "the component has {count} `bellhop:manifest` sections and must have one: append plugin.toml once, to a fresh build"
    )]
    SeveralManifests {
        /// How many.
        count: usize,
    },
    /// A manifest or a signature inside a nested module or component.
    #[error(
        "`{section}` stands inside a nested module: it must be a section of the component itself, appended after linking"
    )]
    NestedSection {
        /// Name of the section.
        section: &'static str,
    },
    /// Over the manifest's size cap.
    #[error("the manifest has {bytes} bytes and may have {limit}: shorten its texts or its settings schema")]
    ManifestTooLarge {
        /// Its size.
        bytes: usize,
        /// The cap.
        limit: usize,
    },
    /// The manifest is not UTF-8.
    #[error("the manifest is not UTF-8 text: save plugin.toml as UTF-8")]
    ManifestNotText,
    /// The signature is not the last section, or there are several.
    #[error("`bellhop:signature` must be the last section, and there may be only one: sign after everything else")]
    SignatureMisplaced,
    /// The signature has the wrong size.
    #[error("the signature section has {bytes} bytes and must have {expected}: a public key and an Ed25519 signature")]
    SignatureMalformed {
        /// Its size.
        bytes: usize,
        /// What it must have.
        expected: usize,
    },
    /// An import that the host does not know.
    #[error(
        "the component imports `{name}`, which this host does not offer: it offers the interfaces of bellhop:plugin@0.1 and no WASI (Rust: build for wasm32-unknown-unknown)"
    )]
    UnknownImport {
        /// As the component names it.
        name: String,
    },
    /// An import with a label of its own.
    #[error("the component imports `{name}` under a name of its own: import the interface itself")]
    NamedImport {
        /// As the component names it.
        name: String,
    },
    /// Something other than an interface is imported.
    #[error("the component imports `{name}`, which is no interface: build against the world `bellhop:plugin/plugin`")]
    NotAnInterface {
        /// As the component names it.
        name: String,
    },
    /// No handler.
    #[error("the component does not export `bellhop:plugin/handler@0.1.0`: use `export!` of the SDK")]
    NoHandler,
    /// Exports more than the handler.
    #[error(
        "the component exports `{name}` besides its handler: a plugin exports `bellhop:plugin/handler` and nothing else"
    )]
    UnknownExport {
        /// As the component names it.
        name: String,
    },
    /// Needs more of something than the pool has.
    #[error("the component needs {needed} {what} and may have {limit}")]
    TooDemanding {
        /// Of what.
        what: &'static str,
        /// How many it needs.
        needed: u64,
        /// How many it may have.
        limit: u64,
    },
}

impl Refusal {
    /// What the validator said, without line noise.
    #[expect(clippy::needless_pass_by_value, reason = "stands in `map_err`")]
    pub(super) fn invalid(error: BinaryReaderError) -> Self {
        Self::Invalid { offset: error.offset(), message: shown(error.message()) }
    }
}

/// A foreign text as a message may repeat it: short, without control characters.
pub(super) fn shown(name: &str) -> String {
    let visible: String = name.chars().filter(|character| !character.is_control()).collect();
    shorten(&visible, NAME_BYTES_MAX)
}
