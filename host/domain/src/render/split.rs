//! Splits a text within a limit: at the end of a paragraph, a sentence or a word, else between visible characters, and
//! inside one only when it alone is longer than the limit.

use unicode_segmentation::UnicodeSegmentation;

use crate::channel::Length;

/// A border counts only behind this share of what would fit: better a cut sentence than a stump of a message.
const SMALLEST_SHARE: usize = 3;

/// The parts of a text, none blank, none over the limit; no part for a blank text.
pub(super) fn split(text: &str, limit: Length) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let fitting = prefix(rest, limit);
        let end = if fitting == rest.len() { fitting } else { border(rest, fitting) };
        let (part, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        parts.push(part.trim_end().to_owned());
        rest = after.trim_start();
    }
    parts
}

/// Length in bytes of the longest prefix within the limit, at the border of a visible character where there is one.
fn prefix(text: &str, limit: Length) -> usize {
    let mut longest = 0;
    let mut used = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        used += measure(grapheme, limit);
        if used > most(limit) {
            break;
        }
        longest = at + grapheme.len();
    }
    if longest > 0 { longest } else { prefix_of_characters(text, limit) }
}

/// The same inside one overlong visible character: at least one code point, so that there is always progress.
fn prefix_of_characters(text: &str, limit: Length) -> usize {
    let mut longest = text.chars().next().map_or(0, char::len_utf8);
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += match limit {
            Length::Characters(_) => 1,
            Length::Bytes(_) => c.len_utf8(),
        };
        if used > most(limit) {
            break;
        }
        longest = longest.max(at + c.len_utf8());
    }
    longest
}

fn measure(text: &str, limit: Length) -> usize {
    match limit {
        Length::Characters(_) => text.chars().count(),
        Length::Bytes(_) => text.len(),
    }
}

const fn most(limit: Length) -> usize {
    match limit {
        Length::Characters(most) | Length::Bytes(most) => most,
    }
}

/// The best place to end a part whose first `fitting` bytes fit.
fn border(text: &str, fitting: usize) -> usize {
    let window = text.get(..fitting).unwrap_or(text);
    let smallest = fitting / SMALLEST_SHARE;
    let paragraph = window.rfind("\n\n");
    let line = || window.rfind('\n');
    let sentence = || last_border(text, fitting, text.split_sentence_bound_indices().map(|(at, _)| at));
    let word = || match text.get(fitting..).and_then(|after| after.chars().next()) {
        Some(next) if next.is_whitespace() => Some(fitting),
        _ => window.rfind(char::is_whitespace),
    };
    let is_large = |end: &usize| *end > smallest;
    paragraph
        .filter(is_large)
        .or_else(|| line().filter(is_large))
        .or_else(|| sentence().filter(is_large))
        .or_else(|| word().filter(is_large))
        .unwrap_or(fitting)
}

/// The last border that leaves a part within `fitting` bytes, not counting the white space at its end.
fn last_border(text: &str, fitting: usize, borders: impl Iterator<Item = usize>) -> Option<usize> {
    let fits = |end: &usize| text.get(..*end).is_some_and(|part| part.trim_end().len() <= fitting);
    borders.take_while(|end| *end <= fitting.saturating_mul(2)).filter(fits).last()
}
