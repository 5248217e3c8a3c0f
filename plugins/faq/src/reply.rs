//! Turns a verdict into proposals. Never judges.

use bellhop_sdk::{Answer, Effect, Handoff, log, records};

use crate::entry::{Button, Entry};
use crate::judge::Match;
use crate::session::Session;
use crate::wording::Wording;

/// Starts the payload of a choice that leads to an entry.
pub(crate) const ENTRY: &str = "entry:";
/// Starts the payload of a choice that asks a question.
pub(crate) const ASK: &str = "ask:";
/// The payload of the choice that calls a person.
pub(crate) const HUMAN: &str = "human";
/// References that are read per answer; each is a call to the host.
const MAX_REFERENCES: usize = 8;

/// The answers of all matches, one reply each.
pub(crate) fn answers(matches: &[Match]) -> Answer<Session> {
    matches.iter().fold(Answer::done(), |answer, found| entry(answer, &found.entry).because(found.reason()))
}

/// The answer of an entry that the contact chose.
pub(crate) fn chosen(chosen: &Entry) -> Answer<Session> {
    entry(Answer::done(), chosen).because(format!("entry {} was chosen", chosen.id))
}

/// One question with the entries that may be meant.
pub(crate) fn clarify(matches: &[Match], wording: &Wording) -> Answer<Session> {
    let question = Answer::say(wording.did_you_mean.clone());
    let reason: Vec<String> = matches.iter().map(Match::reason).collect();
    with_choices(question, matches).because(format!("no entry fits well enough: {}", reason.join(", ")))
}

/// The offer of a person, after the second miss.
pub(crate) fn offer_human(wording: &Wording) -> Answer<Session> {
    Answer::say(wording.not_understood.clone())
        .choice(wording.call_human.clone(), HUMAN)
        .because("nothing fitted twice in a row")
}

/// What can be said about a picture: nothing, but there is a person and there may be entries.
pub(crate) fn no_pictures(matches: &[Match], wording: &Wording) -> Answer<Session> {
    with_choices(Answer::say(wording.no_pictures.clone()), matches)
        .choice(wording.call_human.clone(), HUMAN)
        .because("a picture was sent, and no entry fits the words")
}

/// A person takes over.
pub(crate) fn call_human(wording: &Wording) -> Answer<Session> {
    let reason = "the contact asked for a person".to_owned();
    Answer::say(wording.human_called.clone()).effect(Effect::Handoff(Handoff { reason, summary: None }))
}

/// The answer to a comment: in private, with a public line that says so.
pub(crate) fn comment(found: &Match, wording: &Wording) -> Answer<Session> {
    read_references(&found.entry.answer);
    Answer::done()
        .effect(Effect::PrivateReply(found.entry.answer.clone()))
        .because(found.reason())
        .effect(Effect::CommentReply(wording.answered_privately.clone()))
}

fn entry(answer: Answer<Session>, entry: &Entry) -> Answer<Session> {
    read_references(&entry.answer);
    entry.buttons.iter().fold(answer.and_say(entry.answer.clone()), |answer, button| match payload(button) {
        Some(payload) => answer.choice(button.title.clone(), payload),
        None => answer,
    })
}

fn payload(button: &Button) -> Option<String> {
    button.question.as_ref().map(|question| format!("{ASK}{question}")).or_else(|| button.payload.clone())
}

fn with_choices(answer: Answer<Session>, matches: &[Match]) -> Answer<Session> {
    matches
        .iter()
        .fold(answer, |answer, found| answer.choice(found.entry.label(), format!("{ENTRY}{}", found.entry.id)))
}

/// Reads what the answer points to with `{{collection/id.field}}`: the host fills in only what this turn has read.
fn read_references(answer: &str) {
    let inside = answer.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")).map(|(reference, _)| reference);
    for reference in inside.take(MAX_REFERENCES) {
        let parts = reference
            .trim()
            .split_once('/')
            .and_then(|(collection, rest)| Some((collection, rest.rsplit_once('.')?.0)));
        let Some((collection, id)) = parts else { continue };
        match records::get(collection, id) {
            Ok(Some(_)) => {}
            Ok(None) => log::warn(&format!("an answer points to {collection}/{id}, which is not there")),
            Err(fault) => log::warn(&format!("an answer points to {collection}/{id}: {}", fault.message)),
        }
    }
}
