//! Plugins that fail: counted for each grant, switched off on their channel when they keep failing, and tried again after a
//! pause that grows. The state lies in the store, so that all hosts know it; the rule is `domain::suspension`.
//!
//! While everything goes well nothing is written: hosts know from memory which grants have a row, and only for those a call
//! that went well is worth a statement.

use std::collections::{BTreeMap, HashMap};

use bellhop_domain::id::{ChannelId, ContentHash, GrantId, WorkspaceId};
use bellhop_domain::suspension::{FAILURES_IN_A_ROW, PROBE_LASTS, pause_after};
use bellhop_domain::time::Timestamp;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{EnabledPlugin, Registry, RegistryError};
use crate::audit::{self, Code, Entry, Kind, Reference};
use crate::db::{Db, DbError, WriteTransaction};
use crate::directory;

/// Words for a reason are kept as they are; this many bytes of them.
const MAX_REASON_BYTES: usize = 400;

/// How long a row that counts nothing is kept, in days: a plugin that fails now and then does not come and go in all hosts.
const IDLE_DAYS: i64 = 7;

/// A grant whose plugin has failed lately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// Why it last failed, in words.
    pub reason: String,
    /// When it last failed.
    pub failed_at: Timestamp,
    /// It is switched off.
    pub suspended: Option<Suspended>,
}

/// Since when and until when a plugin is not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suspended {
    /// Since when.
    pub since: Timestamp,
    /// When it is asked once.
    pub probe_at: Timestamp,
}

/// One call of a plugin, for the count.
#[derive(Debug, Clone)]
pub struct Called {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// Where.
    pub channel: ChannelId,
    /// Under which grant.
    pub grant: GrantId,
    /// What ran.
    pub hash: ContentHash,
    /// Its id.
    pub plugin: String,
    /// It is switched off, and this was a try.
    pub is_probe: bool,
    /// Why its part failed; `None` when it went well.
    pub failure: Option<Failure>,
}

/// Why a plugin's part failed. Holds no content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// A short code.
    pub code: &'static str,
    /// One sentence.
    pub words: String,
}

/// What the calls of one grant come to, in their order.
struct Tally<'a> {
    last: &'a Called,
    failure: Option<&'a Failure>,
    n_failures: i64,
    went_well: bool,
    /// How a try went.
    probe: Option<bool>,
}

impl Registry {
    /// What is known of a grant's failures; `None` while there were none.
    pub fn failing(&self, grant: &GrantId) -> Option<Failing> {
        self.snapshot().failing.get(grant).cloned()
    }

    /// Takes the try of a plugin that is switched off and has rested: one host gets it, for one call.
    ///
    /// # Errors
    /// [`RegistryError::Db`].
    ///
    /// # Cancel safety
    /// One transaction. A try that is taken and not made comes up again after a minute.
    pub async fn probe_take(&self, plugin: &EnabledPlugin) -> Result<bool, RegistryError> {
        let now = self.inner.db.now();
        let mut transaction = self.inner.db.begin_write().await?;
        let take = sqlx::query(
            "update plugin_failure set probe_at = $1 where workspace_id = $2 and grant_id = $3 and probe_at <= $4",
        )
        .bind((now + PROBE_LASTS).millis())
        .bind(plugin.workspace.as_str())
        .bind(plugin.grant_id.as_str())
        .bind(now.millis());
        let is_ours = transaction.execute(take).await? == 1;
        if is_ours {
            directory::generation_bump(&mut transaction).await?;
        }
        transaction.commit().await?;
        self.refresh_if_changed().await?;
        Ok(is_ours)
    }
}

