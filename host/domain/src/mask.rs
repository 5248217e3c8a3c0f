//! Personal data in texts: found, replaced by tokens, and put back. A token stands for one value of one contact; who has no key
//! can neither make one nor read one. Finds phone numbers, e-mail addresses, cards and bank accounts; names and postal addresses
//! are not promised.
//!
//! Knows neither keys nor contacts: the caller names values (an HMAC under the contact's key) and says what a token stands for.

mod card;
mod digits;
mod email;
mod iban;
mod phone;
mod region;
mod token;

use std::ops::Range;

pub use region::{Region, region};
pub use token::{Token, may_hold_tokens, tokens_in, without_tokens};

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A telephone number.
    Phone,
    /// An e-mail address.
    Email,
    /// The number of a payment card.
    Card,
    /// An international bank account number.
    Iban,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Phone, Self::Email, Self::Card, Self::Iban];

    /// The word in a token.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Card => "card",
            Self::Iban => "iban",
        }
    }

    /// Reads the word; `None` for an unknown one.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A value in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub kind: Kind,
    /// Where it stands, in bytes.
    pub range: Range<usize>,
    /// The same for every way to write the same value.
    pub normal: String,
}

/// Every value in a text, in order; none overlaps another. `region` is where numbers without a country code belong.
pub fn find(text: &str, region: Option<Region>) -> Vec<Found> {
    let (mut found, mut taken) = (Vec::new(), vec![false; text.len()]);
    // What is surest comes first and keeps its place.
    for candidate in [email::find(text), iban::find(text), card::find(text)].into_iter().flatten() {
        let Some(bytes) = taken.get_mut(candidate.range.clone()) else { continue };
        if !bytes.contains(&true) {
            bytes.fill(true);
            found.push(candidate);
        }
    }
    found.extend(phone::find(text, region, &taken));
    found.sort_by_key(|found| found.range.start);
    found
}

/// A text without personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masked {
    /// With a token for each value; brackets that somebody typed are tokens for themselves.
    pub text: String,
    /// What the tokens stand for; a value that stands in the text twice is here twice.
    pub values: Vec<Value>,
}

/// What a token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The token.
    pub token: Token,
    /// What comes in its place where it may be read: as it was written, of a card the last four digits.
    pub shown: String,
}

/// Longest text that is masked, in bytes; what comes after is left out. Meta's longest message has a fraction of it.
pub const MAX_BYTES: usize = 64_000;

/// Replaces every value. `name` is a MAC over kind and normal form, under a key of the contact.
pub fn mask(text: &str, region: Option<Region>, name: impl Fn(Kind, &str) -> [u8; 32]) -> Masked {
    let text = text.get(..text.floor_char_boundary(MAX_BYTES)).unwrap_or_default();
    let mut masked = Masked { text: String::with_capacity(text.len()), values: Vec::new() };
    let mut rest = 0;
    for Found { kind, range, normal } in find(text, region) {
        token::escape(text.get(rest..range.start).unwrap_or_default(), &mut masked.text);
        let written = text.get(range.clone()).unwrap_or_default();
        let token = Token::new(kind, &name(kind, &normal));
        let shown = if kind == Kind::Card { card::last_four(&normal) } else { written.to_owned() };
        masked.text.push_str(token.as_str());
        masked.values.push(Value { token, shown });
        rest = range.end;
    }
    token::escape(text.get(rest..).unwrap_or_default(), &mut masked.text);
    masked
}

/// Replaces every value of a text that holds tokens already and may hold values beside them. A token is no value, so it stays; what
/// only looks like one is read like the rest.
pub fn mask_beside_tokens(text: &str, region: Option<Region>, name: impl Fn(Kind, &str) -> [u8; 32]) -> String {
    let (mut clean, mut rest) = (String::with_capacity(text.len()), 0);
    for Found { kind, range, normal } in find(text, region) {
        clean.push_str(text.get(rest..range.start).unwrap_or_default());
        clean.push_str(Token::new(kind, &name(kind, &normal)).as_str());
        rest = range.end;
    }
    clean.push_str(text.get(rest..).unwrap_or_default());
    clean
}

/// A token that stands for nothing that this contact ever wrote: foreign, forged or mangled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a token in the text stands for nothing that this contact wrote")]
pub struct Unresolved;

/// Puts values back, for the eyes of the contact who wrote them.
///
/// # Errors
/// [`Unresolved`]; hand the text to a person.
pub fn unmask(text: &str, resolve: impl Fn(&Token) -> Option<String>) -> Result<String, Unresolved> {
    let mut clear = String::with_capacity(text.len());
    for part in token::parts(text) {
        match part {
            token::Part::Plain(plain) => clear.push_str(plain),
            token::Part::Bracket(bracket) => clear.push(bracket),
            token::Part::Token(token) => clear.push_str(&resolve(&token).ok_or(Unresolved)?),
            token::Part::Mangled => return Err(Unresolved),
        }
    }
    Ok(clear)
}

#[cfg(test)]
mod tests;
