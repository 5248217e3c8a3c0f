//! The records interface: scopes first, then the store, with this call's own writes on top.

use std::collections::BTreeMap;

use bellhop_domain::host_call::{Entry, Hit, Query};
use bellhop_domain::id::RecordId;
use bellhop_domain::manifest::Owner;
use bellhop_domain::plugin::Fault;
use serde_json::Value;

use super::{Broker, Caller, Pending, ReadMark, internal};
use crate::audit::Code;
use crate::conversation;
use crate::permission::{self, Known};
use crate::record::{Change, CollectionKey, MAX_RECORD_BYTES, Range, Record, RecordError, Whose};

/// Tokens of one record that are looked for; what is beyond stands for nothing.
const MAX_TOKENS: usize = 64;

/// Most records that one `find` gives: 64 of 16 kB are what may cross to a plugin at once.
const MAX_FOUND: u32 = 64;

/// Most hits of one search: a plugin shows three choices.
const MAX_HITS: u32 = 20;

/// Most records that one call may write; they are applied one by one while others wait.
const MAX_WRITES: usize = 32;

/// A collection that the plugin may use.
struct Granted {
    key: CollectionKey,
    owner: Owner,
}

/// The full name of a plugin's own collection.
pub(super) fn key(caller: &Caller, name: String) -> CollectionKey {
    let plugin = &caller.plugin;
    CollectionKey { workspace: plugin.workspace.clone(), plugin_key: plugin.plugin_key.clone(), name }
}

impl Broker {
    pub(super) async fn record_get(&mut self, collection: String, id: String) -> Result<Option<Entry>, Fault> {
        let granted = self.granted(&collection)?;
        let Ok(id) = RecordId::parse(&id) else { return Ok(None) };
        let found = match self.pending.get(&(collection, id.clone())) {
            Some(pending) => pending.record(&id),
            None => self.read(&granted, &id).await?,
        };
        Ok(found.map(|record| self.entry(&granted, record)))
    }

    /// A record as it crosses: a contact's own ones hold what people wrote.
    fn entry(&mut self, granted: &Granted, record: Record) -> Entry {
        let mut entry = entry(record);
        if granted.owner == Owner::Contacts && self.is_masked() {
            entry.json = self.caller.masker.mask_json(&entry.json, &mut self.caller.masked);
        }
        entry
    }

    pub(super) async fn record_find(&mut self, query: Query) -> Result<Vec<Entry>, Fault> {
        let granted = self.granted(&query.collection)?;
        let limit = query.limit.min(MAX_FOUND);
        // Those that this call has removed leave room.
        let n_pending = u32::try_from(self.pending.len()).unwrap_or(0);
        let range = Range {
            from: query.key_from.unwrap_or(i64::MIN),
            to: query.key_to.unwrap_or(i64::MAX),
            descending: query.descending,
            limit: limit + n_pending,
        };
        let found = self.sources.records.find(&granted.key, self.whose(&granted), &range).await;
        let found = found.map_err(|error| fault(&error))?;
        self.note(&granted);
        let seen = found.iter().map(|record| (record.id.clone(), record.revision)).collect();
        self.reads.push(ReadMark::Range { collection: query.collection.clone(), range, found: seen });
        let mut records = self.overlaid(&query.collection, &range, found);
        records.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(records.into_iter().map(|record| self.entry(&granted, record)).collect())
    }

    pub(super) async fn record_search(
        &mut self,
        collection: String,
        text: String,
        language: Option<String>,
        limit: u32,
    ) -> Result<Vec<Hit>, Fault> {
        let granted = self.granted(&collection)?;
        if granted.owner == Owner::Contacts {
            return Err(Fault::new("invalid", "only the business's collections are searched"));
        }
        let limit = usize::try_from(limit.min(MAX_HITS)).unwrap_or(usize::MAX);
        let hits = self.sources.records.search(&granted.key, &text, language.as_deref(), limit).await;
        let hits = hits.map_err(|error| fault(&error))?;
        let found = hits.iter().map(|(record, _)| (record.id.clone(), record.revision)).collect();
        self.reads.push(ReadMark::Search { collection, found });
        Ok(hits.into_iter().map(|(record, score)| Hit { entry: entry(record), score }).collect())
    }

