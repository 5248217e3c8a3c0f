//! Payloads of buttons: each leaves with a mark of the plugin that set it and comes back to that plugin only. Without it a
//! plugin could read what another put into a button, or make a contact tap another's.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bellhop_domain::effect::Effect;
use bellhop_domain::id::PluginKey;
use sha2::{Digest, Sha256};

use crate::registry::EnabledPlugin;

/// What the mark takes of a channel's limit: 15 characters of a hash and a separator.
pub const PAYLOAD_PREFIX_BYTES: usize = 16;

/// A payload as it leaves.
pub fn payload_seal(plugin: &PluginKey, payload: &str) -> String {
    let mut sealed = mark(plugin);
    sealed.push_str(payload);
    sealed
}

/// A payload as its plugin set it; `None` when this plugin did not.
pub fn payload_open<'a>(plugin: &PluginKey, sealed: &'a str) -> Option<&'a str> {
    sealed.strip_prefix(&mark(plugin))
}

/// Which of a channel's plugins set a payload; a tap on its button is its to answer first.
pub fn payload_owner<'a>(enabled: &'a [Arc<EnabledPlugin>], sealed: &str) -> Option<&'a PluginKey> {
    enabled.iter().map(|plugin| &plugin.plugin_key).find(|plugin| payload_open(plugin, sealed).is_some())
}

/// An effect with the payloads of its choices as they leave.
pub fn payloads_sealed(plugin: &PluginKey, mut effect: Effect) -> Effect {
    if let Effect::Say(say) = &mut effect {
        let cards = say.cards.iter_mut().flat_map(|card| &mut card.choices);
        for choice in say.choices.iter_mut().chain(cards) {
            choice.payload = payload_seal(plugin, &choice.payload);
        }
    }
    effect
}

/// 90 bits of a hash: nobody finds a plugin key with the mark of another.
fn mark(plugin: &PluginKey) -> String {
    let mut mark = URL_SAFE_NO_PAD.encode(Sha256::digest(plugin.as_str()));
    mark.truncate(PAYLOAD_PREFIX_BYTES - 1);
    mark.push('.');
    mark
}
