//! The hands of this host: what it holds, what of that is on its way to Meta, and who is slow or silent by Meta's word. The numbers
//! of Meta's stand in `domain::allowance`. Claims nothing and sends nothing.

mod plan;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bellhop_domain::allowance::{self, Pace};
use bellhop_domain::id::{AppId, ChannelId, WorkspaceId};
use bellhop_domain::time::Timestamp;

use crate::db::Clock;
use crate::directory::{Channel, Rest, Snapshot};
use crate::inbox::Wake;
use crate::outbox::MAX_CLAIM;
use crate::outbox::claim::PER_CHANNEL;
use crate::outbox::consequence::{self, Heard};

pub(super) use plan::{Due, Room};

/// Deliveries in the hands of one host: each is a request to Meta and a task that waits for its answer.
const MAX_OF_HOST: usize = 256;

/// Of one workspace: a tenant whose Pages are answered slowly leaves half of the hands to others.
const MAX_OF_WORKSPACE: usize = 128;

/// Of one channel: Meta takes 300 texts a second of a Page and answers within some 200 ms (Meta: Send API, Rate limits).
const MAX_OF_CHANNEL: usize = 64;

/// The hands of one host; clones share them.
#[derive(Debug, Clone)]
pub(super) struct Hands(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    clock: Clock,
    wake: Wake,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    n_of_host: usize,
    n_of_workspace: HashMap<WorkspaceId, usize>,
    lines: HashMap<Line, Standing>,
    heard: HashMap<Sender, (Rest, Duration)>,
    /// The workspace that was last in its turn.
    last: Option<WorkspaceId>,
    /// Something is due that hands were missing for.
    is_short: bool,
}

/// Those who send one after the other while they are slow: a channel, and all that a workspace sends through an app.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Line {
    Channel(ChannelId),
    Share(AppId, WorkspaceId),
}

/// Those of whose allowance Meta speaks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Sender {
    Channel(ChannelId),
    App(AppId),
}

#[derive(Debug, Default)]
struct Standing {
    n_in_hand: usize,
    n_on_the_way: usize,
    next_at: Timestamp,
}

/// A delivery in hand; the place is free when this is gone.
#[derive(Debug)]
pub(super) struct Grip {
    hands: Hands,
    workspace: WorkspaceId,
    lines: Vec<Line>,
}

/// A request on its way to Meta, up to its answer.
#[derive(Debug)]
pub(super) struct OnTheWay {
    hands: Hands,
    lines: Vec<(Line, Sender)>,
    was_slow: bool,
}

/// Why a delivery in hand must not leave now, and until when.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wait {
    Silent(Timestamp),
    Slow(Timestamp),
}

impl Hands {
    pub(super) fn new(clock: Clock, wake: Wake) -> Self {
        Self(Arc::new(Shared { clock, wake, state: Mutex::default() }))
    }

    /// Nobody is slow, and whatever a claim takes leaves hands for others: no plan is needed. The workspace that was last in its
    /// turn.
    pub(super) fn calm(&self, snapshot: &Snapshot) -> Option<Option<WorkspaceId>> {
        let now = self.0.clock.now();
        let mut state = self.lock();
        state.tidy(now);
        let is_free = |line: &Line, n_in_hand: usize| match line {
            Line::Channel(_) => n_in_hand + PER_CHANNEL <= MAX_OF_CHANNEL,
            Line::Share(..) => true,
        };
        let is_calm = snapshot.rests_until() <= now
            && state.heard.is_empty()
            && state.n_of_host + MAX_CLAIM <= MAX_OF_HOST
            && state.n_of_workspace.values().all(|n| n + MAX_CLAIM <= MAX_OF_WORKSPACE)
            && state.lines.iter().all(|(line, standing)| is_free(line, standing.n_in_hand));
        is_calm.then(|| state.last.clone())
    }

