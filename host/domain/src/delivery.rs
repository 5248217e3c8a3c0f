//! The life of a delivery: its states, what moves it between them, and which kinds may simply be sent again when
//! nobody knows whether Meta took them. Decides; never sends and never stores.

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Committed with its turn, not yet tried.
    Staged,
    /// An attempt is on record and may be on the wire.
    Sending,
    /// Meta certainly did not take it; due again later.
    Retry,
    /// Meta may have taken it: it waits for evidence.
    Unknown,
    /// Waits for a person: from before a restore, or unknown for too long.
    Held,
    /// Meta took it.
    Sent,
    /// It reached the customer.
    Delivered,
    /// The customer saw it.
    Read,
    /// Given up, with a reason.
    Dead,
    /// Policy no longer allowed it when its time came.
    Dropped,
}

/// What happened to a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Happening {
    /// An attempt begins.
    Attempted,
    /// Meta answered that it took it.
    Accepted,
    /// Meta answered that it did not, and that it may later.
    RefusedForNow,
    /// Meta answered that it never will, or the attempts are used up.
    RefusedForGood,
    /// The attempt ended without an answer: timeout, cut, crash.
    Lost,
    /// An echo, a status or a lookup shows it at Meta.
    Shown,
    /// A lookup that would show it did not, twice, a minute apart.
    ShownAbsent,
    /// It reached the customer.
    Arrived,
    /// The customer saw it.
    Seen,
    /// Meta took it and later says that it failed.
    FailedLater,
    /// Evidence did not come in time: no automatic retry any more.
    WaitedTooLong,
    /// Policy denied it at the moment of sending.
    Denied,
    /// Set aside, by a restore or a person.
    Held,
    /// A person lets it go out, or tries again what was given up.
    Released,
    /// A person gives it up.
    Abandoned,
}

/// What may be done after an attempt without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Doing it twice is doing it once.
    Freely,
    /// Meta itself takes only one; its refusal of the second proves the first.
    GuardedByMeta,
    /// Only when evidence shows that Meta did not take it.
    ByEvidence,
    /// The container says what became of it.
    ByContainer,
    /// Again with the same idempotency key.
    ByKey,
}

/// What is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeliveryKind {
    /// A message of text, with or without choices.
    Text,
    /// A card.
    Card,
    /// A template.
    Template,
    /// A public answer to a comment.
    CommentReply,
    /// The one private answer to a comment.
    PrivateReply,
    /// Hiding a comment.
    Hide,
    /// Liking a comment.
    Like,
    /// Showing that somebody types.
    Typing,
    /// Showing that a message was seen.
    Seen,
    /// A setting of the profile.
    Profile,
    /// A post on Instagram.
    Publish,
    /// A call to an endpoint of the business.
    Call,
}

/// Every kind, its name in tables, and how it may be repeated.
const KINDS: [(DeliveryKind, &str, Repeat); 12] = [
    (DeliveryKind::Text, "text", Repeat::ByEvidence),
    (DeliveryKind::Card, "card", Repeat::ByEvidence),
    (DeliveryKind::Template, "template", Repeat::ByEvidence),
    (DeliveryKind::CommentReply, "comment-reply", Repeat::ByEvidence),
    (DeliveryKind::PrivateReply, "private-reply", Repeat::GuardedByMeta),
    (DeliveryKind::Hide, "hide", Repeat::Freely),
    (DeliveryKind::Like, "like", Repeat::Freely),
    (DeliveryKind::Typing, "typing", Repeat::Freely),
    (DeliveryKind::Seen, "seen", Repeat::Freely),
    (DeliveryKind::Profile, "profile", Repeat::Freely),
    (DeliveryKind::Publish, "publish", Repeat::ByContainer),
    (DeliveryKind::Call, "call", Repeat::ByKey),
];

impl DeliveryKind {
    /// All kinds.
    pub fn all() -> impl Iterator<Item = Self> {
        KINDS.iter().map(|(kind, ..)| *kind)
    }

    /// The name used in tables.
    pub fn as_str(self) -> &'static str {
        KINDS.iter().find(|(kind, ..)| *kind == self).map_or("unknown", |(_, name, _)| name)
    }

    /// Reads a name; `None` for an unknown one.
    pub fn parse(name: &str) -> Option<Self> {
        KINDS.iter().find(|(_, known, _)| *known == name).map(|(kind, ..)| *kind)
    }

    /// What may be done after an attempt without an answer. The careful answer for what is not in the table.
    pub fn repeat(self) -> Repeat {
        KINDS.iter().find(|(kind, ..)| *kind == self).map_or(Repeat::ByEvidence, |(.., repeat)| *repeat)
    }
}

