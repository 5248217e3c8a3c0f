//! What a plugin is given: the event, the context, its settings and its session, typed. Never calls the host.

use serde::de::DeserializeOwned;

use crate::log;
use crate::{Attachment, Context, Event, Fault, Message, Plugin};

/// One call: what happened, and all that may be known without asking.
pub struct Turn<P: Plugin + ?Sized> {
    /// What happened.
    pub event: Event,
    /// The time, chance, locale and the rest; fixed for the turn.
    pub context: Context,
    /// The business's settings for this plugin.
    pub settings: P::Settings,
    /// What this plugin remembered in this conversation, if anything.
    pub session: Option<P::Session>,
}

impl<P: Plugin + ?Sized> Turn<P> {
    /// Reads settings and session out of the context.
    ///
    /// A session that an older version of the plugin wrote and this one cannot read is dropped with a warning: a
    /// conversation must not die of an upgrade.
    ///
    /// # Errors
    /// A fault when the settings do not fit; the business has to see that.
    pub fn open(event: Event, context: Context) -> Result<Self, Fault> {
        let settings = settings_of(&context.settings_json)?;
        let session = match context.session_json.as_deref().map(serde_json::from_str).transpose() {
            Ok(session) => session,
            Err(error) => {
                log::warn(&format!("the session of an older version was dropped: {error}"));
                None
            }
        };
        Ok(Self { event, context, settings, session })
    }

    /// The messages that settled together, oldest first; none for other events.
    pub fn messages(&self) -> &[Message] {
        match &self.event {
            Event::Messages(messages) => messages,
            _ => &[],
        }
    }

    /// All that was written in this turn, one message per line; a comment's text for a comment.
    pub fn text(&self) -> String {
        if let Event::Comment(comment) = &self.event {
            return comment.text.clone().unwrap_or_default();
        }
        let lines: Vec<&str> = self.messages().iter().filter_map(|message| message.text.as_deref()).collect();
        lines.join("\n")
    }

    /// The payload of the last thing that was tapped in this turn.
    pub fn payload(&self) -> Option<&str> {
        self.messages().iter().rev().find_map(|message| message.payload.as_deref())
    }

    /// Everything that was attached in this turn, in order.
    pub fn attachments(&self) -> impl Iterator<Item = &Attachment> {
        self.messages().iter().flat_map(|message| &message.attachments)
    }

    /// The language of the locale in lowercase, without region or script: "pt" for "pt-BR".
    pub fn language(&self) -> String {
        self.context.locale.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase()
    }

    /// One of the context's open-ended facts.
    pub fn fact(&self, name: &str) -> Option<&str> {
        self.context.facts.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Empty settings are the default ones: a plugin that was just enabled has none yet.
fn settings_of<Settings: DeserializeOwned + Default>(json: &str) -> Result<Settings, Fault> {
    if matches!(json.trim(), "" | "null" | "{}") {
        return Ok(Settings::default());
    }
    serde_json::from_str(json).map_err(|error| Fault::invalid(format!("the plugin's settings cannot be read: {error}")))
}
