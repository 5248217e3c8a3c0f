//! What Meta's errors mean for the one who sends: a table of codes, and what to do about each.
//!
//! Branches on code and subcode, on the HTTP status only where the code says nothing, and never on the text.
//! Sources: Meta's error references of the Graph API, Messenger Platform, Instagram Platform and Cloud API, 2026.

mod table;
#[cfg(test)]
mod tests;

/// What to do about a refused request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Temporary: the same request again, later.
    Retry,
    /// Temporary where it happens once; a second time it is final.
    RetryOnce,
    /// Too fast for this recipient alone: again later, and the others go on.
    SlowRecipient,
    /// Too much for the asset: all its requests wait.
    BackOff,
    /// Too much for the app: the requests of all its assets wait.
    BackOffApp,
    /// The connection needs its owner to log in again; nothing is sent until then.
    Reauthorise,
    /// This message will never be taken.
    Drop,
    /// As `Drop`; and the reply window is closed, whatever the host believed.
    WindowClosed,
    /// Another app owns the thread: as `Drop`, and stay silent.
    NotOwner,
    /// The one private reply was already given; after an own attempt without an answer this counts as sent.
    AlreadyReplied,
    /// Meta restricts the asset: stop sending for it and tell the operator.
    Pause,
    /// The request or the setup is wrong: as `Drop`, and tell the operator.
    Fix,
    /// This person cannot or must not be written to, until they write again: as `Drop`.
    Suppress,
    /// Not fatal: go on without what was asked for.
    Ignore,
}

impl Action {
    /// The name used in metrics and traces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::RetryOnce => "retry-once",
            Self::SlowRecipient => "slow-recipient",
            Self::BackOff => "back-off",
            Self::BackOffApp => "back-off-app",
            Self::Reauthorise => "reauthorise",
            Self::Drop => "drop",
            Self::WindowClosed => "window-closed",
            Self::NotOwner => "not-owner",
            Self::AlreadyReplied => "already-replied",
            Self::Pause => "pause",
            Self::Fix => "fix",
            Self::Suppress => "suppress",
            Self::Ignore => "ignore",
        }
    }

    /// The same delivery may be tried again.
    pub const fn is_temporary(self) -> bool {
        match self {
            Self::Retry
            | Self::RetryOnce
            | Self::SlowRecipient
            | Self::BackOff
            | Self::BackOffApp
            | Self::Reauthorise
            | Self::Pause => true,
            Self::Drop
            | Self::WindowClosed
            | Self::NotOwner
            | Self::AlreadyReplied
            | Self::Fix
            | Self::Suppress
            | Self::Ignore => false,
        }
    }
}

/// What Meta answered, without its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Refusal {
    /// HTTP status; 0 where there was none, as in a status webhook.
    pub http_status: u16,
    /// `error.code`.
    pub code: Option<i64>,
    /// `error.error_subcode`.
    pub subcode: Option<i64>,
    /// `error.is_transient`.
    pub is_transient: bool,
}

/// What to do about a refusal.
///
/// A row with the subcode beats one for the code alone, and both beat Meta's word that it is transient; for unknown
/// codes that word and the HTTP status decide, and what remains is final: repeating what is not understood is how
/// assets get blocked.
pub fn classify(refusal: Refusal) -> Action {
    let known = refusal.code.and_then(|code| {
        let exact = refusal.subcode.and_then(|subcode| table::exact(code, subcode));
        exact.or_else(|| table::by_subcode(refusal.subcode?)).or_else(|| table::by_code(code))
    });
    if let Some(action) = known {
        let is_hopeful = refusal.is_transient && matches!(action, Action::Drop | Action::Fix);
        return if is_hopeful { Action::RetryOnce } else { action };
    }
    match refusal.http_status {
        _ if refusal.is_transient => Action::Retry,
        429 => Action::BackOff,
        401 => Action::Reauthorise,
        408 | 425 | 500..=599 => Action::Retry,
        _ => Action::Drop,
    }
}
