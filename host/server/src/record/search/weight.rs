//! How much a unit of a question counts. The numbers were set on the FAQ plugin's scored questions.

/// What a content word counts at least, however common it is: in a collection of ten records every word is common.
const CONTENT_FLOOR: f32 = 0.35;

/// A function word says little, but tells "where are you" from "where is it".
const FUNCTION: f32 = 0.1;

/// A word that no record has. Less than a rare known one: chat is full of names and adjectives that nobody writes into a
/// FAQ, yet a question that is all such words is about something else.
const UNKNOWN: f32 = 0.7;

/// "u", "r", "k": short unknown words are mostly noise.
const UNKNOWN_SHORT: f32 = 0.2;

/// Pairs of kana are mostly grammar; ideographs carry the meaning.
const KANA_PAIR: f32 = 0.3;

/// A question is taken to weigh at least this, so that one of function words alone never looks well covered.
pub(super) const SMALLEST_QUESTION: f32 = 0.5;

/// How informative a term is that stands in `n_with` of `n_phrasings` phrasings: BM25's inverse document frequency.
pub(super) fn informativeness(n_with: u32, n_phrasings: u32) -> f32 {
    let (with, all) = (count(n_with), count(n_phrasings));
    (1.0 + (all - with).max(0.0) / (with + 0.5) + 0.5 / (with + 0.5)).ln()
}

/// The weight, 0.0 to 1.0, of a known unit.
pub(super) fn known(folded: &str, is_function_word: bool, n_with: u32, n_phrasings: u32) -> f32 {
    let share = informativeness(n_with, n_phrasings) / informativeness(0, n_phrasings);
    let weight = CONTENT_FLOOR + (1.0 - CONTENT_FLOOR) * share.clamp(0.0, 1.0);
    weight * nature(folded, is_function_word)
}

/// The weight of a unit that no record has.
pub(super) fn unknown(folded: &str, is_function_word: bool) -> f32 {
    let is_short = folded.chars().nth(2).is_none() && folded.chars().all(char::is_alphabetic) && !is_pair(folded);
    let weight = if is_short { UNKNOWN_SHORT } else { UNKNOWN };
    weight * nature(folded, is_function_word)
}

fn nature(folded: &str, is_function_word: bool) -> f32 {
    if is_function_word {
        FUNCTION
    } else if folded.chars().all(|character| matches!(character, '\u{3040}'..='\u{309f}')) {
        KANA_PAIR
    } else {
        1.0
    }
}

fn is_pair(folded: &str) -> bool {
    folded.chars().any(super::words::is_unspaced)
}

#[expect(clippy::cast_precision_loss, reason = "counts of phrasings are far below 2^24")]
fn count(n: u32) -> f32 {
    n as f32
}
