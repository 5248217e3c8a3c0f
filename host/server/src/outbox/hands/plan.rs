//! What may be taken in hand: places are shared out among workspaces, then among the channels of each, and nothing is taken that
//! would have to wait in hand.

use std::collections::HashSet;

use bellhop_domain::allowance;
use bellhop_domain::id::{ChannelId, WorkspaceId};
use bellhop_domain::time::Timestamp;

use super::{Hands, Line, MAX_OF_CHANNEL, MAX_OF_HOST, MAX_OF_WORKSPACE, State, lines_of};
use crate::directory::Snapshot;

/// A channel with deliveries that are due, the oldest of them since then.
#[derive(Debug, Clone)]
pub(in crate::outbox) struct Due {
    pub(in crate::outbox) workspace: WorkspaceId,
    pub(in crate::outbox) channel: ChannelId,
    pub(in crate::outbox) since: Timestamp,
}

/// So many deliveries of a channel may be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::outbox) struct Room {
    pub(in crate::outbox) workspace: WorkspaceId,
    pub(in crate::outbox) channel: ChannelId,
    pub(in crate::outbox) n: usize,
}

/// What may be taken now.
#[derive(Debug, Default)]
pub(in crate::outbox) struct Plan {
    pub(in crate::outbox) rooms: Vec<Room>,
    /// When the first of those that have to wait may go on.
    pub(in crate::outbox) opens_at: Option<Timestamp>,
}

/// A channel's room by itself.
enum Gate {
    Open(usize),
    /// Something of it is in hand, and gives way.
    Busy,
    Shut(Timestamp),
}

impl Hands {
    /// Shares out `limit` places at most among what is due.
    pub(in crate::outbox) fn plan(&self, snapshot: &Snapshot, mut due: Vec<Due>, limit: usize) -> Plan {
        let now = self.0.clock.now();
        let mut state = self.lock();
        state.tidy(now);
        let last = state.last.clone();
        let in_turn =
            |due: &Due| (last.as_ref().is_some_and(|last| due.workspace <= *last), due.workspace.clone(), due.since);
        due.sort_by_cached_key(in_turn);
        let (mut plan, mut taken) = (Plan::default(), HashSet::new());
        let (mut n_due, mut open) = (0, Vec::new());
        for due in due {
            match state.gate(snapshot, &due, now, &mut taken) {
                Gate::Open(n) => open.push((due, n)),
                Gate::Busy => n_due += 1,
                Gate::Shut(until) => plan.opens_at = Some(plan.opens_at.map_or(until, |at| at.min(until))),
            }
        }
        n_due += open.len();
        let n_places = limit.min(MAX_OF_HOST.saturating_sub(state.n_of_host));
        plan.rooms = state.share_out(n_places, &open);
        state.is_short = plan.rooms.len() < n_due || n_places < limit;
        plan
    }
}

impl State {
    fn gate(&self, snapshot: &Snapshot, due: &Due, now: Timestamp, taken: &mut HashSet<Line>) -> Gate {
        let in_hand = |line: &Line| self.lines.get(line).map_or(0, |standing| standing.n_in_hand);
        let room = MAX_OF_CHANNEL.saturating_sub(in_hand(&Line::Channel(due.channel.clone())));
        // Another process may have connected it a moment ago.
        let Some(channel) = snapshot.channel(&due.workspace, &due.channel) else { return Gate::Open(room) };
        let mut slow = Vec::new();
        for (line, sender) in lines_of(&channel) {
            let (rest, _) = self.rest(snapshot, &channel, &sender);
            let next_at = self.lines.get(&line).map_or(now, |standing| standing.next_at);
            if rest.silent_until > now {
                return Gate::Shut(rest.silent_until);
            }
            if rest.slow_until > now {
                if next_at > now {
                    return Gate::Shut(next_at);
                }
                slow.push(line);
            }
        }
        if slow.is_empty() {
            return if room > 0 { Gate::Open(room) } else { Gate::Busy };
        }
        if slow.iter().any(|line| in_hand(line) > 0 || taken.contains(line)) {
            return Gate::Busy;
        }
        taken.extend(slow);
        Gate::Open(1)
    }

    /// Everybody's first, then everybody's second; in the order in which they stand, which is workspace by workspace.
    fn share_out(&self, n_places: usize, open: &[(Due, usize)]) -> Vec<Room> {
        let tenants: Vec<&[(Due, usize)]> = open.chunk_by(|a, b| a.0.workspace == b.0.workspace).collect();
        let in_hand = |tenant: &[(Due, usize)]| {
            tenant.first().and_then(|(due, _)| self.n_of_workspace.get(&due.workspace)).copied().unwrap_or(0)
        };
        let wants = |tenant: &&[(Due, usize)]| {
            let rooms: usize = tenant.iter().map(|(_, room)| room).sum();
            rooms.min(MAX_OF_WORKSPACE.saturating_sub(in_hand(tenant)))
        };
        let wants: Vec<usize> = tenants.iter().map(wants).collect();
        let mut rooms = Vec::new();
        for (tenant, share) in tenants.into_iter().zip(allowance::shares(n_places, &wants)) {
            let wants: Vec<usize> = tenant.iter().map(|(_, room)| *room).collect();
            let shares = tenant.iter().zip(allowance::shares(share, &wants)).filter(|(_, n)| *n > 0);
            rooms.extend(shares.map(|((due, _), n)| Room {
                workspace: due.workspace.clone(),
                channel: due.channel.clone(),
                n,
            }));
        }
        rooms
    }
}
