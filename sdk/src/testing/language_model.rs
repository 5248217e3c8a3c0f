//! The fake of `language-model`: answers that a test has queued.

use super::ask;
use crate::Fault;
use crate::language_model::{Completion, Prompt};

pub(crate) fn complete(_prompt: &Prompt) -> Result<Completion, Fault> {
    ask("language-model", |world| {
        world.completions.pop_front().ok_or_else(|| Fault::new("unavailable", "the test queued no completion"))
    })
}
