//! Time that is over: senders that died in the middle of an attempt, and unknowns that no evidence settled. Sends nothing.

use std::collections::HashSet;
use std::time::Duration;

use bellhop_domain::delivery::{DeliveryKind, Repeat};
use bellhop_domain::id::{ChannelId, ContactId, ConversationId, DeliveryId, MessageId, WorkspaceId};
use bellhop_domain::time::Timestamp;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::conversation::{self, NewTask};
use crate::db::{Bulk, DbError, Sql};
use crate::outbox::schedule::{self, Due};
use crate::outbox::{Outbox, OutboxError, undelivered};

/// How long an unknown holds the rest of its conversation: echoes and statuses come within seconds.
const UNKNOWN_HOLDS: Duration = Duration::from_secs(30);

/// How much longer one may wait for its lookups that holds nothing, when none of its channel is made any more.
const LOOKUPS_LAST: Duration = Duration::from_secs(600);

/// Looks at a channel are made while the last one is not older than this: longer than a rest between two looks at one delivery.
const LOOKS_GO_ON: Duration = Duration::from_secs(120);

/// How long one may wait while looks at others of its channel are made, as after an outage. What is said so late is no answer any more.
const LOOKUPS_LAST_AT_MOST: Duration = Duration::from_secs(3_600);

/// Deliveries that one look closes at most.
const MAX_EXPIRED: i64 = 500;

/// What a dead sender left behind becomes `unknown`, and an unknown that no evidence settled in time is closed for retry and
/// told to staff, so that the rest of its conversation goes on. The number of rows that changed.
pub(super) async fn expire(outbox: &Outbox) -> Result<usize, OutboxError> {
    let (db, now) = (&outbox.db, outbox.db.now());
    let rows = db.fetch_all(over_by(now)).await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let over = rows.iter().map(over).collect::<Result<Vec<_>, DbError>>()?;
    let tasks = match tasks(outbox, &over).await {
        Err(error) if DbError::is_behind(&error) => return Err(error),
        Err(_) => tasks_of_each(outbox, &over).await,
        Ok(tasks) => tasks,
    };
    let mut transaction = db.begin_write().await?;
    let mut close =
        Bulk::new("update delivery set state = 'held', reason = 'unknown', settled_at = ").bind(now.millis());
    close = close
        .end(" where state in ('sending', 'unknown') and state = 'unknown' and lease_until <= ")
        .bind(now.millis());
    let mut n_changed = 0;
    let mut close = close.end(" and (workspace_id, id) in ").keys(2);
    for over in over.iter().filter(|over| over.is_unknown) {
        close.row().bind(over.workspace.as_str()).bind(over.id.as_str());
    }
    if !close.is_empty() {
        let closed = transaction.fetch_all(close.end(" returning id")).await?;
        let closed =
            closed.iter().map(|row| row.try_get(0)).collect::<Result<HashSet<String>, _>>().map_err(DbError::from)?;
        n_changed += closed.len();
        let told = tasks.into_iter().filter(|(id, _)| closed.contains(id.as_str()));
        let told: Vec<NewTask> = told.map(|(_, task)| task).collect();
        conversation::tasks_insert_in(&mut transaction, &told, now).await?;
    }
    let unknown = sqlx::query(
        "update delivery set state = 'unknown', reason = 'sender-died', lease_until = $2 \
         where state in ('sending', 'unknown') and state = 'sending' and lease_until <= $1 \
         returning workspace_id, channel_id, id, kind",
    );
    let unknown = unknown.bind(now.millis()).bind((now + UNKNOWN_HOLDS).millis());
    let unknown = transaction.fetch_all(unknown).await?;
    n_changed += unknown.len();
    let lookups = unknown.iter().filter_map(|row| lookup(outbox, row, now).transpose());
    schedule::plan_in(&mut transaction, &lookups.collect::<Result<Vec<_>, _>>()?).await?;
    transaction.commit().await?;
    Ok(n_changed)
}

