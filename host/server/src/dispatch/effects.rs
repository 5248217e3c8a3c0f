//! From what a plugin wants to what is written: each effect is judged, fitted to the channel, and becomes rows of the commit.

use std::sync::Arc;

use bellhop_domain::effect::{Effect, Handoff, Outcome, Say};
use bellhop_domain::host_call::Author;
use bellhop_domain::id::{DeliveryId, MessageId};
use bellhop_domain::policy::{self, Facts, Granted, Mode, Moment, Reason, Verdict};
use bellhop_domain::render;
use bellhop_domain::time::Timestamp;

use crate::conversation::{Body, Mark, NewMessage, NewTask};
use crate::directory::ChannelState;
use crate::dispatch::masked::Resolver;
use crate::dispatch::open::OpenTurn;
use crate::outbox::NewDelivery;
use crate::permission;
use crate::registry::{EnabledPlugin, TextScope};
use crate::trace::ProposalLine;
use crate::vault::IndexKey;

/// What the effects of one plugin become.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) messages: Vec<NewMessage>,
    pub(super) deliveries: Vec<NewDelivery>,
    pub(super) tasks: Vec<NewTask>,
    pub(super) marks: Vec<Mark>,
    pub(super) lines: Vec<ProposalLine>,
    /// Why policy denied what the contact would have seen.
    pub(super) refused: Vec<Reason>,
    /// A person takes over from here.
    pub(super) hands_off: bool,
}

/// The facts of the first judgement.
pub(super) fn facts(turn: &OpenTurn, mode: Mode, now: Timestamp, granted: Granted) -> Facts {
    Facts {
        channel_kind: turn.channel.kind,
        mode,
        moment: Moment::Commit,
        last_contact_event_at: last_contact_event_at(turn),
        now,
        is_opted_out: turn.suppressed.is_some(),
        is_erased: false,
        is_standby: false,
        is_channel_paused: matches!(turn.channel.state, ChannelState::Paused | ChannelState::Disconnected),
        granted,
    }
}

/// Meta's time of the newest event that opens the reply window; a clock ahead of ours opens it now, not later.
pub(super) fn last_contact_event_at(turn: &OpenTurn) -> Option<Timestamp> {
    let newest = turn.events.iter().map(|event| event.at.min(turn.opened_at)).max();
    newest.max(turn.claimed.last_contact_event_at)
}

/// Judges and performs, on paper, what a plugin wants; `index` finds the marks that it sets, `known` what its tokens stand for.
pub(super) fn perform(
    (turn, plugin): (&OpenTurn, &EnabledPlugin),
    outcome: &Outcome,
    facts: &Facts,
    (index, known): (&Arc<IndexKey>, &Resolver),
) -> Rows {
    let mut rows = Rows::default();
    for proposal in &outcome.proposals {
        // Judged in its final form: the mark of a button's plugin counts towards Meta's limit.
        let effect = permission::payloads_sealed(&plugin.plugin_key, proposal.effect.clone());
        let verdict = judge(plugin, &effect, facts, known);
        rows.lines.push(ProposalLine {
            effect: proposal.effect.name().to_owned(),
            because: proposal.because.clone(),
            verdict: verdict_line(&verdict),
        });
        if let Verdict::Deny(reason) = &verdict
            && policy::reaches_contact(&effect)
        {
            rows.refused.push(reason.clone());
        }
        if let Some(effect) = verdict.into_effect(effect) {
            rows.add(turn, plugin, effect, (facts.now, index));
        }
    }
    rows
}

/// Links are judged in the plugin's own words, since an address that the contact wrote is no link of the plugin's; lengths in
/// the words that the contact will read.
fn judge(plugin: &EnabledPlugin, effect: &Effect, facts: &Facts, known: &Resolver) -> Verdict {
    let verdict = policy::judge(effect, facts);
    if matches!(verdict, Verdict::Deny(_)) || !permission::has_tokens(effect) {
        return verdict;
    }
    // As it would leave: what is tidied away may have stood between a link and a token.
    let tidied = verdict.clone().into_effect(effect.clone()).unwrap_or_else(|| effect.clone());
    if permission::has_token_in_link(&tidied) {
        return Verdict::Deny(Reason::ValueInLink);
    }
    let Ok(clear) = permission::unmasked(tidied, &known.values, &known.masker) else {
        // Who is shown texts in clear is shown brackets as somebody typed them.
        let is_masked = plugin.scopes.text != TextScope::Clear;
        return if is_masked { Verdict::Deny(Reason::UnknownToken) } else { verdict };
    };
    match policy::judge(&clear, &Facts { granted: Granted::Host, ..facts.clone() }) {
        Verdict::Allow => Verdict::Rewrite(clear, Reason::ValuesPutBack),
        other => other,
    }
}

