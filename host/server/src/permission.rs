//! From a grant to what a plugin may see, and to the facts that policy judges its effects by. Only what was granted gets
//! through; what is not mentioned is withheld, and personal data is masked unless the grant says clear. Performs nothing and
//! reads nothing.

mod mask;
mod payload;
mod view;

use bellhop_domain::policy::Granted;

use crate::registry::EnabledPlugin;

pub use mask::{
    Known, Masker, has_token_in_link, has_tokens, has_values_json, tokens_in_json, tokens_of, unmask_json, unmasked,
};
pub use payload::{PAYLOAD_PREFIX_BYTES, payload_open, payload_owner, payload_seal, payloads_sealed};
pub use view::{Circumstances, Heard, HeardAttachment, View, contact_ref, view};

/// What policy knows of the plugin when it judges.
pub fn granted(plugin: &EnabledPlugin) -> Granted {
    Granted::Plugin {
        effects: plugin.scopes.effects.clone(),
        attributes: plugin.scopes.attributes.clone(),
        link_hosts: plugin.scopes.link_hosts.iter().cloned().collect(),
    }
}

#[cfg(test)]
mod tests;
