//! Ranks phrasings by how much of a question they cover; BM25 decides between equals.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::{Postings, TermInfo};
use tantivy::query::{Bm25Weight, DfaWrapper, FuzzyTermQuery};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocSet, InvertedIndexReader, TERMINATED, Term};

use super::Found;
use super::language::Language;
use super::question::{self, Part, Parts};
use super::weight;

/// What a phrasing loses at most for what it says beyond the question.
const SURPLUS: f32 = 0.15;

/// What a record of another language than the preferred one loses.
const OTHER_LANGUAGE: f32 = 0.95;

/// What a word counts that is one edit, or two, away.
const ONE_EDIT: f32 = 0.85;
const TWO_EDITS: f32 = 0.65;

/// Shortest word in characters that may have one typo, or two.
const LENGTH_FOR_ONE_EDIT: usize = 4;
const LENGTH_FOR_TWO_EDITS: usize = 8;

/// Most words of one question whose typos are looked for: each costs up to 0.1 ms.
const MAX_MISSPELT: usize = 12;

/// A language whose known words weigh less than this share of the best language's is not searched for typos.
const WORTH_MENDING: f32 = 0.4;

/// The phrasings of one language.
pub(super) struct LanguageIndex {
    pub(super) language: Language,
    pub(super) terms: Arc<InvertedIndexReader>,
    pub(super) norms: FieldNormReader,
    pub(super) bm25: Bm25Weight,
    /// Number of the first phrasing's document; the others follow.
    pub(super) first_document: u32,
    pub(super) phrasings: Vec<Phrasing>,
}

/// One phrasing of a record.
pub(super) struct Phrasing {
    pub(super) record: u32,
    /// Sum of its units' weights.
    pub(super) weight: f32,
    pub(super) fingerprint: u64,
}

/// A question read in one language, with the terms found for each part.
struct Reading<'a> {
    index: &'a LanguageIndex,
    asked: Parts,
    terms: Vec<Vec<Candidate>>,
    /// Weight of the parts that are known.
    known: f32,
}

/// A term of the dictionary that a part may mean.
struct Candidate {
    info: TermInfo,
    similarity: f32,
}

/// What a phrasing has gathered.
#[derive(Clone, Default)]
struct Tally {
    gain: f32,
    bm25: f32,
    /// The last part that was counted, from 1, and what it gave.
    last_part: usize,
    last_gain: f32,
}

/// The best records for a normalised question.
pub(super) fn rank(
    languages: &[LanguageIndex],
    normalised: &str,
    preferred: Option<&str>,
    limit: usize,
) -> io::Result<Vec<Found>> {
    let mut readings =
        languages.iter().map(|index| Reading::exact(index, normalised)).collect::<io::Result<Vec<_>>>()?;
    let best_known = readings.iter().map(|reading| reading.known).fold(0.0, f32::max);
    let mut typos = Typos { automata: HashMap::new(), left: MAX_MISSPELT };
    for reading in &mut readings {
        if reading.known >= best_known * WORTH_MENDING {
            reading.mend(&mut typos)?;
        }
    }
    let has_preferred = languages.iter().any(|index| Some(index.language.code()) == preferred);
    let mut best: HashMap<u32, (f32, f32)> = HashMap::new();
    for reading in &readings {
        let is_other = has_preferred && Some(reading.index.language.code()) != preferred;
        let factor = if is_other { OTHER_LANGUAGE } else { 1.0 };
        for (record, score, bm25) in reading.tally()? {
            let scored = (score * factor, bm25);
            best.entry(record).and_modify(|held| *held = if scored > *held { scored } else { *held }).or_insert(scored);
        }
    }
    Ok(sorted(best, limit))
}

fn sorted(best: HashMap<u32, (f32, f32)>, limit: usize) -> Vec<Found> {
    let mut list: Vec<(u32, (f32, f32))> = best.into_iter().collect();
    let order = |one: &(u32, (f32, f32)), other: &(u32, (f32, f32))| {
        let ((score, bm25), (other_score, other_bm25)) = (one.1, other.1);
        other_score.total_cmp(&score).then(other_bm25.total_cmp(&bm25)).then(one.0.cmp(&other.0))
    };
    list.sort_unstable_by(order);
    list.truncate(limit);
    list.into_iter().map(|(record, (score, _))| Found { record: record as usize, score: f64::from(score) }).collect()
}

impl<'a> Reading<'a> {
    fn exact(index: &'a LanguageIndex, normalised: &str) -> io::Result<Self> {
        let asked = question::read(&index.language, normalised);
        let mut terms = Vec::with_capacity(asked.parts.len());
        let mut known = 0.0;
        for part in &asked.parts {
            let mut found = Vec::new();
            for form in &part.forms {
                if let Some(info) = index.terms.terms().get(form.as_bytes())? {
                    found.push(Candidate { info, similarity: 1.0 });
                }
            }
            if !found.is_empty() {
                known += index.weight(part, &found);
            }
            terms.push(found);
        }
        Ok(Self { index, asked, terms, known })
    }

    /// Looks for the words that a misspelt part may mean.
    fn mend(&mut self, typos: &mut Typos) -> io::Result<()> {
        for (part, found) in self.asked.parts.iter().zip(&mut self.terms) {
            if found.is_empty() && part.may_be_misspelt {
                *found = typos.candidates(self.index, part)?;
            }
        }
        Ok(())
    }

