//! What is remembered of a conversation: the language, what was offered, how often nothing fitted. Never what the contact
//! wrote.

use serde::{Deserialize, Serialize};

/// After this time a conversation starts anew: nobody answers yesterday's "did you mean" with "2".
const LIFETIME_MS: u64 = 60 * 60 * 1000;

/// Comes back with the next turn.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The language that was spoken last.
    #[serde(default)]
    pub(crate) language: String,
    /// Ids of the entries that the last clarifying question offered, in order.
    #[serde(default)]
    pub(crate) offered: Vec<String>,
    /// How many questions in a row no entry fitted.
    #[serde(default)]
    pub(crate) n_misses: u8,
    /// When this was written.
    #[serde(default)]
    pub(crate) at: u64,
}

impl Session {
    /// What still holds of an earlier session: the language for good, the rest for an hour.
    pub(crate) fn still_valid(self, now: u64) -> Self {
        if now.saturating_sub(self.at) <= LIFETIME_MS {
            self
        } else {
            Self { language: self.language, ..Self::default() }
        }
    }

    /// After an answer.
    pub(crate) fn answered(language: &str, now: u64) -> Self {
        Self { language: language.to_owned(), at: now, ..Self::default() }
    }
}
