//! What tells a number from dates, prices and codes: how it is grouped, and the words around it.

use std::ops::Range;

use crate::mask::digits::{Run, is_word};

/// How far behind a number a sign of money is looked for, in characters.
const LOOK_AHEAD: usize = 8;

/// How far in front of a number words are looked at, in characters.
const LOOK_BACK: usize = 24;

/// Beginnings of words that announce a number, lower case.
const ANNOUNCE: [&str; 40] = [
    "tel",
    "phone",
    "telephone",
    "mobile",
    "cell",
    "call",
    "whatsapp",
    "viber",
    "sms",
    "number is",
    "nummer",
    "handy",
    "anrufen",
    "tél",
    "appelez",
    "portable",
    "móvil",
    "celular",
    "llamar",
    "cellulare",
    "ligue",
    "номер",
    "телефон",
    "позвоните",
    "sđt",
    "điện thoại",
    "gọi",
    "هاتف",
    "جوال",
    "هات",
    "电话",
    "手机",
    "電話",
    "携帯",
    "전화",
    "โทร",
    "wa.me/",
    "phone=",
    "واتساب",
    "rückfragen",
];

/// Beginnings of words that announce something else, lower case.
const OTHER: [&str; 32] = [
    "order",
    "booking",
    "invoice",
    "reference",
    "ref",
    "tracking",
    "article",
    "item",
    "code",
    "bestell",
    "rechnung",
    "kunden",
    "artikel",
    "art.-nr",
    "artnr",
    "art.nr",
    "ean",
    "gtin",
    "isbn",
    "sku",
    "pedido",
    "factura",
    "commande",
    "facture",
    "ordine",
    "заказ",
    "đơn",
    "mã",
    "طلب",
    "订单",
    "注文",
    "#",
];

/// Signs and words of money, before or behind.
const MONEY: [&str; 24] = [
    "€", "$", "£", "¥", "₫", "đ", "₽", "₹", "₺", "﷼", "֏", "eur", "usd", "vnd", "chf", "rub", "kč", "zł", "euro",
    "dollar", "pesos", "dong", "đồng", "руб",
];

/// Digits of a number of people or pieces in front of a telephone number.
const SMALL_NUMBER_DIGITS: usize = 2;

/// What the words in front of a number announce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    /// Nothing.
    None,
    /// A telephone number.
    Number,
    /// Something else.
    Other,
}

/// What the nearest word in front announces.
pub(super) fn before(text: &str, run: &Run) -> Words {
    let before = in_front(text, run);
    let (announced, other) = (last_of(&ANNOUNCE, &before), last_of(&OTHER, &before));
    match announced.cmp(&other) {
        std::cmp::Ordering::Greater => Words::Number,
        std::cmp::Ordering::Less => Words::Other,
        std::cmp::Ordering::Equal => Words::None,
    }
}

/// Where the last of these words ends, and how long it is: the nearer one counts, and of two at one place the longer.
fn last_of(words: &[&str], before: &str) -> Option<(usize, usize)> {
    let begins = |at: usize| !before.get(..at).and_then(|front| front.chars().next_back()).is_some_and(is_word);
    let last = |word: &str| {
        let mut places = before.rmatch_indices(word).map(|(at, _)| at);
        places.find(|at| begins(*at) || !word.starts_with(is_word))
    };
    words.iter().filter_map(|word| Some((last(word)? + word.len(), word.len()))).max()
}

/// What stands right in front, in lower case, up to the last number or the start of the sentence.
fn in_front(text: &str, run: &Run) -> String {
    let front = text.get(..run.start).unwrap_or_default();
    let near: Vec<char> =
        front.chars().rev().take(LOOK_BACK).take_while(|c| !matches!(c, '\n' | '!' | '?' | ';')).collect();
    near.into_iter().rev().collect::<String>().to_lowercase()
}

/// A date, hours, or money.
pub(super) fn is_something_else(text: &str, run: &Run) -> bool {
    is_date(run) || is_hours(run) || is_money(text, run)
}

/// A date of three groups begins at this group of a run.
pub(super) fn is_date_at(run: &Run, at: usize) -> bool {
    run.row(at..at + 3).is_some_and(|row| is_date(&row) && row.separators.iter().all(|separator| separator != " "))
}

/// The groups with which a number may begin inside a run: the first one, one after a date or a wide gap, one after what was found
/// before, or after a small number ("for 2, 0660 …"). Behind anything longer it is a part of that.
pub(super) fn openings(run: &Run, is_free: &[bool]) -> Vec<usize> {
    let (mut openings, mut digits_before) = (Vec::new(), 0);
    let mut date_ends = None;
    for (at, group) in run.groups.iter().enumerate() {
        let is_apart = at > 0 && run.separators.get(at - 1).is_some_and(|separator| is_wide(separator));
        if is_apart || date_ends == Some(at) || !is_free.get(at).is_some_and(|free| *free) {
            digits_before = 0;
        }
        if date_ends.is_none_or(|end| end <= at) && is_date_at(run, at) {
            date_ends = Some(at + 3);
        } else if digits_before <= SMALL_NUMBER_DIGITS {
            openings.push(at);
        }
        digits_before += group.len();
    }
    openings
}