/// The names of the states in tables.
const STATES: [(State, &str); 10] = [
    (State::Staged, "staged"),
    (State::Sending, "sending"),
    (State::Retry, "retry"),
    (State::Unknown, "unknown"),
    (State::Held, "held"),
    (State::Sent, "sent"),
    (State::Delivered, "delivered"),
    (State::Read, "read"),
    (State::Dead, "dead"),
    (State::Dropped, "dropped"),
];

impl State {
    /// All states.
    pub fn all() -> impl Iterator<Item = Self> {
        STATES.iter().map(|(state, _)| *state)
    }

    /// The name used in tables.
    pub fn as_str(self) -> &'static str {
        STATES.iter().find(|(state, _)| *state == self).map_or("unknown", |(_, name)| name)
    }

    /// Reads a name; `None` for an unknown one.
    pub fn parse(name: &str) -> Option<Self> {
        STATES.iter().find(|(_, known)| *known == name).map(|(state, _)| *state)
    }

    /// Nothing will be sent any more, whatever happens by itself.
    pub const fn is_settled(self) -> bool {
        match self {
            Self::Staged | Self::Sending | Self::Retry | Self::Unknown | Self::Held => false,
            Self::Sent | Self::Delivered | Self::Read | Self::Dead | Self::Dropped => true,
        }
    }

    /// Later messages of the conversation wait for it, so that order is kept.
    pub const fn holds_conversation(self) -> bool {
        match self {
            Self::Staged | Self::Sending | Self::Retry | Self::Unknown => true,
            Self::Held | Self::Sent | Self::Delivered | Self::Read | Self::Dead | Self::Dropped => false,
        }
    }

    /// How far Meta got with it; receipts only ever raise it.
    const fn rank(self) -> u8 {
        match self {
            Self::Staged | Self::Sending | Self::Retry | Self::Unknown | Self::Held | Self::Dead | Self::Dropped => 0,
            Self::Sent => 1,
            Self::Delivered => 2,
            Self::Read => 3,
        }
    }

    /// The further of two.
    const fn raised_to(self, other: Self) -> Self {
        if other.rank() > self.rank() { other } else { self }
    }
}

/// The state after something happened. Defined for every pair: what does not fit changes nothing, because echoes,
/// receipts and answers come late, twice and in any order.
pub fn next(state: State, repeat: Repeat, happening: Happening) -> State {
    match happening {
        // Late news that Meta took it does not undo a failure; that the customer has it does.
        Happening::Accepted | Happening::Shown if state == State::Dead => State::Dead,
        Happening::Accepted | Happening::Shown => state.raised_to(State::Sent),
        Happening::Arrived => state.raised_to(State::Delivered),
        Happening::Seen => state.raised_to(State::Read),
        Happening::FailedLater => match state {
            // A customer cannot have received what failed; a late failure after a receipt is noise.
            State::Delivered | State::Read | State::Dropped => state,
            State::Staged
            | State::Sending
            | State::Retry
            | State::Unknown
            | State::Held
            | State::Sent
            | State::Dead => State::Dead,
        },
        Happening::Attempted => after(state, &[State::Staged, State::Retry], State::Sending),
        Happening::RefusedForNow => after(state, &[State::Sending], State::Retry),
        Happening::RefusedForGood => after(state, &[State::Staged, State::Sending, State::Retry], State::Dead),
        Happening::Lost => after(state, &[State::Sending], after_loss(repeat)),
        Happening::ShownAbsent => after(state, &[State::Unknown], State::Retry),
        Happening::WaitedTooLong => after(state, &[State::Unknown], State::Held),
        Happening::Denied => after(state, &[State::Staged, State::Retry, State::Held], State::Dropped),
        // What may be on the wire cannot be set aside before its outcome is known.
        Happening::Held => after(state, &[State::Staged, State::Retry, State::Unknown], State::Held),
        Happening::Released => after(state, &[State::Held, State::Dead], State::Retry),
        Happening::Abandoned => after(state, &[State::Staged, State::Retry, State::Unknown, State::Held], State::Dead),
    }
}

fn after(state: State, from: &[State], to: State) -> State {
    if from.contains(&state) { to } else { state }
}

const fn after_loss(repeat: Repeat) -> State {
    match repeat {
        Repeat::Freely | Repeat::GuardedByMeta | Repeat::ByKey => State::Retry,
        Repeat::ByEvidence | Repeat::ByContainer => State::Unknown,
    }
}

#[cfg(test)]
mod tests;
