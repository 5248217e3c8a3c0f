//! From a plugin's answer to the domain's, with every cap checked on the way. One thing over its cap refuses the whole
//! answer: there are no partial answers. What an effect means, and whether it may happen, is not judged here.

use bellhop_domain::effect::{self, Answer, Effect};
use bellhop_domain::plugin::Fault;
use bellhop_domain::time::Timestamp;

use crate::bindings::bellhop::plugin::{effects, types};
use crate::limits::Limits;
use crate::stop::{StopReason, shorten};

/// Bytes of a fault's code and grant; the known codes have at most 12.
const FAULT_CODE_BYTES_MAX: usize = 64;

/// Bytes of a fault's sentence.
const FAULT_MESSAGE_BYTES_MAX: usize = 512;

/// The answer in the domain's words, and how many bytes the plugin handed over.
pub(crate) fn read(answer: effects::Answer, limits: &Limits) -> Result<(Answer, usize), StopReason> {
    let effects::Answer::Done(outcome) = answer else { return Ok((Answer::Pass, 0)) };
    let effects::Outcome { proposals, session_json, hold } = outcome;
    if proposals.len() > limits.effects {
        return Err(StopReason::Effects { count: proposals.len(), limit: limits.effects });
    }
    let mut reader = Reader { limits, bytes: 0 };
    let proposals = proposals.into_iter().map(|proposal| reader.proposal(proposal)).collect::<Result<_, _>>()?;
    if let Some(session) = &session_json {
        reader.cap("the session", session.len(), limits.session_bytes)?;
    }
    Ok((Answer::Done(effect::Outcome { proposals, session_json, hold }), reader.bytes))
}

/// A plugin's fault, shortened to what a trace shows.
pub(crate) fn read_fault(fault: types::Fault) -> Fault {
    Fault {
        code: shorten(&fault.code, FAULT_CODE_BYTES_MAX),
        message: shorten(&fault.message, FAULT_MESSAGE_BYTES_MAX),
        grant: fault.grant.map(|grant| shorten(&grant, FAULT_CODE_BYTES_MAX)),
        retry_after_ms: fault.retry_after_ms,
    }
}

struct Reader<'a> {
    limits: &'a Limits,
    bytes: usize,
}

impl Reader<'_> {
    fn proposal(&mut self, proposal: effects::Proposal) -> Result<effect::Proposal, StopReason> {
        Ok(effect::Proposal { effect: self.effect(proposal.effect)?, because: self.optional(proposal.because)? })
    }

    fn effect(&mut self, effect: effects::Effect) -> Result<Effect, StopReason> {
        Ok(match effect {
            effects::Effect::Say(say) => Effect::Say(self.say(say)?),
            effects::Effect::CommentReply(text) => Effect::CommentReply(self.text(text)?),
            effects::Effect::PrivateReply(text) => Effect::PrivateReply(self.text(text)?),
            effects::Effect::HideComment => Effect::HideComment,
            effects::Effect::Handoff(handoff) => Effect::Handoff(effect::Handoff {
                reason: self.text(handoff.reason)?,
                summary: self.optional(handoff.summary)?,
            }),
            effects::Effect::SetAttribute(attribute) => Effect::SetAttribute(effect::Attribute {
                name: self.text(attribute.name)?,
                value: self.text(attribute.value)?,
            }),
            effects::Effect::AddTag(tag) => Effect::AddTag(self.text(tag)?),
            effects::Effect::Note(note) => Effect::Note(self.text(note)?),
            effects::Effect::SetTimer(timer) => Effect::SetTimer(effect::SetTimer {
                key: self.text(timer.key)?,
                at: time(timer.at)?,
                payload: self.text(timer.payload)?,
            }),
            effects::Effect::CancelTimer(key) => Effect::CancelTimer(self.text(key)?),
            effects::Effect::SendTemplate(template) => Effect::SendTemplate(effect::Template {
                name: self.text(template.name)?,
                language: self.text(template.language)?,
                parameters: self.list(template.parameters, Self::text)?,
            }),
            effects::Effect::Call(call) => Effect::Call(self.call(call)?),
            effects::Effect::Custom(custom) => Effect::Custom(effect::CustomEffect {
                kind: self.text(custom.kind)?,
                version: custom.version,
                json: self.text(custom.json)?,
            }),
        })
    }

    fn say(&mut self, say: effects::Say) -> Result<effect::Say, StopReason> {
        Ok(effect::Say {
            text: self.text(say.text)?,
            choices: self.list(say.choices, Self::choice)?,
            cards: self.list(say.cards, Self::card)?,
            media: self.list(say.media, Self::text)?,
        })
    }

    fn card(&mut self, card: effects::Card) -> Result<effect::Card, StopReason> {
        Ok(effect::Card {
            title: self.text(card.title)?,
            subtitle: self.optional(card.subtitle)?,
            image: self.optional(card.image)?,
            choices: self.list(card.choices, Self::choice)?,
        })
    }

    fn choice(&mut self, choice: effects::Choice) -> Result<effect::Choice, StopReason> {
        Ok(effect::Choice { title: self.text(choice.title)?, payload: self.text(choice.payload)? })
    }

    fn call(&mut self, call: effects::Call) -> Result<effect::Call, StopReason> {
        self.cap("the body of a call", call.body.len(), self.limits.body_bytes)?;
        Ok(effect::Call {
            key: self.text(call.key)?,
            endpoint: self.text(call.endpoint)?,
            method: self.text(call.method)?,
            path: self.text(call.path)?,
            content_type: self.text(call.content_type)?,
            body: call.body,
        })
    }

    fn list<T, U>(
        &mut self,
        items: Vec<T>,
        read: impl Fn(&mut Self, T) -> Result<U, StopReason>,
    ) -> Result<Vec<U>, StopReason> {
        if items.len() > self.limits.list_items {
            let what = format!("a list has {} items and may have {}", items.len(), self.limits.list_items);
            return Err(StopReason::InvalidAnswer { what });
        }
        items.into_iter().map(|item| read(self, item)).collect()
    }

    fn optional(&mut self, text: Option<String>) -> Result<Option<String>, StopReason> {
        text.map(|text| self.text(text)).transpose()
    }

    fn text(&mut self, text: String) -> Result<String, StopReason> {
        self.cap("a text", text.len(), self.limits.text_bytes)?;
        Ok(text)
    }

    fn cap(&mut self, thing: &str, bytes: usize, limit: usize) -> Result<(), StopReason> {
        self.bytes = self.bytes.saturating_add(bytes);
        if bytes > limit {
            return Err(StopReason::InvalidAnswer { what: format!("{thing} has {bytes} bytes and may have {limit}") });
        }
        Ok(())
    }
}

fn time(millis: u64) -> Result<Timestamp, StopReason> {
    let far = |_| StopReason::InvalidAnswer { what: "a timer is set beyond the end of time".to_owned() };
    i64::try_from(millis).map(Timestamp::from_millis).map_err(far)
}
