//! What a question means, given what the host found: an answer, a few to choose from, or nothing. Pure; the host's order
//! is no verdict, since the best of a bad lot is still bad.

use bellhop_sdk::text;

use crate::entry::Entry;
use crate::likeness::Fits;
use crate::segment;

/// From here on an entry is the answer. On the tuning questions 0.56 to 0.64 give no wrong answer; lower finds more,
/// higher leaves room for what the corpus does not hold, this is the middle.
const ANSWER: f64 = 0.60;
/// From here on an entry is worth asking about: on the tuning questions nothing that has no answer comes so far.
const CLARIFY: f64 = 0.5;
/// Two entries closer than this are a tie, unless the better one was asked word for word.
const TIE: f64 = 0.04;
/// A question this close to a phrasing was asked word for word, give or take a typo.
const WORD_FOR_WORD: f64 = 0.97;
/// What an entry in another language than the question's keeps of its fit.
const OTHER_LANGUAGE: f64 = 0.8;
/// What an entry keeps that is not in the language spoken so far, when the question does not tell its own: "bom dia" is
/// no question about an address ("địa chỉ").
const UNKNOWN_LANGUAGE: f64 = 0.9;
/// Most answers to one message.
const MAX_ANSWERS: usize = 3;
/// Most choices of one clarifying question.
const MAX_CHOICES: usize = 3;

/// An entry and how well it fits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Match {
    pub(crate) entry: Entry,
    pub(crate) fit: f64,
}

impl Match {
    /// For staff: which entry, and how well it fits in percent.
    pub(crate) fn reason(&self) -> String {
        format!("entry {} fits at {} %", self.entry.id, (self.fit * 100.0) as u32)
    }
}

/// What a message means.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    /// These entries answer it, in the order of the questions.
    Answered(Vec<Match>),
    /// One of these may be meant, best first.
    Unsure(Vec<Match>),
    /// None of the entries.
    Unknown,
}

impl From<&Ranked<'_>> for Match {
    fn from(ranked: &Ranked<'_>) -> Self {
        Self { entry: ranked.entry.clone(), fit: ranked.fit }
    }
}

impl Verdict {
    /// The language of what was found, for a question that does not tell its own.
    pub(crate) fn language(&self, otherwise: &str) -> String {
        let found = match self {
            Self::Answered(matches) | Self::Unsure(matches) => matches.first(),
            Self::Unknown => None,
        };
        let spoken = found.map(|found| found.entry.spoken()).filter(|spoken| !spoken.is_empty());
        spoken.unwrap_or_else(|| otherwise.to_owned())
    }
}

/// Languages to judge by.
#[derive(Debug, Clone, Default)]
pub(crate) struct Languages {
    /// What the message itself gives away.
    pub(crate) asked_in: Option<String>,
    /// What was spoken so far, or the contact's locale.
    pub(crate) spoken_so_far: String,
}

/// The candidates of one message with all that is needed to judge.
pub(crate) struct Judge<'a> {
    message: &'a str,
    entries: &'a [Entry],
    fits: Fits,
    languages: &'a Languages,
}