    pub(super) async fn record_put(
        &mut self,
        collection: String,
        id: Option<String>,
        key: i64,
        json: String,
    ) -> Result<String, Fault> {
        let granted = self.granted(&collection)?;
        // The schema sees what the plugin sees: by its complaints a plugin could read a value that it was not shown.
        let json = self.checked(&collection, &json)?;
        let json = self.resolved(&granted, json).await?;
        let (id, change) = match id {
            None => (RecordId::new(), Change::Insert { key, json }),
            Some(id) => {
                let id = RecordId::parse(&id).map_err(|_| not_found())?;
                let change = self.changed(&granted, &collection, &id, (key, json)).await?;
                (id, change)
            }
        };
        self.keep(&granted, collection, id.clone(), change)?;
        Ok(id.as_str().to_owned())
    }

    pub(super) async fn record_remove(&mut self, collection: String, id: String) -> Result<(), Fault> {
        let granted = self.granted(&collection)?;
        let id = RecordId::parse(&id).map_err(|_| not_found())?;
        let place = (collection.clone(), id.clone());
        let revision = match self.pending.get(&place).map(|pending| &pending.change) {
            // It never was in the store.
            Some(Change::Insert { .. }) => {
                self.pending.remove(&place);
                return Ok(());
            }
            Some(Change::Update { revision, .. }) => *revision,
            Some(Change::Remove { .. }) => return Err(not_found()),
            None => self.read(&granted, &id).await?.ok_or_else(not_found)?.revision,
        };
        self.keep(&granted, collection, id, Change::Remove { revision })
    }

    fn granted(&self, collection: &str) -> Result<Granted, Fault> {
        let plugin = &self.caller.plugin;
        let Some(declared) = plugin.plugin.manifest.collection(collection) else {
            return Err(Fault::new("not-found", "the manifest declares no such collection"));
        };
        if !plugin.scopes.collections.contains(collection) {
            return Err(Fault::denied(&format!("collections:{collection}")));
        }
        Ok(Granted { key: key(&self.caller, collection.to_owned()), owner: declared.owner })
    }

