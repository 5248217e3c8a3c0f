//! An entry as the business writes it. One that cannot be read is left out with a line in the log, never a fault: a slip
//! in one record must not silence the others.

use bellhop_sdk::log;
use bellhop_sdk::records::{Entry as Record, Hit};
use serde::Deserialize;

/// Longest entry title on a choice; Messenger cuts quick replies there.
const MAX_TITLE_LETTERS: usize = 20;

/// One question with its answer, in one language.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Entry {
    /// The record's id.
    #[serde(skip)]
    pub(crate) id: String,
    /// The same question in several phrasings.
    pub(crate) questions: Vec<String>,
    /// What is replied.
    pub(crate) answer: String,
    /// BCP 47.
    #[serde(default)]
    pub(crate) language: String,
    /// A short name for choices; the first phrasing stands in.
    #[serde(default)]
    pub(crate) title: Option<String>,
    /// What can be tapped under the answer.
    #[serde(default)]
    pub(crate) buttons: Vec<Button>,
}

/// Something to tap under an answer: either asks a question or carries a payload.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Button {
    /// What the contact reads.
    pub(crate) title: String,
    /// Asked as if the contact had written it.
    #[serde(default)]
    pub(crate) question: Option<String>,
    /// Comes back as it is: "entry:ID" or "human".
    #[serde(default)]
    pub(crate) payload: Option<String>,
}

impl Entry {
    /// The entry in a record.
    pub(crate) fn read(record: &Record) -> Option<Self> {
        match record.read::<Self>() {
            Ok(entry) => Some(Self { id: record.id.clone(), ..entry }),
            Err(fault) => {
                log::warn(&fault.message);
                None
            }
        }
    }

    /// The entries among what was found.
    pub(crate) fn read_all(hits: &[Hit]) -> Vec<Self> {
        hits.iter().filter_map(|hit| Self::read(&hit.entry)).collect()
    }

    /// The language without region or script, in lowercase.
    pub(crate) fn spoken(&self) -> String {
        self.language.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase()
    }

    /// What stands on a choice that leads to this entry.
    pub(crate) fn label(&self) -> String {
        let name = self.title.as_ref().or_else(|| self.questions.first()).map_or("", String::as_str).trim();
        if name.chars().count() <= MAX_TITLE_LETTERS {
            return name.to_owned();
        }
        name.chars().take(MAX_TITLE_LETTERS - 1).chain(['…']).collect()
    }
}
