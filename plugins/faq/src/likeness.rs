//! How well an entry fits a question, 0.0 to 1.0. The host has ranked by what is rare in the whole collection; here the
//! words are looked at one by one. Never reads the answer's text: what is asked is in the questions.
//!
//! Candidates share most of their words, and the pieces of a message all of theirs, so each pair of words is compared
//! once and the rest is looking up.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bellhop_sdk::text::{self, Word};

use crate::entry::Entry;
use crate::words;

/// Words of a question that are looked at; a sentence has fewer, and the work grows with each.
const MAX_TERMS: usize = 40;
/// Words of a whole message that are compared; a piece of a longer one has some that fit nothing.
const MAX_ASKED: usize = 120;
/// Phrasings of an entry that are looked at.
const MAX_PHRASINGS: usize = 24;
/// That the phrasing was asked counts a little more than that nothing else was: people add greetings and reasons. At 0.62
/// a message about hiring was answered with ways to pay, at 0.55 no tuning question gets a wrong answer.
const SHARE_OF_PHRASING: f64 = 0.55;
/// How much a word in every candidate loses against one in a single candidate.
const LOSS_WHEN_COMMON: f64 = 0.5;
/// Below this number of candidates nothing can be said about what is common.
const LEAST_CANDIDATES: usize = 4;

/// The words of all candidates, each once.
#[derive(Debug, Default)]
struct Lexicon {
    places: BTreeMap<String, usize>,
    words: Vec<Word>,
    /// What is left of a word's weight for being common among the candidates.
    rarity: Vec<f64>,
}

/// Some words of the lexicon with what they weigh in their language.
type Weighed = Vec<(usize, f64)>;

/// A candidate made ready: the words of each phrasing.
#[derive(Debug)]
struct Candidate {
    language: String,
    phrasings: Vec<Weighed>,
    all: Weighed,
}

/// All candidates of one message, and how alike its words and theirs are.
#[derive(Debug)]
pub(crate) struct Fits {
    lexicon: Lexicon,
    candidates: Vec<Candidate>,
    /// By word of the message: its likeness to each word of the lexicon.
    rows: BTreeMap<String, Vec<f64>>,
}

/// A word of a question: what it weighs in a language, and its likeness to each word of the lexicon.
struct Term<'a> {
    weight: f64,
    row: Cow<'a, [f64]>,
}

impl Fits {
    /// Compares the words of a message with those of the entries.
    pub(crate) fn new(message: &str, entries: &[Entry]) -> Self {
        let mut lexicon = Lexicon::default();
        let candidates: Vec<Candidate> = entries.iter().map(|entry| Candidate::new(entry, &mut lexicon)).collect();
        lexicon.count(&candidates);
        let terms = text::terms(message);
        let mut rows = BTreeMap::new();
        for term in distinct(&terms, MAX_ASKED) {
            rows.insert(term.to_owned(), lexicon.row(term));
        }
        Self { lexicon, candidates, rows }
    }

    /// How well each entry fits a piece of the message, in the order of the entries.
    pub(crate) fn of(&self, terms: &[String]) -> Vec<f64> {
        let terms = distinct(terms, MAX_TERMS);
        // The same words weigh differently in each candidate's language.
        let mut questions: BTreeMap<&str, Vec<Term<'_>>> = BTreeMap::new();
        let fit = |candidate| {
            let language = Candidate::language(candidate);
            let question = questions.entry(language).or_insert_with(|| self.question(&terms, language));
            candidate.fit(question, &self.lexicon)
        };
        self.candidates.iter().map(fit).collect()
    }

    fn question(&self, terms: &[&str], language: &str) -> Vec<Term<'_>> {
        let term = |term: &&str| {
            let row = match self.rows.get(*term) {
                Some(row) => Cow::Borrowed(row.as_slice()),
                None => Cow::Owned(self.lexicon.row(term)),
            };
            let common = self.lexicon.places.get(*term).and_then(|place| self.lexicon.rarity.get(*place));
            Term { weight: words::weight(term, language) * common.copied().unwrap_or(1.0), row }
        };
        terms.iter().map(term).collect()
    }
}

