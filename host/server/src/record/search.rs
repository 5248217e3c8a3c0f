//! Finds records of a business-owned collection by what a customer wrote: words in any order and inflection, with typos,
//! without accents, in scripts with and without spaces. Never judges whether a hit answers the question: that is the
//! plugin's part.
//!
//! Each phrasing of a record is a unit of its own, so a record with thirty phrasings is not drowned by their number. The
//! index lives in memory; tantivy keeps its dictionary and postings, one field per language.

mod build;
mod fold;
mod language;
mod question;
mod ranking;
mod weight;
mod words;

use serde_json::Value;

use ranking::LanguageIndex;

/// Longest question in characters that is looked at; the rest of a longer one adds words that no phrasing has.
const MAX_QUESTION_CHARACTERS: usize = 2_000;

/// The fields of a record that hold what it can be found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchFields {
    /// Names of text fields; a list of texts counts as several phrasings.
    pub text: Vec<String>,
    /// Name of the field that holds the record's language as BCP 47.
    pub language: Option<String>,
}

/// A record that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Its position in the list the index was built from.
    pub record: usize,
    /// 0.0 to 1.0: the share of the question's weight that its best phrasing covers.
    pub score: f64,
}

/// The library refused; with an index in memory that is a defect or a lack of memory.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// Building failed.
    #[error("could not build the search index")]
    Build(#[source] tantivy::TantivyError),
    /// Reading failed.
    #[error("could not read the search index")]
    Read(#[source] std::io::Error),
}

/// An index over the records of one collection at one revision.
pub struct SearchIndex {
    languages: Vec<LanguageIndex>,
    bytes: usize,
}

impl SearchIndex {
    /// Builds the index; a record's position in `records` is what [`Found::record`] answers with.
    ///
    /// # Errors
    /// [`SearchError::Build`].
    pub fn build<'a>(fields: &SearchFields, records: impl IntoIterator<Item = &'a Value>) -> Result<Self, SearchError> {
        let (languages, bytes) = build::build(fields, records).map_err(SearchError::Build)?;
        Ok(Self { languages, bytes })
    }

    /// The records that share a word with `text`, best first. `language` (BCP 47) prefers records of that language.
    ///
    /// # Errors
    /// [`SearchError::Read`].
    pub fn search(&self, text: &str, language: Option<&str>, limit: usize) -> Result<Vec<Found>, SearchError> {
        let end = text.char_indices().nth(MAX_QUESTION_CHARACTERS).map_or(text.len(), |(at, _)| at);
        let normalised = fold::normalise(text.get(..end).unwrap_or_default());
        let preferred = language.map(language::primary);
        ranking::rank(&self.languages, &normalised, preferred.as_deref(), limit).map_err(SearchError::Read)
    }

    /// Memory held, in bytes, as far as the parts tell.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl std::fmt::Debug for SearchIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SearchIndex").field("languages", &self.languages.len()).field("bytes", &self.bytes).finish()
    }
}

#[cfg(test)]
mod tests;