fn verdict_line(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Allow => "allow".to_owned(),
        Verdict::Rewrite(_, reason) => format!("rewrite: {reason}"),
        Verdict::Deny(reason) => format!("deny: {reason}"),
    }
}

impl Rows {
    fn add(
        &mut self,
        turn: &OpenTurn,
        plugin: &EnabledPlugin,
        effect: Effect,
        (now, index): (Timestamp, &Arc<IndexKey>),
    ) {
        match effect {
            Effect::Say(say) => self.say(turn, Some(plugin), &say, now),
            Effect::Handoff(handoff) => self.hand_off(turn, handoff),
            Effect::SetAttribute(attribute) => self.mark(turn, index, ("attribute", attribute.name, attribute.value)),
            Effect::AddTag(tag) => self.mark(turn, index, ("tag", tag, String::new())),
            Effect::Note(note) => self.mark(turn, index, ("note", MessageId::new().to_string(), note)),
            // Policy has denied these: this version performs none of them.
            Effect::CommentReply(_)
            | Effect::PrivateReply(_)
            | Effect::HideComment
            | Effect::SetTimer(_)
            | Effect::CancelTimer(_)
            | Effect::SendTemplate(_)
            | Effect::Call(_)
            | Effect::Custom(_) => {}
        }
    }

    /// A reply becomes messages that fit the channel, each with its delivery, in order.
    pub(super) fn say(&mut self, turn: &OpenTurn, plugin: Option<&EnabledPlugin>, say: &Say, now: Timestamp) {
        for outgoing in render::fit(say, turn.channel.kind) {
            let message = MessageId::new();
            self.deliveries.push(NewDelivery {
                workspace: turn.claimed.workspace.clone(),
                id: DeliveryId::new(),
                conversation: turn.claimed.conversation.clone(),
                channel: turn.claimed.channel.clone(),
                contact: turn.contact.id.clone(),
                message: message.clone(),
                turn: Some(turn.id.clone()),
                revision: turn.claimed.revision,
            });
            self.messages.push(NewMessage {
                workspace: turn.claimed.workspace.clone(),
                id: message,
                conversation: turn.claimed.conversation.clone(),
                at: now,
                author: Author::Plugin,
                author_ref: plugin.map(|plugin| plugin.plugin_key.to_string()),
                mid: None,
                body: Body { text: outgoing.text, choices: outgoing.choices, attachments: Vec::new() },
                key: Arc::clone(&turn.contact.key),
            });
        }
    }

    fn hand_off(&mut self, turn: &OpenTurn, handoff: Handoff) {
        self.hands_off = true;
        let note = match handoff.summary {
            Some(summary) => format!("{}\n{summary}", handoff.reason),
            None => handoff.reason,
        };
        self.task(turn, "handoff", "plugin-handed-off", note);
    }

    pub(super) fn task(&mut self, turn: &OpenTurn, kind: &'static str, reason: &'static str, note: String) {
        self.tasks.push(NewTask {
            workspace: turn.claimed.workspace.clone(),
            conversation: turn.claimed.conversation.clone(),
            kind,
            note,
            reason,
            key: Arc::clone(&turn.contact.key),
            delivery: None,
        });
    }

    fn mark(&mut self, turn: &OpenTurn, index: &Arc<IndexKey>, (kind, name, value): (&'static str, String, String)) {
        self.marks.push(Mark {
            workspace: turn.claimed.workspace.clone(),
            contact: turn.contact.id.clone(),
            kind,
            name,
            value,
            key: Arc::clone(&turn.contact.key),
            index: Arc::clone(index),
        });
    }
}
