//! What the fake host holds. Plain data: a test fills it, the fake capabilities read it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::Value;

use crate::history::Line;
use crate::http::Response;
use crate::language_model::Completion;
use crate::log::Level;

/// Everything a plugin can reach in a test.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) collections: BTreeMap<String, Vec<Stored>>,
    pub(crate) searched_by: BTreeMap<String, Vec<String>>,
    pub(crate) contact: BTreeMap<String, String>,
    pub(crate) history: Vec<Line>,
    pub(crate) completions: VecDeque<Completion>,
    pub(crate) responses: BTreeMap<(String, String), Response>,
    pub(crate) media: BTreeMap<String, Vec<u8>>,
    pub(crate) denied: BTreeSet<String>,
    pub(crate) logged: Vec<(Level, String)>,
    n_made: u64,
}

/// One record.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) id: String,
    pub(crate) key: i64,
    pub(crate) json: String,
    pub(crate) revision: u64,
}

impl World {
    /// Adds a document with an id of its own.
    pub(crate) fn add(&mut self, collection: &str, document: &Value) {
        let id = self.next_id();
        let stored = Stored { id, key: 0, json: document.to_string(), revision: 1 };
        self.collections.entry(collection.to_owned()).or_default().push(stored);
    }

    /// An id that no record has.
    pub(crate) fn next_id(&mut self) -> String {
        self.n_made += 1;
        self.n_made.to_string()
    }

    /// The documents of a collection.
    pub(crate) fn documents(&self, collection: &str) -> Vec<Value> {
        let stored = self.collections.get(collection).map_or(&[][..], Vec::as_slice);
        stored.iter().filter_map(|record| serde_json::from_str(&record.json).ok()).collect()
    }
}
