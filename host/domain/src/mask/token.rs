//! Tokens: `⟦phone:k7f3q2⟧`. Nothing else in a masked text has these brackets: one that somebody typed is written `⟦[⟧` or `⟦]⟧`.

use super::Kind;

const OPEN: char = '⟦';
const CLOSE: char = '⟧';

/// Characters of the name: 30 bits of the MAC. One contact has few values, and a guess that misses goes to staff.
const NAME_CHARACTERS: usize = 6;

/// Letters and digits that no reader takes for one another.
const ALPHABET: [u8; 32] = *b"abcdefghjkmnpqrstvwxyz0123456789";

/// Longest run between brackets that is taken for a token, in bytes; anything longer is a text in brackets.
const MAX_INNER_BYTES: usize = 40;

/// Stands for one value of one contact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(String);

impl Token {
    /// The token of a kind and a MAC.
    pub fn new(kind: Kind, mac: &[u8; 32]) -> Self {
        let bits = mac.iter().take(4).fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let letter = |n: usize| ALPHABET.get((bits >> (5 * n)) as usize & 31).copied().map_or('a', char::from);
        let name: String = (0..NAME_CHARACTERS).map(letter).collect();
        Self(format!("{OPEN}{}:{name}{CLOSE}", kind.as_str()))
    }

    /// The token with its brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it stands for; every token has a kind.
    pub fn kind(&self) -> Option<Kind> {
        Kind::parse(self.0.trim_start_matches(OPEN).split(':').next()?)
    }

    fn read(inner: &str) -> Option<Self> {
        let (kind, name) = inner.split_once(':')?;
        let is_name = name.len() == NAME_CHARACTERS && name.bytes().all(|byte| ALPHABET.contains(&byte));
        (Kind::parse(kind).is_some() && is_name).then(|| Self(format!("{OPEN}{inner}{CLOSE}")))
    }
}

/// A part of a masked text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// Says what it says.
    Plain(&'a str),
    /// A bracket that somebody typed.
    Bracket(char),
    /// A token, well formed; whether it stands for something is another question.
    Token(Token),
    /// Was a token, before a model or a hand changed it.
    Mangled,
}

/// Cuts a masked text into parts.
pub(super) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        if !before.is_empty() {
            parts.push(Part::Plain(before));
        }
        let inner = after.split_once(CLOSE).filter(|(inner, _)| inner.len() <= MAX_INNER_BYTES);
        let (part, remaining) = match inner {
            Some(("[", remaining)) => (Part::Bracket(OPEN), remaining),
            Some(("]", remaining)) => (Part::Bracket(CLOSE), remaining),
            Some((inner, remaining)) if inner.contains(':') => {
                (Token::read(inner).map_or(Part::Mangled, Part::Token), remaining)
            }
            // A bracket of the plugin's own.
            Some(_) | None => (Part::Bracket(OPEN), after),
        };
        parts.push(part);
        rest = remaining;
    }
    if !rest.is_empty() {
        parts.push(Part::Plain(rest));
    }
    parts
}

/// The text with an "x" for each token.
pub fn without_tokens(text: &str) -> String {
    let part = |part| match part {
        Part::Plain(plain) => plain.to_owned(),
        Part::Bracket(bracket) => bracket.to_string(),
        Part::Token(_) | Part::Mangled => "x".to_owned(),
    };
    parts(text).into_iter().map(part).collect()
}

/// Whether there is anything in a text to put back: tokens, or brackets that somebody typed.
pub fn may_hold_tokens(text: &str) -> bool {
    text.contains(OPEN)
}

/// The well-formed tokens of a text, in order.
pub fn tokens_in(text: &str) -> Vec<Token> {
    let token = |part| match part {
        Part::Token(token) => Some(token),
        Part::Plain(_) | Part::Bracket(_) | Part::Mangled => None,
    };
    parts(text).into_iter().filter_map(token).collect()
}

/// Writes a text so that nothing in it can be taken for a token.
pub(super) fn escape(text: &str, into: &mut String) {
    for c in text.chars() {
        match c {
            OPEN => into.push_str("⟦[⟧"),
            CLOSE => into.push_str("⟦]⟧"),
            c => into.push(c),
        }
    }
}
