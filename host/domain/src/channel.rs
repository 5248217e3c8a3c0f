//! The kinds of channel and what each can carry. Numbers are Meta's; their sources stand beside them.

use serde::{Deserialize, Serialize};

/// A kind of channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChannelKind {
    /// A Page's Messenger inbox.
    Messenger,
    /// An Instagram professional account's direct messages.
    Instagram,
    /// A WhatsApp business number.
    Whatsapp,
    /// Comments under a Page's posts.
    PageComments,
    /// Comments under an Instagram account's media.
    InstagramComments,
}

/// How the length of a text is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// Unicode scalar values.
    Characters(usize),
    /// Bytes of UTF-8.
    Bytes(usize),
}

/// What one message of a channel can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carries {
    /// Longest text.
    pub text: Length,
    /// Most quick replies, or 0 where there are none.
    pub choices: usize,
    /// Longest title of a quick reply, in characters.
    pub choice_title: usize,
    /// Longest payload of a quick reply, in bytes.
    pub choice_payload: usize,
}

impl ChannelKind {
    /// All kinds.
    pub const ALL: [Self; 5] =
        [Self::Messenger, Self::Instagram, Self::Whatsapp, Self::PageComments, Self::InstagramComments];

    /// The name used in configuration, tables and the plugin contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Messenger => "messenger",
            Self::Instagram => "instagram",
            Self::Whatsapp => "whatsapp",
            Self::PageComments => "page-comments",
            Self::InstagramComments => "instagram-comments",
        }
    }

    /// Reads a name; `None` for an unknown one.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether what Meta has of a thread can be looked up. Instagram's can as well, and is not acted on yet (Meta: Conversations API).
    pub const fn shows_threads(self) -> bool {
        match self {
            Self::Messenger => true,
            Self::Instagram | Self::Whatsapp | Self::PageComments | Self::InstagramComments => false,
        }
    }

    /// Limits of one message (Meta: Send API; Instagram Messaging; Cloud API, Messages).
    pub const fn carries(self) -> Carries {
        match self {
            Self::Messenger => {
                Carries { text: Length::Characters(2_000), choices: 13, choice_title: 20, choice_payload: 1_000 }
            }
            Self::Instagram => {
                Carries { text: Length::Bytes(1_000), choices: 13, choice_title: 20, choice_payload: 1_000 }
            }
            // Reply buttons; a list carries ten rows and is chosen in `render` when there are more than three.
            Self::Whatsapp => {
                Carries { text: Length::Characters(4_096), choices: 3, choice_title: 20, choice_payload: 256 }
            }
            Self::PageComments => {
                Carries { text: Length::Characters(8_000), choices: 0, choice_title: 0, choice_payload: 0 }
            }
            Self::InstagramComments => {
                Carries { text: Length::Characters(2_200), choices: 0, choice_title: 0, choice_payload: 0 }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for kind in ChannelKind::ALL {
            assert_eq!(ChannelKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(ChannelKind::parse("telegram"), None);
    }
}
