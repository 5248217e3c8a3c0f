//! The commit: everything that a turn leaves behind, in one transaction with the end of its events, or not at all. Turns that
//! end at the same time share a transaction.

use std::collections::HashSet;
use std::sync::Arc;

use bellhop_domain::id::ConversationId;
use bellhop_domain::time::Timestamp;
use tracing::warn;

use crate::audit;
use crate::conversation::{
    self, ConversationError, Mark, MaskedValue, NewContact, NewMessage, NewTask, SessionWrite, Suppression,
};
use crate::db::{Db, DbError, Moment, Signal, WriteTransaction, moment};
use crate::inbox::{self, Finish, SettledEvent};
use crate::outbox::{self, NewDelivery};
use crate::record::{self, PreparedWrite, RecordError};
use crate::registry::{self, Called, Failure};
use crate::trace::{self, NewTurn, TraceError};

/// What a turn leaves behind.
#[derive(Debug)]
pub(super) struct TurnCommit {
    pub(super) finish: Finish,
    pub(super) events: Vec<SettledEvent>,
    pub(super) contact: Option<NewContact>,
    pub(super) messages: Vec<NewMessage>,
    pub(super) sessions: Vec<SessionWrite>,
    pub(super) tasks: Vec<NewTask>,
    pub(super) marks: Vec<Mark>,
    /// What the tokens stand for that plugins were shown.
    pub(super) masked: Vec<MaskedValue>,
    pub(super) deliveries: Vec<NewDelivery>,
    /// The contact wants to be written to again.
    pub(super) unsuppress: Option<Suppression>,
    pub(super) records: Vec<PreparedWrite>,
    pub(super) audit: Vec<audit::Entry>,
    /// Calls of plugins that count.
    pub(super) calls: Vec<Called>,
    pub(super) turn: NewTurn,
}

/// What became of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Committed {
    /// It stands.
    Done,
    /// A control event or another host came first; nothing of it was written.
    Overtaken,
}

/// Writes turns in one transaction. One whose conversation is no longer ours is left out.
pub(super) async fn write(db: &Db, turns: &[TurnCommit]) -> Result<Vec<Committed>, DbError> {
    let now = db.now();
    let mut transaction = db.begin_write().await?;
    let finishes: Vec<Finish> = turns.iter().map(|turn| turn.finish.clone()).collect();
    let ours = inbox::finish_in(&mut transaction, &finishes).await?;
    let kept: Vec<&TurnCommit> = turns.iter().filter(|turn| ours.contains(&claim_of(turn))).collect();
    write_rows(&mut transaction, &kept, now).await?;
    let suspended = count_calls(&mut transaction, &kept, now).await?;
    if kept.iter().any(|turn| !turn.deliveries.is_empty()) {
        transaction.signal(Signal::Delivery);
    }
    moment(Moment::TurnWritten);
    transaction.commit().await?;
    moment(Moment::TurnCommitted);
    for call in suspended {
        warn!(
            workspace.id = %call.workspace, channel.id = %call.channel, plugin.hash = %call.hash,
            code = call.failure.as_ref().map(|failure| failure.code),
            "A plugin that kept failing was switched off on its channel"
        );
    }
    Ok(turns.iter().map(|turn| committed(&ours, turn)).collect())
}

/// The claim that a turn was made under: two claims of one conversation may end in the same transaction.
fn claim_of(turn: &TurnCommit) -> (ConversationId, i64) {
    (turn.finish.claimed.conversation.clone(), turn.finish.claimed.epoch)
}

fn committed(ours: &HashSet<(ConversationId, i64)>, turn: &TurnCommit) -> Committed {
    if ours.contains(&claim_of(turn)) { Committed::Done } else { Committed::Overtaken }
}

fn gathered<T: Clone>(turns: &[&TurnCommit], part: impl Fn(&TurnCommit) -> &[T]) -> Vec<T> {
    turns.iter().flat_map(|turn| part(turn).iter().cloned()).collect()
}

