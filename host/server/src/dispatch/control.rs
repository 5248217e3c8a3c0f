//! The control lane: echoes, receipts, "stop" and "a person, please" are applied at once, beside whatever turn is running. What
//! changes who may speak bumps the conversation's revision, so that the running turn is discarded and open deliveries are
//! judged again.

mod apply;
mod read;

use std::collections::HashSet;

use bellhop_domain::id::EventId;

use crate::dispatch::{Dispatch, DispatchError};
use crate::inbox;

/// Control events in one transaction at most.
const MAX_EVENTS: usize = 256;

impl Dispatch {
    /// Applies the control events that wait, oldest first; how many there were.
    ///
    /// # Errors
    /// [`DispatchError`]; nothing was applied, and the events wait on.
    pub async fn control_once(&self) -> Result<usize, DispatchError> {
        let events = inbox::control_open(&self.db, MAX_EVENTS).await?;
        if events.is_empty() {
            return Ok(0);
        }
        let changes = read::read(self, &events).await?;
        let now = self.db.now();
        let mut transaction = self.db.begin_write().await?;
        let taken: HashSet<EventId> =
            inbox::control_take_in(&mut transaction, &events, now).await?.into_iter().collect();
        let changes: Vec<_> = changes.into_iter().filter(|change| taken.contains(&change.event)).collect();
        apply::apply_in(&mut transaction, &changes, now).await?;
        transaction.commit().await?;
        self.outbox_wake.notify();
        self.contact_wake.notify();
        Ok(events.len())
    }
}
