//! One attempt: judge again, then send. Answers what happened; writes nothing.

use bellhop_domain::effect::{Effect, Say};
use bellhop_domain::graph_error::Action;
use bellhop_domain::policy::{self, Verdict};
use bellhop_domain::render::{Layout, Outgoing};
use bellhop_domain::time::Timestamp;

use crate::conversation::Body;
use crate::db::{Moment, moment};
use crate::directory::ChannelState;
use crate::graph::{GraphError, Recipient};
use crate::outbox::consequence::{self, Heard};
use crate::outbox::facts::Ready;
use crate::outbox::hands::Wait;
use crate::outbox::{InHand, Outbox};

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Attempt {
    /// Policy says no at this moment.
    Denied(&'static str),
    /// Not now: the asset is backing off, or its connection waits for its owner.
    Postponed(&'static str, Timestamp),
    /// Meta took it, under this id, and says that it is this time.
    Accepted(String, Option<Timestamp>),
    /// Meta did not take it.
    Refused(Action, String),
    /// Nothing was sent: Meta could not be reached.
    Unreachable,
    /// Nothing was sent: what sending needs could not be read, or not in time.
    Unprepared,
    /// It may have been taken.
    Lost(&'static str),
}

/// An attempt's end, and what Meta said of the allowance.
pub(super) struct Ended {
    pub(super) attempt: Attempt,
    pub(super) heard: Heard,
}

impl From<Attempt> for Ended {
    fn from(attempt: Attempt) -> Self {
        Self { attempt, heard: Heard::default() }
    }
}

/// How long a delivery waits for a channel whose connection is broken; its owner may mend it any time.
pub(super) const RECONNECT_WAIT: std::time::Duration = std::time::Duration::from_secs(60);

pub(super) async fn send(outbox: &Outbox, delivery: &InHand, ready: Option<&Ready>) -> Ended {
    let Some(ready) = ready else { return Attempt::Denied("channel-gone").into() };
    let (Some(contact), Some(body)) = (&ready.contact, &ready.body) else { return Attempt::Denied("erased").into() };
    if let Verdict::Deny(reason) = policy::judge(&as_effect(body), &ready.facts) {
        return Attempt::Denied(reason.code()).into();
    }
    if let ChannelState::Reauthorise = ready.channel.state {
        // No reason to lose a message: it waits until policy says that it came too late.
        return Attempt::Postponed("reauthorise", ready.facts.now + RECONNECT_WAIT).into();
    }
    // Meta may have said something since this was claimed.
    let on_the_way = match outbox.hands.leave(&outbox.directory.snapshot(), &ready.channel) {
        Ok(on_the_way) => on_the_way,
        Err(Wait::Silent(until)) => return Attempt::Postponed("backing-off", until).into(),
        Err(Wait::Slow(until)) => return Attempt::Postponed("slowed", until).into(),
    };
    let recipient = Recipient::Person(contact.profile.person.clone());
    let outgoing = outgoing(body);
    moment(Moment::SendClaimed);
    // Whatever took so long: it must be over before anybody else takes this attempt for lost.
    let may_leave = || outbox.db.now() + outbox.graph.timeout() <= delivery.lease_until;
    let sent = outbox.graph.send(&ready.channel, &recipient, &outgoing, delivery.id.as_str(), &may_leave).await;
    moment(Moment::SendEnded);
    let (attempt, heard) = match sent {
        Ok(sent) => (Attempt::Accepted(sent.message_id, sent.at), consequence::heard(None, sent.usage)),
        Err(error) => (failed(&error), consequence::heard(Some(error.action()), error.usage())),
    };
    // Before the next one may leave.
    outbox.hands.hear(&ready.channel, heard);
    drop(on_the_way);
    Ended { attempt, heard }
}

fn failed(error: &GraphError) -> Attempt {
    match error {
        GraphError::Refused { action, .. } => Attempt::Refused(*action, error.code_text()),
        GraphError::TooLate => Attempt::Unprepared,
        error if error.maybe_taken() => Attempt::Lost(error.name()),
        _ => Attempt::Unreachable,
    }
}

fn as_effect(body: &Body) -> Effect {
    Effect::Say(Say { text: body.text.clone(), choices: body.choices.clone(), ..Say::default() })
}

fn outgoing(body: &Body) -> Outgoing {
    let layout = if body.choices.is_empty() { Layout::Text } else { Layout::QuickReplies };
    Outgoing { text: body.text.clone(), layout, choices: body.choices.clone() }
}
