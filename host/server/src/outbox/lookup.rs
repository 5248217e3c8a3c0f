//! Looks up what nobody knows of: asks Meta for the end of the thread and puts down what follows. Never sends: what Meta certainly
//! does not have becomes due again, and is judged anew like everything else.

use bellhop_domain::delivery::{self, Happening, Repeat, State};
use bellhop_domain::id::{ChannelId, ContactId, ConversationId, DeliveryId, MessageId};
use bellhop_domain::lookup::{self, Author, Decision, Finding, Line, Sought, Standing};
use bellhop_domain::time::Timestamp;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::conversation;
use crate::db::{Bulk, DbError};
use crate::directory::{Channel, ChannelState};
use crate::graph::{Thread, ThreadMessage};
use crate::inbox;
use crate::outbox::evidence::{Evidence, Shown, settle_by_evidence_in};
use crate::outbox::schedule::{self, Look};
use crate::outbox::{Outbox, OutboxError, consequence, doubtful};

/// A delivery of which nobody knows, as it stands now.
struct Unknown {
    conversation: ConversationId,
    channel: ChannelId,
    contact: ContactId,
    message: MessageId,
    is_waiting: bool,
    n_attempts: i64,
    /// When it was first tried.
    tried_at: Timestamp,
}

/// Everything that a look needs.
pub(super) struct Prepared {
    look: Look,
    unknown: Unknown,
    channel: std::sync::Arc<Channel>,
    person: String,
    text: String,
}

const SELECT: &str = "select workspace_id, id, conversation_id, channel_id, contact_id, message_id, \
     cast(case when state = 'unknown' then 1 else 0 end as bigint), attempts, \
     case when attempts > 1 then created_at else coalesce(attempted_at, created_at) end from delivery \
     where (state = 'unknown' or (state = 'held' and reason = 'unknown')) and (workspace_id, id) in ";

/// Claims the looks that are due and gathers what they need. One that has nothing to look for is over.
pub(super) async fn take(outbox: &Outbox) -> Result<Vec<Prepared>, OutboxError> {
    let looks = schedule::claim(&outbox.db).await?;
    let mut prepared = Vec::with_capacity(looks.len());
    for look in looks {
        match prepare(outbox, look.clone()).await {
            Ok(Some(ready)) => prepared.push(ready),
            Ok(None) => end(outbox, &look).await?,
            Err(error) if DbError::is_behind(&error) => return Err(error),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, delivery.id = %look.delivery, "A delivery cannot be read");
                end(outbox, &look).await?;
            }
        }
    }
    Ok(prepared)
}

async fn end(outbox: &Outbox, look: &Look) -> Result<(), OutboxError> {
    let mut transaction = outbox.db.begin_write().await?;
    schedule::put_off_in(&mut transaction, look, (None, look.absent_at)).await?;
    Ok(transaction.commit().await?)
}

/// `None` for a delivery that was settled meanwhile, or of which nothing is left to look for.
async fn prepare(outbox: &Outbox, look: Look) -> Result<Option<Prepared>, OutboxError> {
    let mut select = Bulk::new(SELECT).keys(2);
    select.row().bind(look.workspace.as_str()).bind(look.delivery.as_str());
    let Some(unknown) = outbox.db.fetch_optional(select).await?.as_ref().map(unknown).transpose()? else {
        return Ok(None);
    };
    let (contact, message) = (unknown.contact.clone(), unknown.message.clone());
    let contacts = [(look.workspace.clone(), contact.clone())];
    let contacts = conversation::contacts_find(&outbox.db, &outbox.vault, &contacts).await?;
    let messages = [(look.workspace.clone(), message.clone())];
    let mut messages = conversation::messages_find(&outbox.db, &outbox.vault, &messages).await?;
    let snapshot = outbox.directory.snapshot();
    let (Some(contact), Some(message), Some(channel)) =
        (contacts.get(&contact), messages.remove(&message), snapshot.channel(&look.workspace, &unknown.channel))
    else {
        return Ok(None);
    };
    let (person, text) = (contact.profile.person.clone(), message.body.text);
    Ok(Some(Prepared { look, unknown, channel, person, text }))
}

