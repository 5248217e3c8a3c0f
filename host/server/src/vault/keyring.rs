//! The keyring's statements. Knows rows and wrapped bytes, never a key.

use std::borrow::Cow;

use bellhop_domain::id::{KeyId, WorkspaceId};
use bellhop_domain::time::Timestamp;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::db::{Bulk, Db, DbError};

/// What a key is for and for whom: at most one key in a workspace has both.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct KeyName {
    pub(super) workspace: WorkspaceId,
    pub(super) purpose: Cow<'static, str>,
    pub(super) label: String,
}

/// A wrapped key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WrappedKey {
    pub(super) name: KeyName,
    pub(super) id: KeyId,
    pub(super) epoch: i64,
    pub(super) wrapped: Vec<u8>,
}

/// An epoch as the keyring knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EpochRow {
    pub(super) n: i64,
    pub(super) is_current: bool,
    pub(super) fingerprint: Vec<u8>,
}

pub(super) async fn keys_by_name(db: &Db, names: &[&KeyName]) -> Result<Vec<WrappedKey>, DbError> {
    let mut found = Vec::with_capacity(names.len());
    for names in names.chunks(Bulk::MAX_ROWS) {
        let mut select = Bulk::new(
            "select workspace_id, id, purpose, label, epoch, wrapped from wrapped_key \
             where (workspace_id, purpose, label) in ",
        )
        .keys(3);
        for name in names {
            select.row().bind(name.workspace.as_str()).bind(&*name.purpose).bind(name.label.as_str());
        }
        let rows = db.fetch_all(select).await?;
        found.extend(rows.iter().map(read).collect::<Result<Vec<_>, _>>()?);
    }
    Ok(found)
}

pub(super) async fn keys_by_id(db: &Db, ids: &[&(WorkspaceId, KeyId)]) -> Result<Vec<WrappedKey>, DbError> {
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(Bulk::MAX_ROWS) {
        let mut select = Bulk::new(
            "select workspace_id, id, purpose, label, epoch, wrapped from wrapped_key \
             where (workspace_id, id) in ",
        )
        .keys(2);
        for (workspace, id) in ids {
            select.row().bind(workspace.as_str()).bind(id.as_str());
        }
        let rows = db.fetch_all(select).await?;
        found.extend(rows.iter().map(read).collect::<Result<Vec<_>, _>>()?);
    }
    Ok(found)
}

/// Stores new keys, leaving those whose name is taken; false, and nothing stored, when `epoch` is not the current one.
pub(super) async fn keys_insert(db: &Db, epoch: i64, keys: &[WrappedKey], now: Timestamp) -> Result<bool, DbError> {
    let mut transaction = db.begin_write().await?;
    // The row lock keeps the epoch from being retired before these keys are there to be wrapped again.
    let touch = sqlx::query("update epoch set n = n where n = $1 and state = 'current'").bind(epoch);
    if transaction.execute(touch).await? != 1 {
        return Ok(false);
    }
    let mut sorted: Vec<&WrappedKey> = keys.iter().collect();
    // Two hosts that insert in different order deadlock.
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    for keys in sorted.chunks(Bulk::MAX_ROWS) {
        let mut insert =
            Bulk::new("insert into wrapped_key (workspace_id, id, purpose, label, epoch, wrapped, created_at) values ");
        for key in keys {
            insert
                .row()
                .bind(key.name.workspace.as_str())
                .bind(key.id.as_str())
                .bind(&*key.name.purpose)
                .bind(key.name.label.as_str())
                .bind(epoch)
                .bind(key.wrapped.as_slice())
                .bind(now.millis());
        }
        transaction.execute(insert.end(" on conflict do nothing")).await?;
    }
    transaction.commit().await?;
    Ok(true)
}

/// Some of the keys that an older epoch wraps.
pub(super) async fn keys_before_epoch(db: &Db, epoch: i64, limit: i64) -> Result<Vec<WrappedKey>, DbError> {
    let select = sqlx::query(
        "select workspace_id, id, purpose, label, epoch, wrapped from wrapped_key where epoch < $1 order by epoch limit $2",
    );
    db.fetch_all(select.bind(epoch).bind(limit)).await?.iter().map(read).collect()
}

