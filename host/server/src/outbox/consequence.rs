//! What the end of an attempt means for the whole channel, and for its app: it rests, waits for its owner, or stops.

use std::time::Duration;

use bellhop_domain::allowance::{self, Pace};
use bellhop_domain::graph_error::Action;
use bellhop_domain::id::{ChannelId, WorkspaceId};
use bellhop_domain::time::Timestamp;

use crate::audit;
use crate::directory::{self, ChannelState, Rest};
use crate::graph::Usage;
use crate::outbox::send::Attempt;
use crate::outbox::{InHand, Outbox, OutboxError};

/// What an answer of Meta's says of the allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Heard {
    pub(super) channel: Pace,
    pub(super) app: Pace,
}

impl Heard {
    /// How long nothing is sent on the channel.
    pub(super) fn silence(self) -> Duration {
        self.channel.silence().max(self.app.silence())
    }
}

/// Reads what an answer of Meta's, or its refusal, says of the allowance.
pub(super) fn heard(refused: Option<Action>, usage: Usage) -> Heard {
    let channel = allowance::pace_after(usage.asset_percent, usage.regain_after);
    let app = allowance::pace_after(usage.app_percent, None);
    match refused {
        Some(Action::BackOff) => {
            Heard { channel: allowance::pace_after_refusal(usage.asset_percent, usage.regain_after), app }
        }
        Some(Action::BackOffApp) => Heard { channel, app: allowance::pace_after_refusal(usage.app_percent, None) },
        Some(_) | None => Heard { channel, app },
    }
}

/// Until when a pace holds; `None` for a free one. Who was silent begins slowly.
pub(super) fn rest(pace: Pace, now: Timestamp) -> Option<Rest> {
    match pace {
        Pace::Free => None,
        Pace::Slow(_) => Some(Rest { slow_until: now + allowance::SLOW_LASTS, ..Rest::default() }),
        Pace::Silent(wait) => Some(Rest { silent_until: now + wait, slow_until: now + wait + allowance::SLOW_LASTS }),
    }
}

/// A rest that is worth noting: what goes out side by side brings the same news, and each note of it makes every host read its
/// configuration anew.
fn news(known: Rest, pace: Pace, now: Timestamp) -> Option<Rest> {
    let is_news = match pace {
        Pace::Free => false,
        Pace::Slow(_) => known.slow_until < now + allowance::SLOW_LASTS / 2,
        Pace::Silent(wait) => known.silent_until < now + wait / 2,
    };
    rest(pace, now).filter(|_| is_news)
}

/// Writes down what follows for the channel and its app, for all hosts.
pub(super) async fn follow(
    outbox: &Outbox,
    delivery: &InHand,
    (attempt, heard): (&Attempt, Heard),
    now: Timestamp,
) -> Result<(), OutboxError> {
    note(outbox, (&delivery.workspace, &delivery.channel), heard, now).await?;
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

/// Notes for all hosts what Meta said of a channel and its app.
pub(super) async fn note(
    outbox: &Outbox,
    (workspace, channel_id): (&WorkspaceId, &ChannelId),
    heard: Heard,
    now: Timestamp,
) -> Result<(), OutboxError> {
    if heard == Heard::default() {
        return Ok(());
    }
    let snapshot = outbox.directory.snapshot();
    let Some(channel) = snapshot.channel(workspace, channel_id) else { return Ok(()) };
    let of_app = snapshot.app(&channel.app).and_then(|app| news(app.rest, heard.app, now));
    let of_channel = news(channel.rest, heard.channel, now);
    if of_app.is_none() && of_channel.is_none() {
        return Ok(());
    }
    let mut transaction = outbox.db.begin_write().await?;
    if let Some(rest) = of_channel {
        directory::channel_rest(&mut transaction, (workspace, channel_id), rest).await?;
    }
    if let Some(rest) = of_app {
        directory::app_rest(&mut transaction, &channel.app, rest).await?;
        tracing::warn!(app.id = %channel.app, "Meta's allowance for an app runs low; all its channels hold back");
    }
    transaction.commit().await?;
    outbox.directory.refresh_if_changed().await?;
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
