//! Claims of deliveries: the attempt, with its audit row, is on disk before the risk.

use std::collections::HashMap;
use std::time::Duration;

use bellhop_domain::id::{ChannelId, ContactId, ConversationId, DeliveryId, HostId, MessageId, WorkspaceId};
use bellhop_domain::time::Timestamp;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::audit;
use crate::db::{Bulk, Db, DbError, Engine};
use crate::directory::Snapshot;
use crate::outbox::InHand;
use crate::outbox::hands::{Due, Hands, Room};

/// A request takes 10 s at most (`graph`) and leaves only while so much of its sender's lease is left (`send`): under load it may take some seconds until then.
const LEASE: Duration = Duration::from_secs(20);

/// Deliveries of one channel in a claim that needs no plan.
pub(super) const PER_CHANNEL: usize = 32;

/// All channels that have something open, by jumps from each to the next of its workspace or the first of the next one: it costs the
/// same however much of one of them is open.
macro_rules! lines {
    () => {
        "with recursive line (workspace_id, channel_id) as (\
         select (select d.workspace_id from delivery d where d.state in ('staged', 'retry') \
         order by d.workspace_id, d.channel_id limit 1), (select d.channel_id from delivery d \
         where d.state in ('staged', 'retry') order by d.workspace_id, d.channel_id limit 1) \
         union all select case when (select min(d.channel_id) from delivery d where d.state in ('staged', 'retry') \
         and d.workspace_id = line.workspace_id and d.channel_id > line.channel_id) is not null then line.workspace_id \
         else (select min(d.workspace_id) from delivery d where d.state in ('staged', 'retry') \
         and d.workspace_id > line.workspace_id) end, \
         coalesce((select min(d.channel_id) from delivery d where d.state in ('staged', 'retry') \
         and d.workspace_id = line.workspace_id and d.channel_id > line.channel_id), (select d.channel_id from delivery d \
         where d.state in ('staged', 'retry') and d.workspace_id > line.workspace_id \
         order by d.workspace_id, d.channel_id limit 1)) from line where line.workspace_id is not null) "
    };
}

/// Only the oldest open delivery of a conversation counts: order is kept by waiting, never by overtaking.
const DUE: &str = concat!(
    lines!(),
    "select line.workspace_id, line.channel_id, (select d.due_at from delivery d \
     where d.state in ('staged', 'retry') and d.workspace_id = line.workspace_id and d.channel_id = line.channel_id \
     and d.due_at <= $1 and not exists (select 1 from delivery e where e.workspace_id = d.workspace_id \
     and e.conversation_id = d.conversation_id and e.id < d.id and e.state in ('staged', 'retry', 'sending', 'unknown')) \
     order by d.due_at limit 1) from line where line.workspace_id is not null"
);

/// What to claim.
pub(super) enum Take {
    /// As planned.
    Rooms(Vec<Room>),
    /// Everybody's first, then everybody's second, and so on; those after this workspace first where there are more than that.
    Each {
        /// The workspace that was last in its turn.
        after: Option<WorkspaceId>,
        /// Deliveries at most.
        limit: usize,
    },
}

impl Take {
    /// Something was taken up to the brim, so that there may be more.
    pub(super) fn may_be_more(&self, hand: &[InHand]) -> bool {
        let mut n_of = HashMap::new();
        hand.iter().for_each(|delivery| *n_of.entry(&delivery.channel).or_insert(0) += 1);
        match self {
            Self::Rooms(rooms) => rooms.iter().any(|room| n_of.get(&room.channel) == Some(&room.n)),
            Self::Each { limit, .. } => hand.len() == *limit || n_of.values().any(|n| *n == PER_CHANNEL),
        }
    }
}

/// The channels with something to send. Reads only.
pub(super) async fn due(db: &Db) -> Result<Vec<Due>, DbError> {
    let rows = db.fetch_all(sqlx::query(DUE).bind(db.now().millis())).await?;
    let bad = |_| DbError::Unreadable("delivery");
    let read = |row: &AnyRow| {
        // What is open may not be due.
        let Some(since) = row.try_get::<Option<i64>, _>(2)? else { return Ok(None) };
        Ok(Some(Due {
            workspace: WorkspaceId::parse(row.try_get(0)?).map_err(bad)?,
            channel: ChannelId::parse(row.try_get(1)?).map_err(bad)?,
            since: Timestamp::from_millis(since),
        }))
    };
    rows.iter().map(read).filter_map(Result::transpose).collect()
}