async fn write_rows(transaction: &mut WriteTransaction, turns: &[&TurnCommit], now: Timestamp) -> Result<(), DbError> {
    let contacts: Vec<NewContact> = turns.iter().filter_map(|turn| turn.contact.clone()).collect();
    let traces: Vec<NewTurn> = turns.iter().map(|turn| turn.turn.clone()).collect();
    inbox::events_settle_in(transaction, &gathered(turns, |turn| &turn.events), now).await?;
    conversation::contacts_insert_in(transaction, &contacts, now).await.map_err(db_error)?;
    conversation::messages_insert_in(transaction, &gathered(turns, |turn| &turn.messages)).await.map_err(db_error)?;
    conversation::sessions_write_in(transaction, &gathered(turns, |turn| &turn.sessions), now)
        .await
        .map_err(db_error)?;
    conversation::tasks_insert_in(transaction, &gathered(turns, |turn| &turn.tasks), now).await.map_err(db_error)?;
    conversation::marks_write_in(transaction, &gathered(turns, |turn| &turn.marks), now).await.map_err(db_error)?;
    conversation::masked_write_in(transaction, &gathered(turns, |turn| &turn.masked), now).await.map_err(db_error)?;
    let unsuppress: Vec<Suppression> = turns.iter().filter_map(|turn| turn.unsuppress.clone()).collect();
    conversation::unsuppress_in(transaction, &unsuppress).await.map_err(db_error)?;
    outbox::deliveries_insert_in(transaction, &gathered(turns, |turn| &turn.deliveries), now).await?;
    record::apply_in(transaction, &gathered(turns, |turn| &turn.records), now).await.map_err(record_error)?;
    trace::turns_insert_in(transaction, &traces, now).await.map_err(trace_error)?;
    audit::append(transaction, now, &gathered(turns, |turn| &turn.audit)).await
}

/// Counts how plugins did, and tells staff of each that is switched off by it: once, in a conversation that it failed in.
async fn count_calls(
    transaction: &mut WriteTransaction,
    turns: &[&TurnCommit],
    now: Timestamp,
) -> Result<Vec<Called>, DbError> {
    let calls = gathered(turns, |turn| &turn.calls);
    if calls.is_empty() {
        return Ok(Vec::new());
    }
    let suspended = registry::calls_count_in(transaction, now, &calls).await?;
    let mut tasks = Vec::with_capacity(suspended.len());
    for call in &suspended {
        let of_it = |turn: &&&TurnCommit| turn.calls.iter().any(|other| other.grant == call.grant);
        let failed_in = turns.iter().rfind(of_it);
        tasks.extend(
            failed_in.zip(call.failure.as_ref()).map(|(turn, failure)| suspended_task(&turn.turn, call, failure)),
        );
    }
    conversation::tasks_insert_in(transaction, &tasks, now).await.map_err(db_error)?;
    Ok(suspended)
}

fn suspended_task(turn: &NewTurn, call: &Called, failure: &Failure) -> NewTask {
    let note = format!(
        "The plugin {} kept failing here and is not asked on this channel any more: {}. It is tried again by itself after a \
         pause, and at once when it is enabled again.",
        call.plugin, failure.words
    );
    NewTask {
        workspace: turn.workspace.clone(),
        conversation: turn.conversation.clone(),
        kind: conversation::PLUGIN_SUSPENDED,
        note,
        reason: failure.code,
        key: Arc::clone(&turn.key),
        delivery: None,
    }
}

fn db_error(error: ConversationError) -> DbError {
    match error {
        ConversationError::Db(error) => error,
        ConversationError::Vault(_) | ConversationError::Unreadable(_) => DbError::Unreadable("conversation"),
    }
}

/// A conflict fails the group; tried again alone, the turn that lost is run anew.
fn record_error(error: RecordError) -> DbError {
    match error {
        RecordError::Db(error) => error,
        _ => DbError::Conflict,
    }
}

fn trace_error(error: TraceError) -> DbError {
    match error {
        TraceError::Db(error) => error,
        TraceError::Vault(_) | TraceError::Unreadable => DbError::Unreadable("turn"),
    }
}

/// The writer of turns as a group.
pub(super) async fn write_group(db: Db, turns: Arc<Vec<TurnCommit>>) -> Result<Vec<Committed>, DbError> {
    write(&db, &turns).await
}
