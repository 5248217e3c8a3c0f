//! Answers frequently asked questions from the business's own entries.

use bellhop_sdk::{Answer, Fault, Plugin, Turn};

/// The plugin.
pub struct Faq;

impl Plugin for Faq {
    type Settings = ();
    type Session = ();

    fn handle(_turn: Turn<Self>) -> Result<Answer, Fault> {
        Ok(Answer::pass())
    }
}

bellhop_sdk::export!(Faq);
