//! What the house does by itself: this host's beat, audit sealing and its anchors, key epochs, intake keys, the dedupe horizon,
//! rows of what ended long ago, the write-ahead log, changed configuration. Each step can be run by hand; the loop only says when.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bellhop_domain::time::Timestamp;
use sqlx::Row;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::audit::{self, AuditError};
use crate::config::RetentionConfig;
use crate::db::{Db, DbError, Folded};
use crate::directory::{Directory, DirectoryError};
use crate::host::{self, Host};
use crate::inbox::{self, SweepBefore, Wake};
use crate::outbox;
use crate::registry::{self, Registry, RegistryError};
use crate::trace;
use crate::vault::{self, Day, Vault, VaultError};

/// How often the loop looks.
const TICK: Duration = Duration::from_secs(1);

/// How often slow work is considered: days decide, hours suffice.
const SLOW_EVERY: Duration = Duration::from_secs(3_600);

/// Ticks between two looks at SQLite's write-ahead log.
const TIDY_EVERY: u32 = 30;

/// The store folds its log back at 16 MB. Beyond this it could not, because somebody reads without an end.
pub const MAX_WAL_BYTES: i64 = 64_000_000;

/// Dedupe keys live this long whatever retention says: Meta sends again for up to 7 days.
const DEDUPE_HORIZON: Duration = Duration::from_secs(8 * 86_400);