/// Takes what is due, the oldest of each channel first.
pub(super) async fn claim(
    db: &Db,
    host: &HostId,
    take: &Take,
    (hands, snapshot): (&Hands, &Snapshot),
) -> Result<Vec<InHand>, DbError> {
    let mut transaction = db.begin_write().await?;
    // Waiting for the store is no part of the lease.
    let now = db.now();
    let rows = transaction.fetch_all(statement(Bulk::new(UPDATE), db.engine(), host, take, now)).await?;
    let in_hand = |row: &AnyRow| in_hand(row, (host, now + LEASE), (hands, snapshot));
    let hand = rows.iter().map(in_hand).collect::<Result<Vec<_>, DbError>>()?;
    let attempts: Vec<audit::Entry> = hand.iter().map(attempt).collect();
    audit::append(&mut transaction, now, &attempts).await?;
    transaction.commit().await?;
    Ok(hand)
}

const UPDATE: &str = "update delivery set state = 'sending', attempts = attempts + 1, owner = ";

/// The update, from its first bind on. What another host is just claiming is left to it.
fn statement(update: Bulk, engine: Engine, host: &HostId, take: &Take, now: Timestamp) -> Bulk {
    let skip_locked = engine.skip_locked();
    let update = update.bind(host.as_str()).end(", lease_until = ").bind((now + LEASE).millis());
    let update = update.end(", attempted_at = ").bind(now.millis()).end(" where (workspace_id, id) in (");
    let update = match skip_locked {
        "" => update,
        // The state once more, for somebody else may have taken the row meanwhile; in words that make no planner think of an
        // index of what is open.
        _ => update.end(
            "select workspace_id, id from delivery where case when state in ('staged', 'retry') then 1 else 0 end = 1 \
             and (workspace_id, id) in (",
        ),
    };
    let update = match take {
        Take::Rooms(rooms) => in_rooms(update, engine, rooms, now),
        Take::Each { after, limit } => of_each(update, engine, (after.as_ref(), *limit), now),
    };
    let update = match skip_locked {
        "" => update,
        _ => update.end(skip_locked).end(")"),
    };
    update.end(
        " returning workspace_id, id, conversation_id, channel_id, contact_id, message_id, kind, revision, attempts, \
         cast(case when exists (select 1 from delivery l where l.workspace_id = delivery.workspace_id \
         and l.conversation_id = delivery.conversation_id and l.id > delivery.id \
         and l.state in ('staged', 'retry', 'sending', 'unknown')) then 1 else 0 end as bigint)",
    )
}

fn in_rooms(update: Bulk, engine: Engine, rooms: &[Room], now: Timestamp) -> Bulk {
    let mut update = update.end(
        "select workspace_id, id from (select d.workspace_id, d.id, v.column3 as room, row_number() over \
         (partition by d.channel_id order by d.due_at, d.id) as nth from (values ",
    );
    for room in rooms {
        let n = i64::try_from(room.n).unwrap_or(i64::MAX);
        update.row().bind(room.workspace.as_str()).bind(room.channel.as_str()).bind(n);
    }
    let largest = rooms.iter().map(|room| room.n).max().unwrap_or(0);
    oldest(update.end(") as v "), engine, largest, now).end(") as ranked where nth <= room)")
}

fn of_each(update: Bulk, engine: Engine, (after, limit): (Option<&WorkspaceId>, usize), now: Timestamp) -> Bulk {
    let update = update.end(concat!(
        lines!(),
        "select workspace_id, id from (select d.workspace_id, d.id, row_number() over (partition by d.workspace_id \
         order by d.due_at, d.id) as nth from (select line.workspace_id as column1, line.channel_id as column2 from line \
         where line.workspace_id is not null) as v "
    ));
    oldest(update, engine, PER_CHANNEL, now)
        .end(") as ranked order by nth, case when workspace_id > ")
        .bind(after.map_or("", WorkspaceId::as_str))
        .end(" then 0 else 1 end, workspace_id limit ")
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .end(")")
}

