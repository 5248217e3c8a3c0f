//! Telephone numbers: runs of digits that a kept library knows as numbers, and that do not look like a date, a price or a code.

use phonenumber::Type;
use phonenumber::metadata::DATABASE;

use super::digits::{Run, is_word, runs};
use super::{Found, Kind, Region};

/// Fewest and most digits (ITU E.164 allows 15).
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// Digits of a bare run that the region knows and that is taken for a number without any other sign. Shorter ones are codes;
/// longer ones are articles and parcels, unless they begin with a zero.
const BARE_DIGITS: std::ops::RangeInclusive<usize> = 9..=11;

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

pub(super) fn find(text: &str, region: Option<Region>) -> Vec<Found> {
    let runs = runs(text);
    runs.into_iter().filter_map(|run| phone(text, &run, region)).collect()
}

fn phone(text: &str, run: &Run, region: Option<Region>) -> Option<Found> {
    let digits = run.digits();
    if digits.len() < *DIGITS.start() || (digits.len() > *DIGITS.end() && !run.has_plus) {
        return None;
    }
    let found = |normal| Some(Found { kind: Kind::Phone, range: run.start..extended(text, run.end), normal });
    if run.has_plus {
        return Some(international(run));
    }
    if is_date(run) || is_hours(run) || is_money(text, run) {
        return None;
    }
    if let Some(rest) = digits.strip_prefix("00").filter(|rest| is_number(None, &format!("+{rest}"))) {
        return found(format!("+{rest}"));
    }
    let before = before(text, run);
    let (announced, other) = (last_of(&ANNOUNCE, &before), last_of(&OTHER, &before));
    let is_announced = announced > other;
    if !is_announced && is_in_address(text, run) {
        return None;
    }
    if other > announced {
        return None;
    }
    let is_alone = text.trim().len() == run.end - run.start;
    if let Some(normal) = national(&digits, region).filter(|_| is_announced || is_alone || looks_dialled(run, &digits))
    {
        return found(normal);
    }
    let is_international = is_number(None, &format!("+{digits}"));
    if is_announced || (is_alone && is_international) {
        return found(if is_international { format!("+{digits}") } else { digits });
    }
    None
}

/// A number with a plus. Something else may follow in the same run: the longest beginning that is a number counts, and if none is
/// (it was mistyped) all of it.
fn international(run: &Run) -> Found {
    let upto = |n: usize| Some((format!("+{}", run.groups.get(..n)?.concat()), run.spans.get(n.checked_sub(1)?)?.end));
    let lengths = (1..=run.groups.len()).rev();
    let known = lengths.filter_map(upto).find(|(number, _)| is_number(None, number));
    let (normal, end) = known.unwrap_or_else(|| (format!("+{}", run.digits()), run.end));
    Found { kind: Kind::Phone, range: run.start..end, normal }
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

/// Where the last of these words ends, and how long it is: the nearer one counts, and of two at one place the longer.
fn last_of(words: &[&str], before: &str) -> Option<(usize, usize)> {
    let begins = |at: usize| !before.get(..at).and_then(|front| front.chars().next_back()).is_some_and(is_word);
    let last = |word: &str| {
        let mut places = before.rmatch_indices(word).map(|(at, _)| at);
        places.find(|at| begins(*at) || !word.starts_with(is_word))
    };
    words.iter().filter_map(|word| Some((last(word)? + word.len(), word.len()))).max()
}

/// The number with its country code, if there are such numbers in the region.
fn national(digits: &str, region: Option<Region>) -> Option<String> {
    let number = phonenumber::parse(Some(region?.0), digits).ok()?;
    let is_known = number.is_valid() && !matches!(number.number_type(&DATABASE), Type::Unknown);
    let code = number.country().code();
    if is_known {
        return Some(format!("+{code}{}", number.national()));
    }
    // In some countries the zero belongs to the number.
    Some(format!("+{code}{digits}")).filter(|whole| is_number(None, whole))
}

fn is_number(region: Option<Region>, text: &str) -> bool {
    phonenumber::parse(region.map(|region| region.0), text).is_ok_and(|number| number.is_valid())
}

/// Written as one writes a number to dial: with a leading zero or in groups; long enough, it may stand bare.
fn looks_dialled(run: &Run, digits: &str) -> bool {
    let is_year_and_more = run.groups.len() == 2 && run.groups.first().is_some_and(|group| is_year(group));
    digits.starts_with('0') || (run.groups.len() > 1 && !is_year_and_more) || BARE_DIGITS.contains(&digits.len())
}

fn is_year(group: &str) -> bool {
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
    let part = |range: std::ops::Range<usize>| digits.get(range).and_then(|part| part.parse::<u32>().ok()).unwrap_or(0);
    let has_year = |range: std::ops::Range<usize>| digits.get(range).is_some_and(is_year);
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
    let after = text.get(run.end..).unwrap_or_default().trim_start().to_lowercase();
    let before = before(text, run);
    let before = before.trim_end();
    has_thousands || MONEY.iter().any(|money| after.starts_with(money) || before.ends_with(money))
}

/// Part of a link.
fn is_in_address(text: &str, run: &Run) -> bool {
    let word_start = text.get(..run.start).and_then(|before| before.rfind(char::is_whitespace)).map_or(0, |at| at + 1);
    text.get(word_start..run.start).is_some_and(|word| word.contains("://") || word.contains("www."))
}

/// What stands right in front, in lower case, up to the last number or the start of the sentence.
fn before(text: &str, run: &Run) -> String {
    let front = text.get(..run.start).unwrap_or_default();
    let near: Vec<char> =
        front.chars().rev().take(LOOK_BACK).take_while(|c| !matches!(c, '\n' | '!' | '?' | ';')).collect();
    near.into_iter().rev().collect::<String>().to_lowercase()
}