fn unknown(row: &AnyRow) -> Result<Unknown, DbError> {
    let bad = |_| DbError::Unreadable("delivery");
    Ok(Unknown {
        conversation: ConversationId::parse(row.try_get(2)?).map_err(bad)?,
        channel: ChannelId::parse(row.try_get(3)?).map_err(bad)?,
        contact: ContactId::parse(row.try_get(4)?).map_err(bad)?,
        message: MessageId::parse(row.try_get(5)?).map_err(bad)?,
        is_waiting: row.try_get::<i64, _>(6)? != 0,
        n_attempts: row.try_get(7)?,
        tried_at: Timestamp::from_millis(row.try_get(8)?),
    })
}

/// Looks, and puts down what follows. What cannot be put down is looked up again when the claim is over.
pub(super) async fn look(outbox: &Outbox, prepared: Prepared) {
    if let Err(error) = ask_and_settle(outbox, &prepared).await {
        tracing::error!(error = &error as &dyn std::error::Error, delivery.id = %prepared.look.delivery, "Could not look a delivery up");
    }
}

async fn ask_and_settle(outbox: &Outbox, prepared: &Prepared) -> Result<(), OutboxError> {
    let asked_at = outbox.db.now();
    let thread = ask(outbox, prepared).await?;
    let now = outbox.db.now();
    let found = match &thread {
        Some(thread) => find(outbox, prepared, thread, now).await?,
        None => Found { finding: Finding::Nothing, mid: None },
    };
    count(found.finding);
    let standing = Standing {
        is_waiting: prepared.unknown.is_waiting,
        absent_at: prepared.look.absent_at,
        n_looks: u32::try_from(prepared.look.n_looks).unwrap_or(u32::MAX),
        n_attempts: u32::try_from(prepared.unknown.n_attempts).unwrap_or(u32::MAX),
    };
    let decision = lookup::decide(standing, found.finding, asked_at, now);
    settle(outbox, prepared, (decision, found.mid), now).await
}

/// The thread; `None` where Meta did not answer so that anything could be told from it. A channel that rests is not asked.
async fn ask(outbox: &Outbox, prepared: &Prepared) -> Result<Option<Thread>, OutboxError> {
    let channel = &prepared.channel;
    if channel.state != ChannelState::Active {
        return Ok(None);
    }
    let Ok(on_the_way) = outbox.hands.leave(&outbox.directory.snapshot(), channel) else { return Ok(None) };
    let (thread, heard) = match outbox.graph.thread(channel, &prepared.person).await {
        Ok((thread, usage)) => (Some(thread), consequence::heard(None, usage)),
        Err(error) => (None, consequence::heard(Some(error.action()), error.usage())),
    };
    outbox.hands.hear(channel, heard);
    drop(on_the_way);
    let place = (&prepared.look.workspace, &prepared.unknown.channel);
    consequence::note(outbox, place, heard, outbox.db.now()).await?;
    Ok(thread)
}

struct Found {
    finding: Finding,
    /// HMAC of Meta's id, and Meta's time, of the message that it is.
    mid: Option<([u8; 32], Timestamp)>,
}

async fn find(outbox: &Outbox, prepared: &Prepared, thread: &Thread, now: Timestamp) -> Result<Found, OutboxError> {
    let nothing = Found { finding: Finding::Nothing, mid: None };
    // Without Meta's time nobody knows what was before the attempt.
    let Some(meta_now) = thread.at else { return Ok(nothing) };
    let workspace = &prepared.look.workspace;
    let index = outbox.vault.index(workspace).await?;
    let mid_of = |message: &ThreadMessage| inbox::mid_key(&index, &message.id);
    let mids: Vec<_> = thread.messages.iter().map(|message| (workspace.clone(), mid_of(message))).collect();
    let known = doubtful::deliveries_by_mid(&outbox.db, &mids).await?;
    let lines: Vec<Line<'_>> =
        thread.messages.iter().zip(&mids).map(|(message, mid)| line(prepared, message, known.get(mid))).collect();
    let sought = Sought { text: &prepared.text, tried_at: prepared.unknown.tried_at };
    let thread = lookup::Thread { lines: &lines, is_whole: thread.is_whole, meta_now, now };
    let finding = lookup::find(sought, thread);
    let mid = match finding {
        Finding::There(place) => mids.get(place).zip(lines.get(place)).map(|((_, mid), line)| (*mid, line.at)),
        Finding::Absent | Finding::Overtaken | Finding::Nothing => None,
    };
    Ok(Found { finding, mid })
}

