//! Lets go, or gives up, what a restore has set aside. Sends nothing itself.

use bellhop_domain::id::WorkspaceId;
use bellhop_domain::time::Timestamp;

use super::BackupError;
use crate::audit;
use crate::db::{Db, Signal};
use crate::inbox;
use crate::outbox;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Release {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// Messages that wait to be sent.
    pub deliveries: bool,
    /// Events that wait for a turn or to be applied.
    pub events: bool,
    /// Only what came into being before.
    pub before: Timestamp,
    /// Give it up instead.
    pub give_up: bool,
}

/// How much it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Released {
    /// Deliveries.
    pub deliveries: u64,
    /// Events.
    pub events: u64,
}

/// Lets held work go, or gives it up, in one transaction.
///
/// # Errors
/// [`BackupError::Db`]; everything is held as before.
pub async fn release(db: &Db, asked: &Release) -> Result<Released, BackupError> {
    let (workspace, before, now) = (&asked.workspace, asked.before, db.now());
    let mut released = Released { deliveries: 0, events: 0 };
    let mut transaction = db.begin_write().await?;
    // What was about to be said goes before what is said now: a turn that is begun later stages behind it.
    if asked.deliveries {
        released.deliveries = match asked.give_up {
            true => outbox::deliveries_give_up_in(&mut transaction, workspace, before, now).await?,
            false => outbox::deliveries_release_in(&mut transaction, workspace, before, now).await?,
        };
    }
    if asked.events {
        released.events = match asked.give_up {
            true => inbox::events_give_up_in(&mut transaction, workspace, before, now).await?,
            false => inbox::events_release_in(&mut transaction, workspace, before, now).await?,
        };
    }
    let code = audit::Code::of(if asked.give_up { "held-given-up" } else { "held-released" });
    let entry = audit::Entry::new(workspace.clone(), audit::Kind::Configuration, code);
    audit::append(&mut transaction, now, &[entry]).await?;
    [Signal::Contact, Signal::Control, Signal::Delivery].into_iter().for_each(|signal| transaction.signal(signal));
    transaction.commit().await?;
    Ok(released)
}
