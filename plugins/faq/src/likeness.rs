//! How well an entry fits a question, 0.0 to 1.0. The host has ranked by what is rare in the whole collection; here the
//! words are looked at one by one. Never reads the answer's text: what is asked is in the questions.

use std::collections::BTreeMap;

use bellhop_sdk::text::{self, Word};

use crate::entry::Entry;
use crate::words;

/// Words of a question that are looked at; a sentence has fewer, and the work grows with each.
const MAX_TERMS: usize = 40;
/// Phrasings of an entry that are looked at.
const MAX_PHRASINGS: usize = 24;
/// That the phrasing was asked counts a little more than that nothing else was: people add greetings and reasons. At 0.62
/// a message about hiring was answered with ways to pay, at 0.55 no tuning question gets a wrong answer.
const SHARE_OF_PHRASING: f64 = 0.55;
/// How much a word in every candidate loses against one in a single candidate.
const LOSS_WHEN_COMMON: f64 = 0.5;
/// Below this number of candidates nothing can be said about what is common.
const LEAST_CANDIDATES: usize = 4;

/// A text cut into words with their weights.
#[derive(Debug)]
pub(crate) struct Terms {
    words: Vec<(Word, f64)>,
}

impl Terms {
    /// Folded words with what they weigh in a language, repeated ones once.
    pub(crate) fn new(terms: &[String], language: &str) -> Self {
        let mut words: Vec<(Word, f64)> = Vec::new();
        for term in terms {
            if words.len() == MAX_TERMS {
                break;
            }
            if words.iter().all(|(word, _)| word.as_str() != term) {
                words.push((Word::new(term), words::weight(term, language)));
            }
        }
        Self { words }
    }

    /// How much of this text's weight stands in the other, a mistyped word counting in part.
    fn covered_by(&self, other: &Self, rarity: &Rarity) -> f64 {
        let mut total = 0.0;
        let mut covered = 0.0;
        for (word, weight) in &self.words {
            let weight = weight * rarity.of(word.as_str());
            let best = other.words.iter().map(|(known, _)| word.likeness(known)).fold(0.0, f64::max);
            total += weight;
            covered += weight * best;
        }
        if total > 0.0 { covered / total } else { 0.0 }
    }
}

/// A candidate made ready: the words of each phrasing.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) entry: Entry,
    /// Its entry's, without region.
    pub(crate) language: String,
    phrasings: Vec<Terms>,
    all: Terms,
}

impl Candidate {
    pub(crate) fn new(entry: Entry) -> Self {
        let language = entry.spoken();
        let phrasings: Vec<Vec<String>> =
            entry.questions.iter().take(MAX_PHRASINGS).map(|question| text::terms(question)).collect();
        // The title helps to understand a question; as a phrasing, one word like "Parking" would fit any mention of it.
        let title = entry.title.as_deref().map(text::terms).unwrap_or_default();
        let all = Terms::new(&[title, phrasings.concat()].concat(), &language);
        let phrasings = phrasings.iter().map(|terms| Terms::new(terms, &language)).collect();
        Self { entry, language, phrasings, all }
    }

    /// The best fit of any phrasing.
    pub(crate) fn fit(&self, question: &Terms, rarity: &Rarity) -> f64 {
        // What one phrasing lacks of the question may stand in another: "free wifi password" meets two phrasings.
        let understood_at_all = question.covered_by(&self.all, rarity);
        let fit = |phrasing: &Terms| {
            let asked = phrasing.covered_by(question, rarity);
            let understood =
                question.covered_by(phrasing, rarity).max(0.5 * (understood_at_all + 1.0) * understood_at_all);
            SHARE_OF_PHRASING.mul_add(asked, (1.0 - SHARE_OF_PHRASING) * understood)
        };
        self.phrasings.iter().map(fit).fold(0.0, f64::max)
    }
}

/// How rare words are among the candidates.
#[derive(Debug, Default)]
pub(crate) struct Rarity {
    share: BTreeMap<String, f64>,
}

impl Rarity {
    /// Counts in how many candidates each word stands.
    pub(crate) fn among(candidates: &[Candidate]) -> Self {
        if candidates.len() < LEAST_CANDIDATES {
            return Self::default();
        }
        let mut share = BTreeMap::new();
        for (word, _) in candidates.iter().flat_map(|candidate| &candidate.all.words) {
            *share.entry(word.as_str().to_owned()).or_insert(0.0) += 1.0 / candidates.len() as f64;
        }
        Self { share }
    }

    fn of(&self, word: &str) -> f64 {
        self.share.get(word).map_or(1.0, |share| LOSS_WHEN_COMMON.mul_add(-share, 1.0))
    }
}
