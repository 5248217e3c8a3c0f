//! Settling: what an attempt's end makes of the delivery, of the channel, and of the person.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bellhop_domain::allowance;
use bellhop_domain::delivery::{self, DeliveryKind, Happening, Repeat, State};
use bellhop_domain::graph_error::Action;
use bellhop_domain::id::{DeliveryId, HostId, WorkspaceId};
use bellhop_domain::retry;
use bellhop_domain::time::Timestamp;
use sqlx::Row as _;

use crate::conversation::{self, ConversationError, NewTask, Suppression};
use crate::db::{Bulk, Db, DbError, Moment, WriteTransaction, moment};
use crate::inbox;
use crate::outbox::evidence::ITS_TASK;
use crate::outbox::facts::Ready;
use crate::outbox::schedule::{self, Due};
use crate::outbox::send::{Attempt, Ended, RECONNECT_WAIT};
use crate::outbox::{InHand, Outbox, OutboxError, consequence, expire, undelivered};

/// The end of an attempt on its way to disk.
#[derive(Debug)]
pub(super) struct Settled {
    workspace: WorkspaceId,
    id: DeliveryId,
    /// Whose attempt it was, and until when: nobody else's is ended by it.
    owner: HostId,
    claimed_until: Timestamp,
    row: Row,
    /// The attempt does not count: nothing was tried.
    is_postponed: bool,
    suppression: Option<Suppression>,
    /// Where to look for it.
    lookup: Option<Due>,
    /// What staff are told, should this still be the delivery's end when it is written.
    undelivered: Option<NewTask>,
}

/// The new row of a delivery.
#[derive(Debug)]
struct Row {
    state: State,
    reason: Option<String>,
    due_at: Timestamp,
    lease_until: Timestamp,
    mid: Option<[u8; 32]>,
    /// When Meta took it, by its clock.
    meta_at: Option<Timestamp>,
}

/// Settles one delivery, and what its end means for the channel and the person.
pub(super) async fn settle(
    outbox: &Outbox,
    delivery: &InHand,
    ready: Option<&Ready>,
    Ended { attempt, heard }: Ended,
) -> Result<(), OutboxError> {
    let now = outbox.db.now();
    // While the asset or its app rests, or the person is left alone, there is no use in trying.
    let rest = match (&attempt, ready) {
        (Attempt::Refused(Action::SlowRecipient, _), Some(ready)) => {
            allowance::recipient_rest(ready.channel.kind, u32::try_from(delivery.attempts).unwrap_or(u32::MAX))
        }
        _ => heard.silence(),
    };
    let row = row(outbox, delivery, (&attempt, rest), now).await?;
    count(&attempt, row.state);
    let suppression = match &attempt {
        Attempt::Refused(Action::Suppress, _) => suppression(outbox, delivery).await?,
        _ => None,
    };
    let undelivered = match row.state {
        State::Dead | State::Dropped => undelivered(delivery, ready, &attempt),
        _ => None,
    };
    let repeat = DeliveryKind::parse(&delivery.kind).map_or(Repeat::ByEvidence, DeliveryKind::repeat);
    let lookup = ready.filter(|ready| row.state == State::Unknown && schedule::may_look(&ready.channel, repeat));
    let lookup = lookup.map(|_| Due::new((&delivery.workspace, &delivery.channel, &delivery.id), now));
    let settled = Settled {
        workspace: delivery.workspace.clone(),
        id: delivery.id.clone(),
        owner: delivery.owner.clone(),
        claimed_until: delivery.lease_until,
        row,
        is_postponed: matches!(attempt, Attempt::Postponed(..)),
        suppression,
        lookup,
        undelivered,
    };
    let due_at = matches!(settled.row.state, State::Retry).then_some(settled.row.due_at);
    outbox.settles.submit(settled).await?;
    if let Some(due_at) = due_at {
        outbox.wake.notify_at(due_at, now);
    }
    consequence::follow(outbox, delivery, (&attempt, heard), now).await
}

/// The task for a delivery that is given up or dropped; none for a contact that was erased.
fn undelivered(delivery: &InHand, ready: Option<&Ready>, attempt: &Attempt) -> Option<NewTask> {
    let reason = undelivered::reason_to_tell(attempt)?;
    let Ready { contact: Some(contact), body, .. } = ready? else { return None };
    Some(undelivered::task((&delivery.workspace, &delivery.conversation, &delivery.id), contact, body.as_ref(), reason))
}

/// Of an attempt that is over for everybody else only the news counts that Meta took it: that is true whatever became of the delivery.
/// Everything else is said of this attempt and no other.
const ENDED: &str = ") as v where delivery.workspace_id = v.column1 and delivery.id = v.column2 \
     and ((v.column3 = 'sent' and delivery.state in ('staged', 'sending', 'retry', 'unknown', 'held', 'dropped')) \
     or (delivery.state = 'sending' and delivery.owner = v.column11 and delivery.lease_until = v.column12))";

