//! The control lane: echoes, receipts, "stop" and "a person, please" are applied at once, beside whatever turn is running. What
//! changes who may speak bumps the conversation's revision, so that the running turn is discarded and open deliveries are
//! judged again.

mod apply;
mod echo;
mod read;

use std::collections::HashSet;

use bellhop_domain::id::EventId;
use tracing::error;

use crate::db::{DbError, Moment, moment};
use crate::dispatch::{Dispatch, DispatchError};
use crate::inbox::{self, ControlEvent};

/// Control events in one transaction at most.
const MAX_EVENTS: usize = 256;

/// How often events are applied when turns stand in their way: each is through by the next time.
const MAX_TRIES: u32 = 4;

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
        match self.apply_apart(&events).await {
            Ok(()) => {}
            Err(error) if DbError::is_behind(&error) => return Err(error),
            Err(_) => self.apply_each(&events).await?,
        }
        self.outbox_wake.notify();
        self.contact_wake.notify();
        Ok(events.len())
    }

    /// Where a turn has met the same person at the same moment, another look finds the contact that it made.
    async fn apply_apart(&self, events: &[ControlEvent]) -> Result<(), DispatchError> {
        for _ in 1..MAX_TRIES {
            match self.apply(events).await {
                Err(DispatchError::Db(DbError::Conflict)) => {}
                applied => return applied,
            }
        }
        self.apply(events).await
    }

    async fn apply(&self, events: &[ControlEvent]) -> Result<(), DispatchError> {
        let changes = read::read(self, events).await?;
        let now = self.db.now();
        let mut transaction = self.db.begin_write().await?;
        let taken: HashSet<EventId> =
            inbox::control_take_in(&mut transaction, events, now).await?.into_iter().collect();
        let changes: Vec<_> = changes.into_iter().filter(|change| taken.contains(&change.event)).collect();
        apply::apply_in(&mut transaction, &changes, now).await?;
        moment(Moment::ControlWritten);
        transaction.commit().await?;
        moment(Moment::ControlCommitted);
        Ok(())
    }

    /// Something among these events cannot be applied: each alone, so that it stops nobody else's.
    async fn apply_each(&self, events: &[ControlEvent]) -> Result<(), DispatchError> {
        for event in events {
            match self.apply_apart(std::slice::from_ref(event)).await {
                Ok(()) => {}
                Err(error) if DbError::is_behind(&error) => return Err(error),
                Err(error) => {
                    error!(
                        error = &error as &dyn std::error::Error,
                        event.id = %event.id, "A control event cannot be applied; it is parked"
                    );
                    inbox::control_park(&self.db, event, "unopenable").await?;
                }
            }
        }
        Ok(())
    }
}
