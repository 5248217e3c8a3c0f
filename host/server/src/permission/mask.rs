//! Masking for one contact: personal data becomes tokens named under the contact's key, and tokens become values again.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use bellhop_domain::effect::{Card, Choice, Effect, Say};
use bellhop_domain::mask::{self, Kind, Masked, Region, Token, Unresolved, Value};
use bellhop_domain::policy::link;
use serde_json::Value as Json;

use crate::vault::DataKey;

/// Masks what one contact wrote.
#[derive(Debug, Clone)]
pub struct Masker {
    key: Arc<DataKey>,
    region: Option<Region>,
}

impl Masker {
    /// For a contact, by their key; numbers without a country code are read as the business's country writes them.
    pub fn new(key: Arc<DataKey>, locale: &str, time_zone: &str) -> Self {
        Self { key, region: mask::region(locale, time_zone) }
    }

    /// A text without personal data.
    pub fn mask(&self, text: &str) -> Masked {
        mask::mask(text, self.region, |kind, normal| self.key.name_of(&[kind.as_str(), normal]))
    }

    /// A document without personal data in its strings; one that is no JSON is withheld whole.
    pub fn mask_json(&self, json: &str, values: &mut Vec<Value>) -> String {
        let Ok(mut document) = serde_json::from_str::<Json>(json) else { return "null".to_owned() };
        each_string(&mut document, &mut |text| {
            let masked = self.mask(text);
            values.extend(masked.values);
            *text = masked.text;
        });
        document.to_string()
    }

    /// What a plugin left behind when it may have seen more than it may now. The tokens of what it wrote itself have names of their own
    /// that stand for nothing: who could compare them with those of messages could find a number by trying.
    pub fn redact_json(&self, json: &str) -> String {
        let Ok(mut document) = serde_json::from_str::<Json>(json) else { return "null".to_owned() };
        each_string(&mut document, &mut |text| *text = self.redact(text));
        document.to_string()
    }

    /// The same of a plain text. Tokens in it stay what they are.
    pub fn redact(&self, text: &str) -> String {
        let name = |kind: Kind, normal: &str| self.key.name_of(&["written by a plugin", kind.as_str(), normal]);
        mask::mask_beside_tokens(text, self.region, name)
    }

    /// The text with values in place of their tokens.
    ///
    /// # Errors
    /// [`Unresolved`]: a token stands for nothing, or would not be found again where it stands: glued to a letter a number is no
    /// number any more, and whoever is shown the text later would see it in clear.
    fn put_back(&self, text: &str, known: &Known) -> Result<String, Unresolved> {
        let clear = mask::unmask(text, |token| known.get(token).cloned())?;
        let mut again: Vec<Token> = self.mask(&clear).values.into_iter().map(|value| value.token).collect();
        for token in mask::tokens_in(text).into_iter().filter(|token| token.kind() != Some(Kind::Card)) {
            let at = again.iter().position(|found| *found == token).ok_or(Unresolved)?;
            again.swap_remove(at);
        }
        Ok(clear)
    }
}

/// What tokens stand for.
pub type Known = HashMap<Token, String>;

/// Puts values back into a document.
///
/// # Errors
/// [`Unresolved`]: a token in it stands for nothing, or would not be found again.
pub fn unmask_json(document: &mut Json, known: &Known, masker: &Masker) -> Result<(), Unresolved> {
    let mut ended = Ok(());
    each_string(document, &mut |text| match masker.put_back(text, known) {
        Ok(clear) => *text = clear,
        Err(unresolved) => ended = Err(unresolved),
    });
    ended
}

/// Whether a document's strings hold personal data that is no token.
pub fn has_values_json(document: &mut Json, masker: &Masker) -> bool {
    let mut has_values = false;
    each_string(document, &mut |text| has_values |= masker.redact(text) != *text);
    has_values
}

fn each_string(document: &mut Json, change: &mut impl FnMut(&mut String)) {
    match document {
        Json::String(text) => change(text),
        Json::Array(items) => items.iter_mut().for_each(|item| each_string(item, change)),
        Json::Object(fields) => fields.values_mut().for_each(|field| each_string(field, change)),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

/// The tokens in a document's strings.
pub fn tokens_in_json(document: &mut Json) -> BTreeSet<Token> {
    let mut tokens = BTreeSet::new();
    each_string(document, &mut |text| tokens.extend(mask::tokens_in(text)));
    tokens
}

/// The tokens in what the contact is to read of an effect. Of a comment, a note or a tag there are none: others read those, and
/// nothing is put back there.
pub fn tokens_of(effect: &Effect) -> Vec<Token> {
    let Effect::Say(say) = effect else { return Vec::new() };
    texts_of(say).flat_map(mask::tokens_in).collect()
}

/// Whether anything has to be put back, or to be found mangled.
pub fn has_tokens(effect: &Effect) -> bool {
    let Effect::Say(say) = effect else { return false };
    texts_of(say).any(mask::may_hold_tokens)
}

/// Whether a value would become part of a link. Meta fetches a preview of every link, so that the value would reach whoever it leads
/// to, listed or not.
pub fn has_token_in_link(effect: &Effect) -> bool {
    let Effect::Say(say) = effect else { return false };
    texts_of(say).any(link::has_token_in_link)
}

fn texts_of(say: &Say) -> impl Iterator<Item = &str> {
    let choices = say.choices.iter().chain(say.cards.iter().flat_map(|card| &card.choices)).map(|choice| &choice.title);
    let cards = say.cards.iter().flat_map(|card| [Some(&card.title), card.subtitle.as_ref()].into_iter().flatten());
    std::iter::once(&say.text).chain(choices).chain(cards).map(String::as_str)
}

/// A private reply with the values that this contact wrote in place of their tokens; any other effect as it is.
///
/// # Errors
/// [`Unresolved`]: hand it to staff.
pub fn unmasked(effect: Effect, known: &Known, masker: &Masker) -> Result<Effect, Unresolved> {
    let Effect::Say(say) = effect else { return Ok(effect) };
    let choice = |choice: Choice| Ok(Choice { title: masker.put_back(&choice.title, known)?, ..choice });
    let choices = |all: Vec<Choice>| all.into_iter().map(choice).collect::<Result<Vec<_>, Unresolved>>();
    let card = |card: Card| {
        Ok(Card {
            title: masker.put_back(&card.title, known)?,
            subtitle: card.subtitle.map(|subtitle| masker.put_back(&subtitle, known)).transpose()?,
            choices: choices(card.choices)?,
            ..card
        })
    };
    let cards = say.cards.into_iter().map(card).collect::<Result<Vec<_>, Unresolved>>()?;
    Ok(Effect::Say(Say { text: masker.put_back(&say.text, known)?, choices: choices(say.choices)?, cards, ..say }))
}
