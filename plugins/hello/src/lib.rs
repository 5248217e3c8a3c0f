//! Says hello in the contact's language. Never asks the host for anything.

use bellhop_sdk::{Answer, Fault, Plugin, Turn};

/// The plugin. Its settings are greetings by language, such as `{"de": "Guten Tag!"}`.
pub struct Hello;

impl Plugin for Hello {
    type Settings = std::collections::BTreeMap<String, String>;
    type Session = ();

    fn handle(turn: Turn<Self>) -> Result<Answer, Fault> {
        let greeting = turn.settings.get(&turn.language()).or_else(|| turn.settings.get("en"));
        Ok(Answer::say(greeting.map_or("Hello! How can we help?", String::as_str)))
    }
}

bellhop_sdk::export!(Hello);
