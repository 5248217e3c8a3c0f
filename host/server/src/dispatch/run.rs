//! The loops: wait, take what is ready, act, settle. Production and tests go through the same steps; a test drives them by hand.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bellhop_domain::retry;
use futures_util::FutureExt;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, warn};

use crate::audit;
use crate::db::{DbError, Moment, moment};
use crate::dispatch::commit::{Committed, TurnCommit};
use crate::dispatch::open::{self, OpenTurn, Opened};
use crate::dispatch::{Dispatch, DispatchError};
use crate::inbox::{self, Claim, Claimed, Pace};
use crate::record::CollectionKey;

/// Turns in work at once: most of them wait for a model or a database, not for a core.
const MAX_TURNS: usize = 256;

/// Conversations in one claim.
const MAX_CLAIM: usize = 64;

/// Conversations of one workspace in one claim.
const MAX_CLAIM_PER_WORKSPACE: usize = 32;

/// What a claim has brought.
#[derive(Default)]
struct Taken {
    opened: Vec<Opened>,
    /// The claim took as much as it may, so that there may be more.
    may_be_more: bool,
}

/// The safety net under wake-ups, across hosts too.
const POLL: Duration = Duration::from_millis(500);

/// A lease lasts 5 s.
const RENEW_EVERY: Duration = Duration::from_millis(1_500);

/// After this many failures in a row a turn's events are parked and staff are told.
const MAX_FAILURES: i64 = 5;

/// Conversations that a host has claimed and opened, and not yet worked on. Dropped, they come up again when their lease ends.
#[must_use]
pub struct Begun(Vec<Opened>);

impl Dispatch {
    /// Claims what is ready and runs those turns to their end; how many conversations there were.
    ///
    /// # Errors
    /// [`DispatchError`]; what was claimed comes up again when its lease ends.
    pub async fn run_once(&self) -> Result<usize, DispatchError> {
        let begun = self.begin(MAX_CLAIM).await?;
        Ok(self.finish(begun).await)
    }

    /// The first half of [`Dispatch::run_once`], for `limit` conversations at most.
    ///
    /// # Errors
    /// [`DispatchError`]; what was claimed comes up again when its lease ends.
    pub async fn begin(&self, limit: usize) -> Result<Begun, DispatchError> {
        Ok(Begun(self.claim(limit).await?.opened))
    }

    /// The second half of [`Dispatch::run_once`]: how many conversations there were.
    pub async fn finish(&self, Begun(opened): Begun) -> usize {
        let n_opened = opened.len();
        let works = opened.into_iter().map(|opened| self.work(opened));
        futures_util::future::join_all(works).await;
        n_opened
    }

    /// Works until `stop`; then lets running turns end.
    pub async fn run(self, stop: CancellationToken) {
        let turns = TaskTracker::new();
        let (slots, mut pace) = (Arc::new(Semaphore::new(MAX_TURNS)), Pace::default());
        turns.spawn(self.clone().renew_leases(stop.clone()));
        turns.spawn(self.clone().run_control(stop.clone()));
        while !stop.is_cancelled() {
            pace.keep().await;
            let room = slots.available_permits().min(MAX_CLAIM);
            match self.claim(room).await {
                Ok(Taken { opened, may_be_more }) => {
                    for opened in opened {
                        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { break };
                        let (dispatch, slots) = (self.clone(), Arc::clone(&slots));
                        turns.spawn(async move {
                            dispatch.work(opened).await;
                            drop(slot);
                            // All hands were full: the loop waits for one.
                            if slots.available_permits() == 1 {
                                dispatch.contact_wake.notify();
                            }
                        });
                    }
                    if may_be_more {
                        continue;
                    }
                }
                Err(error) => {
                    error!(error = &error as &dyn std::error::Error, "Could not claim conversations; trying again");
                }
            }
            if !self.contact_wake.wait(self.contact_wake.until_due(self.db.now(), POLL), &stop).await {
                break;
            }
        }
        turns.close();
        turns.wait().await;
    }

