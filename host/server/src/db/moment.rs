//! Named moments around the commits, at which a crash test ends the process. Costs one relaxed load where nobody asked; the
//! shipped binary never asks, and no configuration and no variable does it either.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// A moment at which a host may die, and must not lose or repeat anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Moment {
    /// Webhooks are written and not committed.
    InboxWritten,
    /// Webhooks are committed and not yet answered 200.
    InboxCommitted,
    /// Conversations are claimed and nothing of them is read.
    TurnClaimed,
    /// Turns are written and not committed.
    TurnWritten,
    /// Turns are committed and nobody was told.
    TurnCommitted,
    /// The attempt is on disk and not a byte has left.
    SendClaimed,
    /// The attempt has ended and nothing of its end is written.
    SendEnded,
    /// The ends of attempts are written and not committed.
    SettleWritten,
    /// The ends of attempts are committed.
    SettleCommitted,
    /// Control events are applied and not committed.
    ControlWritten,
    /// Control events are committed and nobody was told.
    ControlCommitted,
}

impl Moment {
    /// Every moment, in the order in which a message passes them.
    pub const ALL: [Self; 11] = [
        Self::InboxWritten,
        Self::InboxCommitted,
        Self::TurnClaimed,
        Self::TurnWritten,
        Self::TurnCommitted,
        Self::SendClaimed,
        Self::SendEnded,
        Self::SettleWritten,
        Self::SettleCommitted,
        Self::ControlWritten,
        Self::ControlCommitted,
    ];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InboxWritten => "inbox-written",
            Self::InboxCommitted => "inbox-committed",
            Self::TurnClaimed => "turn-claimed",
            Self::TurnWritten => "turn-written",
            Self::TurnCommitted => "turn-committed",
            Self::SendClaimed => "send-claimed",
            Self::SendEnded => "send-ended",
            Self::SettleWritten => "settle-written",
            Self::SettleCommitted => "settle-committed",
            Self::ControlWritten => "control-written",
            Self::ControlCommitted => "control-committed",
        }
    }

    /// The moment of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|moment| moment.as_str() == name)
    }
}

type Hook = Box<dyn Fn(Moment) + Send + Sync>;

static IS_WATCHED: AtomicBool = AtomicBool::new(false);
static HOOK: OnceLock<Hook> = OnceLock::new();

/// Calls `hook` at every moment from now on; for a crash test's own process, before it runs a command. The first hook stays.
pub fn watch_moments(hook: impl Fn(Moment) + Send + Sync + 'static) {
    let _first_stays = HOOK.set(Box::new(hook));
    IS_WATCHED.store(true, Ordering::Relaxed);
}

/// The process is at this moment.
pub(crate) fn moment(moment: Moment) {
    if IS_WATCHED.load(Ordering::Relaxed)
        && let Some(hook) = HOOK.get()
    {
        hook(moment);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_a_name_of_its_own() {
        for moment in Moment::ALL {
            assert_eq!(Moment::parse(moment.as_str()), Some(moment));
        }
        assert_eq!(Moment::parse("noon"), None);
    }
}
