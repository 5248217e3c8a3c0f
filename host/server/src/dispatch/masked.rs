//! What the tokens of a turn stand for: found for a reply, kept for the next one.

use std::collections::BTreeSet;
use std::sync::Arc;

use bellhop_domain::effect::Outcome as PluginOutcome;
use bellhop_domain::mask::{Token, Value};

use crate::conversation::{self, MaskedValue};
use crate::dispatch::open::OpenTurn;
use crate::dispatch::{Dispatch, DispatchError};
use crate::permission::{self, Known, Masker};

/// Tokens that one answer may hold beside those of this turn. Nobody is told of that many numbers in a reply; what is beyond stands
/// for nothing.
const MAX_TOKENS: usize = 64;

/// Values of one turn that are kept. More of them in a few messages is no conversation; their tokens stand for nothing later.
const MAX_KEPT: usize = 256;

/// Puts values in place of tokens, for one contact.
pub(super) struct Resolver {
    pub(super) values: Known,
    pub(super) masker: Masker,
}

/// The masker of a turn's contact.
pub(super) fn masker(turn: &OpenTurn) -> Masker {
    Masker::new(Arc::clone(&turn.contact.key), &turn.workspace.locale, &turn.workspace.time_zone)
}

impl Dispatch {
    /// What the tokens of a reply stand for: those of this turn, and those that the contact wrote before.
    pub(super) async fn resolver(
        &self,
        turn: &OpenTurn,
        outcome: &PluginOutcome,
        shown: &[Value],
    ) -> Result<Resolver, DispatchError> {
        let mut values: Known = shown.iter().map(|value| (value.token.clone(), value.shown.clone())).collect();
        let tokens = outcome.proposals.iter().flat_map(|proposal| permission::tokens_of(&proposal.effect));
        let unknown: BTreeSet<Token> = tokens.filter(|token| !values.contains_key(token)).take(MAX_TOKENS).collect();
        let whose = (&turn.claimed.workspace, &turn.contact.id);
        values.extend(conversation::masked_find(&self.db, &self.vault, whose, &unknown).await?);
        Ok(Resolver { values, masker: masker(turn) })
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
    values.into_iter().take(MAX_KEPT).map(kept).collect()
}