/// So many of each channel of `v`, as `d`. A cross join, for SQLite may begin an ordinary one with the whole table.
fn oldest(update: Bulk, engine: Engine, n: usize, now: Timestamp) -> Bulk {
    let (one_of, end) = engine.one_of();
    update
        .end("cross join delivery d where d.workspace_id = v.column1 and d.id ")
        .end(one_of)
        .end(
            "select o.id from delivery o where o.workspace_id = v.column1 and o.channel_id = v.column2 \
             and o.state in ('staged', 'retry') and o.due_at <= ",
        )
        .bind(now.millis())
        .end(
            " and not exists (select 1 from delivery e where e.workspace_id = o.workspace_id \
             and e.conversation_id = o.conversation_id and e.id < o.id \
             and e.state in ('staged', 'retry', 'sending', 'unknown')) order by o.due_at limit ",
        )
        .bind(i64::try_from(n).unwrap_or(i64::MAX))
        .end(end)
}

fn attempt(delivery: &InHand) -> audit::Entry {
    audit::Entry {
        reference: Some(audit::Reference::from(&delivery.id)),
        ..audit::Entry::new(delivery.workspace.clone(), audit::Kind::Message, audit::Code::of("attempt"))
    }
}

fn in_hand(
    row: &AnyRow,
    (owner, lease_until): (&HostId, Timestamp),
    (hands, snapshot): (&Hands, &Snapshot),
) -> Result<InHand, DbError> {
    let bad = |_| DbError::Unreadable("delivery");
    let workspace = WorkspaceId::parse(row.try_get(0)?).map_err(bad)?;
    let channel = ChannelId::parse(row.try_get(3)?).map_err(bad)?;
    Ok(InHand {
        grip: hands.take(snapshot, &workspace, &channel).into(),
        workspace,
        id: DeliveryId::parse(row.try_get(1)?).map_err(bad)?,
        conversation: ConversationId::parse(row.try_get(2)?).map_err(bad)?,
        channel,
        contact: ContactId::parse(row.try_get(4)?).map_err(bad)?,
        message: MessageId::parse(row.try_get(5)?).map_err(bad)?,
        kind: row.try_get(6)?,
        revision: row.try_get(7)?,
        attempts: row.try_get(8)?,
        owner: owner.clone(),
        lease_until,
        has_next: row.try_get::<i64, _>(9)? != 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::{fresh, reaches};

    #[tokio::test]
    async fn what_is_due_is_found_by_jumps_and_not_by_walking() {
        let (_folder, _clock, db) = fresh().await;
        let jumps = ["(workspace_id>?)", "(workspace_id=? AND channel_id>?)", "SCAN d USING INDEX delivery_due"];
        let looks = ["(workspace_id=? AND channel_id=? AND due_at<?)"];
        reaches(&db, DUE, "d ", &[jumps.as_slice(), looks.as_slice()].concat()).await;
        reaches(&db, DUE, "e ", &["delivery_open (workspace_id=? AND conversation_id=? AND id<?)"]).await;
    }

    #[tokio::test]
    async fn a_claim_reads_no_more_of_a_channel_than_it_has_room_for() {
        let (_folder, _clock, db) = fresh().await;
        let (workspace, channel) = (WorkspaceId::parse("w").unwrap(), ChannelId::parse("c").unwrap());
        for take in [Take::Rooms(vec![Room { workspace, channel, n: 3 }]), Take::Each { after: None, limit: 3 }] {
            let explain: &'static str = format!("explain query plan {UPDATE}").leak();
            let host = HostId::parse("h").unwrap();
            let explained = statement(Bulk::new(explain), Engine::Sqlite, &host, &take, db.now());
            let steps: Vec<String> = db.fetch_all(explained).await.unwrap().iter().map(|row| row.get(3)).collect();
            let has = |step: &str| assert!(steps.iter().any(|found| found.contains(step)), "{step}: {steps:#?}");
            has("SEARCH delivery USING PRIMARY KEY (workspace_id=? AND id=?)");
            has("SEARCH d USING PRIMARY KEY (workspace_id=? AND id=?)");
            has("SEARCH o USING INDEX delivery_due (workspace_id=? AND channel_id=? AND due_at<?)");
            has("SEARCH e USING INDEX delivery_open (workspace_id=? AND conversation_id=? AND id<?)");
        }
    }
}