    fn whose(&self, granted: &Granted) -> Whose<'_> {
        match granted.owner {
            Owner::Business => Whose::Business,
            Owner::Contacts => Whose::Contact(&self.caller.contact),
        }
    }

    async fn read(&mut self, granted: &Granted, id: &RecordId) -> Result<Option<Record>, Fault> {
        let found = self.sources.records.get(&granted.key, self.whose(granted), id).await;
        let found = found.map_err(|error| fault(&error))?;
        self.note(granted);
        let revision = found.as_ref().map(|record| record.revision);
        self.reads.push(ReadMark::Record { collection: granted.key.name.clone(), id: id.clone(), revision });
        Ok(found)
    }

    /// A contact's records are personal data.
    fn note(&mut self, granted: &Granted) {
        if granted.owner == Owner::Contacts {
            self.personal.insert(Code::of("contact-records"));
        }
    }

    /// A contact's record is kept with the values that the contact wrote, for staff to see; the plugin sees tokens again.
    async fn resolved(&self, granted: &Granted, json: String) -> Result<String, Fault> {
        if granted.owner == Owner::Business || !self.is_masked() || json.len() > MAX_RECORD_BYTES {
            return Ok(json);
        }
        let Ok(mut document) = serde_json::from_str::<Value>(&json) else { return Ok(json) };
        if permission::has_values_json(&mut document, &self.caller.masker) {
            // Its own guess, shown again as a token, could be compared with the token of a message.
            return Err(Fault::new(
                "invalid",
                "a record holds what the contact wrote as tokens, and no numbers or addresses of its own",
            ));
        }
        let mut known: Known = self.caller.masked.iter().map(|one| (one.token.clone(), one.shown.clone())).collect();
        let mut unknown = permission::tokens_in_json(&mut document);
        unknown.retain(|token| !known.contains_key(token));
        let unknown = unknown.into_iter().take(MAX_TOKENS).collect();
        let whose = (&self.caller.plugin.workspace, &self.caller.contact);
        let found = conversation::masked_find(&self.sources.db, &self.sources.vault, whose, &unknown).await;
        known.extend(found.map_err(|error| internal("records", &error))?);
        permission::unmask_json(&mut document, &known, &self.caller.masker)
            .map_err(|_| Fault::new("invalid", "a token in the record stands for nothing that this contact wrote"))?;
        Ok(document.to_string())
    }

    fn checked(&self, collection: &str, json: &str) -> Result<String, Fault> {
        let invalid = |problem: String| Fault::new("invalid", problem);
        if json.len() > MAX_RECORD_BYTES {
            return Err(invalid(format!("a record has at most {MAX_RECORD_BYTES} bytes")));
        }
        let document: Value = serde_json::from_str(json).map_err(|_| invalid("the record is no JSON".to_owned()))?;
        let schema = self.caller.plugin.plugin.schema(collection);
        let schema = schema.ok_or_else(|| Fault::new("internal", "the collection's schema is missing"))?;
        schema.check(&document).map_err(|problems| invalid(problems.join("; ")))?;
        Ok(document.to_string())
    }

    async fn changed(
        &mut self,
        granted: &Granted,
        collection: &str,
        id: &RecordId,
        (key, json): (i64, String),
    ) -> Result<Change, Fault> {
        let place = (collection.to_owned(), id.clone());
        Ok(match self.pending.get(&place).map(|pending| &pending.change) {
            Some(Change::Insert { .. }) => Change::Insert { key, json },
            Some(Change::Update { revision, .. }) => Change::Update { key, json, revision: *revision },
            Some(Change::Remove { .. }) => return Err(not_found()),
            None => {
                let revision = self.read(granted, id).await?.ok_or_else(not_found)?.revision;
                Change::Update { key, json, revision }
            }
        })
    }

    fn keep(&mut self, granted: &Granted, collection: String, id: RecordId, change: Change) -> Result<(), Fault> {
        let contact = match granted.owner {
            Owner::Business => None,
            Owner::Contacts => Some(self.caller.contact.clone()),
        };
        let place = (collection, id);
        if self.pending.len() >= MAX_WRITES && !self.pending.contains_key(&place) {
            return Err(Fault::new("quota", format!("a call writes at most {MAX_WRITES} records")));
        }
        self.pending.insert(place, Pending { contact, change });
        Ok(())
    }

    /// What the range holds once this call's writes are applied.
    fn overlaid(&self, collection: &str, range: &Range, found: Vec<Record>) -> Vec<Record> {
        let own: BTreeMap<&RecordId, &Pending> =
            self.pending.iter().filter(|((name, _), _)| name == collection).map(|((_, id), own)| (id, own)).collect();
        let written = own.iter().filter_map(|(id, own)| own.record(id));
        let wanted = written.filter(|record| (range.from..=range.to).contains(&record.key));
        let mut records: Vec<Record> = found.into_iter().filter(|record| !own.contains_key(&record.id)).collect();
        records.extend(wanted);
        records.sort_by(|one, other| (one.key, &one.id).cmp(&(other.key, &other.id)));
        if range.descending {
            records.reverse();
        }
        records
    }
}

impl Pending {
    /// The record as it will be; `None` for one that goes.
    fn record(&self, id: &RecordId) -> Option<Record> {
        match &self.change {
            Change::Insert { key, json } => Some(Record { id: id.clone(), key: *key, json: json.clone(), revision: 1 }),
            Change::Update { key, json, revision } => {
                Some(Record { id: id.clone(), key: *key, json: json.clone(), revision: revision + 1 })
            }
            Change::Remove { .. } => None,
        }
    }
}

fn entry(record: Record) -> Entry {
    let revision = u64::try_from(record.revision).unwrap_or(0);
    Entry { id: record.id.as_str().to_owned(), json: record.json, revision }
}

fn not_found() -> Fault {
    Fault::new("not-found", "there is no such record")
}

fn fault(error: &RecordError) -> Fault {
    match error {
        RecordError::NotDeclared(_) => Fault::new("not-found", "the collection is not there any more"),
        RecordError::Db(_)
        | RecordError::Vault(_)
        | RecordError::Search(_)
        | RecordError::OwnerChanged(_)
        | RecordError::Conflict
        | RecordError::Unreadable
        | RecordError::Lost => internal("records", error),
    }
}
