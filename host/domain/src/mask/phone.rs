//! Telephone numbers: runs of digits that a kept library knows as numbers, and that do not look like a date, a price or a code.

mod signs;

use std::cell::Cell;
use std::ops::Range;

use phonenumber::Type;
use phonenumber::metadata::DATABASE;

use super::digits::{Run, runs};
use super::{Found, Kind, Region};
use signs::Words;

/// Fewest and most digits (ITU E.164 allows 15).
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// Digits of a bare run that the region knows and that is taken for a number without any other sign. Shorter ones are codes;
/// longer ones are articles and parcels, unless they begin with a zero.
const BARE_DIGITS: std::ops::RangeInclusive<usize> = 9..=11;

/// Times that the library is asked for one text, some microseconds each. People write a few numbers; of whoever writes more,
/// everything is masked that could be one.
const MAX_QUESTIONS: u32 = 500;

/// The numbers of a text, beside what was found in it before, byte by byte.
pub(super) fn find(text: &str, region: Option<Region>, taken: &[bool]) -> Vec<Found> {
    let finder = Finder { text, region, taken, questions: Cell::new(0) };
    runs(text).iter().flat_map(|run| finder.numbers(run)).collect()
}

struct Finder<'a> {
    text: &'a str,
    region: Option<Region>,
    /// Bytes in which something else was found before.
    taken: &'a [bool],
    questions: Cell<u32>,
}

impl Finder<'_> {
    /// What is surest first: with a plus, then with a leading zero, then what stands for itself.
    fn numbers(&self, run: &Run) -> Vec<Found> {
        let is_taken = |span: &Range<usize>| self.taken.get(span.clone()).is_some_and(|bytes| bytes.contains(&true));
        let mut is_free: Vec<bool> = run.spans.iter().map(|span| !is_taken(span)).collect();
        let mut found = Vec::new();
        let mut take = |row: Range<usize>, number: Found, is_free: &mut Vec<bool>| {
            is_free.iter_mut().skip(row.start).take(row.len()).for_each(|free| *free = false);
            found.push(number);
        };
        if run.has_plus
            && let Some((row, number)) = self.international(run, &is_free)
        {
            take(row, number, &mut is_free);
        }
        for from in signs::openings(run, &is_free) {
            let begins = run.groups.get(from).is_some_and(|group| group.starts_with('0'));
            let are_free =
                |row: &Range<usize>| is_free.get(row.clone()).is_some_and(|free| free.iter().all(|free| *free));
            let mut rows = run
                .rows_from(from, *DIGITS.end())
                .filter(|(row, one)| begins && are_free(row) && signs::is_together(one));
            if let Some((row, number)) = rows.find_map(|(row, run)| Some((row, self.number(&run)?))) {
                take(row, number, &mut is_free);
            }
        }
        for row in signs::stretches(run, &is_free) {
            if let Some(number) = run.row(row.clone()).and_then(|run| self.number(&run)) {
                take(row, number, &mut is_free);
            }
        }
        found
    }

    /// A number with a plus. Something else may follow in the same run: the longest beginning that is a number counts, and if none
    /// is (it was mistyped) the longest that could be.
    fn international(&self, run: &Run, is_free: &[bool]) -> Option<(Range<usize>, Found)> {
        let n_free = is_free.iter().take_while(|free| **free).count();
        let rows: Vec<_> = run.rows_from(0, *DIGITS.end()).filter(|(row, _)| row.end <= n_free).collect();
        let known = rows.iter().find(|(_, row)| self.is_number(&format!("+{}", row.digits())));
        let (row, number) = known.or(rows.first()).filter(|(_, row)| DIGITS.contains(&row.digits().len()))?;
        let normal = format!("+{}", number.digits());
        Some((row.clone(), Found { kind: Kind::Phone, range: number.start..number.end, normal }))
    }

    fn number(&self, run: &Run) -> Option<Found> {
        let digits = run.digits();
        if !DIGITS.contains(&digits.len()) || signs::is_something_else(self.text, run) {
            return None;
        }
        let found = |normal| Some(Found { kind: Kind::Phone, range: run.start..extended(self.text, run.end), normal });
        if let Some(rest) = digits.strip_prefix("00").filter(|rest| self.is_number(&format!("+{rest}"))) {
            return found(format!("+{rest}"));
        }
        let words = signs::before(self.text, run);
        if words == Words::Other || (words == Words::None && signs::is_in_address(self.text, run)) {
            return None;
        }
        let is_announced = words == Words::Number;
        let is_alone = self.text.trim().len() == run.end - run.start;
        if let Some(normal) = self.national(&digits).filter(|_| is_announced || is_alone || looks_dialled(run, &digits))
        {
            return found(normal);
        }
        let is_international = (is_announced || is_alone) && self.is_number(&format!("+{digits}"));
        if is_announced || is_international {
            return found(if is_international { format!("+{digits}") } else { digits });
        }
        None
    }

    /// The number with its country code, if there are such numbers in the region.
    fn national(&self, digits: &str) -> Option<String> {
        let region = self.region?;
        if !self.may_ask() {
            return Some(digits.to_owned());
        }
        let number = phonenumber::parse(Some(region.0), digits).ok()?;
        let is_known = number.is_valid() && !matches!(number.number_type(&DATABASE), Type::Unknown);
        let code = number.country().code();
        if is_known {
            return Some(format!("+{code}{}", number.national()));
        }
        // In some countries the zero belongs to the number.
        Some(format!("+{code}{digits}")).filter(|whole| self.is_number(whole))
    }

    fn is_number(&self, text: &str) -> bool {
        let is_one = || phonenumber::parse(None, text).is_ok_and(|number| number.is_valid());
        !self.may_ask() || is_one()
    }

    fn may_ask(&self) -> bool {
        self.questions.set(self.questions.get() + 1);
        self.questions.get() <= MAX_QUESTIONS
    }
}

/// The end with an extension: "ext. 204", "x204", "DW 12".
fn extended(text: &str, end: usize) -> usize {
    const SIGNS: [&str; 6] = ["ext.", "ext", "x", "dw", "доб.", "доб"];
    let rest = text.get(end..).unwrap_or_default();
    let trimmed = rest.trim_start_matches([' ', ',']);
    let is_sign = |sign: &&&str| trimmed.get(..sign.len()).is_some_and(|front| front.to_lowercase() == **sign);
    let Some(sign) = SIGNS.iter().find(is_sign) else { return end };
    let number = trimmed.get(sign.len()..).unwrap_or_default().trim_start_matches(' ');
    let digits = number.len() - number.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if (1..=5).contains(&digits) { end + (rest.len() - number.len()) + digits } else { end }
}

/// Written as one writes a number to dial: with a leading zero or in groups; long enough, it may stand bare.
fn looks_dialled(run: &Run, digits: &str) -> bool {
    let is_year_and_more = run.groups.len() == 2 && run.groups.first().is_some_and(|group| signs::is_year(group));
    digits.starts_with('0') || (run.groups.len() > 1 && !is_year_and_more) || BARE_DIGITS.contains(&digits.len())
}
