//! What the simulator was told to do wrong.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::GraphError;

/// Something that goes wrong with a call of the Graph API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    /// Refused with this error, nothing done.
    Refuse(GraphError),
    /// Done at once, answered this much later on the simulator's clock.
    Delay(Duration),
    /// Done at once, answered when replies are released.
    Hold,
    /// The connection is cut and nothing was done.
    DropBefore,
    /// Done, and then the connection is cut without an answer.
    DropAfter,
}

/// How a webhook request is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signature {
    /// As Meta does: SHA-256 and the legacy SHA-1 beside it.
    #[default]
    Right,
    /// With another secret.
    Wrong,
    /// Not at all.
    Missing,
    /// Only with the legacy SHA-1 header.
    Sha1Only,
}

/// Troubles that wait for their turn.
#[derive(Debug, Default)]
pub(crate) struct Troubles {
    /// One for each of the next messages sent; sender actions do not use them up.
    pub(crate) next_sends: VecDeque<Trouble>,
    /// One for every call of the Graph API, until it is cleared.
    pub(crate) every_call: Option<Trouble>,
    /// How long a message is not yet shown in its thread.
    pub(crate) threads_lag_ms: i64,
    /// How often replies were released; a held reply waits for the next time.
    pub(crate) n_releases: u64,
    /// How the next webhook requests are signed.
    pub(crate) next_signatures: VecDeque<Signature>,
    /// How many of the next webhook requests are lost.
    pub(crate) drop_webhooks: usize,
    /// How many of the next webhook requests are sent twice.
    pub(crate) duplicate_webhooks: usize,
}