impl Candidate {
    fn new(entry: &Entry, lexicon: &mut Lexicon) -> Self {
        let language = entry.spoken();
        let written = entry.questions.iter().take(MAX_PHRASINGS);
        let phrasings: Vec<Weighed> = written.map(|question| lexicon.weigh(question, &language)).collect();
        // The title helps to understand a question; as a phrasing, one word like "Parking" would fit any mention of it.
        let title = entry.title.as_deref().map(|title| lexicon.weigh(title, &language)).unwrap_or_default();
        let mut all: Weighed = Vec::new();
        for (place, weight) in phrasings.iter().flatten().chain(&title) {
            if all.iter().all(|(known, _)| known != place) {
                all.push((*place, *weight));
            }
        }
        Self { language, phrasings, all }
    }

    fn language(&self) -> &str {
        &self.language
    }

    /// The best fit of any phrasing.
    fn fit(&self, question: &[Term<'_>], lexicon: &Lexicon) -> f64 {
        // What one phrasing lacks of the question may stand in another: "free wifi password" meets two phrasings.
        let in_any = understood(question, &self.all);
        let fit = |phrasing: &Weighed| {
            let understood = understood(question, phrasing).max(0.5 * (in_any + 1.0) * in_any);
            SHARE_OF_PHRASING * asked(phrasing, question, lexicon) + (1.0 - SHARE_OF_PHRASING) * understood
        };
        self.phrasings.iter().map(fit).fold(0.0, f64::max)
    }
}

impl Lexicon {
    /// The distinct words of a text with their weights.
    fn weigh(&mut self, written: &str, language: &str) -> Weighed {
        let terms = text::terms(written);
        distinct(&terms, MAX_TERMS).into_iter().map(|term| (self.place(term), words::weight(term, language))).collect()
    }

    fn place(&mut self, term: &str) -> usize {
        if let Some(place) = self.places.get(term) {
            return *place;
        }
        let place = self.words.len();
        self.words.push(Word::new(term));
        self.places.insert(term.to_owned(), place);
        place
    }

    /// Counts in how many candidates each word stands.
    fn count(&mut self, candidates: &[Candidate]) {
        self.rarity = vec![1.0; self.words.len()];
        if candidates.len() < LEAST_CANDIDATES {
            return;
        }
        let loss = LOSS_WHEN_COMMON / candidates.len() as f64;
        for (place, _) in candidates.iter().flat_map(|candidate| &candidate.all) {
            if let Some(rarity) = self.rarity.get_mut(*place) {
                *rarity -= loss;
            }
        }
    }

    fn row(&self, term: &str) -> Vec<f64> {
        let word = Word::new(term);
        self.words.iter().map(|known| word.likeness(known)).collect()
    }
}

/// How much of a phrasing's weight was asked, a mistyped word counting in part.
fn asked(phrasing: &Weighed, question: &[Term<'_>], lexicon: &Lexicon) -> f64 {
    share(phrasing.iter().map(|(place, weight)| {
        let rarity = lexicon.rarity.get(*place).copied().unwrap_or(1.0);
        let best = question.iter().map(|term| likeness(term, *place)).fold(0.0, f64::max);
        (weight * rarity, best)
    }))
}

/// How much of a question's weight stands in some words of a candidate.
fn understood(question: &[Term<'_>], words: &Weighed) -> f64 {
    share(question.iter().map(|term| {
        let best = words.iter().map(|(place, _)| likeness(term, *place)).fold(0.0, f64::max);
        (term.weight, best)
    }))
}

fn likeness(term: &Term<'_>, place: usize) -> f64 {
    term.row.get(place).copied().unwrap_or(0.0)
}

/// The covered part of a total, from pairs of weight and how much of it is covered.
fn share(pairs: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (mut total, mut covered) = (0.0, 0.0);
    for (weight, part) in pairs {
        total += weight;
        covered += weight * part;
    }
    if total > 0.0 { covered / total } else { 0.0 }
}

/// The first of each word, at most `most`.
fn distinct(terms: &[String], most: usize) -> Vec<&str> {
    let mut distinct: Vec<&str> = Vec::new();
    for term in terms {
        if distinct.len() == most {
            break;
        }
        if !distinct.contains(&term.as_str()) {
            distinct.push(term);
        }
    }
    distinct
}