/// Counts calls, in their order, as part of the commit of what they did; those that switched a plugin off.
///
/// # Errors
/// As [`WriteTransaction::execute`]; the transaction is over.
pub async fn calls_count_in(
    transaction: &mut WriteTransaction,
    now: Timestamp,
    calls: &[Called],
) -> Result<Vec<Called>, DbError> {
    let (mut news, mut suspended) = (Vec::new(), Vec::new());
    let mut is_changed = false;
    for tally in tallies(calls).values() {
        if tally.went_well {
            is_changed |= reset_in(transaction, tally, &mut news).await?;
        }
        if let Some(failure) = tally.failure {
            is_changed |= insert_in(transaction, tally, failure, now).await?;
            if add_in(transaction, tally, failure, now).await? {
                news.push(entry(tally.last, "plugin-suspended"));
                suspended.push(tally.last.clone());
            }
        }
        if tally.probe == Some(false) {
            is_changed |= rest_in(transaction, tally.last, now).await?;
        }
    }
    if is_changed || !news.is_empty() {
        audit::append(transaction, now, &news).await?;
        directory::generation_bump(transaction).await?;
    }
    Ok(suspended)
}

/// Sorted: two hosts that write rows in different order deadlock.
fn tallies(calls: &[Called]) -> BTreeMap<(&WorkspaceId, &GrantId), Tally<'_>> {
    let mut tallies = BTreeMap::new();
    for call in calls {
        let tally = tallies.entry((&call.workspace, &call.grant)).or_insert(Tally {
            last: call,
            failure: None,
            n_failures: 0,
            went_well: false,
            probe: None,
        });
        tally.last = call;
        tally.failure = call.failure.as_ref();
        tally.went_well |= call.failure.is_none();
        tally.n_failures = if call.failure.is_some() { tally.n_failures + 1 } else { 0 };
        if call.is_probe {
            tally.probe = Some(call.failure.is_none());
        }
    }
    tallies
}

/// It went well: the count begins anew. Of a plugin that is switched off only a try says so, and brings it back.
async fn reset_in(
    transaction: &mut WriteTransaction,
    tally: &Tally<'_>,
    news: &mut Vec<Entry>,
) -> Result<bool, DbError> {
    let sql = if tally.probe == Some(true) {
        "update plugin_failure set n_failures = 0, n_probes = 0, suspended_at = null, probe_at = null \
         where workspace_id = $1 and grant_id = $2 and suspended_at is not null"
    } else {
        "update plugin_failure set n_failures = 0 \
         where workspace_id = $1 and grant_id = $2 and suspended_at is null and n_failures > 0"
    };
    let update = sqlx::query(sql).bind(tally.last.workspace.as_str()).bind(tally.last.grant.as_str());
    let is_back = transaction.execute(update).await? == 1 && tally.probe == Some(true);
    if is_back {
        news.push(entry(tally.last, "plugin-resumed"));
    }
    Ok(is_back)
}

/// The row of a grant that never failed before; false when it has one. From now on hosts tell when it goes well.
async fn insert_in(
    transaction: &mut WriteTransaction,
    tally: &Tally<'_>,
    failure: &Failure,
    now: Timestamp,
) -> Result<bool, DbError> {
    let insert = sqlx::query(
        "insert into plugin_failure (workspace_id, grant_id, n_failures, code, reason, failed_at, n_probes) \
         values ($1, $2, 0, $3, '', $4, 0) on conflict do nothing",
    );
    let insert = insert.bind(tally.last.workspace.as_str()).bind(tally.last.grant.as_str());
    Ok(transaction.execute(insert.bind(failure.code).bind(now.millis())).await? == 1)
}

