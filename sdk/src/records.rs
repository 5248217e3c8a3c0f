//! The plugin's tables. Reads see the store as of the turn, writes are buffered and commit with it; nothing here changes
//! a record before the plugin has answered.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Fault;
#[cfg(target_arch = "wasm32")]
use crate::bindings::bellhop::plugin::records as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::testing::records as host;

pub use crate::bindings::bellhop::plugin::records::{Entry, Hit, Query};

impl Entry {
    /// The document as the plugin's own type.
    ///
    /// # Errors
    /// A fault that names the record when the document has another shape.
    pub fn read<Document: DeserializeOwned>(&self) -> Result<Document, Fault> {
        serde_json::from_str(&self.json)
            .map_err(|error| Fault::invalid(format!("record `{}` cannot be read: {error}", self.id)))
    }
}

/// One record by id; `None` when there is none.
///
/// # Errors
/// The host's refusal: denied, quota, no such collection.
pub fn get(collection: &str, id: &str) -> Result<Option<Entry>, Fault> {
    host::get(collection, id)
}

/// The records of a range, in the order of keys.
///
/// # Errors
/// As [`get`].
pub fn find(query: &Query) -> Result<Vec<Entry>, Fault> {
    host::find(query)
}

/// Records found by text, best first. `language` is BCP 47 and prefers records of that language.
///
/// # Errors
/// As [`get`].
pub fn search(collection: &str, text: &str, language: Option<&str>, limit: u32) -> Result<Vec<Hit>, Fault> {
    host::search(collection, text, language, limit)
}

/// Writes a record and returns its id; `None` as id makes a new one. `key` is an instant or a number and orders `find`.
///
/// # Errors
/// As [`get`], or a fault when the document cannot be written as JSON.
pub fn put<Document: Serialize>(
    collection: &str,
    id: Option<&str>,
    key: i64,
    document: &Document,
) -> Result<String, Fault> {
    let json = serde_json::to_string(document)
        .map_err(|error| Fault::invalid(format!("the record cannot be written as JSON: {error}")))?;
    host::put(collection, id, key, &json)
}

/// Removes a record when the turn commits.
///
/// # Errors
/// As [`get`].
pub fn remove(collection: &str, id: &str) -> Result<(), Fault> {
    host::remove(collection, id)
}
