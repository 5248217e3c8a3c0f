//! Removes old rows in small batches and counts them by day in the same transaction, so that what is there and what was swept add
//! up to all that ever was. Knows no table: whose rows they are says which are old.

use std::collections::BTreeMap;

use bellhop_domain::time::Timestamp;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Bulk, Db, DbError, WriteTransaction};

const DAY_MILLIS: i64 = 86_400_000;

/// The statements by which a table is swept.
#[derive(Debug)]
pub struct Sweep {
    /// `select id, state, time … where workspace_id = $1 and id > $2 order by id limit $3`. Ids are made in the order of time, so
    /// the primary key finds the oldest rows, and no index is needed for the sweep.
    pub window: &'static str,
    /// `delete from … where … (workspace_id, id) in `.
    pub delete: &'static str,
    /// ` returning time, state, reason`, with '' where there is none.
    pub returning: &'static str,
    /// `insert into … (workspace_id, day, state, reason, n) values `.
    pub count: &'static str,
    /// ` on conflict (workspace_id, day, state, reason) do update set n = … + excluded.n`.
    pub add: &'static str,
}

impl Sweep {
    /// Rows in one transaction: a few milliseconds of SQLite's one writer, and webhooks come in between two of them.
    pub const BATCH: usize = 500;
}

impl Db {
    /// Runs a statement that deletes the oldest rows before `$1`, `$2` of them at most, until there are none left; how many there
    /// were. For rows of which nobody has to know how many there ever were.
    ///
    /// # Errors
    /// [`DbError`]; the rest stays for the next sweep.
    pub async fn sweep_uncounted(&self, delete: &'static str, before: Timestamp) -> Result<u64, DbError> {
        let batch = i64::try_from(Sweep::BATCH).unwrap_or(i64::MAX);
        let mut n_swept = 0;
        loop {
            match self.execute(sqlx::query(delete).bind(before.millis()).bind(batch)).await? {
                0 => return Ok(n_swept),
                n_rows => n_swept += n_rows,
            }
        }
    }

    /// Goes through a workspace's rows from the oldest on, until they are as young as `end`, and removes those of which
    /// `is_old(state, time)` is true; how many there were.
    ///
    /// # Errors
    /// [`DbError`]; what was removed is counted, the rest stays for the next sweep.
    pub async fn sweep(
        &self,
        sweep: &Sweep,
        workspace: &str,
        end: Timestamp,
        is_old: impl Fn(&str, Timestamp) -> bool,
    ) -> Result<u64, DbError> {
        let (mut after, mut n_removed) = (String::new(), 0);
        loop {
            let window = sqlx::query(sweep.window).bind(workspace).bind(after).bind(Sweep::BATCH as i64);
            let rows = self.fetch_all(window).await?;
            let mut is_over = rows.len() < Sweep::BATCH;
            let mut old = Vec::new();
            after = String::new();
            for row in &rows {
                let (id, state): (String, String) = (row.try_get(0)?, row.try_get(1)?);
                let at = Timestamp::from_millis(row.try_get(2)?);
                is_over |= at >= end;
                if at < end && is_old(&state, at) {
                    old.push(id.clone());
                }
                after = id;
            }
            if !old.is_empty() {
                n_removed += match self.sweep_these(sweep, workspace, &old).await {
                    // Another host sweeps the same rows.
                    Err(DbError::Conflict) => 0,
                    swept => swept?,
                };
            }
            if is_over {
                return Ok(n_removed);
            }
        }
    }

    /// Removes and counts these rows, if they may be removed; how many there were.
    ///
    /// # Errors
    /// [`DbError`]; nothing was removed.
    pub async fn sweep_these(&self, sweep: &Sweep, workspace: &str, ids: &[String]) -> Result<u64, DbError> {
        let mut delete = Bulk::new(sweep.delete).keys(2);
        for id in ids {
            delete.row().bind(workspace).bind(id.as_str());
        }
        let mut transaction = self.begin_write().await?;
        let removed = transaction.fetch_all(delete.end(sweep.returning)).await?;
        count_in(&mut transaction, sweep, workspace, &removed).await?;
        transaction.commit().await?;
        Ok(removed.len() as u64)
    }
}

/// What was removed is counted, not what was asked for: another host may sweep at the same time.
async fn count_in(
    transaction: &mut WriteTransaction,
    sweep: &Sweep,
    workspace: &str,
    removed: &[AnyRow],
) -> Result<(), DbError> {
    let mut days: BTreeMap<(i64, String, String), i64> = BTreeMap::new();
    for row in removed {
        let day = row.try_get::<i64, _>(0)?.div_euclid(DAY_MILLIS);
        *days.entry((day, row.try_get(1)?, row.try_get(2)?)).or_default() += 1;
    }
    if days.is_empty() {
        return Ok(());
    }
    let mut upsert = Bulk::new(sweep.count);
    for ((day, state, reason), n_rows) in &days {
        upsert.row().bind(workspace).bind(*day).bind(state.as_str()).bind(reason.as_str()).bind(*n_rows);
    }
    transaction.execute(upsert.end(sweep.add)).await.map(drop)
}
