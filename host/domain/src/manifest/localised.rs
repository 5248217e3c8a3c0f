//! A text in several languages. Never mixes them: one text is picked whole.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Texts by locale (BCP 47, such as "en" or "pt-BR").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct Localised(BTreeMap<String, String>);

/// A key that names no language.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no locale: write a language such as \"en\" or \"pt-BR\"")]
pub struct InvalidLocale(String);

impl Localised {
    /// The text for a locale: the same locale, else its language, else English, else the first there is. Empty only for
    /// texts that did not come through a manifest.
    pub fn pick(&self, locale: &str) -> &str {
        let language = locale.split(['-', '_']).next().unwrap_or_default();
        let texts = &self.0;
        let found = texts.get(locale).or_else(|| texts.get(language)).or_else(|| texts.get("en"));
        found.or_else(|| texts.values().next()).map_or("", String::as_str)
    }

    /// The locales that have a text.
    pub fn locales(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// True when there is a text and none is blank.
    pub fn is_complete(&self) -> bool {
        !self.0.is_empty() && self.0.values().all(|text| !text.trim().is_empty())
    }
}

impl TryFrom<BTreeMap<String, String>> for Localised {
    type Error = InvalidLocale;
    fn try_from(texts: BTreeMap<String, String>) -> Result<Self, InvalidLocale> {
        match texts.keys().find(|locale| !is_locale(locale)) {
            Some(other) => Err(InvalidLocale(other.clone())),
            None => Ok(Self(texts)),
        }
    }
}

impl From<Localised> for BTreeMap<String, String> {
    fn from(texts: Localised) -> Self {
        texts.0
    }
}

/// A language of two or three lowercase letters, then subtags of two to eight letters or digits.
fn is_locale(text: &str) -> bool {
    let mut subtags = text.split('-');
    let language = subtags.next().unwrap_or_default();
    let is_language = (2..=3).contains(&language.len()) && language.bytes().all(|byte| byte.is_ascii_lowercase());
    is_language
        && subtags.all(|tag| (2..=8).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(pairs: &[(&str, &str)]) -> Result<Localised, InvalidLocale> {
        let owned: BTreeMap<String, String> =
            pairs.iter().map(|(locale, text)| ((*locale).to_owned(), (*text).to_owned())).collect();
        Localised::try_from(owned)
    }

    #[test]
    fn the_closest_text_is_picked() {
        let texts = texts(&[("de", "Hallo"), ("en", "Hello"), ("pt-BR", "Oi")]).unwrap();
        assert_eq!(texts.pick("pt-BR"), "Oi");
        assert_eq!(texts.pick("de-AT"), "Hallo");
        assert_eq!(texts.pick("de_AT"), "Hallo");
        assert_eq!(texts.pick("hy"), "Hello");
    }

    #[test]
    fn without_english_the_first_text_stands_in() {
        assert_eq!(texts(&[("hy", "Բարև"), ("ru", "Привет")]).unwrap().pick("ja"), "Բարև");
    }

    #[test]
    fn a_key_that_is_no_language_is_refused() {
        for locale in ["", "e", "english", "EN", "en_US", "en-", "en-u"] {
            assert_eq!(texts(&[(locale, "x")]), Err(InvalidLocale(locale.to_owned())));
        }
    }
}
