//! Reads a text as units with their forms in one language: the same way for phrasings and for questions.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::fold::fold;
use super::language::Language;
use super::words::{Unit, units};

/// Most units of one text; a longer one is cut. A question of more words than this is no question.
const MAX_UNITS: usize = 96;

/// One unit of a text.
#[derive(Debug)]
pub(super) struct Part {
    /// Without accents.
    pub(super) folded: String,
    /// Under which it is stored and looked up; never empty.
    pub(super) forms: Vec<String>,
    /// Says little.
    pub(super) is_function_word: bool,
    /// May be a misspelt other word.
    pub(super) may_be_misspelt: bool,
}

/// A text as one language reads it.
#[derive(Debug)]
pub(super) struct Parts {
    /// In order, each once.
    pub(super) parts: Vec<Part>,
    /// Equal for texts that differ in case, accents and punctuation only.
    pub(super) fingerprint: u64,
}

/// Reads a normalised text.
pub(super) fn read(language: &Language, normalised: &str) -> Parts {
    let fingerprint = fingerprint(normalised);
    let freed = language.without_inner_function_words(normalised);
    let mut seen = HashSet::new();
    let parts = units(freed.as_deref().unwrap_or(normalised))
        .into_iter()
        .take(MAX_UNITS)
        .filter(|unit| seen.insert(unit.text()))
        .map(|unit| part(language, unit))
        .collect();
    Parts { parts, fingerprint }
}

fn part(language: &Language, unit: Unit<'_>) -> Part {
    let folded = fold(unit.text());
    match unit {
        Unit::Word(word) => {
            let is_function_word = language.is_function_word(&folded);
            let may_be_misspelt = !is_function_word && folded.chars().all(char::is_alphabetic);
            Part { forms: language.forms(word), folded, is_function_word, may_be_misspelt }
        }
        Unit::Pair(_) => Part { forms: vec![folded.clone()], folded, is_function_word: false, may_be_misspelt: false },
    }
}

fn fingerprint(normalised: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    for unit in units(&fold(normalised)) {
        unit.text().hash(&mut hasher);
    }
    hasher.finish()
}