fn line<'a>(prepared: &Prepared, message: &'a ThreadMessage, known: Option<&DeliveryId>) -> Line<'a> {
    let author = match message.from.as_deref() {
        Some(from) if from == prepared.channel.asset_id => Author::Page,
        Some(from) if from == prepared.person => Author::Customer,
        Some(_) | None => Author::Unknown,
    };
    let is_another = known.is_some_and(|known| *known != prepared.look.delivery);
    Line { at: message.at, author, text: message.text.as_deref(), is_another }
}

async fn settle(
    outbox: &Outbox,
    prepared: &Prepared,
    (decision, mid): (Decision, Option<([u8; 32], Timestamp)>),
    now: Timestamp,
) -> Result<(), OutboxError> {
    let Prepared { look, unknown, .. } = prepared;
    let (next, absent_at) = match decision {
        Decision::LookAgain { at, absent_at } => (Some(at), absent_at),
        Decision::Sent(_) | Decision::Repeat | Decision::GiveUp => (None, look.absent_at),
    };
    let mut transaction = outbox.db.begin_write().await?;
    let place = (&look.workspace, &unknown.conversation);
    // Two that look for the same words take turns.
    inbox::conversations_lock_in(&mut transaction, std::iter::once(place)).await?;
    if !schedule::put_off_in(&mut transaction, look, (next, absent_at)).await? {
        return Ok(());
    }
    match (decision, mid) {
        (Decision::Sent(_), Some((mid, at))) => {
            let (workspace, conversation) = (look.workspace.clone(), unknown.conversation.clone());
            let (delivery, mid) = (look.delivery.clone(), Some(mid));
            let shown = Shown { workspace, conversation, delivery, mid, at, is_likeness: true };
            settle_by_evidence_in(&mut transaction, &[Evidence::Shown(shown)], now).await?;
        }
        (Decision::Repeat, _) => {
            let repeat = "update delivery set state = $1, reason = 'not-there', due_at = $2 \
                          where workspace_id = $3 and id = $4 and state = 'unknown' and attempts = $5";
            let state = delivery::next(State::Unknown, Repeat::ByEvidence, Happening::ShownAbsent);
            let repeat = sqlx::query(repeat).bind(state.as_str()).bind(now.millis());
            let repeat = repeat.bind(look.workspace.as_str().to_owned()).bind(look.delivery.as_str().to_owned());
            transaction.execute(repeat.bind(unknown.n_attempts)).await?;
        }
        (Decision::Sent(_) | Decision::LookAgain { .. } | Decision::GiveUp, _) => {}
    }
    transaction.commit().await?;
    // Either it goes again, or what waited behind it goes.
    outbox.wake.notify();
    Ok(())
}

fn count(finding: Finding) {
    let outcome = match finding {
        Finding::There(_) => "there",
        Finding::Absent => "absent",
        Finding::Overtaken => "overtaken",
        Finding::Nothing => "nothing",
    };
    metrics::counter!("bellhop_lookups_total", "outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::{fresh, reaches};

    #[tokio::test]
    async fn a_delivery_is_found_by_its_id() {
        let (_folder, _clock, db) = fresh().await;
        let select = format!("{SELECT}(select column1, column2 from (values ('a', 'b')) as v)");
        reaches(&db, &select, "delivery", &["PRIMARY KEY (workspace_id=? AND id=?)"]).await;
    }
}
