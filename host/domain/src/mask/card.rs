//! Numbers of payment cards: known beginnings and lengths, and the check digit (Luhn).

use super::digits::{Run, runs};
use super::{Found, Kind};

/// Most digits of a card's number.
const MAX_DIGITS: usize = 19;

/// First digits from and to, padded to four, with the lengths of such numbers (ISO/IEC 7812 issuers).
const ISSUERS: [(u16, u16, &[usize]); 13] = [
    (2200, 2204, &[16, 17, 18, 19]),
    (2221, 2720, &[16]),
    (3000, 3059, &[14]),
    (3400, 3499, &[15]),
    (3528, 3589, &[16]),
    (3600, 3699, &[14]),
    (3700, 3799, &[15]),
    (3800, 3999, &[14]),
    (4000, 4999, &[13, 16, 19]),
    (5000, 5099, &[13, 16, 19]),
    (5100, 5599, &[16]),
    (5600, 6999, &[13, 14, 15, 16, 17, 18, 19]),
    (9792, 9792, &[16]),
];

pub(super) fn find(text: &str) -> Vec<Found> {
    runs(text).iter().flat_map(cards).collect()
}

/// Rows of groups that are cards' numbers: a date or a security code often follows, a telephone number may stand before.
fn cards(run: &Run) -> Vec<Found> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < run.groups.len() {
        let card = run.rows_from(at, MAX_DIGITS).find_map(|(row, run)| Some((row.end, card(&run)?)));
        let (next, card) = card.map_or((at + 1, None), |(next, card)| (next, Some(card)));
        found.extend(card);
        at = next;
    }
    found
}

fn card(run: &Run) -> Option<Found> {
    let digits = run.digits();
    let is_card = run.separators.iter().all(|separator| is_even(separator)) && is_issued(&digits) && checks(&digits);
    let range = run.spans.first()?.start..run.end;
    is_card.then_some(Found { kind: Kind::Card, range, normal: digits })
}

fn is_even(separator: &str) -> bool {
    matches!(separator, " " | "-" | "\u{a0}" | ".")
}

fn is_issued(digits: &str) -> bool {
    let first: Option<u16> = digits.get(..4).and_then(|first| first.parse().ok());
    let is_one = |(from, to, lengths): &(u16, u16, &[usize])| {
        first.is_some_and(|first| (*from..=*to).contains(&first)) && lengths.contains(&digits.len())
    };
    ISSUERS.iter().any(is_one)
}

/// Luhn: every second digit from the right counts twice, and the sum ends with 0.
fn checks(digits: &str) -> bool {
    let values = digits.chars().rev().filter_map(|c| c.to_digit(10)).enumerate();
    let weighed = values.map(|(n, value)| match (n % 2, value * 2) {
        (0, _) => value,
        (_, double) if double > 9 => double - 9,
        (_, double) => double,
    });
    weighed.sum::<u32>() % 10 == 0
}

/// All that is ever shown of a card.
pub(super) fn last_four(digits: &str) -> String {
    format!("•••• {}", digits.get(digits.len().saturating_sub(4)..).unwrap_or_default())
}
