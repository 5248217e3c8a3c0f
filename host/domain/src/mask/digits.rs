//! Digits as people write them, in any script, in groups.

use std::ops::Range;

/// Where the digits of a script begin: ten in a row (Unicode: decimal numbers).
const ZEROS: [char; 12] = [
    '0', '\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{be6}', '\u{e50}', '\u{1040}',
    '\u{17e0}', '\u{ff10}',
];

/// The digit that a character is, as ASCII.
pub(super) fn digit(c: char) -> Option<char> {
    if c.is_ascii() {
        return c.is_ascii_digit().then_some(c);
    }
    let offset =
        ZEROS.iter().find_map(|zero| u32::from(c).checked_sub(u32::from(*zero)).filter(|offset| *offset < 10))?;
    char::from_digit(offset, 10)
}

/// A letter or digit of a script that parts its words by spaces: next to one of these a number belongs to a word.
pub(super) fn is_word(c: char) -> bool {
    let is_written_together = matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{2e80}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}');
    c.is_alphanumeric() && (!is_written_together || digit(c).is_some())
}

/// A run of digits with separators in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    /// In bytes; begins and ends with a digit, a plus or a parenthesis.
    pub(super) start: usize,
    pub(super) end: usize,
    /// A plus stands in front.
    pub(super) has_plus: bool,
    /// The digits, group by group, as ASCII.
    pub(super) groups: Vec<String>,
    /// Where each group stands, in bytes.
    pub(super) spans: Vec<Range<usize>>,
    /// What stands between the groups.
    pub(super) separators: Vec<String>,
}

/// Most digits of a row that is looked at: a card has 19.
const MAX_ROW_DIGITS: usize = 19;

impl Run {
    pub(super) fn digits(&self) -> String {
        self.groups.concat()
    }

    /// Some neighbouring groups of the run, as a run of their own; `None` for more digits than any number has. Cheap however long
    /// the run is: somebody may write "1 1 1 1 …" for pages.
    pub(super) fn row(&self, row: Range<usize>) -> Option<Self> {
        let groups = self.groups.get(row.clone()).filter(|groups| groups.len() <= MAX_ROW_DIGITS)?;
        let has_plus = self.has_plus && row.start == 0;
        let (first, last) = (self.spans.get(row.start)?, self.spans.get(row.end.checked_sub(1)?)?);
        let is_short = groups.iter().map(String::len).sum::<usize>() <= MAX_ROW_DIGITS;
        is_short.then(|| Self {
            start: if row.start == 0 { self.start } else { first.start },
            end: last.end,
            has_plus,
            groups: groups.to_vec(),
            spans: self.spans.get(row.clone()).unwrap_or_default().to_vec(),
            separators: self.separators.get(row.start..row.end - 1).unwrap_or_default().to_vec(),
        })
    }

    /// The rows that begin at a group, the longest first, with at most so many digits.
    pub(super) fn rows_from(&self, from: usize, most_digits: usize) -> impl Iterator<Item = (Range<usize>, Self)> {
        let mut digits = 0;
        let lengths = self.groups.get(from..).unwrap_or_default().iter().take(MAX_ROW_DIGITS).take_while(|group| {
            digits += group.len();
            digits <= most_digits
        });
        let n_groups = lengths.count();
        (1..=n_groups).rev().filter_map(move |length| Some((from..from + length, self.row(from..from + length)?)))
    }
}

const fn is_separator(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '-' | '－' | '‐' | '‑' | '–' | '.' | '/' | '(' | ')')
}

/// Most separators in a row within one run: ") " and " / ".
const MAX_SEPARATORS: usize = 3;

/// All runs of a text. One that is glued to a letter in front or behind belongs to a word or a code, and is none.
pub(super) fn runs(text: &str) -> Vec<Run> {
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let mut runs = Vec::new();
    let mut at = 0;
    while let Some((_, c)) = chars.get(at) {
        let begins = digit(*c).is_some() || (matches!(c, '+' | '＋' | '(') && begins_number(&chars, at));
        if !begins {
            at += 1;
            continue;
        }
        let (run, next) = read(&chars, at, text.len());
        let mut before = chars.get(..at).unwrap_or_default().iter().rev().map(|(_, c)| *c);
        let is_glued = is_glued(before.next(), before.next()) && !text.get(..run.start).is_some_and(is_chat_link);
        let after = chars.get(next).map(|(_, c)| *c);
        let run = if after.is_some_and(|c| is_word(c) || c == '_') { without_last(run) } else { Some(run) };
        runs.extend(run.filter(|_| !is_glued));
        at = next.max(at + 1);
    }
    runs
}

/// A digit comes within the next few characters.
fn begins_number(chars: &[(usize, char)], at: usize) -> bool {
    let next = chars.iter().skip(at + 1).take(MAX_SEPARATORS).map(|(_, c)| *c);
    let mut next = next.skip_while(|c| matches!(c, '(' | ' ' | '+' | '＋'));
    next.next().is_some_and(|c| digit(c).is_some())
}

/// In front of a digit these make it part of something else: a word, a path, a query, a handle, a number with decimals.
fn is_glued(before: Option<char>, one_more: Option<char>) -> bool {
    before.is_some_and(|c| match c {
        '.' | ',' => one_more.is_some_and(|c| digit(c).is_some()),
        '-' => one_more.is_some_and(is_word),
        c => is_word(c) || matches!(c, '_' | '=' | '@' | '/' | '&' | '%' | '#'),
    })
}

/// WhatsApp's links are numbers.
fn is_chat_link(before: &str) -> bool {
    ["wa.me/", "phone="].iter().any(|front| before.ends_with(front))
}

/// The last group has a letter behind it ("1500р") and is none.
fn without_last(mut run: Run) -> Option<Run> {
    run.groups.pop();
    run.spans.pop();
    run.separators.pop();
    run.end = run.spans.last()?.end;
    Some(run)
}

fn read(chars: &[(usize, char)], from: usize, text_end: usize) -> (Run, usize) {
    let position = |n: usize| chars.get(n).map_or(text_end, |(position, _)| *position);
    let mut run = Run {
        start: position(from),
        end: 0,
        has_plus: false,
        groups: Vec::new(),
        spans: Vec::new(),
        separators: Vec::new(),
    };
    let (mut at, mut last) = (from, from);
    let mut between = String::new();
    while let Some((_, c)) = chars.get(at) {
        if let Some(digit) = digit(*c) {
            match run.groups.last_mut() {
                Some(group) if between.is_empty() => group.push(digit),
                first_or_next => {
                    if first_or_next.is_some() {
                        run.separators.push(std::mem::take(&mut between));
                    }
                    between.clear();
                    run.groups.push(digit.to_string());
                    run.spans.push(position(at)..position(at));
                }
            }
            if let Some(span) = run.spans.last_mut() {
                span.end = position(at + 1);
            }
            last = at + 1;
        } else if is_separator(*c) && between.chars().count() < MAX_SEPARATORS {
            between.push(*c);
        } else if matches!(c, '+' | '＋') && run.groups.is_empty() && !run.has_plus {
            run.has_plus = true;
        } else {
            break;
        }
        at += 1;
    }
    run.end = position(last);
    (run, last)
}
