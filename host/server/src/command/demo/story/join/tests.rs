//! Stories of messages that no turn has; those with a turn are told by the browser test, through the whole host.

use bellhop_domain::id::TaskId;

use super::*;

fn message(mid: &str, person: &str, text: &str, at: i64) -> Message {
    Message {
        mid: mid.to_owned(),
        person_id: person.to_owned(),
        person_name: format!("{person} Clarke"),
        text: Some(text.to_owned()),
        at,
    }
}

fn stories(
    messages: &[Message],
    tasks: &[TaskRow],
    handed_back: &HashMap<ConversationId, Timestamp>,
) -> Vec<StoryView> {
    let (webhooks, calls) = (HashMap::new(), HashMap::new());
    Joined { messages, webhooks: &webhooks, calls: &calls, tasks, handed_back }.stories(Vec::new())
}

fn task(note: &str, at: i64) -> TaskRow {
    TaskRow {
        id: TaskId::new(),
        conversation: ConversationId::new(),
        kind: "human-request".to_owned(),
        reason: "asked-for-a-person".to_owned(),
        note: Some(note.to_owned()),
        created_at: Timestamp::from_millis(at),
    }
}

#[test]
fn what_one_person_writes_waits_together_and_apart_from_others() {
    let messages = [message("a", "Emma", "hi", 1), message("b", "Noah", "hello", 2), message("c", "Emma", "open?", 3)];
    let found = stories(&messages, &[], &HashMap::new());
    let ids: Vec<(&str, usize)> = found.iter().map(|story| (story.id.as_str(), story.said.len())).collect();
    assert_eq!(ids, [("b", 1), ("a", 2)]);
    assert!(found.iter().all(|story| story.stage == Stage::Waiting));
}

#[test]
fn stop_is_applied_beside_the_turns_and_start_only_after_it() {
    let messages =
        [message("a", "Emma", "START", 1), message("b", "Emma", "STOP", 2), message("c", "Emma", "start", 3)];
    let found = stories(&messages, &[], &HashMap::new());
    let signals: Vec<_> = found.iter().map(|story| (story.id.as_str(), story.stage, story.signal)).collect();
    let expected =
        [("c", Stage::Control, Some("opt-in")), ("b", Stage::Control, Some("opt-out")), ("a", Stage::Waiting, None)];
    assert_eq!(signals, expected);
}

#[test]
fn whoever_asks_for_a_person_is_held_until_given_back() {
    let messages = [message("a", "Emma", "talk to a person", 10)];
    let tasks = [task("talk to a person", 12)];
    let conversation = tasks[0].conversation.clone();
    let held = stories(&messages, &tasks, &HashMap::new());
    assert_eq!((held[0].tasks.len(), held[0].held.as_ref()), (1, Some(&conversation)));
    let back = HashMap::from([(conversation, Timestamp::from_millis(20))]);
    assert_eq!(stories(&messages, &tasks, &back)[0].held, None);
}

#[test]
fn a_task_of_somebody_else_is_not_taken_for_theirs() {
    let messages = [message("a", "Emma", "talk to a person", 10)];
    for other in [task("a human please", 12), task("talk to a person", 9), task("talk to a person", 40_011)] {
        assert!(stories(&messages, &[other], &HashMap::new())[0].tasks.is_empty());
    }
}