/// Adds failures to a grant's row; true when they switched the plugin off.
async fn add_in(
    transaction: &mut WriteTransaction,
    tally: &Tally<'_>,
    failure: &Failure,
    now: Timestamp,
) -> Result<bool, DbError> {
    let (workspace, grant) = (tally.last.workspace.as_str(), tally.last.grant.as_str());
    let words = &failure.words;
    let add = sqlx::query(
        "update plugin_failure set n_failures = n_failures + $1, code = $2, reason = $3, failed_at = $4 \
         where workspace_id = $5 and grant_id = $6",
    )
    .bind(tally.n_failures)
    .bind(failure.code)
    .bind(words.get(..words.floor_char_boundary(MAX_REASON_BYTES)).unwrap_or_default())
    .bind(now.millis())
    .bind(workspace)
    .bind(grant);
    transaction.execute(add).await?;
    let suspend = sqlx::query(
        "update plugin_failure set suspended_at = $1, probe_at = $2 \
         where workspace_id = $3 and grant_id = $4 and suspended_at is null and n_failures >= $5",
    )
    .bind(now.millis())
    .bind((now + pause_after(0)).millis())
    .bind(workspace)
    .bind(grant)
    .bind(i64::from(FAILURES_IN_A_ROW));
    Ok(transaction.execute(suspend).await? == 1)
}

/// A try that failed: the plugin rests again, longer.
async fn rest_in(transaction: &mut WriteTransaction, call: &Called, now: Timestamp) -> Result<bool, DbError> {
    let (workspace, grant) = (call.workspace.as_str(), call.grant.as_str());
    let select = sqlx::query("select n_probes from plugin_failure where workspace_id = $1 and grant_id = $2");
    let rows = transaction.fetch_all(select.bind(workspace).bind(grant)).await?;
    let Some(row) = rows.first() else { return Ok(false) };
    let n_probes = row.try_get::<i64, _>(0)?.saturating_add(1);
    let pause = pause_after(u32::try_from(n_probes).unwrap_or(u32::MAX));
    let rest = sqlx::query(
        "update plugin_failure set n_probes = $1, probe_at = $2 \
         where workspace_id = $3 and grant_id = $4 and suspended_at is not null",
    );
    let rest = rest.bind(n_probes).bind((now + pause).millis()).bind(workspace).bind(grant);
    Ok(transaction.execute(rest).await? == 1)
}

fn entry(call: &Called, code: &'static str) -> Entry {
    Entry {
        plugin_hash: Some(call.hash.clone()),
        grant_id: Some(call.grant.clone()),
        reference: Some(Reference::from(&call.channel)),
        ..Entry::new(call.workspace.clone(), Kind::Configuration, Code::of(code))
    }
}

/// All rows, for the snapshot.
pub(super) async fn load(db: &Db) -> Result<HashMap<GrantId, Failing>, RegistryError> {
    let select = sqlx::query("select grant_id, reason, failed_at, suspended_at, probe_at from plugin_failure");
    let read = |row: &AnyRow| {
        let time = |name: &str| row.try_get::<Option<i64>, _>(name).map(|at| at.map(Timestamp::from_millis));
        let suspended = time("suspended_at")?.zip(time("probe_at")?);
        let failing = Failing {
            reason: row.try_get("reason")?,
            failed_at: Timestamp::from_millis(row.try_get("failed_at")?),
            suspended: suspended.map(|(since, probe_at)| Suspended { since, probe_at }),
        };
        let grant = GrantId::parse(row.try_get("grant_id")?).map_err(|_| DbError::Unreadable("plugin_failure"))?;
        Ok::<_, DbError>((grant, failing))
    };
    Ok(db.fetch_all(select).await?.iter().map(read).collect::<Result<_, _>>()?)
}

/// Forgets the failures of grants that are revoked, and of those that have long been well.
///
/// # Errors
/// [`DbError`].
pub async fn failures_sweep(db: &Db) -> Result<u64, DbError> {
    let before = db.now().millis() - IDLE_DAYS * 86_400_000;
    let delete = sqlx::query(
        "delete from plugin_failure where (suspended_at is null and n_failures = 0 and failed_at < $1) \
         or not exists (select 1 from plugin_grant g where g.workspace_id = plugin_failure.workspace_id \
         and g.id = plugin_failure.grant_id and g.state = 'enabled')",
    );
    db.execute(delete.bind(before)).await
}