/// What Meta may have taken in an earlier attempt stays in doubt while it waits for a later one (`not-there`).
fn update(settled: &[Settled], now: Timestamp) -> Bulk {
    let mut update = Bulk::new(
        "update delivery set state = case when v.column3 = 'sent' then coalesce((select max(e.state) from early_receipt e \
         where e.workspace_id = delivery.workspace_id and e.conversation_id = delivery.conversation_id \
         and (e.mid = v.column7 or e.up_to >= coalesce(v.column10, delivery.attempted_at))), v.column3) else v.column3 end, \
         reason = case when v.column3 = 'retry' and delivery.reason = 'not-there' then delivery.reason else v.column4 end, \
         due_at = v.column5, lease_until = v.column6, mid = coalesce(v.column7, delivery.mid), settled_at = v.column8, \
         attempts = delivery.attempts - v.column9, owner = null, meta_at = coalesce(v.column10, delivery.meta_at) \
         from (values ",
    );
    for Settled { workspace, id, owner, claimed_until, row, is_postponed, .. } in settled {
        update
            .row()
            .bind(workspace.as_str())
            .bind(id.as_str())
            .bind(row.state.as_str())
            .bind(row.reason.as_deref())
            .bind(row.due_at.millis())
            .bind(row.lease_until.millis())
            .bind(row.mid.map(|mid| mid.to_vec()))
            .bind(row.state.is_settled().then_some(now.millis()))
            .bind(i64::from(*is_postponed))
            .bind(row.meta_at.map(Timestamp::millis))
            .bind(owner.as_str())
            .bind(claimed_until.millis());
    }
    update.end(ENDED).end(ITS_TASK).end(", delivery.id, delivery.state")
}

/// Writes the ends of many attempts in one transaction. A delivery that evidence settled meanwhile stays as it is, and so does one
/// that was taken from this host, unless Meta has it.
pub(super) async fn write_group(db: Db, settled: Arc<Vec<Settled>>) -> Result<Vec<()>, DbError> {
    let now = db.now();
    let suppressions: Vec<Suppression> = settled.iter().filter_map(|settled| settled.suppression.clone()).collect();
    let mut transaction = db.begin_write().await?;
    lock(&mut transaction, &settled).await?;
    let (mut ended, mut told_before) = (HashSet::new(), Vec::new());
    for row in transaction.fetch_all(update(&settled, now)).await? {
        let state = State::parse(row.try_get(3)?);
        if let (Some(State::Sent | State::Delivered | State::Read), Some(task)) = (state, row.try_get(1)?) {
            told_before.push((row.try_get::<String, _>(0)?, task));
        }
        ended.insert(row.try_get::<String, _>(2)?);
    }
    conversation::tasks_close_in(&mut transaction, &told_before, now).await?;
    let ended = || settled.iter().filter(|settled| ended.contains(settled.id.as_str()));
    let tasks: Vec<NewTask> = ended().filter_map(|settled| settled.undelivered.clone()).collect();
    conversation::tasks_insert_in(&mut transaction, &tasks, now).await.map_err(db_error)?;
    conversation::suppress_in(&mut transaction, &suppressions).await.map_err(db_error)?;
    let lookups: Vec<Due> = ended().filter_map(|settled| settled.lookup.clone()).collect();
    schedule::plan_in(&mut transaction, &lookups).await?;
    moment(Moment::SettleWritten);
    transaction.commit().await?;
    moment(Moment::SettleCommitted);
    Ok(vec![(); settled.len()])
}

/// Takes the deliveries before their rows are written, so that the statement that follows sees every receipt that was kept meanwhile.
async fn lock(transaction: &mut WriteTransaction, settled: &[Settled]) -> Result<(), DbError> {
    let mut select = Bulk::new("select 1 from delivery where (workspace_id, id) in ").keys(2);
    for Settled { workspace, id, .. } in settled {
        select.row().bind(workspace.as_str()).bind(id.as_str());
    }
    transaction.lock_rows(select.end(" order by workspace_id, id")).await
}

fn db_error(error: ConversationError) -> DbError {
    match error {
        ConversationError::Db(error) => error,
        ConversationError::Vault(_) | ConversationError::Unreadable(_) => DbError::Unreadable("task or suppression"),
    }
}