/// An unknown that nothing waits for may wait for its lookups.
const OVER: &str = "select d.workspace_id, d.id, d.conversation_id, d.contact_id, d.message_id, d.state from delivery d \
     where d.state in ('sending', 'unknown') and d.lease_until <= $1 and (d.state = 'sending' or d.lease_until <= $2 \
     or (d.lease_until <= $3 and not exists (select 1 from delivery_lookup p where p.workspace_id = d.workspace_id \
     and p.channel_id = d.channel_id and p.looked_at > $4)) \
     or not exists (select 1 from delivery_lookup l where l.workspace_id = d.workspace_id and l.delivery_id = d.id \
     and l.due_at is not null) or exists (select 1 from delivery w where w.workspace_id = d.workspace_id \
     and w.conversation_id = d.conversation_id and w.id > d.id and w.state in ('staged', 'retry', 'sending', 'unknown'))) \
     order by d.lease_until limit $5";

/// Those whose time is over.
fn over_by(now: Timestamp) -> impl Sql<'static> {
    let (at_most, last, looked_at) = (now - LOOKUPS_LAST_AT_MOST, now - LOOKUPS_LAST, now - LOOKS_GO_ON);
    let over = sqlx::query(OVER).bind(now.millis()).bind(at_most.millis()).bind(last.millis());
    over.bind(looked_at.millis()).bind(MAX_EXPIRED)
}

/// What is to be looked up of a dead sender's delivery.
fn lookup(outbox: &Outbox, row: &AnyRow, now: Timestamp) -> Result<Option<Due>, DbError> {
    let bad = |_| DbError::Unreadable("delivery");
    let workspace = WorkspaceId::parse(row.try_get(0)?).map_err(bad)?;
    let channel = ChannelId::parse(row.try_get(1)?).map_err(bad)?;
    let id = DeliveryId::parse(row.try_get(2)?).map_err(bad)?;
    let repeat = DeliveryKind::parse(row.try_get(3)?).map_or(Repeat::ByEvidence, DeliveryKind::repeat);
    let known = outbox.directory.snapshot().channel(&workspace, &channel);
    let can_be_found = known.is_some_and(|known| schedule::may_look(&known, repeat));
    Ok(can_be_found.then(|| Due::new((&workspace, &channel, &id), now)))
}

/// A delivery whose time is over.
struct Over {
    workspace: WorkspaceId,
    id: DeliveryId,
    conversation: ConversationId,
    contact: ContactId,
    message: MessageId,
    /// It waited for evidence; otherwise its sender died.
    is_unknown: bool,
}

fn over(row: &AnyRow) -> Result<Over, DbError> {
    let bad = |_| DbError::Unreadable("delivery");
    Ok(Over {
        workspace: WorkspaceId::parse(row.try_get(0)?).map_err(bad)?,
        id: DeliveryId::parse(row.try_get(1)?).map_err(bad)?,
        conversation: ConversationId::parse(row.try_get(2)?).map_err(bad)?,
        contact: ContactId::parse(row.try_get(3)?).map_err(bad)?,
        message: MessageId::parse(row.try_get(4)?).map_err(bad)?,
        is_unknown: row.try_get::<String, _>(5)? == "unknown",
    })
}

/// Something among these cannot be read: each alone, so that no other one waits for it. One that cannot be read is closed all
/// the same, and stands in `bellhop deliveries`.
async fn tasks_of_each(outbox: &Outbox, over: &[Over]) -> Vec<(DeliveryId, NewTask)> {
    let mut all = Vec::with_capacity(over.len());
    for over in over {
        match tasks(outbox, std::slice::from_ref(over)).await {
            Ok(tasks) => all.extend(tasks),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, delivery.id = %over.id, "A delivery cannot be read");
            }
        }
    }
    all
}