/// An entry that is not yet copied, and how well it fits.
#[derive(Clone, Copy)]
struct Ranked<'a> {
    entry: &'a Entry,
    fit: f64,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(message: &'a str, entries: &'a [Entry], languages: &'a Languages) -> Self {
        Self { message, entries, fits: Fits::new(message, entries), languages }
    }

    /// Judges a whole message: its sentences one by one, sentences around "and", and all of it at once.
    pub(crate) fn message(&self) -> Verdict {
        let sentences = segment::sentences(self.message);
        if let [sentence] = sentences.as_slice() {
            return self.sentence(sentence);
        }
        let whole = self.question(self.message);
        let mut answers: Vec<Match> = Vec::new();
        let mut doubts: Vec<Match> = Vec::new();
        for sentence in &sentences {
            match self.sentence(sentence) {
                Verdict::Answered(matches) => matches.into_iter().for_each(|found| add(&mut answers, found)),
                Verdict::Unsure(matches) => matches.into_iter().for_each(|found| add(&mut doubts, found)),
                Verdict::Unknown => {}
            }
        }
        answers.truncate(MAX_ANSWERS);
        match (answers.as_slice(), whole) {
            // The whole tells more than its pieces: "what time" / "do you open" came as two messages.
            ([] | [_], Verdict::Answered(found)) if fit_of(&found) >= fit_of(&answers) => Verdict::Answered(found),
            ([_, ..], _) => Verdict::Answered(answers),
            ([], Verdict::Unsure(found)) => {
                found.into_iter().for_each(|found| add(&mut doubts, found));
                unsure(doubts)
            }
            ([], _) if !doubts.is_empty() => unsure(doubts),
            ([], other) => other,
        }
    }

    /// The best of some entries for a message that names one of them, however shortly.
    pub(crate) fn named(&self, least: f64) -> Option<Match> {
        self.ranked(self.message).first().filter(|best| best.fit >= least).map(Match::from)
    }

    /// One sentence, which may still hold two questions.
    fn sentence(&self, sentence: &str) -> Verdict {
        let one = self.question(sentence);
        for (left, right) in segment::halves(sentence) {
            let (Verdict::Answered(left), Verdict::Answered(right)) = (self.question(&left), self.question(&right))
            else {
                continue;
            };
            let differ = left.first().map(|found| &found.entry.id) != right.first().map(|found| &found.entry.id);
            let asked_at_once = matches!(&one, Verdict::Answered(found) if fit_of(found) >= WORD_FOR_WORD);
            if differ && !asked_at_once {
                return Verdict::Answered(left.into_iter().chain(right).collect());
            }
        }
        one
    }

    /// One question: an answer, a tie, a doubt or nothing.
    fn question(&self, text: &str) -> Verdict {
        let mut ranked = self.in_one_language(self.ranked(text));
        let Some(best) = ranked.first().copied() else { return Verdict::Unknown };
        if best.fit < ANSWER {
            ranked.retain(|found| found.fit >= CLARIFY && !self.is_foreign(found));
            return if ranked.is_empty() { Verdict::Unknown } else { unsure(ranked.iter().map(Match::from).collect()) };
        }
        let is_rival = |found: &&Ranked<'_>| {
            let close = found.fit > best.fit - TIE;
            close && found.entry.answer != best.entry.answer && found.entry.spoken() == best.entry.spoken()
        };
        let rivals: Vec<Match> = ranked.iter().skip(1).filter(is_rival).map(Match::from).collect();
        if rivals.is_empty() || best.fit >= WORD_FOR_WORD {
            return Verdict::Answered(vec![Match::from(&best)]);
        }
        unsure([Match::from(&best)].into_iter().chain(rivals).collect())
    }

    fn ranked(&self, text: &str) -> Vec<Ranked<'a>> {
        let terms = text::terms(text);
        if terms.is_empty() {
            return Vec::new();
        }
        let is_latin = terms.iter().any(|term| term.contains(|letter: char| letter.is_ascii_alphabetic()));
        let fits = self.fits.of(&terms);
        let mut ranked: Vec<Ranked<'a>> = Vec::with_capacity(self.entries.len());
        for (entry, fit) in self.entries.iter().zip(fits) {
            let fit = fit * self.kept(&entry.spoken(), is_latin);
            // By hand, a few dozen at most: each sort of the library would add kilobytes to the component.
            let place = ranked.partition_point(|better| better.fit >= fit);
            ranked.insert(place, Ranked { entry, fit });
        }
        ranked
    }

    /// "Wifi?" is the same in ten languages: where the message does not tell, the language spoken so far decides.
    fn in_one_language(&self, mut ranked: Vec<Ranked<'a>>) -> Vec<Ranked<'a>> {
        let is_spoken = |found: &Ranked<'_>| found.entry.spoken() == self.languages.spoken_so_far;
        if self.languages.asked_in.is_none() && ranked.iter().any(|found| found.fit >= ANSWER && is_spoken(found)) {
            ranked.retain(is_spoken);
        }
        ranked
    }

    /// A doubt about an entry in another language is none: "bom dia" is not nearly "địa chỉ".
    fn is_foreign(&self, found: &Ranked<'_>) -> bool {
        let spoken = found.entry.spoken();
        !spoken.is_empty() && self.languages.asked_in.as_ref().is_some_and(|asked| *asked != spoken)
    }

    /// The share of its fit that an entry keeps for its language. Many languages share the Latin letters and some words.
    fn kept(&self, entry_language: &str, is_latin: bool) -> f64 {
        match &self.languages.asked_in {
            _ if entry_language.is_empty() => 1.0,
            Some(asked) if asked != entry_language => OTHER_LANGUAGE,
            None if is_latin && self.languages.spoken_so_far != entry_language => UNKNOWN_LANGUAGE,
            _ => 1.0,
        }
    }
}

/// Some doubts, best first.
fn unsure(matches: Vec<Match>) -> Verdict {
    let mut best_first: Vec<Match> = Vec::new();
    for found in matches {
        let place = best_first.partition_point(|better| better.fit >= found.fit);
        best_first.insert(place, found);
    }
    best_first.truncate(MAX_CHOICES);
    Verdict::Unsure(best_first)
}

fn add(matches: &mut Vec<Match>, found: Match) {
    match matches.iter_mut().find(|known| known.entry.id == found.entry.id) {
        Some(known) => known.fit = known.fit.max(found.fit),
        None => matches.push(found),
    }
}

fn fit_of(matches: &[Match]) -> f64 {
    matches.first().map_or(0.0, |found| found.fit)
}
