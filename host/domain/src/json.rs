//! Reading JSON that may be anything: one level at a time, every member optional, numbers and strings interchangeable.
//!
//! Never recurses, so that no depth of nesting can exhaust the stack, and never fails harder than with `None`.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::time::Timestamp;

/// Longest id or word in bytes. Meta's longest ids (Instagram `mid`) have about 200.
const MAX_WORD_BYTES: usize = 512;

/// Later times are nonsense (2100-01-01) and would sort before nothing ever again.
const LATEST_MILLIS: i64 = 4_102_444_800_000;

/// The members of one JSON object, values still raw.
pub(crate) struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Members<'a> {
    /// The members of the object that `raw` spells; `None` when it spells anything else.
    pub(crate) fn read(raw: &'a str) -> Option<Self> {
        serde_json::from_str(raw).ok()
    }

    /// No members at all.
    pub(crate) const fn none() -> Self {
        Self(Vec::new())
    }

    /// The value of a member. Of a doubled name the last counts, as in most readers; `null` counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        let (_, value) = self.0.iter().rev().find(|(key, _)| key == name)?;
        Some(value.get()).filter(|raw| *raw != "null")
    }

    /// The member as an object.
    pub(crate) fn object(&self, name: &str) -> Option<Members<'a>> {
        self.get(name).and_then(Members::read)
    }

    /// The member as an object, or an empty one.
    pub(crate) fn object_or_empty(&self, name: &str) -> Members<'a> {
        self.object(name).unwrap_or(Members::none())
    }

    /// The elements of the member as an array.
    pub(crate) fn list(&self, name: &str) -> Option<Vec<&'a str>> {
        self.get(name).and_then(list)
    }

    /// The member as text.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(text)
    }

    /// The member as an id or short word: a string or a number, bounded, without control characters.
    pub(crate) fn word(&self, name: &str) -> Option<String> {
        self.get(name).and_then(word)
    }

    /// The member as a whole number, also when it is written as a string.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.get(name).and_then(number)
    }

    /// The member as a time in seconds or milliseconds.
    pub(crate) fn time(&self, name: &str) -> Option<Timestamp> {
        let time = Timestamp::from_meta(self.number(name)?)?;
        (time.millis() < LATEST_MILLIS).then_some(time)
    }

    /// The member is `true`.
    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// There is a member of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key == name)
    }
}

/// The elements of an array.
pub(crate) fn list(raw: &str) -> Option<Vec<&str>> {
    let elements: Vec<&RawValue> = serde_json::from_str(raw).ok()?;
    Some(elements.into_iter().map(RawValue::get).collect())
}

/// A JSON string as text. Half a surrogate pair (a cut emoji) becomes U+FFFD instead of losing the whole text.
pub(crate) fn text(raw: &str) -> Option<String> {
    if !raw.starts_with('"') {
        return None;
    }
    if let Ok(text) = serde_json::from_str::<String>(raw) {
        return Some(text);
    }
    serde_json::from_str::<Lossy>(raw).ok().map(|lossy| lossy.0)
}

/// An id or short word.
pub(crate) fn word(raw: &str) -> Option<String> {
    let word = match raw.as_bytes().first()? {
        b'"' => text(raw)?,
        b'0'..=b'9' | b'-' => raw.to_owned(),
        _ => return None,
    };
    let is_sane = !word.is_empty() && word.len() <= MAX_WORD_BYTES && !word.chars().any(char::is_control);
    is_sane.then_some(word)
}

/// A whole number, bare or in quotes.
pub(crate) fn number(raw: &str) -> Option<i64> {
    raw.trim_matches('"').parse().ok()
}

/// A JSON string whose broken surrogates were replaced.
struct Lossy(String);

impl<'de> Deserialize<'de> for Lossy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Lossy;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Lossy, E> {
                Ok(Lossy(String::from_utf8_lossy(bytes).into_owned()))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

/// The name of a member, borrowed unless it was escaped.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }
            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }
            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((Name(name), value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_strings_or_numbers() {
        let members = Members::read(r#"{"a":12345654332,"b":"x","c":null,"d":{},"e":"a\u0000b","f":""}"#).unwrap();
        assert_eq!(members.word("a").as_deref(), Some("12345654332"));
        assert_eq!(members.word("b").as_deref(), Some("x"));
        for absent in ["c", "d", "e", "f", "g"] {
            assert_eq!(members.word(absent), None, "{absent}");
        }
    }

    #[test]
    fn half_an_emoji_does_not_lose_the_text() {
        assert_eq!(text(r#""hi \ud83d""#).as_deref(), Some("hi \u{fffd}\u{fffd}\u{fffd}"));
        assert_eq!(text(r#""caf\u00e9""#).as_deref(), Some("café"));
    }

    #[test]
    fn times_are_told_apart_and_bounded() {
        let members = Members::read(
            r#"{"s":"1749416383","ms":1458692752478,"iso":"2021-09-08T06:34:04+0000","far":9999999999999}"#,
        )
        .unwrap();
        assert_eq!(members.time("s").map(Timestamp::millis), Some(1_749_416_383_000));
        assert_eq!(members.time("ms").map(Timestamp::millis), Some(1_458_692_752_478));
        assert_eq!(members.time("iso"), None);
        assert_eq!(members.time("far"), None);
    }

    #[test]
    fn deep_nesting_is_only_skipped() {
        let deep = format!(r#"{{"a":{}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert!(Members::read(&deep).unwrap().has("a"));
    }
}