/// What staff are told of those that waited for evidence; nothing of a contact that was erased.
async fn tasks(outbox: &Outbox, over: &[Over]) -> Result<Vec<(DeliveryId, NewTask)>, OutboxError> {
    let unknown = || over.iter().filter(|over| over.is_unknown);
    let contacts: Vec<_> = unknown().map(|over| (over.workspace.clone(), over.contact.clone())).collect();
    let messages: Vec<_> = unknown().map(|over| (over.workspace.clone(), over.message.clone())).collect();
    let contacts = conversation::contacts_find(&outbox.db, &outbox.vault, &contacts).await?;
    let messages = conversation::messages_find(&outbox.db, &outbox.vault, &messages).await?;
    let tasks = unknown().filter_map(|over| {
        let body = messages.get(&over.message).map(|message| &message.body);
        let place = (&over.workspace, &over.conversation, &over.id);
        let task = undelivered::task(place, contacts.get(&over.contact)?, body, undelivered::NOBODY_KNOWS);
        Some((over.id.clone(), task))
    });
    Ok(tasks.collect())
}

/// Until when an attempt that ended without an answer holds its conversation.
pub(super) fn unknown_until(now: Timestamp) -> Timestamp {
    now + UNKNOWN_HOLDS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::{fresh, reaches};

    #[tokio::test]
    async fn what_waits_for_its_look_is_given_up_when_nothing_moves_or_after_an_hour() {
        let (_folder, _clock, db) = fresh().await;
        let now = db.now();
        let insert = |n: i64, waits: Duration, (due_at, looked_at): (Option<i64>, Option<Duration>)| {
            let (id, channel, lease_until) = (format!("d{n}"), format!("ch{n}"), (now - waits).millis());
            let looked_at = looked_at.map(|ago| (now - ago).millis());
            let db = &db;
            async move {
                let unknown = "insert into delivery (workspace_id, id, conversation_id, channel_id, contact_id, message_id, \
                               kind, state, revision, attempts, due_at, lease_until, created_at) \
                               values ('w', $1, $1, $2, 'p', 'm', 'text', 'unknown', 0, 1, 0, $3, 0)";
                db.execute(sqlx::query(unknown).bind(id.clone()).bind(channel.clone()).bind(lease_until))
                    .await
                    .unwrap();
                let looks = "insert into delivery_lookup (workspace_id, delivery_id, channel_id, due_at, looked_at, n_looks) \
                             values ('w', $1, $2, $3, $4, 0)";
                for (id, due_at, looked_at) in [(id.clone(), due_at, None), (format!("{id}-before"), None, looked_at)] {
                    let look = sqlx::query(looks).bind(id).bind(channel.clone()).bind(due_at).bind(looked_at);
                    db.execute(look).await.unwrap();
                }
            }
        };
        let seconds = Duration::from_secs;
        insert(1, seconds(599), (Some(1), None)).await;
        insert(2, seconds(600), (Some(1), None)).await;
        insert(3, seconds(600), (Some(1), Some(seconds(119)))).await;
        insert(4, seconds(600), (Some(1), Some(seconds(120)))).await;
        insert(5, seconds(3_599), (Some(1), Some(seconds(1)))).await;
        insert(6, seconds(3_600), (Some(1), Some(seconds(1)))).await;
        insert(7, seconds(1), (None, Some(seconds(1)))).await;
        let rows = db.fetch_all(over_by(now)).await.unwrap();
        let mut over: Vec<String> = rows.iter().map(|row| row.get(1)).collect();
        over.sort();
        assert_eq!(over, ["d2", "d4", "d6", "d7"]);
    }

    #[tokio::test]
    async fn only_what_is_under_way_is_walked() {
        let (_folder, _clock, db) = fresh().await;
        reaches(&db, OVER, "d ", &["delivery_leased"]).await;
        reaches(&db, OVER, "p ", &["delivery_lookup_last"]).await;
        reaches(&db, OVER, "l ", &["PRIMARY KEY (workspace_id=? AND delivery_id=?)"]).await;
        reaches(&db, OVER, "w ", &["delivery_open"]).await;
    }
}
