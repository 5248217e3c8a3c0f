//! Is this host able to do its work? Answers with short codes of what is wrong. The one thing written is this host's own row, to
//! see whether the store takes it.

use std::time::Duration;

use bellhop_domain::time::Timestamp;

use crate::audit;
use crate::db::{Db, DbError};
use crate::host::Host;
use crate::inbox;
use crate::jobs::Pulse;

/// How long the store may take: whoever watches gives up after some seconds, and Meta after five.
const PATIENCE: Duration = Duration::from_secs(2);

/// A ready conversation is taken within half a second while any host is at work and not overrun.
const OVERDUE: Duration = Duration::from_secs(60);

/// Jobs come round every second.
const STALLED: Duration = Duration::from_secs(30);

/// Rows of the audit log are sealed every second.
const UNSEALED: Duration = Duration::from_secs(60);

/// Something that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The store does not answer.
    StoreUnreadable,
    /// Nothing can be written: events would be refused.
    StoreUnwritable,
    /// A conversation has been ready for a minute and no host took it.
    ContactOverdue,
    /// The jobs of this host do not come round.
    JobsStalled,
    /// Rows of the audit log wait for their seal.
    AuditUnsealed,
}

impl Reason {
    /// The code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StoreUnreadable => "store-unreadable",
            Self::StoreUnwritable => "store-unwritable",
            Self::ContactOverdue => "contact-overdue",
            Self::JobsStalled => "jobs-stalled",
            Self::AuditUnsealed => "audit-unsealed",
        }
    }
}

/// What health looks at.
#[derive(Debug, Clone)]
pub struct Health {
    /// The store.
    pub db: Db,
    /// This host's row.
    pub host: Host,
    /// When its jobs last came round.
    pub pulse: Pulse,
}

impl Health {
    /// What keeps this host from its work; empty when nothing does. Takes 2 s at most.
    pub async fn reasons(&self) -> Vec<Reason> {
        let now = self.db.now();
        let (written, looked) = tokio::join!(in_time(self.host.beat()), in_time(self.look(now)));
        let mut reasons = match looked {
            Some(reasons) => reasons,
            None => vec![Reason::StoreUnreadable],
        };
        if written.is_none() {
            reasons.push(Reason::StoreUnwritable);
        }
        if now.since(self.pulse.last()) > STALLED {
            reasons.push(Reason::JobsStalled);
        }
        reasons
    }

    async fn look(&self, now: Timestamp) -> Result<Vec<Reason>, DbError> {
        let mut reasons = Vec::new();
        if inbox::ready_since(&self.db).await?.is_some_and(|since| now.since(since) > OVERDUE) {
            reasons.push(Reason::ContactOverdue);
        }
        if audit::unsealed(&self.db).await?.oldest_at.is_some_and(|since| now.since(since) > UNSEALED) {
            reasons.push(Reason::AuditUnsealed);
        }
        Ok(reasons)
    }
}

/// The result, unless it fails or takes too long; why is logged.
async fn in_time<T>(work: impl Future<Output = Result<T, DbError>>) -> Option<T> {
    match tokio::time::timeout(PATIENCE, work).await.unwrap_or(Err(DbError::TooSlow)) {
        Ok(result) => Some(result),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "The store fails");
            None
        }
    }
}
