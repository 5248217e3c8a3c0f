//! The scored questions: loads `tests/corpus/*.toml` and counts what became of them. Knows nothing of how they were
//! answered, so that another search can be scored with the same file.

use serde::Deserialize;
use serde_json::{Value, json};

const FILES: [&str; 9] = [
    include_str!("../corpus/ar.toml"),
    include_str!("../corpus/de.toml"),
    include_str!("../corpus/en.toml"),
    include_str!("../corpus/es.toml"),
    include_str!("../corpus/hy.toml"),
    include_str!("../corpus/ja.toml"),
    include_str!("../corpus/pt.toml"),
    include_str!("../corpus/ru.toml"),
    include_str!("../corpus/vi.toml"),
];

/// One file: the entries of a business in one language, and questions about them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Language {
    pub language: String,
    entries: Vec<Entry>,
    asked: Vec<(String, String)>,
    held_out: Vec<(String, String)>,
    refused: Vec<String>,
    refused_held_out: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    topic: String,
    title: String,
    questions: Vec<String>,
    answer: String,
    #[serde(default)]
    buttons: Vec<Value>,
}

/// Which questions: those that thresholds were chosen on, or those that were only counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Set {
    Tuning,
    HeldOut,
}

/// One question with the answers that are right; none when it must not be answered.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub language: String,
    pub text: String,
    pub answers: Vec<String>,
    /// Titles of the entries with these answers, as they stand on choices.
    pub titles: Vec<String>,
}

/// What a run made of a question.
#[derive(Debug, Default)]
pub(crate) struct Got {
    pub texts: Vec<String>,
    pub choices: Vec<String>,
}

/// Counts over many cases.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count {
    /// Questions that have an answer.
    pub n_asked: usize,
    /// Messages that must not be answered.
    pub n_refused: usize,
    /// Answered at once, all of it, and nothing else.
    pub n_right: usize,
    /// Answered at once, some of it wrong.
    pub n_wrong: usize,
    /// Refused ones that were answered.
    pub n_answered_in_vain: usize,
    /// Asked back with the right entry among the choices.
    pub n_offered: usize,
    /// Refused ones that were asked back.
    pub n_bothered: usize,
}

pub(crate) fn languages() -> Vec<Language> {
    FILES.iter().map(|file| toml::from_str(file).unwrap()).collect()
}

/// All entries of all languages as documents of one collection.
pub(crate) fn documents() -> Vec<Value> {
    let of = |language: Language| {
        let document = move |entry: Entry| {
            json!({
                "questions": entry.questions, "answer": entry.answer, "language": language.language,
                "title": entry.title, "buttons": entry.buttons,
            })
        };
        language.entries.into_iter().map(document).collect::<Vec<Value>>()
    };
    languages().into_iter().flat_map(of).collect()
}

/// All cases of a set, in the order of the files.
pub(crate) fn cases(set: Set) -> Vec<Case> {
    languages().iter().flat_map(|language| language.cases(set)).collect()
}

impl Language {
    fn cases(&self, set: Set) -> Vec<Case> {
        let (asked, refused) = match set {
            Set::Tuning => (&self.asked, &self.refused),
            Set::HeldOut => (&self.held_out, &self.refused_held_out),
        };
        let asked = asked.iter().map(|(topics, text)| self.case(text, topics.split('+')));
        asked.chain(refused.iter().map(|text| self.case(text, [].into_iter()))).collect()
    }

    fn case<'a>(&self, text: &str, topics: impl Iterator<Item = &'a str>) -> Case {
        let find = |topic: &str| {
            self.entries.iter().find(|entry| entry.topic == topic).unwrap_or_else(|| panic!("no topic {topic}"))
        };
        let entries: Vec<&Entry> = topics.map(find).collect();
        Case {
            language: self.language.clone(),
            text: text.to_owned(),
            answers: entries.iter().map(|entry| entry.answer.clone()).collect(),
            titles: entries.iter().map(|entry| entry.title.clone()).collect(),
        }
    }
}

impl Count {
    /// Counts one case.
    pub(crate) fn add(&mut self, case: &Case, got: &Got) {
        let is_clarifying = !got.choices.is_empty() && got.texts.len() == 1 && !case.answers.contains(&got.texts[0]);
        let answered = if is_clarifying { &[] } else { got.texts.as_slice() };
        if case.answers.is_empty() {
            self.n_refused += 1;
            self.n_answered_in_vain += usize::from(!answered.is_empty());
            self.n_bothered += usize::from(is_clarifying);
            return;
        }
        self.n_asked += 1;
        let all_right = answered.iter().all(|text| case.answers.contains(text));
        let complete = case.answers.iter().all(|text| answered.contains(text));
        self.n_right += usize::from(all_right && complete);
        self.n_wrong += usize::from(!all_right);
        self.n_offered += usize::from(is_clarifying && case.titles.iter().any(|title| got.choices.contains(title)));
    }

    /// Of what was answered at once, the share that was right.
    pub(crate) fn precision(&self) -> f64 {
        self.n_right as f64 / (self.n_right + self.n_wrong + self.n_answered_in_vain).max(1) as f64
    }

    /// Of what has an answer, the share that was answered right at once.
    pub(crate) fn recall(&self) -> f64 {
        self.n_right as f64 / self.n_asked.max(1) as f64
    }

    /// Of what has an answer, the share that was answered right at once or offered as a choice.
    pub(crate) fn reach(&self) -> f64 {
        (self.n_right + self.n_offered) as f64 / self.n_asked.max(1) as f64
    }

    /// Of what must not be answered, the share that was left alone: no answer, no question back.
    pub(crate) fn silence(&self) -> f64 {
        1.0 - (self.n_bothered + self.n_answered_in_vain) as f64 / self.n_refused.max(1) as f64
    }
}
