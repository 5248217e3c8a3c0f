//! Meta's errors, read. Each says what to do, and whether Meta may have done what was asked all the same.

use bellhop_domain::graph_error::{self, Action, Refusal};
use serde::Deserialize;

use crate::egress::EgressError;
use crate::vault::VaultError;

use super::usage::Usage;

/// "Unknown error" and "temporarily unavailable" of Graph and of the Cloud API: said also of sends that succeeded.
const UNCLEAR_CODES: [i64; 4] = [1, 2, 131_000, 131_016];

/// Why a call did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    /// It was refused; nothing was sent to the person.
    #[error("the Graph API refused the call: {}", .action.as_str())]
    Refused {
        /// What to do.
        action: Action,
        /// Who refused, and with which code.
        why: Why,
        /// How much of the allowance is used.
        usage: Usage,
    },
    /// Meta failed in the middle of it; it may have been done.
    #[error("the Graph API failed and may have done what was asked")]
    Unclear {
        /// What it said.
        refusal: Refusal,
        /// How much of the allowance is used.
        usage: Usage,
    },
    /// Meta said yes in words that cannot be read.
    #[error("the Graph API's answer cannot be read")]
    Garbled,
    /// No answer came; it may have been done.
    #[error("the answer of the Graph API was lost")]
    Lost(#[source] EgressError),
    /// Nothing was sent: the Graph API cannot be reached, or must not be.
    #[error("could not reach the Graph API")]
    Unreachable(#[source] EgressError),
    /// Nothing was sent: it was too late when all was ready.
    #[error("it was too late for the call to leave")]
    TooLate,
    /// Nothing was sent: the token could not be opened at this moment.
    #[error("could not authorise the call")]
    Vault(#[source] VaultError),
}

/// Who refused a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Meta did.
    Meta(Refusal),
    /// This host: the channel has no token, or its app no secret.
    NoToken,
    /// This host: it cannot send on this kind of channel yet.
    Unsupported,
}

#[derive(Deserialize)]
struct Envelope {
    error: Option<Body>,
}

/// Everything that is not a number of ours to branch on stays unread: Meta's words may name people.
#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    code: Option<i64>,
    #[serde(default)]
    error_subcode: Option<i64>,
    #[serde(default)]
    is_transient: Option<bool>,
}

impl GraphError {
    pub(super) fn refused(action: Action, why: Why) -> Self {
        Self::Refused { action, why, usage: Usage::default() }
    }

    pub(super) fn from_egress(error: EgressError) -> Self {
        if error.may_have_arrived() { Self::Lost(error) } else { Self::Unreachable(error) }
    }

    /// True when Meta may have done what was asked: only evidence (an echo, a status, a look) allows to ask again.
    pub fn maybe_taken(&self) -> bool {
        match self {
            Self::Unclear { .. } | Self::Garbled | Self::Lost(_) => true,
            Self::Refused { .. } | Self::Unreachable(_) | Self::TooLate | Self::Vault(_) => false,
        }
    }

    /// What to do about it.
    pub fn action(&self) -> Action {
        match self {
            Self::Refused { action, .. } => *action,
            Self::Unclear { .. }
            | Self::Garbled
            | Self::Lost(_)
            | Self::Unreachable(_)
            | Self::TooLate
            | Self::Vault(_) => Action::Retry,
        }
    }

    /// How much of the allowance is used, as far as Meta said.
    pub fn usage(&self) -> Usage {
        match self {
            Self::Refused { usage, .. } | Self::Unclear { usage, .. } => *usage,
            Self::Garbled | Self::Lost(_) | Self::Unreachable(_) | Self::TooLate | Self::Vault(_) => Usage::default(),
        }
    }

    /// A short name for traces and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "refused",
            Self::Unclear { .. } => "unclear",
            Self::Garbled => "garbled",
            Self::Lost(EgressError::Timeout) => "timeout",
            Self::Lost(EgressError::TooLarge { .. }) => "too-large",
            Self::Lost(_) => "cut",
            Self::Unreachable(_) => "unreachable",
            Self::TooLate => "too-late",
            Self::Vault(_) => "no-key",
        }
    }

    /// Meta's code and subcode, for instance `190-463`; a short name where there is none.
    pub fn code_text(&self) -> String {
        match self {
            Self::Refused { why: Why::Meta(refusal), .. } | Self::Unclear { refusal, .. } => numbers(refusal),
            Self::Refused { why: Why::NoToken, .. } => String::from("no-token"),
            Self::Refused { why: Why::Unsupported, .. } => String::from("unsupported"),
            Self::Garbled | Self::Lost(_) | Self::Unreachable(_) | Self::TooLate | Self::Vault(_) => {
                self.name().to_owned()
            }
        }
    }
}

fn numbers(refusal: &Refusal) -> String {
    match (refusal.code, refusal.subcode) {
        (Some(code), Some(subcode)) => format!("{code}-{subcode}"),
        (Some(code), None) => code.to_string(),
        (None, _) => format!("http-{}", refusal.http_status),
    }
}

/// The error that an answer is; `None` for a success. A 200 that carries an error is one, and so is everything else that is
/// not a 2xx, with or without a body that can be read.
pub(super) fn read(http_status: u16, body: &[u8], usage: Usage) -> Option<GraphError> {
    let is_success = (200..300).contains(&http_status);
    let body = serde_json::from_slice::<Envelope>(body).ok().and_then(|envelope| envelope.error);
    if is_success && body.is_none() {
        return None;
    }
    let refusal = Refusal {
        http_status,
        code: body.as_ref().and_then(|body| body.code),
        subcode: body.as_ref().and_then(|body| body.error_subcode),
        is_transient: body.as_ref().and_then(|body| body.is_transient).unwrap_or(false),
    };
    let action = graph_error::classify(refusal);
    let is_failure = http_status >= 500 || refusal.code.is_none_or(|code| UNCLEAR_CODES.contains(&code));
    match action {
        Action::Retry | Action::RetryOnce if is_failure => Some(GraphError::Unclear { refusal, usage }),
        _ => Some(GraphError::Refused { action, why: Why::Meta(refusal), usage }),
    }
}