/// What may be a number by itself of the groups that are free: a date is left out, and what stands further apart than a number's
/// groups is apart.
pub(super) fn stretches(run: &Run, is_free: &[bool]) -> Vec<Range<usize>> {
    let (mut stretches, mut begins, mut at) = (Vec::new(), 0, 0);
    while at < run.groups.len() {
        let is_date = at + 3 <= run.groups.len() && run.groups.len() > 3 && is_date_at(run, at);
        let is_apart = at > begins && run.separators.get(at - 1).is_some_and(|separator| is_wide(separator));
        let is_out = is_date || !is_free.get(at).is_some_and(|free| *free);
        if (is_out || is_apart) && at > begins {
            stretches.push(begins..at);
        }
        if is_out || is_apart {
            begins = at;
        }
        if is_out {
            at += if is_date { 3 } else { 1 };
            begins = at;
        } else {
            at += 1;
        }
    }
    if begins < run.groups.len() {
        stretches.push(begins..run.groups.len());
    }
    stretches
}

/// Nothing in it stands far from the rest, unless it is the area code: "0316 / 81 23 45".
pub(super) fn is_together(run: &Run) -> bool {
    run.separators.iter().skip(1).all(|separator| !is_wide(separator))
}

/// " / ", " - ", ". ": between two things. Parentheses belong to one.
fn is_wide(separator: &str) -> bool {
    separator.chars().count() > 1 && !separator.contains(['(', ')'])
}

pub(super) fn is_year(group: &str) -> bool {
    group.len() == 4 && group.parse::<u32>().is_ok_and(|year| (1900..=2100).contains(&year))
}

/// "18.30-20.30".
fn is_hours(run: &Run) -> bool {
    let is_below = |n: usize, most: u32| {
        run.groups.get(n).is_some_and(|group| group.len() <= 2 && group.parse::<u32>().is_ok_and(|n| n < most))
    };
    let is_apart = matches!(run.separators.as_slice(), [a, b, c] if a == c && a != b);
    is_apart && is_below(0, 24) && is_below(1, 60) && is_below(2, 24) && is_below(3, 60)
}

/// Day, month and year in any order; more digits may follow, such as a time.
fn is_date(run: &Run) -> bool {
    let number = |n: usize| run.groups.get(n).and_then(|group| group.parse::<u32>().ok());
    let length = |n: usize| run.groups.get(n).map_or(0, String::len);
    let (Some(a), Some(b), Some(c)) = (number(0), number(1), number(2)) else {
        return is_compact_date(run);
    };
    let is_day_month = |x: u32, y: u32| (1..=31).contains(&x) && (1..=31).contains(&y) && (x <= 12 || y <= 12);
    let is_year = |year: u32, digits: usize| digits == 2 || (digits == 4 && (1900..=2100).contains(&year));
    // "06 12 34 56 78": pairs in even steps are dialled.
    let is_in_pairs = run.groups.len() >= 4 && run.separators.windows(2).all(|pair| matches!(pair, [a, b] if a == b));
    if is_in_pairs && run.groups.iter().all(|group| group.len() == 2) {
        return false;
    }
    let lengths = (length(0), length(1), length(2));
    matches!(lengths, (1..=2, 1..=2, _)) && is_day_month(a, b) && is_year(c, lengths.2) && run.groups.len() <= 5
        || matches!(lengths, (4, 1..=2, 1..=2)) && is_day_month(b, c) && is_year(a, 4)
}

/// "20261125", "2024-2025".
fn is_compact_date(run: &Run) -> bool {
    let digits = run.digits();
    let part = |range: Range<usize>| digits.get(range).and_then(|part| part.parse::<u32>().ok()).unwrap_or(0);
    let has_year = |range: Range<usize>| digits.get(range).is_some_and(is_year);
    let is_day = has_year(0..4) && (1..=12).contains(&part(4..6)) && (1..=31).contains(&part(6..8));
    match run.groups.as_slice() {
        [_] => digits.len() == 8 && is_day,
        [from, to] => is_year(from) && is_year(to),
        _ => false,
    }
}

/// Grouped by thousands with points, or with money beside it.
fn is_money(text: &str, run: &Run) -> bool {
    let has_thousands = run.separators.iter().all(|separator| separator == ".")
        && run.groups.len() > 1
        && run.groups.first().is_some_and(|group| group.len() <= 3 && !group.starts_with('0'))
        && run.groups.iter().skip(1).all(|group| group.len() == 3);
    let after = text
        .get(run.end..)
        .unwrap_or_default()
        .chars()
        .skip_while(|c| c.is_whitespace())
        .take(LOOK_AHEAD)
        .collect::<String>()
        .to_lowercase();
    let before = in_front(text, run);
    let before = before.trim_end();
    has_thousands || MONEY.iter().any(|money| after.starts_with(money) || before.ends_with(money))
}

/// Part of a link.
pub(super) fn is_in_address(text: &str, run: &Run) -> bool {
    let word_start = text.get(..run.start).and_then(|before| before.rfind(char::is_whitespace)).map_or(0, |at| at + 1);
    text.get(word_start..run.start).is_some_and(|word| word.contains("://") || word.contains("www."))
}
