//! Numbers the rows of the log and chains them by SHA-256, in batches per workspace; checks the chain. Never changes what a
//! row says.

use std::collections::BTreeSet;

use bellhop_domain::id::WorkspaceId;
use bellhop_domain::time::Timestamp;
use sha2::{Digest, Sha256};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::db::{Bulk, Db, DbError};

/// Rows in one batch: what is read, hashed and numbered in one transaction.
const MAX_BATCH_ROWS: i64 = 500;

/// Batches in one run of the job, so that a backlog leaves room for other writers.
const MAX_BATCHES: usize = 64;

/// The start of every chain.
const ROOT: [u8; 32] = [0; 32];

/// What can be wrong with the log.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The database failed.
    #[error("the audit log could not be reached")]
    Db(#[from] DbError),
    /// The file of anchors failed.
    #[error("the file of anchors could not be read or written")]
    Anchors(#[source] std::io::Error),
    /// The chain does not hold: a row or a batch was changed, removed or inserted.
    #[error("the audit log was changed in or before batch {seq}")]
    Broken {
        /// The first batch that does not fit.
        seq: i64,
    },
}

/// A chain that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Batches in the chain.
    pub n_batches: i64,
    /// Rows in them.
    pub n_rows: i64,
    /// The hash of the last batch. Kept elsewhere it is an anchor: a log that was cut at its end or written anew as a whole
    /// no longer reaches it.
    pub head: [u8; 32],
}

/// Numbers and chains the rows that are not yet sealed; how many there were. A job calls it every second; two hosts may
/// call it at the same time, one of them then finds its batch taken.
///
/// # Errors
/// [`AuditError::Db`]; what was sealed stays sealed, the rest waits for the next call.
pub async fn seal(db: &Db, now: Timestamp) -> Result<usize, AuditError> {
    let mut n_sealed = 0;
    for _ in 0..MAX_BATCHES {
        let select = sqlx::query("select workspace_id from audit where seq is null order by workspace_id, id limit 1");
        let Some(row) = db.fetch_optional(select).await? else {
            break;
        };
        let workspace: String = get(&row, "workspace_id")?;
        match seal_batch(db, &workspace, now).await? {
            0 => break,
            n_rows => n_sealed += n_rows,
        }
    }
    Ok(n_sealed)
}

/// Checks the whole chain of a workspace, batch by batch; `on_batch` hears of each.
///
/// # Errors
/// [`AuditError::Broken`] with the first batch that does not fit, [`AuditError::Db`].
pub async fn verify(
    db: &Db,
    workspace: &WorkspaceId,
    mut on_batch: impl FnMut(&Verified),
) -> Result<Verified, AuditError> {
    let mut verified = Verified { n_batches: 0, n_rows: 0, head: ROOT };
    loop {
        let seq = verified.n_batches + 1;
        let select = sqlx::query(
            "select seq, first_id, last_id, n_rows, previous, hash from audit_seal \
             where workspace_id = $1 and seq >= $2 order by seq limit 1",
        );
        let Some(sealed) = db.fetch_optional(select.bind(workspace.as_str()).bind(seq)).await? else {
            break;
        };
        let (found, n_rows): (i64, i64) = (get(&sealed, "seq")?, get(&sealed, "n_rows")?);
        let (previous, hash): (Vec<u8>, Vec<u8>) = (get(&sealed, "previous")?, get(&sealed, "hash")?);
        let select = sqlx::query(
            "select id, at, kind, code, plugin_hash, grant_id, ref, subject from audit \
             where workspace_id = $1 and id >= $2 and id <= $3 and seq = $4 order by id",
        );
        let (first, last): (String, String) = (get(&sealed, "first_id")?, get(&sealed, "last_id")?);
        let rows = db.fetch_all(select.bind(workspace.as_str()).bind(first).bind(last).bind(seq)).await?;
        let computed = hash_of(&verified.head, workspace.as_str(), seq, &rows)?;
        let fits = found == seq && rows.len() as i64 == n_rows && previous == verified.head && hash == computed;
        if !fits {
            return Err(AuditError::Broken { seq });
        }
        verified = Verified { n_batches: seq, n_rows: verified.n_rows + n_rows, head: computed };
        on_batch(&verified);
    }
    if is_beside(db, workspace).await? {
        return Err(AuditError::Broken { seq: verified.n_batches + 1 });
    }
    Ok(verified)
}

/// The workspaces that have rows in the log, or batches of them.
///
/// # Errors
/// [`AuditError::Db`].
pub async fn workspaces(db: &Db) -> Result<BTreeSet<WorkspaceId>, AuditError> {
    let of_rows = "select min(workspace_id) from audit where workspace_id > $1";
    let of_batches = "select min(workspace_id) from audit_seal where workspace_id > $1";
    let mut found = BTreeSet::new();
    for next in [of_rows, of_batches] {
        let mut last = String::new();
        while let Some(row) = db.fetch_optional(sqlx::query(next).bind(last.as_str())).await? {
            let Some(workspace) = row.try_get::<Option<String>, _>(0).map_err(DbError::from)? else { break };
            found.insert(WorkspaceId::parse(&workspace).map_err(|_| DbError::Unreadable("workspace_id"))?);
            last = workspace;
        }
    }
    Ok(found)
}

