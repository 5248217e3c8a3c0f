//! The languages that consent is asked in.

use super::{Code, arabic, english, french, german, spanish, vietnamese};

/// A language in which every clause is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English; also for those whose language is not here.
    English,
    /// German.
    German,
    /// Spanish.
    Spanish,
    /// French.
    French,
    /// Vietnamese.
    Vietnamese,
    /// Arabic.
    Arabic,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::English, Self::German, Self::Spanish, Self::French, Self::Vietnamese, Self::Arabic];

    /// The language of a locale (BCP 47), English for one that is not here.
    pub fn of(locale: &str) -> Self {
        let language = locale.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        Self::ALL.into_iter().find(|known| known.as_str() == language).unwrap_or(Self::English)
    }

    /// Its subtag.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::Spanish => "es",
            Self::French => "fr",
            Self::Vietnamese => "vi",
            Self::Arabic => "ar",
        }
    }

    pub(super) const fn template(self, code: Code) -> &'static str {
        match self {
            Self::English => english::template(code),
            Self::German => german::template(code),
            Self::Spanish => spanish::template(code),
            Self::French => french::template(code),
            Self::Vietnamese => vietnamese::template(code),
            Self::Arabic => arabic::template(code),
        }
    }

    pub(super) const fn author(self) -> &'static str {
        match self {
            Self::English => english::AUTHOR,
            Self::German => german::AUTHOR,
            Self::Spanish => spanish::AUTHOR,
            Self::French => french::AUTHOR,
            Self::Vietnamese => vietnamese::AUTHOR,
            Self::Arabic => arabic::AUTHOR,
        }
    }
}
