//! E-mail addresses.

use super::digits::is_word;
use super::{Found, Kind};

/// Longest address that is looked at, in bytes (RFC 5321 allows 254).
const MAX_BYTES: usize = 254;

/// "picture@2x.png" is a file.
const FILE_ENDINGS: [&str; 9] = ["css", "gif", "jpeg", "jpg", "js", "pdf", "png", "svg", "webp"];

pub(super) fn find(text: &str) -> Vec<Found> {
    let signs = text.char_indices().filter(|(_, c)| is_at(*c));
    signs.filter_map(|(at, sign)| around(text, at, sign)).collect()
}

const fn is_at(c: char) -> bool {
    matches!(c, '@' | '＠')
}

fn around(text: &str, at: usize, sign: char) -> Option<Found> {
    let (before, after) = (text.get(..at)?, text.get(at + sign.len_utf8()..)?);
    let local = before.len() - before.trim_end_matches(is_local).len();
    let local = before.get(before.len() - local..)?.trim_start_matches(['.', '-', '\'']);
    let domain = after.get(..after.len() - after.trim_start_matches(is_domain).len())?.trim_end_matches(['.', '-']);
    let (name, ending) = domain.rsplit_once('.')?;
    let is_file = FILE_ENDINGS.contains(&ending.to_ascii_lowercase().as_str());
    let is_address = !is_file
        && !local.is_empty()
        && !name.is_empty()
        && ending.chars().count() >= 2
        && ending.chars().all(char::is_alphabetic);
    let range = at - local.len()..at + sign.len_utf8() + domain.len();
    (is_address && range.len() <= MAX_BYTES).then(|| Found {
        kind: Kind::Email,
        range,
        normal: format!("{local}@{domain}").to_lowercase(),
    })
}

fn is_local(c: char) -> bool {
    is_word(c) || matches!(c, '.' | '_' | '%' | '+' | '-' | '\'' | '!' | '#' | '$' | '&' | '~')
}

fn is_domain(c: char) -> bool {
    is_word(c) || matches!(c, '.' | '-')
}