/// What can go wrong in the background. Logged; the next tick tries again.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The database.
    #[error("a sweep failed")]
    Db(#[from] DbError),
    /// Workspaces and channels.
    #[error("changed configuration could not be read")]
    Directory(#[from] DirectoryError),
    /// Plugins.
    #[error("changed grants could not be read")]
    Registry(#[from] RegistryError),
    /// The audit log.
    #[error("the audit log could not be sealed")]
    Audit(#[from] AuditError),
    /// Keys.
    #[error("keys could not be turned over")]
    Vault(#[from] VaultError),
}

/// When the jobs last came round without an error. Clones share it.
#[derive(Debug, Clone)]
pub struct Pulse(Arc<AtomicI64>);

impl Pulse {
    /// Of jobs that have not come round yet: their first time is owed from `started_at` on.
    pub fn new(started_at: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(started_at.millis())))
    }

    /// When that was.
    pub fn last(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }

    fn mark(&self, now: Timestamp) {
        self.0.store(now.millis(), Ordering::Relaxed);
    }
}

/// What the jobs work on.
#[derive(Clone)]
pub struct Jobs {
    /// The store.
    pub db: Db,
    /// Keys.
    pub vault: Vault,
    /// Refreshed when another process changed it.
    pub directory: Directory,
    /// Refreshed likewise.
    pub registry: Registry,
    /// This host's row.
    pub host: Host,
    /// When the jobs last came round.
    pub pulse: Pulse,
    /// Where the heads of the audit log are written down.
    pub anchors: audit::Anchors,
    /// How long things are kept.
    pub retention: RetentionConfig,
    /// Woken when another process has changed the configuration.
    pub wake: Wake,
}

impl Jobs {
    /// Works until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        if let Err(error) = self.host.beat().await {
            error!(error = &error as &dyn std::error::Error, "Could not sign on; it will be tried again");
        }
        tokio::join!(self.run_fast(&stop), self.run_slow(&stop));
    }

    async fn run_fast(&self, stop: &CancellationToken) {
        let mut ticks: u32 = 0;
        while self.wake.wait(TICK, stop).await {
            let fast = self.fast().await;
            let tidy = if ticks.is_multiple_of(TIDY_EVERY) { self.tidy().await } else { Ok(()) };
            [fast, tidy].into_iter().filter_map(Result::err).for_each(|error| complain(&error));
            ticks = ticks.wrapping_add(1);
        }
    }

    /// Beside the fast ones: a long sweep must not make this host look dead. Each step may be broken off by the end of the host,
    /// as by a crash.
    async fn run_slow(&self, stop: &CancellationToken) {
        let mut wait = TICK;
        while goes_on_after(wait, stop).await {
            tokio::select! {
                () = stop.cancelled() => return,
                slow = self.slow() => slow.unwrap_or_else(|error| complain(&error)),
            }
            wait = SLOW_EVERY;
        }
    }

    /// Each second, and when the configuration has changed: say that this host lives, look who else does, take over changed
    /// configuration and the server's clock, seal the audit log.
    ///
    /// # Errors
    /// [`JobError`].
    pub async fn fast(&self) -> Result<(), JobError> {
        // A store that cannot be written can still be read: the rest goes on, and the error is told at the end.
        let beaten = self.host.beat().await;
        self.directory.refresh_if_changed().await?;
        self.registry.refresh_if_changed().await?;
        self.host.look_around().await?;
        self.vault.expire();
        self.db.synchronise_clock().await?;
        audit::seal(&self.db, self.db.now()).await?;
        beaten?;
        self.pulse.mark(self.db.now());
        Ok(())
    }

    /// Each hour: what days decide.
    ///
    /// # Errors
    /// [`JobError`].
    pub async fn slow(&self) -> Result<(), JobError> {
        let now = self.db.now();
        // What must be forgotten is, whether or not the anchors can be written.
        let anchored = self.anchors.drop_daily(&self.db, now).await;
        let dropped = self.vault.drop_intake_keys_before(Day::of(now - days(self.retention.intake_key_days))).await?;
        self.sweep_dedupe(now - DEDUPE_HORIZON).await?;
        host::sweep(&self.db).await?;
        outbox::early_receipts_sweep(&self.db).await?;
        outbox::lookups_sweep(&self.db).await?;
        registry::failures_sweep(&self.db).await?;
        for workspace in self.directory.snapshot().workspaces() {
            trace::turns_sweep(&self.db, &workspace.id, now - days(self.retention.turn_days)).await?;
        }
        let rows_swept = self.sweep_settled(now).await?;
        if self.epoch_is_over(now).await? {
            let epoch = self.vault.rotate_epoch().await?;
            // Noted only now: a rotation that failed goes on at the next look.
            self.epoch_begins(now).await?;
            info!(epoch, "Living keys were wrapped anew; older copies of the keyring are now useless");
        }
        info!(intake_keys_dropped = dropped, rows_swept, "Retention was applied");
        anchored?;
        Ok(())
    }

    /// Each half minute: keep SQLite's write-ahead log from growing.
    ///
    /// # Errors
    /// [`JobError`].
    pub async fn tidy(&self) -> Result<(), JobError> {
        if self.db.fold_wal(MAX_WAL_BYTES).await? == Folded::Blocked {
            let bytes = self.db.wal_bytes().await?;
            warn!(bytes, "A program that reads the store without an end keeps its write-ahead log growing");
        }
        Ok(())
    }

    /// Rows of what ended long ago: how many were removed.
    async fn sweep_settled(&self, now: Timestamp) -> Result<u64, DbError> {
        let parked = now - days(self.retention.parked_days);
        let events = SweepBefore { settled: now - days(self.retention.event_days), parked };
        let deliveries = SweepBefore { settled: now - days(self.retention.delivery_days), parked };
        let mut n_swept = inbox::quarantine_sweep(&self.db, &vault::installation(), parked).await?;
        for workspace in self.directory.snapshot().workspaces() {
            n_swept += inbox::events_sweep(&self.db, &workspace.id, events).await?;
            n_swept += outbox::deliveries_sweep(&self.db, &workspace.id, deliveries).await?;
        }
        Ok(n_swept)
    }

    async fn sweep_dedupe(&self, before: Timestamp) -> Result<(), DbError> {
        let sql = "delete from dedupe where (workspace_id, key) in \
                   (select workspace_id, key from dedupe where seen_at < $1 order by seen_at limit $2)";
        self.db.sweep_uncounted(sql, before).await.map(drop)
    }

    /// The current epoch began long enough ago. Where nobody has noted when it began, it begins now.
    async fn epoch_is_over(&self, now: Timestamp) -> Result<bool, DbError> {
        let row = self.db.fetch_optional(sqlx::query("select value from meta where name = 'epoch_started_at'")).await?;
        let started: Option<i64> =
            row.map(|row| row.try_get::<String, _>(0)).transpose()?.and_then(|text| text.parse().ok());
        match started {
            Some(at) => Ok(now.since(Timestamp::from_millis(at)) >= days(self.retention.key_epoch_days)),
            None => self.epoch_begins(now).await.map(|()| false),
        }
    }

    async fn epoch_begins(&self, now: Timestamp) -> Result<(), DbError> {
        let upsert = "insert into meta (name, value) values ('epoch_started_at', $1) \
                      on conflict (name) do update set value = excluded.value";
        self.db.execute(sqlx::query(upsert).bind(now.millis().to_string())).await.map(drop)
    }
}

/// Waits; false when the host ends.
async fn goes_on_after(wait: Duration, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = stop.cancelled() => false,
        () = tokio::time::sleep(wait) => true,
    }
}

fn complain(error: &JobError) {
    error!(error = error as &dyn std::error::Error, "A background job failed; it will be tried again");
}

fn days(n: u32) -> Duration {
    Duration::from_secs(u64::from(n) * 86_400)
}
