//! A collection as the manifest declares it: whose it is, what is searched, what a record looks like.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ManifestError, schema_of};

/// Longest name of a field.
const MAX_FIELD_BYTES: usize = 64;

/// A plugin's table of JSON documents.
#[derive(Debug, Clone, PartialEq)]
pub struct Collection {
    /// Its name, unique within the plugin.
    pub name: String,
    /// Whose records these are; the same for all of them.
    pub owner: Owner,
    /// Text fields that `records.search` looks into, most important first; only for the business's own records.
    pub search: Vec<String>,
    /// The field that holds a record's language (BCP 47), if records have one.
    pub language: Option<String>,
    /// Fields that other contacts' turns may read; only for contacts' records.
    pub shared: Vec<String>,
    /// JSON Schema that every record meets.
    pub schema: Value,
}

/// Whose records a collection holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Owner {
    /// The business: FAQ entries, products.
    Business,
    /// Each record belongs to the contact in whose turn it was made: bookings, orders.
    Contacts,
}

/// A collection as it is written, before it is judged.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    pub(super) name: String,
    owner: Owner,
    #[serde(default)]
    search: Vec<String>,
    language: Option<String>,
    #[serde(default)]
    shared: Vec<String>,
    schema: Value,
}

impl Written {
    /// Judges everything but the name.
    pub(super) fn checked(self) -> Result<Collection, ManifestError> {
        let refuse = |problem: String| ManifestError::Collection { name: self.name.clone(), problem };
        let schema = schema_of(&format!("collections.{}.schema", self.name), self.schema)?;
        if self.owner == Owner::Contacts && !self.search.is_empty() {
            return Err(refuse("only the business's records are searched; remove `search`".to_owned()));
        }
        if self.owner == Owner::Business && !self.shared.is_empty() {
            return Err(refuse("the business's records are read in full; remove `shared`".to_owned()));
        }
        for field in self.search.iter().chain(&self.shared).chain(&self.language) {
            if field.is_empty() || field.len() > MAX_FIELD_BYTES {
                return Err(refuse(format!("`{field}` is no name of a field: use 1 to {MAX_FIELD_BYTES} bytes")));
            }
            if schema.get("properties").and_then(|properties| properties.get(field)).is_none() {
                return Err(refuse(format!("the schema's properties lack the field `{field}`; add it there")));
            }
        }
        for list in [&self.search, &self.shared] {
            if let Some(twice) = repeated(list) {
                return Err(refuse(format!("the field `{twice}` is listed twice; remove one")));
            }
        }
        Ok(Collection {
            name: self.name,
            owner: self.owner,
            search: self.search,
            language: self.language,
            shared: self.shared,
            schema,
        })
    }
}

fn repeated(fields: &[String]) -> Option<&String> {
    fields
        .iter()
        .enumerate()
        .find(|(position, field)| fields.iter().take(*position).any(|earlier| earlier == *field))
        .map(|(_, field)| field)
}
