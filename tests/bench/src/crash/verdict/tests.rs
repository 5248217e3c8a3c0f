//! The judge finds what is wrong, and only that.

use super::*;

fn written(word: &str, at_ms: i64) -> Written {
    Written::acknowledged(0, word, at_ms, at_ms + 10)
}

fn event(word: &str, state: &str) -> EventEntry {
    let reason = (state == "parked").then(|| "unopenable".to_owned());
    EventEntry { id: format!("e-{word}"), state: state.to_owned(), reason, word: Some(word.to_owned()) }
}

fn delivery(words: &str, state: &str) -> DeliveryEntry {
    let words = crate::crash::scene::words(words);
    DeliveryEntry { id: format!("d-{words:?}"), state: state.to_owned(), reason: None, attempts: 1, words }
}

fn seen(answers: &[&str]) -> Seen {
    vec![answers.iter().map(|answer| crate::crash::scene::words(answer)).collect()]
}

/// Two messages, a second apart, both answered.
fn verdict(answers: &[&str], events: Vec<EventEntry>, deliveries: Vec<DeliveryEntry>) -> Verdict {
    Verdict::of(&[written("a", 1_000), written("b", 2_000)], &seen(answers), &Books { events, deliveries })
}

fn done() -> Vec<EventEntry> {
    vec![event("a", "done"), event("b", "done")]
}

#[test]
fn once_each_in_order_is_clean() {
    let deliveries = vec![delivery("a", "delivered"), delivery("b", "sent")];
    assert!(verdict(&["a", "b"], done(), deliveries).is_clean());
    assert!(verdict(&["a b"], done(), vec![delivery("a b", "read")]).is_clean());
}

#[test]
fn nothing_seen_and_nothing_known_is_lost() {
    assert_eq!(verdict(&["a"], done(), vec![delivery("a", "sent")]).lost.len(), 1);
    // The books believe that it was sent, and the customer never saw it.
    let deliveries = vec![delivery("a", "sent"), delivery("b", "sent")];
    assert_eq!(verdict(&["a"], done(), deliveries).lost.len(), 1);
}

#[test]
fn seen_twice_or_staged_twice_is_doubled() {
    let deliveries = || vec![delivery("a", "sent"), delivery("b", "sent")];
    assert_eq!(verdict(&["a", "a", "b"], done(), deliveries()).doubled.len(), 1);
    let twice = vec![delivery("a", "sent"), delivery("a b", "held")];
    assert_eq!(verdict(&["a"], done(), twice).doubled.len(), 1);
}

#[test]
fn unknown_counts_whether_or_not_it_was_seen() {
    let deliveries = || vec![delivery("a", "held"), delivery("b", "sent")];
    for answers in [&["a", "b"][..], &["b"]] {
        let verdict = verdict(answers, done(), deliveries());
        assert!(verdict.is_clean());
        assert_eq!(verdict.n_unknown, 1);
    }
}

#[test]
fn what_is_parked_needs_a_reason() {
    let events = |reason: Option<&str>| {
        vec![event("a", "done"), EventEntry { reason: reason.map(str::to_owned), ..event("b", "parked") }]
    };
    let parked = verdict(&["a"], events(Some("poison")), vec![delivery("a", "sent")]);
    assert!(parked.is_clean());
    assert_eq!(parked.n_parked, 1);
    assert!(!verdict(&["a"], events(None), vec![delivery("a", "sent")]).is_clean());
}

#[test]
fn an_answer_that_overtakes_is_wrong() {
    let deliveries = || vec![delivery("a", "sent"), delivery("b", "sent")];
    assert_eq!(verdict(&["b", "a"], done(), deliveries()).wrong.len(), 1);
    assert_eq!(verdict(&["b a"], done(), vec![delivery("b a", "sent")]).wrong.len(), 1);
    // Nothing was promised for the first one when the second was written.
    let late = [Written::acknowledged(0, "a", 1_000, 9_000), written("b", 2_000)];
    let books = Books { events: done(), deliveries: deliveries() };
    assert!(Verdict::of(&late, &seen(&["b", "a"]), &books).is_clean());
}

#[test]
fn counts_that_do_not_add_up_are_wrong() {
    let deliveries = || vec![delivery("a b", "sent")];
    let open = vec![event("a", "done"), event("b", "open")];
    assert_eq!(verdict(&["a b"], open, deliveries()).wrong.len(), 1);
    let more = [done(), vec![event("c", "done")]].concat();
    assert_eq!(verdict(&["a b"], more, deliveries()).wrong.len(), 1);
}
