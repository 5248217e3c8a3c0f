//! Words of a text in any script, made comparable: without case, accents or other marks that people leave out when they
//! type in a hurry. No dictionary and no tables of Unicode: what is folded is listed here.

mod fold;

pub use fold::fold;

/// Shortest word whose likeness to another is worth anything: below it one letter makes another word.
const SHORTEST_MISTYPED: usize = 4;

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

/// How alike two folded words are, 0.0 to 1.0: 1.0 for the same, by shared letter pairs for longer ones, 0.0 for short
/// ones that differ.
pub fn likeness(left: &str, right: &str) -> f64 {
    if left == right {
        return 1.0;
    }
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    if left.len().min(right.len()) < SHORTEST_MISTYPED {
        return 0.0;
    }
    dice(&pairs(&left), &pairs(&right))
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

/// Neighbouring letters, with the word's two ends marked: the beginning of a word tells more than its middle.
fn pairs(word: &[char]) -> Vec<(char, char)> {
    let from = std::iter::once(' ').chain(word.iter().copied());
    let to = word.iter().copied().chain([' ']);
    let mut pairs: Vec<(char, char)> = from.zip(to).collect();
    pairs.sort_unstable();
    pairs
}

/// Twice the number of shared pairs over the number of all pairs; both lists are sorted.
fn dice(left: &[(char, char)], right: &[(char, char)]) -> f64 {
    let (mut left_rest, mut right_rest, mut n_shared) = (left.iter().peekable(), right.iter().peekable(), 0_u32);
    while let (Some(a), Some(b)) = (left_rest.peek(), right_rest.peek()) {
        match a.cmp(b) {
            std::cmp::Ordering::Less => drop(left_rest.next()),
            std::cmp::Ordering::Greater => drop(right_rest.next()),
            std::cmp::Ordering::Equal => {
                n_shared += 1;
                left_rest.next();
                right_rest.next();
            }
        }
    }
    2.0 * f64::from(n_shared) / (left.len() + right.len()) as f64
}

#[cfg(test)]
mod tests;
