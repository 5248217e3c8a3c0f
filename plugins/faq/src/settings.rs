//! What the business can set. Everything has a default: a plugin that was just enabled answers.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The settings, valid against the schema in `plugin.toml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Settings {
    /// What happens when a question is not understood after a clarifying one.
    pub second_miss: SecondMiss,
    /// What happens when a comment asks something that an entry answers.
    pub comments: Comments,
    /// Sentences by language that stand in for the plugin's own.
    pub wording: BTreeMap<String, OwnWording>,
}

/// After the second question that no entry fits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecondMiss {
    /// Offer that a person answers.
    #[default]
    OfferHuman,
    /// Let the next plugin try.
    Pass,
}

/// Comments under posts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Comments {
    /// A private message with the answer, and a short public line.
    #[default]
    PrivateReply,
    /// Comments are left to others.
    Ignore,
}

/// Sentences of the business; what is left out stays the plugin's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct OwnWording {
    /// Over the choices of a clarifying question.
    pub did_you_mean: Option<String>,
    /// Over the offer of a person.
    pub not_understood: Option<String>,
    /// On the choice that calls a person.
    pub call_human: Option<String>,
    /// When a person was called.
    pub human_called: Option<String>,
    /// When a picture was sent with a question.
    pub no_pictures: Option<String>,
    /// Under a comment that was answered privately.
    pub answered_privately: Option<String>,
}
