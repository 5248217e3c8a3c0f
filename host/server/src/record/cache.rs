//! Business-owned collections in memory, opened and indexed: made at the first search, bounded in bytes, made anew when
//! the collection's revision has changed. A contact's records are never kept here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bellhop_domain::id::RecordId;
use bellhop_domain::time::Timestamp;
use serde_json::Value;

use super::collection::declared;
use super::search::SearchIndex;
use super::{CollectionKey, Record, RecordError, Records};

/// All collections together. An idle host stays under 60 MB; a collection of 500 entries needs half a megabyte.
const MAX_BYTES: usize = 24 << 20;

/// How long the store is not asked whether a collection has changed. A host's own writes are seen at once.
const FRESH_FOR: Duration = Duration::from_millis(500);

/// What a record costs beside its document: ids, lengths, places in lists.
const RECORD_OVERHEAD_BYTES: usize = 256;

/// A collection at one revision.
pub(super) struct Content {
    revision: i64,
    records: Vec<Record>,
    by_id: HashMap<RecordId, usize>,
    index: SearchIndex,
    bytes: usize,
}

/// The collections in memory.
#[derive(Default)]
pub(super) struct Cache {
    held: Mutex<Held>,
    /// One index is built at a time: building needs several times the memory of what comes out.
    building: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Held {
    slots: HashMap<CollectionKey, Slot>,
    bytes: usize,
    tick: u64,
}

struct Slot {
    content: Arc<Content>,
    checked_at: Timestamp,
    used: u64,
}

impl Records {
    /// Records of a business-owned collection that match a text, best first, with scores from 0.0 to 1.0.
    ///
    /// # Errors
    /// [`RecordError::NotDeclared`], and whatever reading or building the index gives.
    pub async fn search(
        &self,
        collection: &CollectionKey,
        text: &str,
        language: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(Record, f64)>, RecordError> {
        let content = self.content(collection).await?;
        let found = content.index.search(text, language, limit)?;
        let record = |number: usize| content.records.get(number).cloned();
        Ok(found.into_iter().filter_map(|found| Some((record(found.record)?, found.score))).collect())
    }

    async fn content(&self, collection: &CollectionKey) -> Result<Arc<Content>, RecordError> {
        if let Some(content) = self.cache.fresh(collection, self.db.now()) {
            return Ok(content);
        }
        if let Some(content) = self.current(collection).await? {
            return Ok(content);
        }
        let _building = self.cache.building.lock().await;
        // Whoever waited here finds what the one before has built.
        if let Some(content) = self.current(collection).await? {
            return Ok(content);
        }
        let now = self.db.now();
        let declared =
            declared(&self.db, collection).await?.ok_or_else(|| RecordError::NotDeclared(collection.name.clone()))?;
        let records = self.all(collection).await?;
        let fields = declared.fields();
        let build = move || {
            let documents: Vec<Value> =
                records.iter().map(|record| serde_json::from_str(&record.json).unwrap_or(Value::Null)).collect();
            let index = SearchIndex::build(&fields, &documents)?;
            Ok::<_, RecordError>(Content::new(declared.revision, records, index))
        };
        let content = Arc::new(tokio::task::spawn_blocking(build).await.map_err(|_| RecordError::Lost)??);
        self.cache.keep(collection, Arc::clone(&content), now);
        Ok(content)
    }

    /// What is held, if the store says that it is still so.
    async fn current(&self, collection: &CollectionKey) -> Result<Option<Arc<Content>>, RecordError> {
        let now = self.db.now();
        let Some(held) = self.cache.any(collection) else { return Ok(None) };
        let declared =
            declared(&self.db, collection).await?.ok_or_else(|| RecordError::NotDeclared(collection.name.clone()))?;
        if declared.revision != held.revision {
            return Ok(None);
        }
        self.cache.keep(collection, Arc::clone(&held), now);
        Ok(Some(held))
    }
}

impl Content {
    fn new(revision: i64, records: Vec<Record>, index: SearchIndex) -> Self {
        let by_id = records.iter().enumerate().map(|(at, record)| (record.id.clone(), at)).collect();
        let documents: usize = records.iter().map(|record| record.json.len() + RECORD_OVERHEAD_BYTES).sum();
        let bytes = documents + index.bytes();
        Self { revision, records, by_id, index, bytes }
    }

    /// One record.
    pub(super) fn get(&self, id: &RecordId) -> Option<&Record> {
        self.by_id.get(id).and_then(|at| self.records.get(*at))
    }
}

impl Cache {
    /// What is held and need not be asked for.
    pub(super) fn fresh(&self, collection: &CollectionKey, now: Timestamp) -> Option<Arc<Content>> {
        let mut held = self.lock();
        held.tick += 1;
        let tick = held.tick;
        let slot = held.slots.get_mut(collection).filter(|slot| now.since(slot.checked_at) < FRESH_FOR)?;
        slot.used = tick;
        Some(Arc::clone(&slot.content))
    }

    /// Forgets a collection.
    pub(super) fn forget(&self, collection: &CollectionKey) {
        let mut held = self.lock();
        if let Some(slot) = held.slots.remove(collection) {
            held.bytes -= slot.content.bytes;
        }
    }

    fn any(&self, collection: &CollectionKey) -> Option<Arc<Content>> {
        self.lock().slots.get(collection).map(|slot| Arc::clone(&slot.content))
    }

    fn keep(&self, collection: &CollectionKey, content: Arc<Content>, now: Timestamp) {
        let mut held = self.lock();
        held.tick += 1;
        let used = held.tick;
        held.bytes += content.bytes;
        if let Some(old) = held.slots.insert(collection.clone(), Slot { content, checked_at: now, used }) {
            held.bytes -= old.content.bytes;
        }
        while held.bytes > MAX_BYTES {
            let oldest = held.slots.iter().min_by_key(|(_, slot)| slot.used).map(|(key, _)| key.clone());
            let Some(slot) = oldest.and_then(|key| held.slots.remove(&key)) else { break };
            held.bytes -= slot.content.bytes;
        }
    }

    /// The map is whole after every statement, so a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
