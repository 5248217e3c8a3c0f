//! Claims of deliveries: the attempt, with its audit row, is on disk before the risk.

use std::time::Duration;

use bellhop_domain::id::{ChannelId, ContactId, ConversationId, DeliveryId, HostId, MessageId, WorkspaceId};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

use crate::audit;
use crate::db::{Db, DbError};
use crate::outbox::InHand;

/// A sender gives up after 10 s (`graph`), its lease ends 2 s later; a successor waits for both.
const LEASE: Duration = Duration::from_secs(12);

/// Only the oldest open delivery of a conversation may go: order is kept by waiting, never by overtaking.
const CLAIM: &str = "update delivery set state = 'sending', owner = $1, lease_until = $2, attempts = attempts + 1, attempted_at = $3 \
     where state in ('staged', 'retry') and (workspace_id, id) in (select d.workspace_id, d.id from delivery d \
     where d.state in ('staged', 'retry') and d.due_at <= $3 and not exists (select 1 from delivery e \
     where e.workspace_id = d.workspace_id and e.conversation_id = d.conversation_id and e.id < d.id \
     and e.state in ('staged', 'retry', 'sending', 'unknown')) order by d.due_at, d.id limit $4{skip_locked}) \
     returning workspace_id, id, conversation_id, channel_id, contact_id, message_id, kind, revision, attempts, \
     cast(case when exists (select 1 from delivery l where l.workspace_id = delivery.workspace_id \
     and l.conversation_id = delivery.conversation_id and l.id > delivery.id and l.state in ('staged', 'retry', 'sending', 'unknown')) \
     then 1 else 0 end as bigint)";

pub(super) async fn claim(db: &Db, host: &HostId, limit: usize) -> Result<Vec<InHand>, DbError> {
    let now = db.now();
    // What another host is just claiming is left to it.
    let sql = CLAIM.replace("{skip_locked}", db.engine().skip_locked());
    let statement = sqlx::query(AssertSqlSafe(sql))
        .bind(host.as_str())
        .bind((now + LEASE).millis())
        .bind(now.millis())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX));
    let mut transaction = db.begin_write().await?;
    let rows = transaction.fetch_all(statement).await?;
    let hand = rows.iter().map(in_hand).collect::<Result<Vec<_>, DbError>>()?;
    let attempts: Vec<audit::Entry> = hand.iter().map(attempt).collect();
    audit::append(&mut transaction, now, &attempts).await?;
    transaction.commit().await?;
    Ok(hand)
}

fn attempt(delivery: &InHand) -> audit::Entry {
    audit::Entry {
        reference: Some(audit::Reference::from(&delivery.id)),
        ..audit::Entry::new(delivery.workspace.clone(), audit::Kind::Message, audit::Code::of("attempt"))
    }
}

fn in_hand(row: &AnyRow) -> Result<InHand, DbError> {
    let bad = |_| DbError::Unreadable("delivery");
    Ok(InHand {
        workspace: WorkspaceId::parse(row.try_get(0)?).map_err(bad)?,
        id: DeliveryId::parse(row.try_get(1)?).map_err(bad)?,
        conversation: ConversationId::parse(row.try_get(2)?).map_err(bad)?,
        channel: ChannelId::parse(row.try_get(3)?).map_err(bad)?,
        contact: ContactId::parse(row.try_get(4)?).map_err(bad)?,
        message: MessageId::parse(row.try_get(5)?).map_err(bad)?,
        kind: row.try_get(6)?,
        revision: row.try_get(7)?,
        attempts: row.try_get(8)?,
        has_next: row.try_get::<i64, _>(9)? != 0,
    })
}
