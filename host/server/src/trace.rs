//! The trace of a turn: what came, what each plugin was shown, what it wanted, what policy said. Sealed under the contact's
//! key; read only by people and by replay.

use std::sync::Arc;

use bellhop_domain::id::{ConversationId, TurnId, WorkspaceId};
use bellhop_domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::Row;

use crate::db::{Bulk, Db, DbError, WriteTransaction};
use crate::vault::{DataKey, Place, Vault, VaultError};

/// What can go wrong with traces.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The database.
    #[error("could not read or write traces")]
    Db(#[from] DbError),
    /// The key is gone or the content damaged.
    #[error("could not open a trace")]
    Vault(#[from] VaultError),
    /// A trace that this version cannot read.
    #[error("unreadable trace")]
    Unreadable,
}

/// A turn in outline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outline {
    /// What settled together.
    pub events: Vec<EventLine>,
    /// The plugins that were asked, in order.
    pub plugins: Vec<PluginLine>,
    /// When the conversation was claimed.
    pub claimed_at: Timestamp,
}

/// One event of the turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventLine {
    /// What happened.
    pub kind: String,
    /// Meta's time.
    pub at: Timestamp,
    /// When it was on disk.
    pub received_at: Timestamp,
    /// The message it became, whose text is the conversation's.
    pub message: Option<String>,
}

/// One plugin's part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PluginLine {
    /// The plugin's id.
    pub plugin: String,
    /// What the grant let it see, in words: "message text", "records", …
    pub saw: Vec<String>,
    /// "pass", "done", "fault:…" or "stopped:…".
    pub outcome: String,
    /// One sentence for a person, where something went wrong.
    pub detail: Option<String>,
    /// Wall time of the call, in microseconds.
    pub micros: u64,
    /// Fuel it used.
    pub fuel: u64,
    /// Calls it made to the host.
    pub host_calls: u32,
    /// What it wanted, judged.
    pub proposals: Vec<ProposalLine>,
    /// What it logged.
    pub logs: Vec<String>,
}

/// One proposal and what policy said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalLine {
    /// Kind of effect.
    pub effect: String,
    /// The plugin's reason.
    pub because: Option<String>,
    /// "allow", "rewrite:…" or "deny:…".
    pub verdict: String,
}

/// A turn on its way to disk.
#[derive(Debug, Clone)]
pub struct NewTurn {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The turn.
    pub id: TurnId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// "answered", "passed", "silent", "failed", …
    pub outcome: &'static str,
    /// When it was opened.
    pub started_at: Timestamp,
    /// What happened in it.
    pub outline: Outline,
    /// The contact's key.
    pub key: Arc<DataKey>,
}

/// A turn that was read back.
#[derive(Debug, Clone, Serialize)]
pub struct TurnRow {
    /// The turn.
    pub id: TurnId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// How it ended.
    pub outcome: String,
    /// When it was opened.
    pub started_at: Timestamp,
    /// When it was committed.
    pub finished_at: Timestamp,
    /// What happened in it; `None` when the contact was erased.
    pub outline: Option<Outline>,
}

fn place(id: &TurnId) -> Place<'_> {
    Place { table: "turn", column: "sealed", row: id.as_str(), revision: 0 }
}

/// Writes turns.
///
/// # Errors
/// [`TraceError`]; the transaction is over.
pub async fn turns_insert_in(
    transaction: &mut WriteTransaction,
    turns: &[NewTurn],
    now: Timestamp,
) -> Result<(), TraceError> {
    if turns.is_empty() {
        return Ok(());
    }
    let mut insert = Bulk::new(
        "insert into turn (workspace_id, id, conversation_id, outcome, started_at, finished_at, key_id, sealed) values ",
    );
    for turn in turns {
        let outline = serde_json::to_vec(&turn.outline).map_err(|_| TraceError::Unreadable)?;
        insert
            .row()
            .bind(turn.workspace.as_str())
            .bind(turn.id.as_str())
            .bind(turn.conversation.as_str())
            .bind(turn.outcome)
            .bind(turn.started_at.millis())
            .bind(now.millis())
            .bind(turn.key.id().as_str())
            .bind(turn.key.seal(&place(&turn.id), &outline));
    }
    transaction.execute(insert).await?;
    Ok(())
}

/// Turns that one statement removes: a few milliseconds of SQLite's one writer.
const SWEEP_TURNS: i64 = 500;

const OLDEST: &str = "select id, finished_at from turn where workspace_id = $1 order by id limit $2";

/// Removes a workspace's turns that finished before `before`; how many there were. Ids are made in the order of time, so that the
/// oldest are found by the primary key and nothing younger is looked at.
///
/// # Errors
/// [`DbError`]; the rest stays for the next sweep.
pub async fn turns_sweep(db: &Db, workspace: &WorkspaceId, before: Timestamp) -> Result<u64, DbError> {
    let mut n_removed = 0;
    loop {
        let oldest = sqlx::query(OLDEST).bind(workspace.as_str().to_owned()).bind(SWEEP_TURNS);
        let mut delete = Bulk::new("delete from turn where (workspace_id, id) in ").keys(2);
        for row in db.fetch_all(oldest).await? {
            if row.try_get::<i64, _>(1)? < before.millis() {
                delete.row().bind(workspace.as_str()).bind(row.try_get::<String, _>(0)?);
            }
        }
        if delete.is_empty() {
            return Ok(n_removed);
        }
        n_removed += db.execute(delete).await?;
    }
}

/// The newest turns of a workspace, newest first.
///
/// # Errors
/// [`TraceError`].
pub async fn turns_recent(
    db: &Db,
    vault: &Vault,
    workspace: &WorkspaceId,
    limit: u32,
) -> Result<Vec<TurnRow>, TraceError> {
    let select = sqlx::query(
        "select id, conversation_id, outcome, started_at, finished_at, key_id, sealed from turn \
         where workspace_id = $1 order by id desc limit $2",
    );
    let mut turns = Vec::new();
    for row in db.fetch_all(select.bind(workspace.as_str().to_owned()).bind(i64::from(limit))).await? {
        let number = |n: usize| row.try_get::<i64, _>(n).map_err(DbError::from);
        let text = |n: usize| row.try_get::<String, _>(n).map_err(DbError::from);
        let id = TurnId::parse(&text(0)?).map_err(|_| TraceError::Unreadable)?;
        let key = bellhop_domain::id::KeyId::parse(&text(5)?).map_err(|_| TraceError::Unreadable)?;
        let sealed: Vec<u8> = row.try_get(6).map_err(DbError::from)?;
        let outline = match vault.key_by_id(workspace, &key).await {
            Ok(key) => {
                let plain = key.open(&place(&id), &sealed)?;
                Some(serde_json::from_slice(&plain).map_err(|_| TraceError::Unreadable)?)
            }
            Err(VaultError::KeyGone) => None,
            Err(error) => return Err(error.into()),
        };
        turns.push(TurnRow {
            id,
            conversation: ConversationId::parse(&text(1)?).map_err(|_| TraceError::Unreadable)?,
            outcome: text(2)?,
            started_at: Timestamp::from_millis(number(3)?),
            finished_at: Timestamp::from_millis(number(4)?),
            outline,
        });
    }
    Ok(turns)
}
