//! What the end of an attempt means for the whole channel: it rests, waits for its owner, or stops.

use std::time::Duration;

use bellhop_domain::allowance;
use bellhop_domain::graph_error::Action;
use bellhop_domain::id::{ChannelId, WorkspaceId};
use bellhop_domain::time::Timestamp;

use crate::audit;
use crate::directory::{self, ChannelState};
use crate::graph::Usage;
use crate::outbox::send::Attempt;
use crate::outbox::{InHand, Outbox, OutboxError};

/// How long the channel rests, by what Meta said of its allowance.
pub(super) fn rest(attempt: &Attempt, usage: Usage) -> Option<Duration> {
    match attempt {
        Attempt::Refused(Action::BackOff, _) => {
            Some(allowance::rest_after_refusal(usage.percent(), usage.regain_after))
        }
        Attempt::Refused(..) | Attempt::Accepted(..) | Attempt::Lost(_) => {
            allowance::rest_after(usage.percent(), usage.regain_after)
        }
        Attempt::Denied(_) | Attempt::Postponed(..) | Attempt::Unreachable | Attempt::Unprepared => None,
    }
}

/// How long the channel rests after a look into one of its threads.
pub(super) fn rest_after_look(is_refused: bool, usage: Usage) -> Option<Duration> {
    if is_refused {
        return Some(allowance::rest_after_refusal(usage.percent(), usage.regain_after));
    }
    allowance::rest_after(usage.percent(), usage.regain_after)
}

/// Writes down what follows for the channel.
pub(super) async fn follow(
    outbox: &Outbox,
    delivery: &InHand,
    (attempt, rest): (&Attempt, Option<Duration>),
    now: Timestamp,
) -> Result<(), OutboxError> {
    if let Some(rest) = rest {
        rest_channel(outbox, (&delivery.workspace, &delivery.channel), rest, now).await?;
    }
    match attempt {
        Attempt::Refused(Action::Reauthorise, code) => {
            stop_channel(outbox, delivery, ChannelState::Reauthorise, code).await
        }
        Attempt::Refused(Action::Pause, code) => stop_channel(outbox, delivery, ChannelState::Paused, code).await,
        Attempt::Refused(..)
        | Attempt::Accepted(..)
        | Attempt::Denied(_)
        | Attempt::Postponed(..)
        | Attempt::Unreachable
        | Attempt::Unprepared
        | Attempt::Lost(_) => Ok(()),
    }
}

/// Lets a channel rest.
pub(super) async fn rest_channel(
    outbox: &Outbox,
    (workspace, channel): (&WorkspaceId, &ChannelId),
    rest: Duration,
    now: Timestamp,
) -> Result<(), OutboxError> {
    let rests_until = outbox.directory.snapshot().channel(workspace, channel).map(|channel| channel.backoff_until);
    // What goes out side by side brings the same news; each note of it makes every host read its configuration anew.
    if rests_until.is_none_or(|until| until < now + rest / 2) {
        let mut transaction = outbox.db.begin_write().await?;
        directory::channel_back_off(&mut transaction, workspace, channel, now + rest).await?;
        transaction.commit().await?;
        outbox.directory.refresh_if_changed().await?;
    }
    Ok(())
}

async fn stop_channel(outbox: &Outbox, delivery: &InHand, state: ChannelState, code: &str) -> Result<(), OutboxError> {
    let (now, reason) = (outbox.db.now(), audit::Code::parse(code).ok());
    let mut transaction = outbox.db.begin_write().await?;
    let channel = (&delivery.workspace, &delivery.channel);
    directory::channel_state_set(&mut transaction, now, channel, state, reason.as_ref()).await?;
    transaction.commit().await?;
    outbox.directory.refresh_if_changed().await?;
    tracing::warn!(channel.id = %delivery.channel, state = state.as_str(), code, "Meta stopped a channel");
    Ok(())
}
