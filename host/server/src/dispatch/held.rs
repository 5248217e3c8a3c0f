//! The claims that this host holds right now: so that their leases can be renewed, and no workspace has all hands.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bellhop_domain::id::{ConversationId, WorkspaceId};

use crate::inbox::{Claimed, MAX_LEFT_OUT};

/// Turns of one workspace in work at which no more of it are taken: three more like it find room, and whoever comes next does
/// not stand behind a hundred turns of one tenant.
const MANY_TURNS: usize = 64;

/// A set of claims; clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Held(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    claims: HashMap<ConversationId, (WorkspaceId, i64)>,
    n_turns: HashMap<WorkspaceId, usize>,
    /// The workspace that was last in its turn.
    last: Option<WorkspaceId>,
}

impl Held {
    pub(super) fn add(&self, claimed: &[Claimed]) {
        let mut inner = self.lock();
        for claimed in claimed {
            let claim = (claimed.workspace.clone(), claimed.epoch);
            // A conversation whose lease was lost is taken again while its first turn still runs.
            if inner.claims.insert(claimed.conversation.clone(), claim).is_none() {
                *inner.n_turns.entry(claimed.workspace.clone()).or_default() += 1;
            }
        }
        let after = inner.last.clone();
        let in_turn = |claimed: &&Claimed| {
            let is_before = after.as_ref().is_some_and(|after| claimed.workspace <= *after);
            (is_before, claimed.workspace.clone())
        };
        if let Some(last) = claimed.iter().max_by_key(in_turn) {
            inner.last = Some(last.workspace.clone());
        }
    }

    /// Forgets a claim; true when the workspace had so many that it was left out, and now has fewer.
    pub(super) fn remove(&self, claimed: &Claimed) -> bool {
        let mut inner = self.lock();
        // A later claim of the same conversation is not ours to forget.
        if inner.claims.get(&claimed.conversation).is_none_or(|(_, epoch)| *epoch != claimed.epoch) {
            return false;
        }
        inner.claims.remove(&claimed.conversation);
        let n_before = inner.n_turns.get(&claimed.workspace).copied().unwrap_or(0);
        if n_before > 1 {
            inner.n_turns.insert(claimed.workspace.clone(), n_before - 1);
        } else {
            inner.n_turns.remove(&claimed.workspace);
        }
        n_before == MANY_TURNS
    }

    pub(super) fn list(&self) -> Vec<(WorkspaceId, ConversationId, i64)> {
        let inner = self.lock();
        inner.claims.iter().map(|(id, (workspace, epoch))| (workspace.clone(), id.clone(), *epoch)).collect()
    }

    /// The workspace after which the next ones have their turn, and those that have enough in work.
    pub(super) fn turn(&self) -> (Option<WorkspaceId>, Vec<WorkspaceId>) {
        let inner = self.lock();
        let many = inner.n_turns.iter().filter(|(_, n_turns)| **n_turns >= MANY_TURNS);
        (inner.last.clone(), many.map(|(workspace, _)| workspace.clone()).take(MAX_LEFT_OUT).collect())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use bellhop_domain::id::ChannelId;

    use super::*;

    fn claimed(workspace: &str, n: usize) -> Claimed {
        Claimed {
            workspace: WorkspaceId::parse(workspace).unwrap(),
            conversation: ConversationId::parse(&format!("{workspace}-{n}")).unwrap(),
            channel: ChannelId::parse("c").unwrap(),
            contact: None,
            mode: String::from("automated"),
            mode_until: None,
            revision: 0,
            arrivals: 1,
            epoch: 1,
            failures: 0,
            floor: None,
            last_contact_event_at: None,
            last_answered_at: None,
        }
    }

    #[test]
    fn a_workspace_with_many_turns_is_left_out_until_it_has_fewer() {
        let held = Held::default();
        let turns: Vec<Claimed> = (0..MANY_TURNS).map(|n| claimed("a", n)).collect();
        held.add(&turns[1..]);
        assert_eq!(held.turn().1, []);
        held.add(&turns[..1]);
        held.add(&[claimed("b", 0)]);
        assert_eq!(held.turn().1, [WorkspaceId::parse("a").unwrap()]);
        assert!(held.remove(&turns[0]), "the loop is told");
        assert!(!held.remove(&turns[0]), "once");
        assert_eq!(held.turn().1, []);
    }

    #[test]
    fn the_turn_goes_round() {
        let held = Held::default();
        let last = |held: &Held| held.turn().0.unwrap().as_str().to_owned();
        held.add(&[claimed("b", 0), claimed("a", 0)]);
        assert_eq!(last(&held), "b");
        held.add(&[claimed("a", 1), claimed("c", 0)]);
        assert_eq!(last(&held), "a", "c came first, for it stands after b");
    }
}