    /// Remembers whose turn it was.
    pub(super) fn had_its_turn<'a>(&self, workspaces: impl Iterator<Item = &'a WorkspaceId>) {
        let mut state = self.lock();
        let in_turn = |workspace: &&WorkspaceId| {
            (state.last.as_ref().is_some_and(|last| *workspace <= last), (*workspace).clone())
        };
        if let Some(last) = workspaces.max_by_key(in_turn) {
            state.last = Some(last.clone());
        }
    }

    /// Takes a delivery in hand.
    pub(super) fn take(&self, snapshot: &Snapshot, workspace: &WorkspaceId, channel: &ChannelId) -> Grip {
        let known = snapshot.channel(workspace, channel);
        let share = known.map(|channel| Line::Share(channel.app.clone(), workspace.clone()));
        let lines: Vec<Line> = std::iter::once(Line::Channel(channel.clone())).chain(share).collect();
        let mut state = self.lock();
        state.n_of_host += 1;
        *state.n_of_workspace.entry(workspace.clone()).or_default() += 1;
        for line in &lines {
            state.lines.entry(line.clone()).or_default().n_in_hand += 1;
        }
        Grip { hands: self.clone(), workspace: workspace.clone(), lines }
    }

    /// Lets a delivery leave, unless its channel or its workspace's share of the app has to wait: what was taken in hand before
    /// Meta said so waits as well.
    pub(super) fn leave(&self, snapshot: &Snapshot, channel: &Channel) -> Result<OnTheWay, Wait> {
        let now = self.0.clock.now();
        let mut state = self.lock();
        let (lines, mut was_slow) = (lines_of(channel), false);
        for (line, sender) in &lines {
            let (rest, between) = state.rest(snapshot, channel, sender);
            if rest.silent_until > now {
                return Err(Wait::Silent(rest.silent_until));
            }
            if rest.slow_until > now {
                was_slow = true;
                let standing = state.lines.get(line);
                if let Some(next_at) = standing.map(|standing| standing.next_at).filter(|next_at| *next_at > now) {
                    return Err(Wait::Slow(next_at));
                }
                if standing.is_some_and(|standing| standing.n_on_the_way > 0) {
                    return Err(Wait::Slow(now + between));
                }
            }
        }
        for (line, _) in &lines {
            state.lines.entry(line.clone()).or_default().n_on_the_way += 1;
        }
        Ok(OnTheWay { hands: self.clone(), lines, was_slow })
    }

    /// Keeps in mind what Meta said of a channel's allowance and of its app's, from this moment on.
    pub(super) fn hear(&self, channel: &Channel, heard: Heard) {
        let now = self.0.clock.now();
        let mut state = self.lock();
        let senders = [Sender::Channel(channel.id.clone()), Sender::App(channel.app.clone())];
        for (sender, pace) in senders.into_iter().zip([heard.channel, heard.app]) {
            let Some(rest) = consequence::rest(pace, now) else { continue };
            let between = match pace {
                Pace::Slow(between) => between,
                Pace::Silent(_) | Pace::Free => allowance::SLOW,
            };
            let entry = state.heard.entry(sender).or_default();
            *entry = (entry.0.and(rest), between);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lines_of(channel: &Channel) -> Vec<(Line, Sender)> {
    vec![
        (Line::Channel(channel.id.clone()), Sender::Channel(channel.id.clone())),
        (Line::Share(channel.app.clone(), channel.workspace.clone()), Sender::App(channel.app.clone())),
    ]
}

impl State {
    /// Until when somebody holds back, by what any host heard, and the rest between two messages meanwhile.
    fn rest(&self, snapshot: &Snapshot, channel: &Channel, sender: &Sender) -> (Rest, Duration) {
        let known = match sender {
            Sender::Channel(_) => snapshot.channel(&channel.workspace, &channel.id).map(|channel| channel.rest),
            Sender::App(app) => snapshot.app(app).map(|app| app.rest),
        };
        let known = known.unwrap_or_default();
        self.heard.get(sender).map_or((known, allowance::SLOW), |(rest, between)| (rest.and(known), *between))
    }

    /// Forgets what says nothing any more.
    fn tidy(&mut self, now: Timestamp) {
        self.heard.retain(|_, (rest, _)| rest.silent_until.max(rest.slow_until) > now);
        self.lines.retain(|_, line| line.n_in_hand + line.n_on_the_way > 0 || line.next_at > now);
    }
}

impl Drop for Grip {
    fn drop(&mut self) {
        let mut state = self.hands.lock();
        state.n_of_host = state.n_of_host.saturating_sub(1);
        if let Some(n) = state.n_of_workspace.get_mut(&self.workspace) {
            *n = n.saturating_sub(1);
            if *n == 0 {
                state.n_of_workspace.remove(&self.workspace);
            }
        }
        for line in &self.lines {
            if let Some(standing) = state.lines.get_mut(line) {
                standing.n_in_hand = standing.n_in_hand.saturating_sub(1);
            }
        }
        if std::mem::take(&mut state.is_short) {
            self.hands.0.wake.notify();
        }
    }
}

impl Drop for OnTheWay {
    fn drop(&mut self) {
        let now = self.hands.0.clock.now();
        let mut state = self.hands.lock();
        for (line, sender) in &self.lines {
            let heard = state.heard.get(sender).filter(|(rest, _)| rest.slow_until > now).map(|(_, between)| *between);
            let Some(standing) = state.lines.get_mut(line) else { continue };
            standing.n_on_the_way = standing.n_on_the_way.saturating_sub(1);
            // Of the two lines perhaps only the other is slow; then nobody looks at this one's time.
            if let Some(between) = heard.or(self.was_slow.then_some(allowance::SLOW)) {
                standing.next_at = now + between;
            }
        }
    }
}