    /// Record, score and BM25 of each phrasing that shares a term with the question.
    fn tally(&self) -> io::Result<Vec<(u32, f32, f32)>> {
        let mut tallies = vec![Tally::default(); self.index.phrasings.len()];
        let mut asked_weight = 0.0;
        for (number, (part, found)) in (1..).zip(self.asked.parts.iter().zip(&self.terms)) {
            let weight = self.index.weight(part, found);
            asked_weight += weight;
            for candidate in found {
                self.count(number, weight, candidate, &mut tallies)?;
            }
        }
        let asked_weight = asked_weight.max(weight::SMALLEST_QUESTION);
        let touched = self.index.phrasings.iter().zip(&tallies).filter(|(_, tally)| tally.last_part > 0);
        Ok(touched
            .map(|(phrasing, tally)| (phrasing.record, self.score(phrasing, tally, asked_weight), tally.bm25))
            .collect())
    }

    fn count(&self, number: usize, weight: f32, candidate: &Candidate, tallies: &mut [Tally]) -> io::Result<()> {
        let gain = weight * candidate.similarity;
        let informativeness = weight::informativeness(candidate.info.doc_freq, self.index.n_phrasings());
        let bm25 = self.index.bm25.boost_by(informativeness * candidate.similarity / std::f32::consts::LN_2);
        let terms = &self.index.terms;
        let mut postings = terms.read_postings_from_terminfo(&candidate.info, IndexRecordOption::WithFreqs)?;
        while postings.doc() != TERMINATED {
            let document = postings.doc();
            let place = document.checked_sub(self.index.first_document).and_then(|place| usize::try_from(place).ok());
            if let Some(tally) = place.and_then(|place| tallies.get_mut(place)) {
                if tally.last_part != number {
                    tally.last_part = number;
                    tally.last_gain = 0.0;
                    tally.bm25 += bm25.score(self.index.norms.fieldnorm_id(document), postings.term_freq());
                }
                if gain > tally.last_gain {
                    tally.gain += gain - tally.last_gain;
                    tally.last_gain = gain;
                }
            }
            postings.advance();
        }
        Ok(())
    }

    fn score(&self, phrasing: &Phrasing, tally: &Tally, asked_weight: f32) -> f32 {
        if phrasing.fingerprint == self.asked.fingerprint {
            return 1.0;
        }
        let covered = (tally.gain / asked_weight).min(1.0);
        let answered = if phrasing.weight > 0.0 { (tally.gain / phrasing.weight).min(1.0) } else { 1.0 };
        covered * (1.0 - SURPLUS * (1.0 - answered))
    }
}

impl LanguageIndex {
    fn weight(&self, part: &Part, found: &[Candidate]) -> f32 {
        match found.iter().map(|candidate| candidate.info.doc_freq).max() {
            Some(with) => weight::known(&part.folded, part.is_function_word, with, self.n_phrasings()),
            None => weight::unknown(&part.folded, part.is_function_word),
        }
    }

    fn n_phrasings(&self) -> u32 {
        u32::try_from(self.phrasings.len()).unwrap_or(u32::MAX)
    }
}

/// Automata for misspelt words, made once per question and shared by the languages.
struct Typos {
    automata: HashMap<(String, u8), DfaWrapper>,
    left: usize,
}

impl Typos {
    fn candidates(&mut self, index: &LanguageIndex, part: &Part) -> io::Result<Vec<Candidate>> {
        let mut found = Vec::new();
        for form in &part.forms {
            let length = part.folded.chars().count();
            let n_form = form.chars().count();
            // Two edits in a stem of four characters make any word of any other.
            let edits = match length {
                LENGTH_FOR_TWO_EDITS.. if n_form >= LENGTH_FOR_TWO_EDITS - 2 => 2,
                LENGTH_FOR_ONE_EDIT.. if n_form >= LENGTH_FOR_ONE_EDIT - 1 => 1,
                _ => continue,
            };
            // Nearest first: a word one edit away is meant before one that is two away.
            for distance in 1..=edits {
                let similarity = if distance == 1 { ONE_EDIT } else { TWO_EDITS };
                let Some(automaton) = self.automaton(form, distance)? else { return Ok(found) };
                let mut stream = index.terms.terms().search(automaton).into_stream()?;
                while stream.advance() {
                    let same_start = stream.key().first() == form.as_bytes().first();
                    if same_start || length >= LENGTH_FOR_TWO_EDITS {
                        found.push(Candidate { info: stream.value().clone(), similarity });
                    }
                }
                if !found.is_empty() {
                    break;
                }
            }
        }
        Ok(found)
    }

    fn automaton(&mut self, form: &str, distance: u8) -> io::Result<Option<&DfaWrapper>> {
        let key = (form.to_owned(), distance);
        if !self.automata.contains_key(&key) {
            let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
            self.left = left;
            let term = Term::from_field_text(Field::from_field_id(0), form);
            let automaton = FuzzyTermQuery::new(term, distance, true).automaton().map_err(io::Error::other)?;
            self.automata.insert(key.clone(), automaton);
        }
        Ok(self.automata.get(&key))
    }
}
