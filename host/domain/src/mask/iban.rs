//! International bank account numbers: a country, its length, and the checksum (ISO 13616, modulo 97).

use super::digits::is_word;
use super::{Found, Kind};

/// Countries and how long their numbers are (SWIFT: IBAN registry).
const LENGTHS: &str = "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 \
    ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 \
    LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 \
    SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30";

pub(super) fn find(text: &str) -> Vec<Found> {
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let is_word_start = !at.checked_sub(1).and_then(|n| chars.get(n)).is_some_and(|(_, c)| is_word(*c));
        match is_word_start.then(|| number(&chars, at, text.len())).flatten() {
            Some((account, next)) => {
                found.push(account);
                at = next;
            }
            None => at += 1,
        }
    }
    found
}

fn number(chars: &[(usize, char)], from: usize, text_end: usize) -> Option<(Found, usize)> {
    let letters = chars.get(from..from + 2)?.iter().map(|(_, c)| c.to_ascii_uppercase());
    let country: String = letters.filter(char::is_ascii_uppercase).collect();
    let entry = LENGTHS.split_whitespace().find(|entry| country.len() == 2 && entry.starts_with(&country))?;
    let length: usize = entry.get(2..)?.parse().ok()?;
    let mut normal = String::with_capacity(length);
    let mut at = from;
    while normal.len() < length {
        let (_, c) = chars.get(at)?;
        match c {
            c if c.is_ascii_alphanumeric() => normal.push(c.to_ascii_uppercase()),
            ' ' | '-' | '\u{a0}' => {}
            _ => return None,
        }
        at += 1;
    }
    let ends = !chars.get(at).is_some_and(|(_, c)| is_word(*c));
    let range = chars.get(from)?.0..chars.get(at).map_or(text_end, |(position, _)| *position);
    (ends && checks(&normal)).then_some((Found { kind: Kind::Iban, range, normal }, at))
}

/// The first four characters go to the end, letters count from 10, and the remainder by 97 is 1.
fn checks(normal: &str) -> bool {
    let (head, tail) = normal.split_at(4);
    let mut values = tail.chars().chain(head.chars()).map(|c| c.to_digit(36));
    let remainder = values.try_fold(0_u32, |remainder, value| {
        let value = value?;
        Some((remainder * if value < 10 { 10 } else { 100 } + value) % 97)
    });
    remainder == Some(1)
}
