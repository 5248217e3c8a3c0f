//! Claims: which host works on a conversation, and until when.

use std::time::Duration;

use bellhop_domain::id::{ChannelId, ContactId, ConversationId, EventId, HostId, KeyId, WorkspaceId};
use bellhop_domain::kind::EventKind;
use bellhop_domain::time::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

use crate::db::{Bulk, Db, DbError, Engine};
use crate::inbox::conversations_lock_in;

/// A holder that has not renewed for this long is taken for dead.
const LEASE: Duration = Duration::from_secs(5);

/// Workspaces that a claim can leave out because this host has enough of them in hand already.
pub const MAX_LEFT_OUT: usize = 4;

/// What to claim.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Who claims.
    pub host: HostId,
    /// Conversations at most.
    pub limit: usize,
    /// Conversations of one workspace at most: one tenant's flood does not fill the hands.
    pub per_workspace: usize,
    /// Where more workspaces are ready than the limit takes, those after this one come first: each has its turn.
    pub after: Option<WorkspaceId>,
    /// Nothing of these; [`MAX_LEFT_OUT`] at most.
    pub left_out: Vec<WorkspaceId>,
}

impl Claim {
    /// So many, whosever they are.
    pub fn new(host: HostId, limit: usize) -> Self {
        Self { host, limit, per_workspace: limit, after: None, left_out: Vec::new() }
    }
}

/// A conversation in the hands of this host, as it was when claimed.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The conversation.
    pub conversation: ConversationId,
    /// Its channel.
    pub channel: ChannelId,
    /// Its contact, once there was a turn.
    pub contact: Option<ContactId>,
    /// "automated", "human" or "paused".
    pub mode: String,
    /// When the mode ends by itself.
    pub mode_until: Option<Timestamp>,
    /// Grows with each control event that matters.
    pub revision: i64,
    /// Contact events that ever arrived.
    pub arrivals: i64,
    /// The fence.
    pub epoch: i64,
    /// Turns that failed in a row.
    pub failures: i64,
    /// The plugin that kept the floor.
    pub floor: Option<String>,
    /// Meta's time of the newest contact event that opened a window.
    pub last_contact_event_at: Option<Timestamp>,
    /// Meta's time of the newest event that a turn has answered.
    pub last_answered_at: Option<Timestamp>,
}

/// A contact event that waits for a turn.
#[derive(Debug, Clone)]
pub struct OpenEvent {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The conversation.
    pub conversation: ConversationId,
    /// The event.
    pub id: EventId,
    /// What happened.
    pub kind: EventKind,
    /// Meta's time.
    pub at: Timestamp,
    /// When it was on disk.
    pub received_at: Timestamp,
    /// The key of `sealed`.
    pub key: KeyId,
    /// The cut slice.
    pub sealed: Vec<u8>,
}

/// The oldest of each workspace: everybody's first, then everybody's second. Jumps from workspace to workspace, so that it costs
/// the same however much of one of them is ready. A cross join, for SQLite may begin an ordinary one with the whole table.
fn ranked(engine: Engine) -> String {
    let (one_of, end) = engine.one_of();
    format!(
        "with recursive tenant (workspace_id) as (select min(workspace_id) from conversation where ready_at is not null \
         union all select (select min(c.workspace_id) from conversation c where c.ready_at is not null \
         and c.workspace_id > tenant.workspace_id) from tenant where tenant.workspace_id is not null) \
         select workspace_id, id from (select c.workspace_id, c.id, \
         row_number() over (partition by c.workspace_id order by c.ready_at, c.id) as nth \
         from tenant cross join conversation c where c.workspace_id = tenant.workspace_id and c.id {one_of}\
         select o.id from conversation o where o.workspace_id = tenant.workspace_id and o.ready_at is not null \
         and o.ready_at <= $3 and o.lease_until < $3 order by o.ready_at limit $4{end} \
         and tenant.workspace_id not in ($7, $8, $9, $10)) as ranked \
         order by nth, case when workspace_id > $6 then 0 else 1 end, workspace_id limit $5"
    )
}

/// What somebody else is just changing is left out, and comes up again at the next look.
fn claim_sql(engine: Engine) -> String {
    let ranked = ranked(engine);
    let chosen = match engine.skip_locked() {
        "" => ranked,
        skip_locked => format!(
            "select workspace_id, id from conversation where (workspace_id, id) in ({ranked}) and lease_until < $3{skip_locked}"
        ),
    };
    format!(
        "update conversation set owner = $1, epoch = epoch + 1, lease_until = $2, ready_at = $2, first_open_at = null \
         where lease_until < $3 and (workspace_id, id) in ({chosen}) \
         returning workspace_id, id, channel_id, contact_id, mode, mode_until, revision, arrivals, epoch, failures, floor, \
         last_contact_event_at, last_answered_at"
    )
}

/// Takes ready conversations that nobody holds.
///
/// `ready_at` becomes the lease's end: should this host die, the row comes up again by itself.
///
/// # Errors
/// [`DbError`]; nothing was claimed. [`DbError::Conflict`] when another host claimed at the same instant; claim again.
pub async fn claim(db: &Db, claim: &Claim) -> Result<Vec<Claimed>, DbError> {
    let now = db.now();
    let mut statement = sqlx::query(AssertSqlSafe(claim_sql(db.engine())))
        .bind(claim.host.as_str())
        .bind((now + LEASE).millis())
        .bind(now.millis())
        .bind(i64::try_from(claim.per_workspace).unwrap_or(i64::MAX))
        .bind(i64::try_from(claim.limit).unwrap_or(i64::MAX))
        .bind(claim.after.as_ref().map_or("", WorkspaceId::as_str));
    for nth in 0..MAX_LEFT_OUT {
        statement = statement.bind(claim.left_out.get(nth).map_or("", WorkspaceId::as_str));
    }
    let mut transaction = db.begin_write().await?;
    let rows = transaction.fetch_all(statement).await?;
    transaction.commit().await?;
    rows.iter().map(claimed).collect()
}

