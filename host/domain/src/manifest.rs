//! A plugin's manifest: who it is, why it asks for what it imports, what it keeps. `Manifest::parse` is the only door, so
//! whoever holds a `Manifest` holds a sane one. Never says what is granted: a manifest asks.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::capability::{Capability, CapabilitySet};

mod collection;
mod localised;
mod scopes;
mod version;

pub use collection::{Collection, Owner};
pub use localised::{InvalidLocale, Localised};
pub use scopes::Scopes;
pub use version::{InvalidVersion, Version};

/// The component's top-level custom section that holds `plugin.toml`.
pub const SECTION: &str = "bellhop:manifest";
/// Largest manifest in bytes: it is read before anything about the plugin is trusted.
pub const MAX_BYTES: usize = 64 * 1024;
/// Longest id of a plugin or name of a collection: both stand in keys and addresses.
const MAX_ID_BYTES: usize = 64;
/// Most collections of one plugin: each is a table that the business has to understand.
const MAX_COLLECTIONS: usize = 32;

/// What `plugin.toml` says.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// Names the plugin; state belongs to this id under its signer.
    pub id: String,
    /// Its version.
    pub version: Version,
    /// What the business calls it.
    pub name: Localised,
    /// What it does, in one or two sentences.
    pub description: Localised,
    /// What it asks for, and why.
    pub capabilities: BTreeMap<Capability, Request>,
    /// How far the capabilities and effects should reach.
    pub scopes: Scopes,
    /// The tables it keeps.
    pub collections: Vec<Collection>,
    /// JSON Schema of its settings; `None` when it has none.
    pub settings: Option<Value>,
}

/// One capability that a plugin asks for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Why, for the consent screen.
    pub reason: Localised,
    /// True when the plugin works without it: the host then links a stub that answers `denied`.
    #[serde(default)]
    pub optional: bool,
}

/// Why a text is no manifest. Each says what to change in `plugin.toml`.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// More than [`MAX_BYTES`].
    #[error("the manifest has {bytes} bytes; shorten it to {MAX_BYTES}")]
    TooLarge {
        /// How many it has.
        bytes: usize,
    },
    /// No TOML, a field that is missing, unknown or of another type.
    #[error("plugin.toml cannot be read: {reason}")]
    Unreadable {
        /// What the parser said, with line and column.
        reason: String,
        /// The parser's own error.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// An id outside `[a-z0-9-]{1,64}`.
    #[error("`{id}` is no id: use 1 to 64 of a-z, 0-9 and hyphen")]
    Id {
        /// What stands there.
        id: String,
    },
    /// A capability that no host has.
    #[error("`{name}` is no capability; known are records, contact, history, language-model, http and media")]
    UnknownCapability {
        /// What stands there.
        name: String,
    },
    /// A text that people read is missing or empty.
    #[error("`{field}` needs a text in at least one language, and none of its texts may be empty")]
    NoText {
        /// Where.
        field: String,
    },
    /// A scope that is unknown, or that widens a capability the manifest does not ask for.
    #[error("scopes: {problem}")]
    Scope {
        /// What is wrong and what to do.
        problem: String,
    },
    /// A collection that contradicts itself.
    #[error("collection `{name}`: {problem}")]
    Collection {
        /// Which.
        name: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A schema that is no JSON object.
    #[error("`{field}` is no JSON Schema of an object: {problem}")]
    Schema {
        /// Where.
        field: String,
        /// What is wrong.
        problem: String,
    },
}

/// `plugin.toml` as it is written, before it is judged.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    version: Version,
    name: Localised,
    description: Localised,
    #[serde(default)]
    capabilities: BTreeMap<String, Request>,
    #[serde(default)]
    scopes: Scopes,
    #[serde(default)]
    collections: Vec<collection::Written>,
    settings: Option<Value>,
}

