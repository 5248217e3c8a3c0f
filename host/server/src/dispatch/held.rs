//! The claims that this host holds right now, so that their leases can be renewed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bellhop_domain::id::{ConversationId, WorkspaceId};

use crate::inbox::Claimed;

type Claims = HashMap<ConversationId, (WorkspaceId, i64)>;

/// A set of claims; clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Held(Arc<Mutex<Claims>>);

impl Held {
    pub(super) fn add(&self, claimed: &[Claimed]) {
        let mut claims = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for claimed in claimed {
            claims.insert(claimed.conversation.clone(), (claimed.workspace.clone(), claimed.epoch));
        }
    }

    pub(super) fn remove(&self, claimed: &Claimed) {
        let mut claims = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A later claim of the same conversation is not ours to forget.
        if claims.get(&claimed.conversation).is_some_and(|(_, epoch)| *epoch == claimed.epoch) {
            claims.remove(&claimed.conversation);
        }
    }

    pub(super) fn list(&self) -> Vec<(WorkspaceId, ConversationId, i64)> {
        let claims = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        claims.iter().map(|(id, (workspace, epoch))| (workspace.clone(), id.clone(), *epoch)).collect()
    }
}
