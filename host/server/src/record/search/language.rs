//! What is known of a language: its stemmer and the words that say little. A language that is not known has neither.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use frostem::Stemmer;

use super::fold::{fold, normalise};
use super::words::is_unspaced;

const FUNCTION_WORDS: &str = include_str!("function_words.txt");

static TABLE: LazyLock<HashMap<&'static str, FunctionWords>> = LazyLock::new(|| {
    let lines = FUNCTION_WORDS.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(':')).map(|(code, words)| (code, FunctionWords::read(words))).collect()
});

/// For records of no or an unknown language.
static ANY: LazyLock<FunctionWords> = LazyLock::new(|| {
    let lines = FUNCTION_WORDS.lines().filter(|line| !line.starts_with('#'));
    let all: Vec<&str> = lines.filter_map(|line| line.split_once(':')).map(|(_, words)| words).collect();
    FunctionWords { between_spaces: FunctionWords::read(&all.join(" ")).between_spaces, inside: Vec::new() }
});

#[derive(Default)]
struct FunctionWords {
    /// Folded.
    between_spaces: HashSet<String>,
    /// Normalised, longest first.
    inside: Vec<String>,
}

/// How texts of one language are read.
#[derive(Clone)]
pub(super) struct Language {
    code: String,
    stemmer: Option<Stemmer>,
    function_words: &'static FunctionWords,
}

/// The primary part of a BCP 47 tag in lower case: "pt" of "pt-BR".
pub(super) fn primary(tag: &str) -> String {
    tag.split(['-', '_']).next().unwrap_or_default().trim().to_lowercase()
}

impl Language {
    /// The language of a tag.
    pub(super) fn of(tag: &str) -> Self {
        let code = primary(tag);
        // Norwegian's two written forms share a stemmer.
        let name = if code == "nb" || code == "nn" { "no" } else { code.as_str() };
        let stemmer = Stemmer::try_from_name(name).ok();
        let function_words = TABLE.get(code.as_str()).unwrap_or(&ANY);
        Self { code, stemmer, function_words }
    }

    /// Its primary tag, empty for an unnamed one.
    pub(super) fn code(&self) -> &str {
        &self.code
    }

    /// True for a word that says little; `folded` as [`fold`] makes it.
    pub(super) fn is_function_word(&self, folded: &str) -> bool {
        self.function_words.between_spaces.contains(folded)
    }

    /// The forms under which a word is stored and looked up: its stem, the stem of its spelling without accents (people
    /// leave them out, stemmers need them), and the word itself, because a stem may be cut too far to mend a typo by.
    pub(super) fn forms(&self, normalised: &str) -> Vec<String> {
        let folded = fold(normalised);
        let Some(stemmer) = &self.stemmer else { return vec![folded] };
        let mut forms = vec![stemmer.stem(&folded).into_owned()];
        if folded != normalised {
            add(&mut forms, fold(&stemmer.stem(normalised)));
        }
        add(&mut forms, folded);
        forms
    }

    /// Cuts function words out of text that is written without spaces.
    pub(super) fn without_inner_function_words(&self, normalised: &str) -> Option<String> {
        if self.function_words.inside.is_empty() || !normalised.chars().any(is_unspaced) {
            return None;
        }
        let inside = self.function_words.inside.iter();
        Some(inside.fold(normalised.to_owned(), |text, word| text.replace(word.as_str(), " ")))
    }
}

fn add(forms: &mut Vec<String>, form: String) {
    if !forms.contains(&form) {
        forms.push(form);
    }
}

impl FunctionWords {
    fn read(words: &str) -> Self {
        let (unspaced, spaced): (Vec<&str>, Vec<&str>) =
            words.split_whitespace().partition(|word| word.chars().any(is_unspaced));
        let mut inside: Vec<String> = unspaced.into_iter().map(normalise).collect();
        inside.sort_by_key(|word| std::cmp::Reverse(word.len()));
        Self { between_spaces: spaced.into_iter().map(|word| fold(&normalise(word))).collect(), inside }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inflections_share_a_form_with_and_without_accents() {
        for (tag, one, other) in [
            ("en-GB", "deliveries", "delivery"),
            ("es", "reservaciones", "reservación"),
            ("de", "öffnungszeiten", "öffnungszeit"),
            ("ru", "доставки", "доставка"),
            ("fr", "réservations", "réservation"),
            ("pt_BR", "preços", "preço"),
        ] {
            let language = Language::of(tag);
            let (one, other) = (language.forms(one), language.forms(other));
            assert!(one.iter().any(|form| other.contains(form)), "{tag}: {one:?} {other:?}");
        }
        let spanish = Language::of("es");
        let bare = spanish.forms("reservacion");
        assert!(spanish.forms("reservación").iter().any(|form| bare.contains(form)));
    }

    #[test]
    fn an_unknown_language_has_no_stemmer() {
        assert_eq!(Language::of("xx").forms("deliveries"), ["deliveries"]);
        assert_eq!(Language::of("").code(), "");
    }

    #[test]
    fn function_words_are_known_in_folded_form() {
        assert!(Language::of("vi").is_function_word("khong"));
        assert!(Language::of("en").is_function_word("the"));
        assert!(!Language::of("en").is_function_word("where"));
        assert_eq!(
            Language::of("ja").without_inner_function_words("営業時間は何時ですか").as_deref(),
            Some("営業時間 何時 ")
        );
    }
}