fn claimed(row: &AnyRow) -> Result<Claimed, DbError> {
    let contact: Option<String> = row.try_get(3)?;
    let time = |n: usize| row.try_get::<Option<i64>, _>(n).map(|millis| millis.map(Timestamp::from_millis));
    Ok(Claimed {
        workspace: WorkspaceId::parse(row.try_get(0)?).map_err(|_| DbError::Unreadable("conversation.workspace_id"))?,
        conversation: ConversationId::parse(row.try_get(1)?).map_err(|_| DbError::Unreadable("conversation.id"))?,
        channel: ChannelId::parse(row.try_get(2)?).map_err(|_| DbError::Unreadable("conversation.channel_id"))?,
        contact: contact
            .map(|id| ContactId::parse(&id))
            .transpose()
            .map_err(|_| DbError::Unreadable("conversation.contact_id"))?,
        mode: row.try_get(4)?,
        mode_until: time(5)?,
        revision: row.try_get(6)?,
        arrivals: row.try_get(7)?,
        epoch: row.try_get(8)?,
        failures: row.try_get(9)?,
        floor: row.try_get(10)?,
        last_contact_event_at: time(11)?,
        last_answered_at: time(12)?,
    })
}

/// Partitioned by the conversation alone, whose id is unique: with the workspace in front SQLite walks the whole tenant.
pub(super) const OPEN_EVENTS: &str = "select e.workspace_id, e.conversation_id, e.id, e.kind, e.at, e.received_at, e.key_id, e.sealed from \
     (select workspace_id, id, row_number() over (partition by conversation_id order by at, position, id) as nth \
     from inbox_event where state = 'open' and lane = 'contact' and (workspace_id, conversation_id) in ";

pub(super) fn open_events(select: Bulk, claimed: &[Claimed], limit: usize) -> Bulk {
    let mut select = select.keys(2);
    for claimed in claimed {
        select.row().bind(claimed.workspace.as_str()).bind(claimed.conversation.as_str());
    }
    select
        .end(") ranked join inbox_event e on e.workspace_id = ranked.workspace_id and e.id = ranked.id where ranked.nth <= ")
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .end(" order by e.at, e.position, e.id")
}

/// The first open contact events of claimed conversations, `limit` of each at most, in order: Meta's time, then position,
/// then arrival. The limit bounds what a flood in one conversation costs.
///
/// # Errors
/// [`DbError`].
pub async fn events_open(db: &Db, claimed: &[Claimed], limit: usize) -> Result<Vec<OpenEvent>, DbError> {
    if claimed.is_empty() {
        return Ok(Vec::new());
    }
    let rows = db.fetch_all(open_events(Bulk::new(OPEN_EVENTS), claimed, limit)).await?;
    rows.iter().map(open_event).collect()
}

fn open_event(row: &AnyRow) -> Result<OpenEvent, DbError> {
    Ok(OpenEvent {
        workspace: WorkspaceId::parse(row.try_get(0)?).map_err(|_| DbError::Unreadable("inbox_event.workspace_id"))?,
        conversation: ConversationId::parse(row.try_get(1)?)
            .map_err(|_| DbError::Unreadable("inbox_event.conversation_id"))?,
        id: EventId::parse(row.try_get(2)?).map_err(|_| DbError::Unreadable("inbox_event.id"))?,
        kind: EventKind::parse(row.try_get(3)?),
        at: Timestamp::from_millis(row.try_get(4)?),
        received_at: Timestamp::from_millis(row.try_get(5)?),
        key: KeyId::parse(row.try_get(6)?).map_err(|_| DbError::Unreadable("inbox_event.key_id"))?,
        sealed: row.try_get(7)?,
    })
}

/// Prolongs the leases of conversations that are still in work.
///
/// # Errors
/// [`DbError`]; the leases stand as they were.
pub async fn renew(db: &Db, held: &[(WorkspaceId, ConversationId, i64)]) -> Result<(), DbError> {
    if held.is_empty() {
        return Ok(());
    }
    let mut update = Bulk::new("update conversation set lease_until = ")
        .bind((db.now() + LEASE).millis())
        // A claim that was given back in the meantime must not come to life again.
        .end(" where owner is not null and (workspace_id, id, epoch) in ")
        .keys(3);
    for (workspace, conversation, epoch) in held {
        update.row().bind(workspace.as_str()).bind(conversation.as_str()).bind(*epoch);
    }
    let mut transaction = db.begin_write().await?;
    let rows = held.iter().map(|(workspace, conversation, _)| (workspace, conversation));
    conversations_lock_in(&mut transaction, rows).await?;
    transaction.execute(update).await?;
    transaction.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::{fresh, reaches};

    #[tokio::test]
    async fn ready_conversations_are_found_by_jumps_and_not_by_walking() {
        let (_folder, _clock, db) = fresh().await;
        let sql = claim_sql(Engine::Sqlite);
        let by_key = "USING PRIMARY KEY (workspace_id=? AND id=?)";
        let jumps = ["COVERING INDEX conversation_ready", "conversation_ready (workspace_id>?)"];
        reaches(&db, &sql, "conversation ", &[by_key, jumps[0]]).await;
        reaches(&db, &sql, "c ", &[by_key, jumps[1]]).await;
        reaches(&db, &sql, "o ", &["conversation_ready (workspace_id=? AND ready_at>? AND ready_at<?)"]).await;
    }
}
