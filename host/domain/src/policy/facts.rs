//! What policy knows when it judges. Gathered by the caller, freshly for each judgement.

use std::collections::BTreeSet;

use crate::channel::ChannelKind;
use crate::time::Timestamp;

/// Who answers in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// Plugins.
    Automated,
    /// A person of the business.
    Human,
    /// Nobody: the business stopped it.
    Paused,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Automated, Self::Human, Self::Paused];

    /// The name used in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Automated => "automated",
            Self::Human => "human",
            Self::Paused => "paused",
        }
    }

    /// Reads a name; `None` for an unknown one.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == name)
    }
}

/// When the question is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The turn is about to commit.
    Commit,
    /// The message is about to leave.
    Send {
        /// Nothing was applied to the conversation since the turn committed: its mode is what the turn itself made it.
        is_revision_unchanged: bool,
    },
}

/// What the proposer was granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Granted {
    /// The host speaks for itself, in words that the business wrote or that ship with it: a fallback, a confirmation.
    Host,
    /// A plugin that has nothing on this channel any more: its grant was revoked after it was judged by it.
    Revoked,
    /// A plugin, on this channel.
    Plugin {
        /// Names of effect kinds.
        effects: BTreeSet<String>,
        /// Names of attributes that it may set.
        attributes: BTreeSet<String>,
        /// Hosts that it may link to: "example.com" (which covers "www.example.com"), "*.example.com".
        link_hosts: Vec<String>,
    },
}

/// All that a verdict depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The kind of channel.
    pub channel_kind: ChannelKind,
    /// Who answers in the conversation now.
    pub mode: Mode,
    /// When the question is asked.
    pub moment: Moment,
    /// When the contact last did something that opens the reply window, by Meta's clock.
    pub last_contact_event_at: Option<Timestamp>,
    /// Now, by the database's clock.
    pub now: Timestamp,
    /// The contact asked not to be written to.
    pub is_opted_out: bool,
    /// The contact was erased.
    pub is_erased: bool,
    /// Another app owns the thread.
    pub is_standby: bool,
    /// Meta blocked the asset, or the business paused the channel.
    pub is_channel_paused: bool,
    /// What the proposer may do.
    pub granted: Granted,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_modes_round_trip() {
        for mode in Mode::ALL {
            assert_eq!(Mode::parse(mode.as_str()), Some(mode));
        }
        assert_eq!(Mode::parse("asleep"), None);
    }
}
