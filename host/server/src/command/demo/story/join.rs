//! Joins what the phones show with what the host did. The two sides share no id that may leave the vault, so a message is
//! found again by its time and its words.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use bellhop_domain::id::ConversationId;
use bellhop_domain::time::Timestamp;
use bellhop_domain::words::{self, Signal};

use super::seen::{CallView, Message, WebhookView};
use super::{PersonView, SaidView, Stage, StoryView, TaskView};
use crate::api::TurnView;
use crate::conversation::TaskRow;

/// How much later than its message the task of a control event may be made.
const TASK_WITHIN_MS: i64 = 30_000;

/// Kinds of tasks after which a person holds the conversation.
const HOLDING: [&str; 2] = ["handoff", "human-request"];

/// Both sides.
pub(super) struct Joined<'a> {
    pub(super) messages: &'a [Message],
    pub(super) webhooks: &'a HashMap<String, WebhookView>,
    pub(super) calls: &'a HashMap<String, Vec<CallView>>,
    pub(super) tasks: &'a [TaskRow],
    pub(super) handed_back: &'a HashMap<ConversationId, Timestamp>,
}

impl Joined<'_> {
    /// All stories, newest first.
    pub(super) fn stories(&self, turns: Vec<TurnView>) -> Vec<StoryView> {
        let mut taken: HashSet<&str> = HashSet::new();
        let oldest = turns.iter().filter_map(first_at).min().unwrap_or(i64::MIN);
        let mut stories: Vec<StoryView> = Vec::new();
        for turn in turns {
            let messages = self.of_turn(&turn, &taken);
            taken.extend(messages.iter().map(|message| message.mid.as_str()));
            stories.push(self.of(turn, &messages));
        }
        let rest = self.messages.iter().filter(|message| !taken.contains(message.mid.as_str()) && message.at >= oldest);
        self.without_turn(rest, &mut stories);
        stories.sort_by_key(|story| Reverse(story.begin()));
        self.only_newest_is_held(&mut stories);
        stories
    }

    /// The phones' messages that settled into this turn.
    fn of_turn(&self, turn: &TurnView, taken: &HashSet<&str>) -> Vec<&Message> {
        let mut found: Vec<&Message> = Vec::new();
        for event in turn.turn.outline.iter().flat_map(|outline| &outline.events) {
            let said = event.message.as_ref().and_then(|id| turn.said.get(id));
            let fits = |message: &&Message| {
                let text = message.text.as_deref().unwrap_or_default();
                message.at == event.at.millis()
                    && said.is_none_or(|said| said == text)
                    && !taken.contains(message.mid.as_str())
                    && found.iter().all(|known| known.mid != message.mid)
            };
            let message = self.messages.iter().find(fits);
            found.extend(message);
        }
        found
    }

    fn of(&self, turn: TurnView, messages: &[&Message]) -> StoryView {
        let tasks = self.tasks.iter().filter(|task| {
            let (from, to) = (turn.turn.started_at, turn.turn.finished_at);
            task.conversation == turn.turn.conversation && (from..=to).contains(&task.created_at)
        });
        let tasks: Vec<TaskView> = tasks.map(task_view).collect();
        let is_held = turn.turn.outcome == "silent" || tasks.iter().any(|task| HOLDING.contains(&task.kind.as_str()));
        let ids = turn.deliveries.iter().map(|delivery| delivery.delivery.id.to_string());
        let calls = ids.filter_map(|id| Some((id.clone(), self.calls.get(&id)?.clone()))).collect();
        let held = (is_held && !self.is_back(&turn.turn.conversation, turn.turn.finished_at))
            .then(|| turn.turn.conversation.clone());
        let mut story = self.begun(messages, Stage::Turn);
        if messages.is_empty() {
            story.id = turn.turn.id.to_string();
            story.said = said_by_host(&turn);
        }
        StoryView { turn: Some(turn), calls, tasks, held, ..story }
    }

    /// Messages that no turn has: they wait, or were applied beside the turns.
    fn without_turn<'m>(&self, rest: impl Iterator<Item = &'m Message>, stories: &mut Vec<StoryView>) {
        let mut waiting: Vec<(&str, Vec<&Message>)> = Vec::new();
        for message in rest {
            match self.signal(message) {
                Some(signal) => stories.push(self.of_signal(signal, message)),
                None => match waiting.iter_mut().find(|(person, _)| *person == message.person_id) {
                    Some((_, theirs)) => theirs.push(message),
                    None => waiting.push((&message.person_id, vec![message])),
                },
            }
        }
        stories.extend(waiting.iter().map(|(_, messages)| self.begun(messages, Stage::Waiting)));
    }

    /// "Start" means something only after "stop"; otherwise it waits for a turn like any other message.
    fn signal(&self, message: &Message) -> Option<Signal> {
        let recognised = |message: &Message| message.text.as_deref().and_then(words::recognise);
        let signal = recognised(message)?;
        if signal != Signal::OptIn {
            return Some(signal);
        }
        let before = self.messages.iter().rev().filter(|other| {
            other.person_id == message.person_id && (other.at, &other.mid) < (message.at, &message.mid)
        });
        let last = before.filter_map(recognised).find(|signal| *signal != Signal::HumanRequest);
        (last == Some(Signal::OptOut)).then_some(Signal::OptIn)
    }

    fn of_signal(&self, signal: Signal, message: &Message) -> StoryView {
        let task = self.tasks.iter().find(|task| {
            let after = task.created_at.millis() - message.at;
            signal == Signal::HumanRequest
                && task.kind == "human-request"
                && task.note == message.text
                && (0..TASK_WITHIN_MS).contains(&after)
        });
        let held = task.filter(|task| !self.is_back(&task.conversation, task.created_at));
        let signal = match signal {
            Signal::OptOut => "opt-out",
            Signal::OptIn => "opt-in",
            Signal::HumanRequest => "human-request",
        };
        StoryView {
            signal: Some(signal),
            tasks: task.into_iter().map(task_view).collect(),
            held: held.map(|task| task.conversation.clone()),
            ..self.begun(&[message], Stage::Control)
        }
    }

    fn begun(&self, messages: &[&Message], stage: Stage) -> StoryView {
        let first = messages.first();
        let person = first.map(|first| PersonView { id: first.person_id.clone(), name: first.person_name.clone() });
        let said = messages.iter().map(|message| SaidView { text: message.text.clone(), at: message.at });
        let webhooks = messages.iter().filter_map(|message| self.webhooks.get(&message.mid).cloned());
        StoryView {
            id: first.map(|first| first.mid.clone()).unwrap_or_default(),
            person,
            said: said.collect(),
            webhooks: webhooks.collect(),
            stage,
            signal: None,
            turn: None,
            calls: HashMap::new(),
            tasks: Vec::new(),
            held: None,
        }
    }

    fn is_back(&self, conversation: &ConversationId, since: Timestamp) -> bool {
        self.handed_back.get(conversation).is_some_and(|back| *back >= since)
    }

    /// A conversation is given back in one place: its newest story.
    fn only_newest_is_held(&self, stories: &mut [StoryView]) {
        let mut seen: HashSet<ConversationId> = HashSet::new();
        for story in stories {
            if story.held.as_ref().is_some_and(|held| !seen.insert(held.clone())) {
                story.held = None;
            }
        }
    }
}

impl StoryView {
    /// When it began, by Meta's clock.
    fn begin(&self) -> i64 {
        self.said.first().map(|said| said.at).or_else(|| self.turn.as_ref().and_then(first_at)).unwrap_or(i64::MIN)
    }
}

fn first_at(turn: &TurnView) -> Option<i64> {
    let events = turn.turn.outline.iter().flat_map(|outline| &outline.events);
    events.map(|event| event.at.millis()).min()
}

/// What was said, for a message that the phone has forgotten.
fn said_by_host(turn: &TurnView) -> Vec<SaidView> {
    let events = turn.turn.outline.iter().flat_map(|outline| &outline.events);
    let said = events.map(|event| SaidView {
        text: event.message.as_ref().and_then(|id| turn.said.get(id)).cloned(),
        at: event.at.millis(),
    });
    said.collect()
}

fn task_view(task: &TaskRow) -> TaskView {
    TaskView { kind: task.kind.clone(), reason: task.reason.clone(), note: task.note.clone(), at: task.created_at }
}

#[cfg(test)]
mod tests;