async fn row(
    outbox: &Outbox,
    delivery: &InHand,
    (attempt, rest): (&Attempt, Duration),
    now: Timestamp,
) -> Result<Row, OutboxError> {
    let repeat = DeliveryKind::parse(&delivery.kind).map_or(Repeat::ByEvidence, DeliveryKind::repeat);
    let wait = retry::next_attempt_after(u32::try_from(delivery.attempts).unwrap_or(u32::MAX), jitter(delivery));
    let mut row = Row { state: State::Sending, reason: None, due_at: now, lease_until: now, mid: None, meta_at: None };
    let happening = match attempt {
        Attempt::Accepted(mid, at) => {
            row.meta_at = *at;
            let index = outbox.vault.index(&delivery.workspace).await?;
            row.mid = Some(inbox::mid_key(&index, mid));
            Happening::Accepted
        }
        Attempt::Denied(reason) => {
            row.reason = Some((*reason).to_owned());
            row.state = delivery::next(State::Staged, repeat, Happening::Denied);
            return Ok(row);
        }
        Attempt::Postponed(reason, until) => {
            row.reason = Some((*reason).to_owned());
            row.due_at = *until;
            Happening::RefusedForNow
        }
        Attempt::Unreachable => again(&mut row, "unreachable".to_owned(), wait),
        Attempt::Unprepared => {
            // Nothing left this host, and what is missing may be mended: it is never given up by itself.
            if again(&mut row, "unprepared".to_owned(), wait) == Happening::RefusedForGood {
                row.state = delivery::next(State::Retry, repeat, Happening::Held);
                return Ok(row);
            }
            Happening::RefusedForNow
        }
        Attempt::Refused(action, code) => {
            let wait = match action {
                Action::SlowRecipient => wait.map(|_| rest),
                _ => wait.map(|wait| wait.max(rest)),
            };
            refused(&mut row, *action, code, wait, delivery.attempts)
        }
        Attempt::Lost(reason) => {
            row.reason = Some((*reason).to_owned());
            row.lease_until = expire::unknown_until(now);
            Happening::Lost
        }
    };
    row.state = delivery::next(State::Sending, repeat, happening);
    Ok(row)
}

fn again(row: &mut Row, reason: String, wait: Option<Duration>) -> Happening {
    row.reason = Some(reason);
    match wait {
        Some(wait) => {
            row.due_at = row.due_at + wait;
            Happening::RefusedForNow
        }
        None => Happening::RefusedForGood,
    }
}

fn refused(row: &mut Row, action: Action, code: &str, wait: Option<Duration>, attempts: i64) -> Happening {
    let reason = format!("{}:{code}", action.as_str());
    match action {
        Action::Retry | Action::BackOff | Action::BackOffApp | Action::SlowRecipient => again(row, reason, wait),
        Action::RetryOnce if attempts < 2 => again(row, reason, wait),
        Action::Reauthorise => again(row, reason, wait.map(|wait| wait.max(RECONNECT_WAIT))),
        // Sent before, by an attempt whose answer never came.
        Action::AlreadyReplied if attempts > 1 => Happening::Accepted,
        Action::RetryOnce
        | Action::AlreadyReplied
        | Action::Drop
        | Action::WindowClosed
        | Action::NotOwner
        | Action::Pause
        | Action::Fix
        | Action::Suppress
        | Action::Ignore => {
            row.reason = Some(reason);
            Happening::RefusedForGood
        }
    }
}

/// Jitter from the id: spread out, and the same in every replay.
fn jitter(delivery: &InHand) -> f64 {
    let last = delivery.id.as_str().bytes().last().unwrap_or_default();
    f64::from(last % 16) / 15.0 * retry::MAX_JITTER
}

async fn suppression(outbox: &Outbox, delivery: &InHand) -> Result<Option<Suppression>, OutboxError> {
    let id = (delivery.workspace.clone(), delivery.contact.clone());
    let contacts = conversation::contacts_find(&outbox.db, &outbox.vault, &[id]).await?;
    let index = outbox.vault.index(&delivery.workspace).await?;
    Ok(contacts.get(&delivery.contact).map(|contact| Suppression {
        workspace: delivery.workspace.clone(),
        channel: delivery.channel.clone(),
        person: inbox::thread_key(&index, &delivery.channel, &contact.profile.person),
        reason: "unreachable",
        at: outbox.db.now(),
    }))
}

fn count(attempt: &Attempt, state: State) {
    let outcome = match attempt {
        Attempt::Accepted(..) => "accepted",
        Attempt::Denied(_) => "denied",
        Attempt::Postponed(..) => "postponed",
        Attempt::Refused(..) => "refused",
        Attempt::Unreachable => "unreachable",
        Attempt::Unprepared => "unprepared",
        Attempt::Lost(_) => "lost",
    };
    metrics::counter!("bellhop_send_attempts_total", "outcome" => outcome, "state" => state.as_str()).increment(1);
}

#[cfg(test)]
mod tests;
