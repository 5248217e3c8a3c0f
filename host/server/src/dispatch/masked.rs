//! What the tokens of a turn stand for: found for a reply, kept for the next one.

use std::sync::Arc;

use bellhop_domain::effect::Outcome as PluginOutcome;
use bellhop_domain::mask::Value;

use crate::conversation::{self, MaskedValue};
use crate::dispatch::open::OpenTurn;
use crate::dispatch::{Dispatch, DispatchError};
use crate::permission::{self, Known};

impl Dispatch {
    /// What the tokens of a reply stand for: those of this turn, and those that the contact wrote before.
    pub(super) async fn known(
        &self,
        turn: &OpenTurn,
        outcome: &PluginOutcome,
        shown: &[Value],
    ) -> Result<Known, DispatchError> {
        let mut known: Known = shown.iter().map(|value| (value.token.clone(), value.shown.clone())).collect();
        let tokens = outcome.proposals.iter().flat_map(|proposal| permission::tokens_of(&proposal.effect));
        let unknown = tokens.filter(|token| !known.contains_key(token)).collect();
        let whose = (&turn.claimed.workspace, &turn.contact.id);
        known.extend(conversation::masked_find(&self.db, &self.vault, whose, &unknown).await?);
        Ok(known)
    }
}

/// The rows for what plugins were shown as tokens.
pub(super) fn kept(turn: &OpenTurn, values: Vec<Value>) -> Vec<MaskedValue> {
    let (workspace, contact) = (&turn.claimed.workspace, &turn.contact.id);
    let kept = |value| MaskedValue {
        workspace: workspace.clone(),
        contact: contact.clone(),
        value,
        key: Arc::clone(&turn.contact.key),
    };
    values.into_iter().map(kept).collect()
}