impl Manifest {
    /// Reads `plugin.toml`.
    ///
    /// # Errors
    /// [`ManifestError`] says which line, field or name to change. Unknown fields are refused: a misspelt `optional`
    /// must not pass for a plugin that asks for more.
    pub fn parse(toml: &str) -> Result<Self, ManifestError> {
        if toml.len() > MAX_BYTES {
            return Err(ManifestError::TooLarge { bytes: toml.len() });
        }
        let written: Written = toml::from_str(toml).map_err(|source| ManifestError::Unreadable {
            reason: source.to_string().trim_end().to_owned(),
            source: Box::new(source),
        })?;
        let id = checked_id(written.id)?;
        require_text("name", &written.name)?;
        require_text("description", &written.description)?;
        let capabilities = checked_capabilities(written.capabilities)?;
        let asked: CapabilitySet = capabilities.keys().copied().collect();
        written.scopes.check(&asked).map_err(|problem| ManifestError::Scope { problem })?;
        let collections = checked_collections(written.collections, &asked)?;
        let settings = written.settings.map(|schema| schema_of("settings", schema)).transpose()?;
        Ok(Self {
            id,
            version: written.version,
            name: written.name,
            description: written.description,
            capabilities,
            scopes: written.scopes,
            collections,
            settings,
        })
    }

    /// Everything it asks for.
    pub fn asked(&self) -> CapabilitySet {
        self.capabilities.keys().copied().collect()
    }

    /// What it cannot work without.
    pub fn required(&self) -> CapabilitySet {
        self.capabilities.iter().filter(|(_, request)| !request.optional).map(|(capability, _)| *capability).collect()
    }

    /// One of its collections by name.
    pub fn collection(&self, name: &str) -> Option<&Collection> {
        self.collections.iter().find(|collection| collection.name == name)
    }
}

fn checked_id(id: String) -> Result<String, ManifestError> {
    let fits = (1..=MAX_ID_BYTES).contains(&id.len());
    let plain = id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if fits && plain { Ok(id) } else { Err(ManifestError::Id { id }) }
}

fn checked_capabilities(written: BTreeMap<String, Request>) -> Result<BTreeMap<Capability, Request>, ManifestError> {
    let mut capabilities = BTreeMap::new();
    for (name, request) in written {
        let Some(capability) = Capability::parse(&name) else {
            return Err(ManifestError::UnknownCapability { name });
        };
        require_text(&format!("capabilities.{name}.reason"), &request.reason)?;
        capabilities.insert(capability, request);
    }
    Ok(capabilities)
}

fn checked_collections(
    written: Vec<collection::Written>,
    asked: &CapabilitySet,
) -> Result<Vec<Collection>, ManifestError> {
    let mut collections: Vec<Collection> = Vec::with_capacity(written.len());
    for collection in written {
        let name = checked_id(collection.name.clone())?;
        let refuse = |problem: &str| ManifestError::Collection { name: name.clone(), problem: problem.to_owned() };
        if collections.len() == MAX_COLLECTIONS {
            return Err(refuse("a plugin may keep at most 32 collections; merge some"));
        }
        if !asked.contains(&Capability::Records) {
            return Err(refuse("a collection needs [capabilities.records] with a reason"));
        }
        if collections.iter().any(|known| known.name == name) {
            return Err(refuse("the name is taken by another collection of this plugin"));
        }
        collections.push(collection.checked()?);
    }
    Ok(collections)
}

fn require_text(field: &str, texts: &Localised) -> Result<(), ManifestError> {
    if texts.is_complete() { Ok(()) } else { Err(ManifestError::NoText { field: field.to_owned() }) }
}

/// A schema is written as a TOML table or as JSON text; both must describe an object.
fn schema_of(field: &str, written: Value) -> Result<Value, ManifestError> {
    let refuse = |problem: String| ManifestError::Schema { field: field.to_owned(), problem };
    let schema = match written {
        Value::String(json) => serde_json::from_str(&json).map_err(|error| refuse(format!("{error}")))?,
        other => other,
    };
    let described = schema.as_object().ok_or_else(|| refuse("write a table or JSON text with an object".to_owned()))?;
    match described.get("type") {
        Some(kind) if kind == "object" => Ok(schema),
        _ => Err(refuse("its `type` has to be \"object\"".to_owned())),
    }
}

#[cfg(test)]
mod tests;
