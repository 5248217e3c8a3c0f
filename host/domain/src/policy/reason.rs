//! Why policy changed or denied an effect. Codes are kept in tables and audits; sentences are for people.

/// What is left to do when a denial leaves a contact who waits for an answer without one.
///
/// Ordered by how much it does: of several denials the least counts, because what holds for the conversation holds for
/// every word in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Remedy {
    /// Nothing: the contact wants silence, or somebody else has the conversation.
    Nothing,
    /// The business may not speak either, and a person has to find another way.
    Task,
    /// It lies with what was proposed: the business's own words may go out, and a person answers the rest.
    FallbackAndTask,
}

/// A reason. Carries names and numbers of ours, never what anybody wrote, except the host of a link that is not listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The grant does not hold this kind of effect.
    #[error("`{0}` is not granted to this plugin on this channel")]
    EffectNotGranted(&'static str),
    /// The grant does not hold this attribute.
    #[error("the attribute `{0}` is not granted to this plugin on this channel")]
    AttributeNotGranted(String),
    /// The plugin was disabled before its words left.
    #[error("the plugin was disabled on this channel before this could be sent")]
    GrantRevoked,
    /// This version does not perform it.
    #[error("this version of Bellhop does not perform `{0}` yet")]
    NotAvailable(&'static str),
    /// Message tags that claim a person wrote it belong to people.
    #[error("a plugin may not send with a message tag")]
    TagFromPlugin,
    /// The channel has no private thread.
    #[error("a reply in the conversation is not possible on a channel of comments")]
    NoConversation,
    /// The contact was erased.
    #[error("the contact was erased")]
    Erased,
    /// The contact opted out.
    #[error("the contact asked not to be written to")]
    OptedOut,
    /// Another app answers.
    #[error("another app owns the thread")]
    Standby,
    /// The channel may not send.
    #[error("the channel is paused")]
    ChannelPaused,
    /// A person answers.
    #[error("a person has taken the conversation")]
    HumanMode,
    /// Nobody answers.
    #[error("the conversation is paused")]
    PausedMode,
    /// Too long since the contact wrote.
    #[error("the reply window is closed: the contact last wrote more than 24 hours ago")]
    WindowClosed,
    /// The contact never wrote.
    #[error("the reply window was never opened: the contact has not written yet")]
    WindowNeverOpened,
    /// Nothing to say.
    #[error("there is nothing to say")]
    Empty,
    /// A bound on the length of a text.
    #[error("{what} is longer than {most} {unit}")]
    TooLong {
        /// Which text.
        what: &'static str,
        /// The bound.
        most: usize,
        /// What is counted.
        unit: &'static str,
    },
    /// A bound on a number of things.
    #[error("there are more than {most} {what}")]
    TooMany {
        /// Which things.
        what: &'static str,
        /// The bound.
        most: usize,
    },
    /// A link elsewhere.
    #[error("the host `{0}` is not listed for links")]
    LinkNotListed(String),
    /// Characters that show nothing were taken out.
    #[error("control characters were removed")]
    ControlCharacters,
    /// A token in a reply stands for nothing that the contact wrote: foreign, forged, or mangled by a model.
    #[error("the reply holds a token that stands for nothing this contact wrote")]
    UnknownToken,
    /// A value of the contact's would become part of an address that Meta fetches for its preview.
    #[error("what the contact had written would become part of a link")]
    ValueInLink,
    /// Values took the place of their tokens.
    #[error("what the contact had written was put back in place of its tokens")]
    ValuesPutBack,
    /// Media was left out.
    #[error("media was left out: this version of Bellhop sends none yet")]
    MediaLeftOut,
}

impl Reason {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::EffectNotGranted(_) => "effect-not-granted",
            Self::AttributeNotGranted(_) => "attribute-not-granted",
            Self::GrantRevoked => "grant-revoked",
            Self::NotAvailable(_) => "not-available",
            Self::TagFromPlugin => "tag-from-plugin",
            Self::NoConversation => "no-conversation",
            Self::Erased => "erased",
            Self::OptedOut => "opted-out",
            Self::Standby => "standby",
            Self::ChannelPaused => "channel-paused",
            Self::HumanMode => "human-mode",
            Self::PausedMode => "paused-mode",
            Self::WindowClosed => "window-closed",
            Self::WindowNeverOpened => "window-never-opened",
            Self::Empty => "empty",
            Self::TooLong { .. } => "too-long",
            Self::TooMany { .. } => "too-many",
            Self::LinkNotListed(_) => "link-not-listed",
            Self::ControlCharacters => "control-characters",
            Self::UnknownToken => "unknown-token",
            Self::ValueInLink => "value-in-link",
            Self::ValuesPutBack => "values-put-back",
            Self::MediaLeftOut => "media-left-out",
        }
    }
    /// What is left to do when this reason silenced all that a plugin would have told the contact.
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::Erased | Self::OptedOut | Self::Standby | Self::HumanMode | Self::PausedMode => Remedy::Nothing,
            // Nobody comes back to the contact by himself when the channel or the window opens again.
            Self::ChannelPaused | Self::WindowClosed | Self::WindowNeverOpened => Remedy::Task,
            Self::EffectNotGranted(_)
            | Self::AttributeNotGranted(_)
            | Self::GrantRevoked
            | Self::NotAvailable(_)
            | Self::TagFromPlugin
            | Self::NoConversation
            | Self::Empty
            | Self::TooLong { .. }
            | Self::TooMany { .. }
            | Self::LinkNotListed(_)
            | Self::ControlCharacters
            | Self::UnknownToken
            | Self::ValueInLink
            | Self::ValuesPutBack
            | Self::MediaLeftOut => Remedy::FallbackAndTask,
        }
    }
}