/// Replaces the wrapping of keys that still exist; one destroyed in the meantime stays destroyed.
pub(super) async fn keys_rewrap(db: &Db, epoch: i64, keys: &[WrappedKey]) -> Result<(), DbError> {
    let mut update = Bulk::new("update wrapped_key set wrapped = fresh.column3, epoch = fresh.column4 from (values ");
    for key in keys {
        update.row().bind(key.name.workspace.as_str()).bind(key.id.as_str()).bind(key.wrapped.as_slice()).bind(epoch);
    }
    if !update.is_empty() {
        let end = ") as fresh where wrapped_key.workspace_id = fresh.column1 and wrapped_key.id = fresh.column2 \
                   and wrapped_key.epoch < fresh.column4";
        db.execute(update.end(end)).await?;
    }
    Ok(())
}

pub(super) async fn key_delete(db: &Db, name: &KeyName) -> Result<bool, DbError> {
    let delete = sqlx::query("delete from wrapped_key where workspace_id = $1 and purpose = $2 and label = $3");
    let touched =
        db.execute(delete.bind(name.workspace.as_str()).bind(&*name.purpose).bind(name.label.as_str())).await?;
    Ok(touched > 0)
}

/// Deletes the keys of one purpose, in all workspaces, whose label sorts before `label`.
pub(super) async fn keys_delete_before(db: &Db, purpose: &'static str, label: &str) -> Result<u64, DbError> {
    db.execute(sqlx::query("delete from wrapped_key where purpose = $1 and label < $2").bind(purpose).bind(label)).await
}

pub(super) async fn epochs(db: &Db) -> Result<Vec<EpochRow>, DbError> {
    let rows = db.fetch_all(sqlx::query("select n, state, fingerprint from epoch order by n")).await?;
    let read = |row: &AnyRow| {
        let state: String = row.try_get("state")?;
        Ok(EpochRow { n: row.try_get("n")?, is_current: state == "current", fingerprint: row.try_get("fingerprint")? })
    };
    rows.iter().map(read).collect()
}

/// Makes `next` current in place of `previous` (`None`: the first one); false when another host was faster.
pub(super) async fn epoch_begin(
    db: &Db,
    previous: Option<i64>,
    next: i64,
    fingerprint: &[u8],
) -> Result<bool, DbError> {
    let now = db.now();
    let mut transaction = db.begin_write().await?;
    if let Some(previous) = previous {
        let retire = sqlx::query("update epoch set state = 'retired' where n = $1 and state = 'current'");
        if transaction.execute(retire.bind(previous)).await? != 1 {
            return Ok(false);
        }
    }
    let insert = sqlx::query(
        "insert into epoch (n, state, fingerprint, created_at) values ($1, 'current', $2, $3) on conflict do nothing",
    );
    let began = transaction.execute(insert.bind(next).bind(fingerprint).bind(now.millis())).await? == 1;
    transaction.commit().await?;
    Ok(began)
}

/// Retired epochs that no key refers to.
pub(super) async fn epochs_unused(db: &Db) -> Result<Vec<i64>, DbError> {
    let select = sqlx::query(
        "select n from epoch where state = 'retired' \
         and not exists (select 1 from wrapped_key where wrapped_key.epoch = epoch.n) order by n",
    );
    db.fetch_all(select).await?.iter().map(|row| Ok(row.try_get("n")?)).collect()
}

/// Epochs without which some key cannot be read or made.
pub(super) async fn epochs_needed(db: &Db) -> Result<Vec<i64>, DbError> {
    let select = sqlx::query(
        "select n from epoch where state = 'current' \
         or exists (select 1 from wrapped_key where wrapped_key.epoch = epoch.n) order by n",
    );
    db.fetch_all(select).await?.iter().map(|row| Ok(row.try_get("n")?)).collect()
}

pub(super) async fn epoch_delete(db: &Db, n: i64) -> Result<(), DbError> {
    db.execute(sqlx::query("delete from epoch where n = $1 and state = 'retired'").bind(n)).await.map(drop)
}

fn read(row: &AnyRow) -> Result<WrappedKey, DbError> {
    let workspace: String = row.try_get("workspace_id")?;
    let id: String = row.try_get("id")?;
    let name = KeyName {
        workspace: WorkspaceId::try_from(workspace).map_err(|_| DbError::Unreadable("workspace_id"))?,
        purpose: Cow::Owned(row.try_get("purpose")?),
        label: row.try_get("label")?,
    };
    Ok(WrappedKey {
        name,
        id: KeyId::try_from(id).map_err(|_| DbError::Unreadable("id"))?,
        epoch: row.try_get("epoch")?,
        wrapped: row.try_get("wrapped")?,
    })
}
