//! Builds what a plugin hands back. Never performs anything: an answer is data that the host judges.

use serde::Serialize;

use crate::bindings::bellhop::plugin::effects as wire;
use crate::{Card, Choice, Effect, Fault, Handoff, Proposal, Say};

/// What a plugin says of an event: `pass`, or proposals with the session to keep.
///
/// Built left to right: `choice`, `card` and `media` belong to the last `say`, `because` to the last proposal. Adding
/// anything to a pass makes it an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<Session = ()> {
    done: Option<Done<Session>>,
}

#[derive(Debug, Clone, PartialEq)]
struct Done<Session> {
    proposals: Vec<Proposal>,
    session: Option<Session>,
    hold: bool,
}

impl<Session> Answer<Session> {
    /// Not mine; the host asks the next plugin and this plugin's session stays as it is.
    pub fn pass() -> Self {
        Self { done: None }
    }

    /// Mine, and nothing to do yet: effects can be added, nobody else is asked.
    pub fn done() -> Self {
        Self { done: Some(Done::empty()) }
    }

    /// A reply in this conversation.
    pub fn say(text: impl Into<String>) -> Self {
        Self::done().and_say(text)
    }

    /// A person should take over, for a short reason that staff reads.
    pub fn handoff(reason: impl Into<String>) -> Self {
        Self::done().effect(Effect::Handoff(Handoff { reason: reason.into(), summary: None }))
    }

    /// One more reply.
    #[must_use]
    pub fn and_say(self, text: impl Into<String>) -> Self {
        self.effect(Effect::Say(Say { text: text.into(), choices: Vec::new(), cards: Vec::new(), media: Vec::new() }))
    }

    /// Something that can be tapped under the last reply; `payload` comes back to this plugin.
    #[must_use]
    pub fn choice(self, title: impl Into<String>, payload: impl Into<String>) -> Self {
        let choice = Choice { title: title.into(), payload: payload.into() };
        self.in_last_say(|say| say.choices.push(choice))
    }

    /// A card after the last reply's text.
    #[must_use]
    pub fn card(self, card: Card) -> Self {
        self.in_last_say(|say| say.cards.push(card))
    }

    /// A media handle, sent after the last reply's text.
    #[must_use]
    pub fn media(self, handle: impl Into<String>) -> Self {
        let handle = handle.into();
        self.in_last_say(|say| say.media.push(handle))
    }

    /// One more effect.
    #[must_use]
    pub fn effect(self, effect: Effect) -> Self {
        self.changed(|done| done.proposals.push(Proposal { effect, because: None }))
    }

    /// Why the last proposal was made; staff reads it in the trace.
    #[must_use]
    pub fn because(self, reason: impl Into<String>) -> Self {
        self.changed(|done| {
            if let Some(proposal) = done.proposals.last_mut() {
                proposal.because = Some(reason.into());
            }
        })
    }

    /// Comes back as `turn.session` next time. An answer that remembers nothing forgets what was there.
    #[must_use]
    pub fn remember(self, session: Session) -> Self {
        self.changed(|done| done.session = Some(session))
    }

    /// Keeps the floor: this plugin is asked first next time.
    #[must_use]
    pub fn hold(self) -> Self {
        self.changed(|done| done.hold = true)
    }

    /// True when the next plugin is asked.
    pub fn is_pass(&self) -> bool {
        self.done.is_none()
    }

    /// True when this plugin keeps the floor.
    pub fn holds(&self) -> bool {
        self.done.as_ref().is_some_and(|done| done.hold)
    }

    /// What should happen, in order; nothing for a pass.
    pub fn proposals(&self) -> &[Proposal] {
        self.done.as_ref().map_or(&[], |done| &done.proposals)
    }

    /// What is remembered.
    pub fn session(&self) -> Option<&Session> {
        self.done.as_ref().and_then(|done| done.session.as_ref())
    }

    /// The replies among the proposals.
    pub fn replies(&self) -> impl Iterator<Item = &Say> {
        self.proposals().iter().filter_map(|proposal| match &proposal.effect {
            Effect::Say(say) => Some(say),
            _ => None,
        })
    }

    fn changed(mut self, change: impl FnOnce(&mut Done<Session>)) -> Self {
        change(self.done.get_or_insert_with(Done::empty));
        self
    }

    fn in_last_say(self, change: impl FnOnce(&mut Say)) -> Self {
        self.changed(|done| {
            let last = done.proposals.iter_mut().rev().find_map(|proposal| match &mut proposal.effect {
                Effect::Say(say) => Some(say),
                _ => None,
            });
            if let Some(say) = last {
                change(say);
                return;
            }
            let mut say = Say { text: String::new(), choices: Vec::new(), cards: Vec::new(), media: Vec::new() };
            change(&mut say);
            done.proposals.push(Proposal { effect: Effect::Say(say), because: None });
        })
    }
}

impl<Session: Serialize> Answer<Session> {
    /// The answer as the contract carries it.
    ///
    /// # Errors
    /// A fault when the session cannot be written as JSON (a map whose keys are not text).
    pub fn into_wire(self) -> Result<wire::Answer, Fault> {
        let Some(done) = self.done else { return Ok(wire::Answer::Pass) };
        let session_json = match done.session {
            Some(session) => Some(
                serde_json::to_string(&session)
                    .map_err(|error| Fault::internal(format!("the session cannot be written as JSON: {error}")))?,
            ),
            None => None,
        };
        Ok(wire::Answer::Done(wire::Outcome { proposals: done.proposals, session_json, hold: done.hold }))
    }
}

impl<Session> Done<Session> {
    fn empty() -> Self {
        Self { proposals: Vec::new(), session: None, hold: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_belong_to_the_last_reply_and_reasons_to_the_last_proposal() {
        let answer: Answer = Answer::say("first")
            .and_say("second")
            .choice("Yes", "yes")
            .effect(Effect::AddTag("vip".to_owned()))
            .because("loyal");
        let replies: Vec<&Say> = answer.replies().collect();
        assert!(replies[0].choices.is_empty());
        assert_eq!(replies[1].choices, [Choice { title: "Yes".to_owned(), payload: "yes".to_owned() }]);
        let reasons: Vec<Option<&str>> =
            answer.proposals().iter().map(|proposal| proposal.because.as_deref()).collect();
        assert_eq!(reasons, [None, None, Some("loyal")]);
    }

    #[test]
    fn a_pass_is_a_pass_until_something_is_added() {
        let pass: Answer = Answer::pass();
        assert!(pass.is_pass());
        assert_eq!(pass.clone().into_wire().unwrap(), wire::Answer::Pass);
        assert!(!pass.hold().is_pass());
    }

    #[test]
    fn a_session_travels_as_json() {
        let answer: Answer<u8> = Answer::done().remember(7).hold();
        assert_eq!(
            answer.into_wire().unwrap(),
            wire::Answer::Done(wire::Outcome { proposals: vec![], session_json: Some("7".to_owned()), hold: true })
        );
    }
}
