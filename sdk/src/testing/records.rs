//! The fake of `records`: a store in memory and a plain search. The host's own search knows more (stems, fields with
//! weights); a plugin must not depend on the exact scores of either.

use std::collections::BTreeSet;

use serde_json::Value;

use super::ask;
use super::world::{Stored, World};
use crate::Fault;
use crate::records::{Entry, Hit, Query};
use crate::text::{self, Word};

/// What a record in the wanted language gains over one in another.
const LANGUAGE_BONUS: f64 = 0.1;

pub(crate) fn get(collection: &str, id: &str) -> Result<Option<Entry>, Fault> {
    ask("records", |world| {
        let records = world.collections.get(collection).map_or(&[][..], Vec::as_slice);
        Ok(records.iter().find(|record| record.id == id).map(entry))
    })
}

pub(crate) fn find(query: &Query) -> Result<Vec<Entry>, Fault> {
    ask("records", |world| {
        let records = world.collections.get(&query.collection).map_or(&[][..], Vec::as_slice);
        let (from, to) = (query.key_from.unwrap_or(i64::MIN), query.key_to.unwrap_or(i64::MAX));
        let mut found: Vec<&Stored> = records.iter().filter(|record| (from..=to).contains(&record.key)).collect();
        found.sort_by_key(|record| record.key);
        if query.descending {
            found.reverse();
        }
        Ok(found.into_iter().take(query.limit as usize).map(entry).collect())
    })
}

pub(crate) fn search(collection: &str, text: &str, language: Option<&str>, limit: u32) -> Result<Vec<Hit>, Fault> {
    ask("records", |world| {
        let mut hits = scored(world, collection, text, language);
        hits.sort_by(|left, right| right.score.total_cmp(&left.score));
        hits.truncate(limit as usize);
        Ok(hits)
    })
}

pub(crate) fn put(collection: &str, id: Option<&str>, key: i64, json: &str) -> Result<String, Fault> {
    ask("records", |world| {
        let id = id.map_or_else(|| world.next_id(), ToOwned::to_owned);
        let records = world.collections.entry(collection.to_owned()).or_default();
        if let Some(record) = records.iter_mut().find(|record| record.id == id) {
            (record.key, record.json, record.revision) = (key, json.to_owned(), record.revision + 1);
        } else {
            records.push(Stored { id: id.clone(), key, json: json.to_owned(), revision: 1 });
        }
        Ok(id)
    })
}

pub(crate) fn remove(collection: &str, id: &str) -> Result<(), Fault> {
    ask("records", |world| {
        if let Some(records) = world.collections.get_mut(collection) {
            records.retain(|record| record.id != id);
        }
        Ok(())
    })
}

fn entry(record: &Stored) -> Entry {
    Entry { id: record.id.clone(), json: record.json.clone(), revision: record.revision }
}

/// A record made ready for search.
struct Indexed<'a> {
    record: &'a Stored,
    words: Vec<Word>,
    language: Option<String>,
}

/// Every record that shares a word with the text: the share of the text's weight that it covers, where a word weighs
/// the more the fewer records have it.
fn scored(world: &World, collection: &str, question: &str, language: Option<&str>) -> Vec<Hit> {
    let asked: BTreeSet<String> = text::terms(question).into_iter().collect();
    let documents = indexed(world, collection);
    let n_documents = documents.len() as f64;
    let weighted: Vec<(Word, f64)> = asked
        .iter()
        .map(|term| {
            let has = |document: &&Indexed<'_>| document.words.iter().any(|word| word.as_str() == term);
            let n_with = documents.iter().filter(has).count() as f64;
            (Word::new(term), (1.0 + n_documents / (1.0 + n_with)).ln())
        })
        .collect();
    let total: f64 = weighted.iter().map(|(_, weight)| weight).sum();
    let hit = |document: &Indexed<'_>| {
        let covered: f64 = weighted.iter().map(|(word, weight)| weight * closeness(word, &document.words)).sum();
        let is_preferred = language.is_some() && document.language.as_deref() == language;
        let bonus = if is_preferred { LANGUAGE_BONUS } else { 0.0 };
        let score = (covered / total).mul_add(1.0 - LANGUAGE_BONUS, bonus);
        (covered > 0.0).then(|| Hit { entry: entry(document.record), score })
    };
    documents.iter().filter_map(hit).collect()
}

fn indexed<'a>(world: &'a World, collection: &str) -> Vec<Indexed<'a>> {
    let fields = world.searched_by.get(collection);
    let records = world.collections.get(collection).map_or(&[][..], Vec::as_slice);
    let index = |record: &'a Stored| {
        let document: Value = serde_json::from_str(&record.json).unwrap_or_default();
        let mut terms = BTreeSet::new();
        match fields {
            Some(fields) => {
                fields.iter().filter_map(|field| document.get(field)).for_each(|value| gather(value, &mut terms));
            }
            None => gather(&document, &mut terms),
        }
        let language = document.get("language").and_then(Value::as_str).map(ToOwned::to_owned);
        Indexed { record, words: terms.iter().map(|term| Word::new(term)).collect(), language }
    };
    records.iter().map(index).collect()
}

fn gather(value: &Value, terms: &mut BTreeSet<String>) {
    match value {
        Value::String(words) => terms.extend(text::terms(words)),
        Value::Array(values) => values.iter().for_each(|value| gather(value, terms)),
        Value::Object(fields) => fields.values().for_each(|value| gather(value, terms)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// 1.0 for a word the record has, less for one that looks like it, 0.0 for none.
fn closeness(asked: &Word, words: &[Word]) -> f64 {
    words.iter().map(|word| asked.likeness(word)).fold(0.0, f64::max)
}
