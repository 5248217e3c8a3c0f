//! When deliveries of which nobody knows are looked up: planned when an attempt ends without an answer, claimed by one host at a
//! time, never too fast for a channel. Asks nobody.

use std::time::Duration;

use bellhop_domain::delivery::Repeat;
use bellhop_domain::id::{ChannelId, DeliveryId, WorkspaceId};
use bellhop_domain::lookup::FIRST_LOOK_AFTER;
use bellhop_domain::time::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

use crate::audit;
use crate::db::{Bulk, Db, DbError, WriteTransaction};
use crate::directory::Channel;

/// Meta gives an answer within 10 s (`graph`); another host may look after that and a little.
const LEASE: Duration = Duration::from_secs(15);

/// Between two looks at one channel, by whatever host (Meta: Conversations API, two calls a second).
pub(super) const PACE: Duration = Duration::from_millis(500);

/// Looks that one host begins at once, each at another channel.
const MAX_LOOKS: i64 = 16;

/// Rows that are over tell when a channel was asked last; that is of interest for a moment.
const KEPT: Duration = Duration::from_secs(3_600);

/// A look that is to come.
#[derive(Debug, Clone)]
pub(super) struct Due {
    workspace: WorkspaceId,
    channel: ChannelId,
    delivery: DeliveryId,
    at: Timestamp,
}

impl Due {
    /// For an attempt that has ended by now.
    pub(super) fn new((workspace, channel, delivery): (&WorkspaceId, &ChannelId, &DeliveryId), now: Timestamp) -> Self {
        let (workspace, channel, delivery) = (workspace.clone(), channel.clone(), delivery.clone());
        Self { workspace, channel, delivery, at: now + FIRST_LOOK_AFTER }
    }
}

/// A look in the hands of this host.
#[derive(Debug, Clone)]
pub(super) struct Look {
    pub(super) workspace: WorkspaceId,
    pub(super) delivery: DeliveryId,
    /// When it was claimed: whoever claims it after this host writes another time.
    claimed_at: Timestamp,
    /// Looks so far, this one among them.
    pub(super) n_looks: i64,
    pub(super) absent_at: Option<Timestamp>,
}

/// Where a look may tell whether Meta took something, and nothing else does.
pub(super) fn may_look(channel: &Channel, repeat: Repeat) -> bool {
    repeat == Repeat::ByEvidence && channel.kind.shows_threads()
}

/// Plans looks, all anew for a delivery that was looked for after an earlier attempt.
pub(super) async fn plan_in(transaction: &mut WriteTransaction, due: &[Due]) -> Result<(), DbError> {
    let mut insert =
        Bulk::new("insert into delivery_lookup (workspace_id, delivery_id, channel_id, due_at, n_looks) values ");
    for Due { workspace, channel, delivery, at } in due {
        let row = insert.row().bind(workspace.as_str()).bind(delivery.as_str()).bind(channel.as_str());
        row.bind(at.millis()).bind(0_i64);
    }
    if insert.is_empty() {
        return Ok(());
    }
    // A look that is still under way was for an earlier attempt: its claim is over when its time is no longer the one that stands here.
    let anew = " on conflict (workspace_id, delivery_id) do update set due_at = excluded.due_at, n_looks = 0, absent_at = null, \
                looked_at = delivery_lookup.looked_at + 1";
    transaction.execute(insert.end(anew)).await?;
    Ok(())
}

const IS_DUE: &str = "select 1 from delivery_lookup where due_at <= $1 limit 1";

/// What was settled meanwhile is not looked for.
const OVER: &str = "update delivery_lookup set due_at = null, looked_at = coalesce(looked_at, due_at) \
     where due_at <= $1 and not exists (select 1 from delivery d where d.workspace_id = delivery_lookup.workspace_id \
     and d.id = delivery_lookup.delivery_id and (d.state = 'unknown' or (d.state = 'held' and d.reason = 'unknown')))";

/// The first of each channel that was not asked a moment ago.
const CLAIM: &str = "update delivery_lookup set due_at = $2, looked_at = $1, n_looks = n_looks + 1 \
     where due_at <= $1 and (workspace_id, delivery_id) in (select l.workspace_id, l.delivery_id from delivery_lookup l \
     where l.due_at <= $1 and not exists (select 1 from delivery_lookup p where p.workspace_id = l.workspace_id \
     and p.channel_id = l.channel_id and p.looked_at > $3) and not exists (select 1 from delivery_lookup q \
     where q.workspace_id = l.workspace_id and q.channel_id = l.channel_id and q.due_at <= $1 \
     and (q.due_at, q.delivery_id) < (l.due_at, l.delivery_id)) order by l.due_at, l.delivery_id limit $4{skip_locked}) \
     returning workspace_id, delivery_id, n_looks, absent_at";