/// The last batch of each chain: its number, and its hash in hexadecimal digits.
pub(super) async fn heads(db: &Db) -> Result<Vec<(WorkspaceId, i64, String)>, AuditError> {
    let mut heads = Vec::new();
    for workspace in workspaces(db).await? {
        let select = sqlx::query("select seq, hash from audit_seal where workspace_id = $1 order by seq desc limit 1");
        if let Some(row) = db.fetch_optional(select.bind(workspace.as_str())).await? {
            heads.push((workspace, get(&row, "seq")?, hex::encode(get::<Vec<u8>>(&row, "hash")?)));
        }
    }
    Ok(heads)
}

/// Whether there are rows with a number that are in no batch: taken out of the chain, or put in beside it. Both are counted in one
/// statement, since a job may be sealing at this moment.
async fn is_beside(db: &Db, workspace: &WorkspaceId) -> Result<bool, AuditError> {
    let select = sqlx::query(
        "select (select count(*) from audit where workspace_id = $1 and seq is not null) as n_numbered, \
         (select cast(coalesce(sum(n_rows), 0) as bigint) from audit_seal where workspace_id = $1) as n_sealed",
    );
    let Some(row) = db.fetch_optional(select.bind(workspace.as_str())).await? else { return Ok(false) };
    Ok(get::<i64>(&row, "n_numbered")? != get::<i64>(&row, "n_sealed")?)
}

async fn seal_batch(db: &Db, workspace: &str, now: Timestamp) -> Result<usize, AuditError> {
    let mut transaction = db.begin_write().await?;
    let select = sqlx::query("select seq, hash from audit_seal where workspace_id = $1 order by seq desc limit 1");
    let last = transaction.fetch_all(select.bind(workspace)).await?;
    let (seq, previous) = match last.first() {
        Some(row) => (get::<i64>(row, "seq")? + 1, get::<Vec<u8>>(row, "hash")?),
        None => (1, ROOT.to_vec()),
    };
    let select = sqlx::query(
        "select id, at, kind, code, plugin_hash, grant_id, ref, subject from audit \
         where workspace_id = $1 and seq is null order by id limit $2",
    );
    let rows = transaction.fetch_all(select.bind(workspace).bind(MAX_BATCH_ROWS)).await?;
    let ids = rows.iter().map(|row| get::<String>(row, "id")).collect::<Result<Vec<_>, _>>()?;
    let (Some(first), Some(last)) = (ids.first(), ids.last()) else {
        return Ok(0);
    };
    let insert = sqlx::query(
        "insert into audit_seal (workspace_id, seq, first_id, last_id, n_rows, previous, hash, sealed_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing",
    );
    let hash = hash_of(&previous, workspace, seq, &rows)?;
    let binds = insert.bind(workspace).bind(seq).bind(first.as_str()).bind(last.as_str()).bind(rows.len() as i64);
    let inserted = transaction.execute(binds.bind(previous).bind(hash.as_slice()).bind(now.millis())).await?;
    // By id, not by range: a row between them may have become visible since.
    let mut update =
        Bulk::new("update audit set seq = ").bind(seq).end(" where seq is null and (workspace_id, id) in ").keys(2);
    for id in &ids {
        update.row().bind(workspace).bind(id.as_str());
    }
    if inserted == 1 && transaction.execute(update).await? == ids.len() as u64 {
        transaction.commit().await?;
        return Ok(ids.len());
    }
    Ok(0)
}

fn hash_of(previous: &[u8], workspace: &str, seq: i64, rows: &[AnyRow]) -> Result<[u8; 32], DbError> {
    let mut hash = Sha256::new();
    add(&mut hash, Some(previous));
    add(&mut hash, Some(workspace.as_bytes()));
    hash.update(seq.to_be_bytes());
    hash.update((rows.len() as u64).to_be_bytes());
    for row in rows {
        hash.update(get::<i64>(row, "at")?.to_be_bytes());
        for column in ["id", "kind", "code", "plugin_hash", "grant_id", "ref"] {
            add(&mut hash, get::<Option<String>>(row, column)?.as_deref().map(str::as_bytes));
        }
        add(&mut hash, get::<Option<Vec<u8>>>(row, "subject")?.as_deref());
    }
    Ok(hash.finalize().into())
}

/// A value with its length in front; an absent one differs from an empty one.
fn add(hash: &mut Sha256, value: Option<&[u8]>) {
    match value {
        Some(value) => {
            hash.update([1]);
            hash.update((value.len() as u64).to_be_bytes());
            hash.update(value);
        }
        None => hash.update([0]),
    }
}

fn get<'r, T: sqlx::Decode<'r, sqlx::Any> + sqlx::Type<sqlx::Any>>(
    row: &'r AnyRow,
    column: &'static str,
) -> Result<T, DbError> {
    Ok(row.try_get(column)?)
}
