//! Words of a text in any script, made comparable: without case, accents or other marks that people leave out when they
//! type in a hurry. No dictionary and no tables of Unicode: what is folded is listed here.

use std::cmp::Ordering;

mod fold;

pub use fold::fold;

/// Shortest word whose likeness to another is worth anything: below it one letter makes another word.
const SHORTEST_MISTYPED: usize = 4;
/// Words that share less than this are different words: two typos in eight letters stay above it, "delivery" and
/// "discovery" below.
const LEAST_ALIKE: f64 = 0.54;

/// The folded words of a text, in order. Scripts without word breaks give pairs of neighbouring letters.
pub fn terms(text: &str) -> Vec<String> {
    let folded = fold(text);
    let mut terms = Vec::new();
    let mut run = String::new();
    for letter in folded.chars().chain([' ']) {
        if letter.is_alphanumeric() || (is_mark(letter) && !run.is_empty()) {
            let changes_kind = run.chars().next_back().is_some_and(|last| is_unbroken(last) != is_unbroken(letter));
            if changes_kind {
                finish(&mut run, &mut terms);
            }
            run.push(letter);
        } else {
            finish(&mut run, &mut terms);
        }
    }
    terms
}

/// A folded word that is ready to be compared with many others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    text: String,
    /// Neighbouring letters, both ends marked: the beginning of a word tells more than its middle. Sorted.
    pairs: Vec<(char, char)>,
    /// One bit per pair, several pairs on one bit: words that share few bits share few pairs.
    sketch: u64,
    n_letters: usize,
}

impl Word {
    /// Takes one of [`terms`].
    pub fn new(term: &str) -> Self {
        let letters: Vec<char> = term.chars().collect();
        let pairs = pairs(&letters);
        let sketch = pairs.iter().fold(0, |bits, pair| bits | 1 << bit(*pair));
        Self { text: term.to_owned(), pairs, sketch, n_letters: letters.len() }
    }

    /// The folded word.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How alike two words are: 1.0 for the same, by shared letter pairs for longer ones, 0.0 for what shares less than
    /// half of them and for short ones that differ, where one letter makes another word.
    pub fn likeness(&self, other: &Self) -> f64 {
        if self.text == other.text {
            return 1.0;
        }
        let n_pairs = self.pairs.len() + other.pairs.len();
        let n_bits = (self.sketch & other.sketch).count_ones() as usize;
        // A pair that stands twice in both words has one bit, hence the one more.
        if self.n_letters.min(other.n_letters) < SHORTEST_MISTYPED || (n_bits + 1) * 4 < n_pairs {
            return 0.0;
        }
        let alike = 2.0 * shared(&self.pairs, &other.pairs) as f64 / n_pairs as f64;
        if alike < LEAST_ALIKE { 0.0 } else { alike }
    }
}

/// True for letters of scripts that write words without spaces between them: Thai, Lao, Khmer, Myanmar, Chinese,
/// Japanese.
pub fn is_unbroken(letter: char) -> bool {
    matches!(u32::from(letter),
        0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x3005..=0x3007 | 0x3041..=0x30FF | 0x3400..=0x4DBF
        | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF)
}

/// Vowel signs and tone marks inside words of Thai, Indic and other scripts: no letters by themselves, but part of one.
fn is_mark(letter: char) -> bool {
    matches!(u32::from(letter), 0x0900..=0x0DFF | 0x0E31..=0x0E4E | 0x0EB1..=0x0ECD | 0x102B..=0x103E | 0x17B6..=0x17D3 | 0x30FC)
}

fn finish(run: &mut String, terms: &mut Vec<String>) {
    let letters: Vec<char> = run.chars().collect();
    match letters.first() {
        Some(first) if is_unbroken(*first) && letters.len() > 1 => {
            terms.extend(letters.windows(2).map(|pair| pair.iter().collect::<String>()));
        }
        Some(_) => terms.push(run.clone()),
        None => {}
    }
    run.clear();
}

fn pairs(word: &[char]) -> Vec<(char, char)> {
    let from = std::iter::once(' ').chain(word.iter().copied());
    let to = word.iter().copied().chain([' ']);
    let mut pairs: Vec<(char, char)> = from.zip(to).collect();
    pairs.sort_unstable();
    pairs
}

fn bit((first, second): (char, char)) -> u32 {
    u32::from(first).wrapping_mul(31).wrapping_add(u32::from(second)) % 64
}

/// How many pairs two sorted lists share.
fn shared(left: &[(char, char)], right: &[(char, char)]) -> usize {
    let (mut left_rest, mut right_rest, mut n_shared) = (left.iter().peekable(), right.iter().peekable(), 0);
    while let (Some(first), Some(second)) = (left_rest.peek(), right_rest.peek()) {
        match first.cmp(second) {
            Ordering::Less => drop(left_rest.next()),
            Ordering::Greater => drop(right_rest.next()),
            Ordering::Equal => {
                n_shared += 1;
                left_rest.next();
                right_rest.next();
            }
        }
    }
    n_shared
}

#[cfg(test)]
mod tests;