/// Takes what is due, with its audit rows on disk before anything is asked.
pub(super) async fn claim(db: &Db) -> Result<Vec<Look>, DbError> {
    let now = db.now();
    if db.fetch_optional(sqlx::query(IS_DUE).bind(now.millis())).await?.is_none() {
        return Ok(Vec::new());
    }
    let sql = CLAIM.replace("{skip_locked}", db.engine().skip_locked());
    let claim = sqlx::query(AssertSqlSafe(sql))
        .bind(now.millis())
        .bind((now + LEASE).millis())
        .bind((now - PACE).millis())
        .bind(MAX_LOOKS);
    let mut transaction = db.begin_write().await?;
    transaction.execute(sqlx::query(OVER).bind(now.millis())).await?;
    let rows = transaction.fetch_all(claim).await?;
    let looks = rows.iter().map(|row| look(row, now)).collect::<Result<Vec<_>, DbError>>()?;
    let entries = looks.iter().map(|look| audit::Entry {
        reference: Some(audit::Reference::from(&look.delivery)),
        ..audit::Entry::new(look.workspace.clone(), audit::Kind::Read, audit::Code::of("lookup"))
    });
    audit::append(&mut transaction, now, &entries.collect::<Vec<_>>()).await?;
    transaction.commit().await?;
    Ok(looks)
}

fn look(row: &AnyRow, claimed_at: Timestamp) -> Result<Look, DbError> {
    let bad = |_| DbError::Unreadable("delivery_lookup");
    let absent_at: Option<i64> = row.try_get(3)?;
    Ok(Look {
        workspace: WorkspaceId::parse(row.try_get(0)?).map_err(bad)?,
        delivery: DeliveryId::parse(row.try_get(1)?).map_err(bad)?,
        claimed_at,
        n_looks: row.try_get(2)?,
        absent_at: absent_at.map(Timestamp::from_millis),
    })
}

/// Puts down when to look next, if at all. False when another host has taken the look over, or a later attempt was made: then this
/// one's result is nothing.
pub(super) async fn put_off_in(
    transaction: &mut WriteTransaction,
    look: &Look,
    (at, absent_at): (Option<Timestamp>, Option<Timestamp>),
) -> Result<bool, DbError> {
    let put_off = sqlx::query(
        "update delivery_lookup set due_at = $1, absent_at = $2 where workspace_id = $3 and delivery_id = $4 and looked_at = $5",
    );
    let put_off = put_off.bind(at.map(Timestamp::millis)).bind(absent_at.map(Timestamp::millis));
    let put_off = put_off.bind(look.workspace.as_str().to_owned()).bind(look.delivery.as_str().to_owned());
    Ok(transaction.execute(put_off.bind(look.claimed_at.millis())).await? == 1)
}

const SWEEP: &str = "delete from delivery_lookup where due_at is null and (workspace_id, delivery_id) in (\
     select workspace_id, delivery_id from delivery_lookup where due_at is null and looked_at < $1 order by looked_at limit $2)";

/// Removes what is looked for no longer; how many there were.
///
/// # Errors
/// [`DbError`]; the rest stays for the next sweep.
pub async fn lookups_sweep(db: &Db) -> Result<u64, DbError> {
    db.sweep_uncounted(SWEEP, db.now() - KEPT).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::{fresh, reaches};

    #[tokio::test]
    async fn a_look_for_an_earlier_attempt_decides_nothing_of_a_later_one() {
        let (_folder, clock, db) = fresh().await;
        let place = (&WorkspaceId::new(), &ChannelId::new(), &DeliveryId::new());
        let unknown = "insert into delivery (workspace_id, id, conversation_id, channel_id, contact_id, message_id, kind, \
                       state, revision, attempts, due_at, lease_until, created_at) \
                       values ($1, $2, 'c', $3, 'p', 'm', 'text', 'unknown', 0, 1, 0, 0, 0)";
        let unknown = sqlx::query(unknown).bind(place.0.as_str().to_owned()).bind(place.2.as_str().to_owned());
        db.execute(unknown.bind(place.1.as_str().to_owned())).await.unwrap();
        let plan = async || {
            let mut transaction = db.begin_write().await.unwrap();
            plan_in(&mut transaction, &[Due::new(place, db.now())]).await.unwrap();
            transaction.commit().await.unwrap();
        };
        let put_off = async |look: &Look| {
            let mut transaction = db.begin_write().await.unwrap();
            let is_ours = put_off_in(&mut transaction, look, (None, None)).await.unwrap();
            transaction.commit().await.unwrap();
            is_ours
        };
        for is_tried_meanwhile in [false, true] {
            plan().await;
            clock.advance(FIRST_LOOK_AFTER);
            let looks = claim(&db).await.unwrap();
            if is_tried_meanwhile {
                plan().await;
            }
            assert_eq!(put_off(&looks[0]).await, !is_tried_meanwhile);
        }
        clock.advance(FIRST_LOOK_AFTER);
        assert_eq!(claim(&db).await.unwrap().len(), 1, "the later one is looked for");
    }

    #[tokio::test]
    async fn only_what_is_due_is_walked() {
        let (_folder, _clock, db) = fresh().await;
        let claim = CLAIM.replace("{skip_locked}", "");
        reaches(&db, IS_DUE, "delivery_lookup", &["delivery_lookup_due"]).await;
        reaches(&db, OVER, "delivery_lookup", &["delivery_lookup_due"]).await;
        reaches(&db, OVER, "d ", &["PRIMARY KEY (workspace_id=? AND id=?)"]).await;
        reaches(&db, &claim, "l ", &["delivery_lookup_due"]).await;
        reaches(&db, &claim, "p ", &["delivery_lookup_last"]).await;
        reaches(&db, &claim, "q ", &["delivery_lookup_next"]).await;
        reaches(&db, SWEEP, "delivery_lookup", &["delivery_lookup_over", "PRIMARY KEY"]).await;
    }
}
