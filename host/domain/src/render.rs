//! Fits a reply to its channel: splits long texts, places the choices, and turns what the channel cannot carry into text.
//!
//! Loses no word of the text. Never empty for a reply that says something, and no part is over the channel's limit.

mod choices;
mod split;
#[cfg(test)]
mod tests;

use crate::channel::{ChannelKind, Length};
use crate::effect::{Card, Choice, Say};

/// How the choices of a message are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// There are none.
    Text,
    /// Quick replies, or reply buttons on WhatsApp.
    QuickReplies,
    /// A list that opens on a tap (WhatsApp).
    List,
}

/// One message as it will be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Never blank.
    pub text: String,
    /// How the choices are shown.
    pub layout: Layout,
    /// Titles fit the channel; empty unless the layout shows them.
    pub choices: Vec<Choice>,
}

impl Outgoing {
    fn text(text: String) -> Self {
        Self { text, layout: Layout::Text, choices: Vec::new() }
    }
}

/// The messages that say what `say` says, in order. Empty only for a reply without a visible word.
///
/// Cards become text with their choices below for now; media is sent by others. Choices stand under the last message,
/// because quick replies vanish when another message follows.
pub fn fit(say: &Say, kind: ChannelKind) -> Vec<Outgoing> {
    let carries = kind.carries();
    let choices: Vec<&Choice> = say.choices.iter().chain(say.cards.iter().flat_map(|card| &card.choices)).collect();
    let placed = choices::place(&choices, kind);
    let mut texts = vec![say.text.clone()];
    texts.extend(say.cards.iter().map(card_text));
    // Quick replies need a text above them.
    let is_blank = texts.iter().all(|text| text.trim().is_empty());
    let numbered = if is_blank && !choices.is_empty() { Some(choices::number(&choices)) } else { placed.numbered };
    if let (Some(numbered), Some(last)) = (numbered, texts.last_mut()) {
        last.push_str("\n\n");
        last.push_str(&numbered);
    }
    let mut parts: Vec<String> = texts.iter().flat_map(|text| split::split(text, carries.text)).collect();
    // Under buttons less text fits than alone.
    if let Some(last) = parts.pop() {
        parts.extend(split::split(&last, text_limit(placed.layout, kind)));
    }
    let mut messages: Vec<Outgoing> = parts.into_iter().map(Outgoing::text).collect();
    if let Some(last) = messages.last_mut() {
        last.layout = placed.layout;
        last.choices = placed.choices;
    }
    messages
}

fn card_text(card: &Card) -> String {
    match &card.subtitle {
        Some(subtitle) => format!("{}\n{subtitle}", card.title),
        None => card.title.clone(),
    }
}

/// The limit of a text with choices below it (Meta: Cloud API, interactive messages; elsewhere the same as alone).
const fn text_limit(layout: Layout, kind: ChannelKind) -> Length {
    match (layout, kind) {
        (Layout::QuickReplies, ChannelKind::Whatsapp) => Length::Characters(1_024),
        (Layout::QuickReplies | Layout::List | Layout::Text, _) => kind.carries().text,
    }
}
