//! What a guest answers, and every cap on an answer.

use bellhop_domain::effect::{Answer, Effect, Outcome as Done, Proposal, Say};
use bellhop_domain::plugin::Fault;

use crate::fixture::{FREE, call, guest};
use crate::{Limits, Outcome, StopReason};

fn invalid(outcome: &Outcome) -> Option<&str> {
    match outcome {
        Outcome::Stopped(StopReason::InvalidAnswer { what }) => Some(what),
        _ => None,
    }
}

#[tokio::test]
async fn a_guest_that_passes_passes() {
    let report = call(&guest("", "", "(call $pass)"), &Limits::default()).await;
    assert_eq!(report.outcome, Outcome::Answered(Answer::Pass));
    assert!(report.fuel_used > 0);
}

#[tokio::test]
async fn the_event_arrives_whole() {
    let body = "(call $note (i32.load offset=12 (local.get $input)) (i32.load offset=16 (local.get $input)))";
    let report = call(&guest("", "", body), &Limits::default()).await;
    let note = Proposal { effect: Effect::Note("tomorrow at nine".to_owned()), because: None };
    let done = Done { proposals: vec![note], session_json: None, hold: false };
    assert_eq!(report.outcome, Outcome::Answered(Answer::Done(done)));
}

#[tokio::test]
async fn the_context_arrives_whole() {
    let body = "(call $session (i32.load offset=112 (local.get $input)) (i32.load offset=116 (local.get $input)))";
    let report = call(&guest("", "", body), &Limits::default()).await;
    let session_json = Some(r#"{"greeting":"Olá"}"#.to_owned());
    assert_eq!(report.outcome, Outcome::Answered(Answer::Done(Done { session_json, ..Done::default() })));
}

#[tokio::test]
async fn a_guest_can_keep_the_floor() {
    let body = "(i32.store8 (i32.const 1052) (i32.const 1)) (call $effects (i32.const 0))";
    let report = call(&guest("", "", body), &Limits::default()).await;
    assert_eq!(report.outcome, Outcome::Answered(Answer::Done(Done { hold: true, ..Done::default() })));
}

#[tokio::test]
async fn a_fault_is_passed_on_shortened() {
    let data = format!("(data (i32.const {FREE}) \"{}\")", "x".repeat(1_000));
    let report = call(&guest("", &data, "(call $fault (i32.const 8192) (i32.const 1000))"), &Limits::default()).await;
    let Outcome::Faulted(fault) = report.outcome else { panic!("{:?}", report.outcome) };
    assert_eq!(fault, Fault::new(&"x".repeat(64), ""));
}

#[tokio::test]
async fn effects_are_counted() {
    let limits = Limits { effects: 5, ..Limits::default() };
    let enough = call(&guest("", "", "(call $effects (i32.const 5))"), &limits).await;
    let Outcome::Answered(Answer::Done(done)) = enough.outcome else { panic!("{:?}", enough.outcome) };
    assert!(done.proposals.iter().all(|proposal| proposal.effect == Effect::Say(Say::default())));
    assert_eq!(done.proposals.len(), 5);
    let over = call(&guest("", "", "(call $effects (i32.const 6))"), &limits).await;
    assert_eq!(over.outcome, Outcome::Stopped(StopReason::Effects { count: 6, limit: 5 }));
}

#[tokio::test]
async fn a_flood_of_effects_ends_before_it_becomes_memory_of_the_host() {
    let grow = "(drop (memory.grow (i32.const 64))) (call $effects (i32.const 50000))";
    let report = call(&guest("", "", grow), &Limits::default()).await;
    assert_eq!(report.outcome, Outcome::Stopped(StopReason::BytesOut { limit_bytes: 1 << 20 }));
}

#[tokio::test]
async fn a_text_has_a_cap() {
    let note = |bytes: u32| {
        let body = format!(
            "(memory.fill (i32.const 32768) (i32.const 97) (i32.const 30000))
            (call $note (i32.const 32768) (i32.const {bytes}))"
        );
        guest("", "", &body)
    };
    let limits = Limits { text_bytes: 20_000, ..Limits::default() };
    let enough = call(&note(20_000), &limits).await;
    assert!(matches!(enough.outcome, Outcome::Answered(_)), "{:?}", enough.outcome);
    let over = call(&note(20_001), &limits).await;
    assert_eq!(invalid(&over.outcome), Some("a text has 20001 bytes and may have 20000"));
}

#[tokio::test]
async fn a_session_has_a_cap() {
    let session = |bytes: u32| guest("", "", &format!("(call $session (i32.const 32768) (i32.const {bytes}))"));
    let limits = Limits { session_bytes: 100, ..Limits::default() };
    let enough = call(&session(100), &limits).await;
    assert!(matches!(enough.outcome, Outcome::Answered(_)), "{:?}", enough.outcome);
    let over = call(&session(101), &limits).await;
    assert_eq!(invalid(&over.outcome), Some("the session has 101 bytes and may have 100"));
}

#[tokio::test]
async fn a_list_in_an_effect_has_a_cap() {
    // A reply whose choices are empty texts: the list stands in zeroed memory.
    let say = |count: u32| {
        let body = format!(
            "(i32.store (i32.const 8208) (i32.const 20000)) (i32.store (i32.const 8212) (i32.const {count}))
            (call $effects (i32.const 1))"
        );
        guest("", "", &body)
    };
    let enough = call(&say(32), &Limits::default()).await;
    assert!(matches!(enough.outcome, Outcome::Answered(_)), "{:?}", enough.outcome);
    let over = call(&say(33), &Limits::default()).await;
    assert_eq!(invalid(&over.outcome), Some("a list has 33 items and may have 32"));
}

#[tokio::test]
async fn the_body_of_a_call_has_a_cap() {
    // Case 11 is `call`; its body is the sixth text.
    let request = |bytes: u32| {
        let body = format!(
            "(i32.store8 (i32.const 8192) (i32.const 11))
            (i32.store (i32.const 8240) (i32.const 20000)) (i32.store (i32.const 8244) (i32.const {bytes}))
            (call $effects (i32.const 1))"
        );
        guest("", "", &body)
    };
    let limits = Limits { body_bytes: 1_000, ..Limits::default() };
    let enough = call(&request(1_000), &limits).await;
    assert!(matches!(enough.outcome, Outcome::Answered(_)), "{:?}", enough.outcome);
    let over = call(&request(1_001), &limits).await;
    assert_eq!(invalid(&over.outcome), Some("the body of a call has 1001 bytes and may have 1000"));
}

#[tokio::test]
async fn a_timer_beyond_the_end_of_time_is_refused() {
    let timer = |at: i64| {
        let body = format!(
            "(i32.store8 (i32.const 8192) (i32.const 8)) (i64.store (i32.const 8208) (i64.const {at}))
            (call $effects (i32.const 1))"
        );
        guest("", "", &body)
    };
    let enough = call(&timer(i64::MAX), &Limits::default()).await;
    assert!(matches!(enough.outcome, Outcome::Answered(_)), "{:?}", enough.outcome);
    let over = call(&timer(-1), &Limits::default()).await;
    assert_eq!(invalid(&over.outcome), Some("a timer is set beyond the end of time"));
}

#[tokio::test]
async fn an_answer_counts_towards_what_a_guest_hands_over() {
    let plugin = guest("", "", "(call $note (i32.const 8192) (i32.const 40))");
    let limits = |bytes_out| Limits { bytes_out, ..Limits::default() };
    let enough = call(&plugin, &limits(40)).await;
    assert!(matches!(enough.outcome, Outcome::Answered(_)), "{:?}", enough.outcome);
    let over = call(&plugin, &limits(39)).await;
    assert_eq!(over.outcome, Outcome::Stopped(StopReason::BytesOut { limit_bytes: 39 }));
}

#[tokio::test]
async fn an_answer_that_is_no_answer_is_the_guests_crash() {
    for (what, body) in [
        ("an address outside its memory", "(i32.const 0x7ffffff0)"),
        ("a text outside its memory", "(call $note (i32.const 65530) (i32.const 1000))"),
        ("an unknown case", "(i32.store8 (i32.const 1024) (i32.const 9)) (i32.const 1024)"),
        (
            "a text that is not UTF-8",
            "(i32.store8 (i32.const 20000) (i32.const 0xff)) (call $note (i32.const 20000) (i32.const 1))",
        ),
    ] {
        let report = call(&guest("", "", body), &Limits::default()).await;
        assert!(matches!(report.outcome, Outcome::Stopped(StopReason::Trap { .. })), "{what}: {:?}", report.outcome);
    }
}
