//! Builds the index: phrasings grouped by language, one tantivy field per language, one segment in memory.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;
use tantivy::directory::RamDirectory;
use tantivy::query::Bm25Weight;
use tantivy::schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{PreTokenizedString, Token};
use tantivy::{Index, SegmentReader, TantivyDocument};

use super::SearchFields;
use super::fold::normalise;
use super::language::{self, Language};
use super::question::{self, Part, Parts};
use super::ranking::{LanguageIndex, Phrasing};
use super::weight;

/// Phrasings of one record beyond this are left out; a record with more is a list, not a question.
const MAX_PHRASINGS: usize = 64;

/// Longest phrasing in characters; the rest is cut.
const MAX_PHRASING_CHARACTERS: usize = 1_000;

/// What tantivy sizes its table of terms by while it builds; the least that holds 10,000 terms.
const BUILD_BYTES: usize = 2 << 20;

struct Group {
    language: Language,
    phrasings: Vec<(u32, Parts)>,
}

/// Builds the languages' indexes; the second value is the memory they hold.
pub(super) fn build<'a>(
    fields: &SearchFields,
    records: impl IntoIterator<Item = &'a Value>,
) -> tantivy::Result<(Vec<LanguageIndex>, usize)> {
    let groups = group(fields, records);
    if groups.is_empty() {
        return Ok((Vec::new(), 0));
    }
    let (schema, handles) = schema(groups.len());
    let directory = RamDirectory::create();
    let mut writer = Index::builder().schema(schema).single_segment_index_writer(directory.clone(), BUILD_BYTES)?;
    for (group, field) in groups.iter().zip(&handles) {
        for (_, parts) in &group.phrasings {
            let mut document = TantivyDocument::new();
            document.add_pre_tokenized_text(*field, tokens(&parts.parts));
            writer.add_document(document)?;
        }
    }
    let index = writer.finalize()?;
    let segments = index.searchable_segments()?;
    let Some(segment) = segments.first() else { return Ok((Vec::new(), 0)) };
    let reader = SegmentReader::open(segment)?;
    let mut first_document = 0;
    let mut languages = Vec::with_capacity(groups.len());
    let mut n_phrasings = 0;
    for (group, field) in groups.into_iter().zip(handles) {
        let n_documents = u32::try_from(group.phrasings.len()).unwrap_or(u32::MAX);
        n_phrasings += group.phrasings.len();
        languages.push(language_index(group, field, &reader, first_document)?);
        first_document += n_documents;
    }
    let bytes = directory.total_mem_usage() + n_phrasings * size_of::<Phrasing>();
    Ok((languages, bytes))
}

fn group<'a>(fields: &SearchFields, records: impl IntoIterator<Item = &'a Value>) -> Vec<Group> {
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for (number, record) in (0_u32..).zip(records) {
        let tag =
            fields.language.as_ref().and_then(|name| record.get(name)).and_then(Value::as_str).unwrap_or_default();
        let group = groups
            .entry(language::primary(tag))
            .or_insert_with(|| Group { language: Language::of(tag), phrasings: Vec::new() });
        for text in texts(fields, record).take(MAX_PHRASINGS) {
            let end = text.char_indices().nth(MAX_PHRASING_CHARACTERS).map_or(text.len(), |(at, _)| at);
            let parts = question::read(&group.language, &normalise(text.get(..end).unwrap_or_default()));
            if !parts.parts.is_empty() {
                group.phrasings.push((number, parts));
            }
        }
    }
    groups.into_values().filter(|group| !group.phrasings.is_empty()).collect()
}

fn texts<'a>(fields: &'a SearchFields, record: &'a Value) -> impl Iterator<Item = &'a str> {
    fields.text.iter().filter_map(|name| record.get(name)).flat_map(|value| match value {
        Value::String(text) => vec![text.as_str()],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    })
}

fn schema(n_languages: usize) -> (Schema, Vec<Field>) {
    let mut builder = Schema::builder();
    let indexing = TextFieldIndexing::default().set_fieldnorms(true).set_index_option(IndexRecordOption::WithFreqs);
    let options = TextOptions::default().set_indexing_options(indexing);
    let fields = (0..n_languages).map(|n| builder.add_text_field(&format!("language_{n}"), options.clone())).collect();
    (builder.build(), fields)
}

fn tokens(parts: &[Part]) -> PreTokenizedString {
    let forms =
        parts.iter().enumerate().flat_map(|(position, part)| part.forms.iter().map(move |form| (position, form)));
    let tokens = forms.map(|(position, form)| Token { position, text: form.clone(), ..Token::default() }).collect();
    PreTokenizedString { text: String::new(), tokens }
}

fn language_index(
    group: Group,
    field: Field,
    reader: &SegmentReader,
    first_document: u32,
) -> tantivy::Result<LanguageIndex> {
    let n_with = n_phrasings_with(&group);
    let n_phrasings = u32::try_from(group.phrasings.len()).unwrap_or(u32::MAX);
    let part_weight = |part: &Part| {
        let with = part.forms.iter().filter_map(|form| n_with.get(form.as_str())).copied().max().unwrap_or(0);
        weight::known(&part.folded, part.is_function_word, with, n_phrasings)
    };
    let phrasings: Vec<Phrasing> = group
        .phrasings
        .iter()
        .map(|(record, parts)| Phrasing {
            record: *record,
            weight: parts.parts.iter().map(part_weight).sum(),
            fingerprint: parts.fingerprint,
        })
        .collect();
    let terms = reader.inverted_index(field)?;
    let n_documents = phrasings.len().max(1);
    #[expect(clippy::cast_precision_loss, reason = "an average, and counts far below 2^24")]
    let average = terms.total_num_tokens() as f32 / n_documents as f32;
    // A weight whose inverse document frequency is ln 2 ≈ 0.69 for any number: scaled per term when ranking.
    let bm25 = Bm25Weight::for_one_term_without_explain(1, 2, average);
    let norms = reader.get_fieldnorms_reader(field)?;
    Ok(LanguageIndex { language: group.language, terms, norms, bm25, first_document, phrasings })
}

fn n_phrasings_with(group: &Group) -> HashMap<&str, u32> {
    let mut counts = HashMap::new();
    for (_, parts) in &group.phrasings {
        let forms: HashSet<&str> = parts.parts.iter().flat_map(|part| &part.forms).map(String::as_str).collect();
        for form in forms {
            *counts.entry(form).or_insert(0) += 1;
        }
    }
    counts
}
