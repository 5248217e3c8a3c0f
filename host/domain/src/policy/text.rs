//! Bounds of texts, names and counts, and what is tidied silently.

use super::{Facts, Reason};
use crate::effect::{Card, Choice, Effect, Handoff, Say};

/// Longest reply in characters: four messages of Messenger. Longer ones are floods, not answers.
pub(super) const MAX_SAY_CHARACTERS: usize = 8_000;

/// Most choices under one reply. Thirteen fit as buttons; more are numbered, and nobody reads a longer list.
pub(super) const MAX_CHOICES: usize = 30;

/// Most cards after one reply (Meta: generic template).
pub(super) const MAX_CARDS: usize = 10;

/// Longest title or subtitle in characters before it is fitted to the channel.
pub(super) const MAX_TITLE_CHARACTERS: usize = 200;

/// Longest note, reason or summary for staff in characters.
pub(super) const MAX_NOTE_CHARACTERS: usize = 4_000;

/// Longest name of a tag or attribute in characters.
pub(super) const MAX_NAME_CHARACTERS: usize = 64;

/// Longest value of an attribute in characters.
pub(super) const MAX_VALUE_CHARACTERS: usize = 1_000;

pub(super) fn check(effect: &Effect, facts: &Facts) -> Option<Reason> {
    match effect {
        Effect::Say(say) => say_check(say, facts),
        Effect::Handoff(Handoff { reason, summary }) => characters("the reason", reason, MAX_NOTE_CHARACTERS)
            .or_else(|| characters("the summary", summary.as_deref().unwrap_or_default(), MAX_NOTE_CHARACTERS)),
        Effect::SetAttribute(attribute) => name(&attribute.name)
            .or_else(|| characters("the value of the attribute", &attribute.value, MAX_VALUE_CHARACTERS)),
        Effect::AddTag(tag) => name(tag),
        Effect::Note(note) => blank(note).or_else(|| characters("the note", note, MAX_NOTE_CHARACTERS)),
        Effect::CommentReply(text) | Effect::PrivateReply(text) => {
            blank(text).or_else(|| characters("the reply", text, MAX_SAY_CHARACTERS))
        }
        Effect::HideComment
        | Effect::SetTimer(_)
        | Effect::CancelTimer(_)
        | Effect::SendTemplate(_)
        | Effect::Call(_)
        | Effect::Custom(_) => None,
    }
}

fn say_check(say: &Say, facts: &Facts) -> Option<Reason> {
    if is_blank(&say.text) && say.cards.is_empty() {
        return Some(if say.media.is_empty() { Reason::Empty } else { Reason::NotAvailable("media") });
    }
    if say.cards.len() > MAX_CARDS {
        return Some(Reason::TooMany { what: "cards", most: MAX_CARDS });
    }
    let choices = || say.choices.iter().chain(say.cards.iter().flat_map(|card| &card.choices));
    if choices().count() > MAX_CHOICES {
        return Some(Reason::TooMany { what: "choices", most: MAX_CHOICES });
    }
    characters("the text", &say.text, MAX_SAY_CHARACTERS)
        .or_else(|| say.cards.iter().find_map(card_check))
        .or_else(|| choices().find_map(|choice| choice_check(choice, facts)))
}

fn card_check(card: &Card) -> Option<Reason> {
    blank(&card.title).or_else(|| characters("the title of a card", &card.title, MAX_TITLE_CHARACTERS)).or_else(|| {
        characters("the subtitle of a card", card.subtitle.as_deref().unwrap_or_default(), MAX_TITLE_CHARACTERS)
    })
}

fn choice_check(choice: &Choice, facts: &Facts) -> Option<Reason> {
    let most = facts.channel_kind.carries().choice_payload;
    if most > 0 && choice.payload.len() > most {
        return Some(Reason::TooLong { what: "the payload of a choice", most, unit: "bytes" });
    }
    blank(&choice.title).or_else(|| characters("the title of a choice", &choice.title, MAX_TITLE_CHARACTERS))
}

fn name(name: &str) -> Option<Reason> {
    blank(name).or_else(|| characters("the name", name, MAX_NAME_CHARACTERS))
}

fn blank(text: &str) -> Option<Reason> {
    is_blank(text).then_some(Reason::Empty)
}

/// Nothing that a person would see: white space, control characters, or characters without width.
fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || c.is_control() || is_invisible(c))
}

/// Characters that take part in joining or direction, and alone show nothing.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

fn characters(what: &'static str, text: &str, most: usize) -> Option<Reason> {
    (text.chars().nth(most).is_some()).then_some(Reason::TooLong { what, most, unit: "characters" })
}

/// The effect without what must not leave; `None` when there is nothing to tidy.
pub(super) fn tidy(effect: &Effect) -> Option<(Effect, Reason)> {
    match effect {
        // A reply of media alone is left as it is, and denied.
        Effect::Say(say) if !(say.media.is_empty() || (is_blank(&say.text) && say.cards.is_empty())) => {
            let tidied = Say { media: Vec::new(), ..clean_say(say) };
            Some((Effect::Say(tidied), Reason::MediaLeftOut))
        }
        Effect::Say(say) => changed(effect, Effect::Say(clean_say(say))),
        Effect::Note(note) => changed(effect, Effect::Note(clean(note))),
        Effect::AddTag(tag) => changed(effect, Effect::AddTag(clean(tag))),
        Effect::Handoff(handoff) => {
            let summary = handoff.summary.as_deref().map(clean);
            changed(effect, Effect::Handoff(Handoff { reason: clean(&handoff.reason), summary }))
        }
        Effect::SetAttribute(_)
        | Effect::CommentReply(_)
        | Effect::PrivateReply(_)
        | Effect::HideComment
        | Effect::SetTimer(_)
        | Effect::CancelTimer(_)
        | Effect::SendTemplate(_)
        | Effect::Call(_)
        | Effect::Custom(_) => None,
    }
}

fn changed(before: &Effect, after: Effect) -> Option<(Effect, Reason)> {
    (*before != after).then_some((after, Reason::ControlCharacters))
}

fn clean_say(say: &Say) -> Say {
    let choice = |choice: &Choice| Choice { title: clean(&choice.title), payload: choice.payload.clone() };
    let card = |card: &Card| Card {
        title: clean(&card.title),
        subtitle: card.subtitle.as_deref().map(clean),
        image: card.image.clone(),
        choices: card.choices.iter().map(choice).collect(),
    };
    Say {
        text: clean(&say.text),
        choices: say.choices.iter().map(choice).collect(),
        cards: say.cards.iter().map(card).collect(),
        media: say.media.clone(),
    }
}

/// The text without control characters: Meta refuses some, and others could forge lines for staff.
fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}