    async fn run_control(self, stop: CancellationToken) {
        let mut pace = Pace::default();
        loop {
            pace.keep().await;
            match self.control_once().await {
                Ok(0) => {
                    if !self.control_wake.wait(POLL, &stop).await {
                        return;
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    error!(error = &error as &dyn std::error::Error, "Could not apply control events; trying again");
                    if !self.control_wake.wait(POLL, &stop).await {
                        return;
                    }
                }
            }
        }
    }

    async fn renew_leases(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(RENEW_EVERY) => {}
            }
            if let Err(error) = inbox::renew(&self.db, &self.held.list()).await {
                warn!(error = &error as &dyn std::error::Error, "Could not renew leases; another host may take over");
            }
        }
    }

    async fn claim(&self, limit: usize) -> Result<Taken, DispatchError> {
        if limit == 0 {
            return Ok(Taken::default());
        }
        let (after, left_out) = self.held.turn();
        let per_workspace = MAX_CLAIM_PER_WORKSPACE;
        let claim = Claim { per_workspace, after, left_out, ..Claim::new(self.host.clone(), limit) };
        let claimed = inbox::claim(&self.db, &claim).await?;
        if claimed.is_empty() {
            return Ok(Taken::default());
        }
        moment(Moment::TurnClaimed);
        self.held.add(&claimed);
        let may_be_more = claimed.len() == limit || has_many(&claimed, per_workspace);
        let opened = match open::open(self, claimed.clone()).await {
            Ok(opened) => opened,
            Err(error) if DbError::is_behind(&error) => {
                self.give_back(&claimed, true).await;
                claimed.iter().for_each(|claimed| self.let_go(claimed));
                return Err(error);
            }
            Err(_) => self.open_each(claimed).await,
        };
        Ok(Taken { opened, may_be_more })
    }

    /// Forgets a claim. A workspace of which no more was taken may have its next turn.
    fn let_go(&self, claimed: &Claimed) {
        if self.held.remove(claimed) {
            self.contact_wake.notify();
        }
    }

    /// Something among these conversations cannot be opened: each alone, so that it fails alone.
    async fn open_each(&self, claimed: Vec<Claimed>) -> Vec<Opened> {
        let mut all = Vec::with_capacity(claimed.len());
        for claimed in claimed {
            match open::open(self, vec![claimed.clone()]).await {
                Ok(opened) => all.extend(opened),
                Err(error) => {
                    self.unopened(&claimed, &error).await;
                    self.let_go(&claimed);
                }
            }
        }
        all
    }

    /// A conversation that cannot be opened: tried again, and in the end put aside.
    async fn unopened(&self, claimed: &Claimed, error: &DispatchError) {
        error!(
            error = error as &dyn std::error::Error,
            conversation.id = %claimed.conversation, failures = claimed.failures + 1, "A conversation cannot be opened"
        );
        if claimed.failures < MAX_FAILURES {
            return self.give_back(std::slice::from_ref(claimed), true).await;
        }
        if let Err(error) = inbox::park_all(&self.db, claimed, "unopenable").await {
            error!(error = &error as &dyn std::error::Error, "Could not park events");
        }
    }

    /// One conversation to its end; whatever goes wrong is logged here and the conversation given back.
    async fn work(&self, opened: Opened) {
        match opened {
            Opened::Empty(claimed) => {
                self.let_go(&claimed);
                if let Err(error) = inbox::release_empty(&self.db, &[claimed]).await {
                    warn!(error = &error as &dyn std::error::Error, "Could not give back a claim; its lease will end");
                }
            }
            Opened::Unusable(claimed) => {
                self.let_go(&claimed);
                error!(conversation.id = %claimed.conversation, "A conversation has no channel or person; its events are parked");
                if let Err(error) = inbox::park_all(&self.db, &claimed, "unusable").await {
                    error!(error = &error as &dyn std::error::Error, "Could not park events");
                }
            }
            Opened::Turn(turn) => {
                let claimed = turn.claimed.clone();
                let worked = AssertUnwindSafe(self.work_turn(*turn)).catch_unwind().await;
                if let Err(error) = worked.unwrap_or(Err(DispatchError::Panicked)) {
                    error!(
                        error = &error as &dyn std::error::Error,
                        conversation.id = %claimed.conversation, failures = claimed.failures + 1, "A turn failed"
                    );
                    self.give_back(std::slice::from_ref(&claimed), true).await;
                }
                self.let_go(&claimed);
            }
        }
    }

    async fn work_turn(&self, turn: OpenTurn) -> Result<(), DispatchError> {
        let claimed = turn.claimed.clone();
        let commit = if claimed.failures >= MAX_FAILURES { self.parked(&turn) } else { self.turn(turn).await? };
        let (has_deliveries, outcome) = (!commit.deliveries.is_empty(), commit.turn.outcome);
        let written: Vec<CollectionKey> = commit.records.iter().map(|write| write.collection().clone()).collect();
        let (reads, has_calls) = (commit.audit.clone(), !commit.calls.is_empty());
        let committed = self.commit(commit).await;
        if !matches!(committed, Ok(Committed::Done)) {
            self.record_reads(&reads).await;
        }
        match committed? {
            Committed::Done => {
                metrics::counter!("bellhop_turns_total", "outcome" => outcome).increment(1);
                written.iter().for_each(|collection| self.records.forget(collection));
                if has_calls {
                    self.learn_of_failures().await;
                }
                if has_deliveries {
                    self.outbox_wake.notify();
                }
            }
            Committed::Overtaken => {
                metrics::counter!("bellhop_turns_total", "outcome" => "overtaken").increment(1);
                self.give_back(&[claimed], false).await;
                self.contact_wake.notify();
            }
        }
        Ok(())
    }

    /// What a turn has read counts as read though nothing came of it.
    async fn record_reads(&self, reads: &[audit::Entry]) {
        let record = async {
            let mut transaction = self.db.begin_write().await?;
            audit::append(&mut transaction, self.db.now(), reads).await?;
            transaction.commit().await
        };
        if reads.is_empty() {
            return;
        }
        if let Err(error) = record.await {
            error!(error = &error as &dyn std::error::Error, "Could not record what a discarded turn has read");
        }
    }

    /// Who is switched off, or back, is so on this host at once; elsewhere within a second.
    async fn learn_of_failures(&self) {
        if let Err(error) = self.registry.refresh_if_changed().await {
            warn!(error = &error as &dyn std::error::Error, "Could not read the grants anew; it will be tried again");
        }
    }

    async fn commit(&self, commit: TurnCommit) -> Result<Committed, DispatchError> {
        self.commits.submit(commit).await.map_err(DispatchError::Commit)
    }

    async fn give_back(&self, claimed: &[Claimed], failed: bool) {
        let failures = claimed.iter().map(|c| c.failures).max().unwrap_or(0);
        let failures = u32::try_from(failures).unwrap_or(u32::MAX).saturating_add(u32::from(failed));
        let wait = if failed { retry::next_attempt_after(failures, 0.0).unwrap_or(POLL) } else { Duration::ZERO };
        if let Err(error) = inbox::release(&self.db, claimed, failed, self.db.now() + wait).await {
            warn!(error = &error as &dyn std::error::Error, "Could not give back a claim; its lease will end");
        }
    }
}

fn has_many(claimed: &[Claimed], of_one_workspace: usize) -> bool {
    let mut n_claimed = HashMap::new();
    claimed.iter().any(|claimed| {
        let n = n_claimed.entry(&claimed.workspace).or_insert(0);
        *n += 1;
        *n >= of_one_workspace
    })
}
