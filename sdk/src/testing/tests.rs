//! Tests of the fake host through small plugins.

use serde_json::json;

use super::*;
use crate::{Answer, Turn, contact, log, records};

struct Counter;

impl Plugin for Counter {
    type Settings = ();
    type Session = u32;

    fn handle(turn: Turn<Self>) -> Result<Answer<u32>, Fault> {
        let count = turn.session.unwrap_or(0) + 1;
        records::put("counts", Some("one"), 0, &json!({ "count": count }))?;
        log::info("counted");
        match turn.text().as_str() {
            "pass" => Ok(Answer::pass()),
            "fail" => Err(Fault::internal("asked to fail")),
            _ => Ok(Answer::say(count.to_string()).remember(count).hold()),
        }
    }
}

#[test]
fn a_session_and_the_floor_live_on_between_runs() {
    let mut host = Host::new();
    assert_eq!(host.run::<Counter>(text("a")).unwrap().texts(), ["1"]);
    assert!(host.context_mut().holds_floor);
    assert_eq!(host.run::<Counter>(text("b")).unwrap().texts(), ["2"]);
    assert_eq!(host.logged(), [(Level::Info, "counted".to_owned()), (Level::Info, "counted".to_owned())]);
}

#[test]
fn writes_of_a_pass_or_a_fault_are_dropped() {
    let mut host = Host::new();
    assert_eq!(host.run::<Counter>(text("pass")), Ok(Ran::Passed));
    assert_eq!(host.run::<Counter>(text("fail")).unwrap_err().code, "internal");
    assert!(host.documents("counts").is_empty());
    host.run::<Counter>(text("go")).unwrap();
    assert_eq!(host.documents("counts"), [json!({ "count": 1 })]);
}

#[test]
fn a_session_of_an_older_version_is_dropped_with_a_warning() {
    let mut host = Host::new();
    host.context_mut().session_json = Some("{\"old\":true}".to_owned());
    assert_eq!(host.run::<Counter>(text("a")).unwrap().texts(), ["1"]);
    assert_eq!(host.logged()[0].0, Level::Warn);
}

#[test]
fn a_denied_capability_answers_with_the_grant_that_is_missing() {
    let mut host = Host::new().deny("records");
    let fault = host.run::<Counter>(text("a")).unwrap_err();
    assert_eq!((fault.code.as_str(), fault.grant.as_deref()), ("denied", Some("records")));
}

#[test]
fn outside_a_run_there_is_no_host() {
    assert_eq!(contact::field("name").unwrap_err().code, "unavailable");
}

struct Finder;

impl Plugin for Finder {
    type Settings = ();
    type Session = ();

    fn handle(turn: Turn<Self>) -> Result<Answer, Fault> {
        let hits = records::search("faq", &turn.text(), None, 5)?;
        let ids: Vec<String> = hits.into_iter().map(|hit| hit.entry.id).collect();
        Ok(Answer::say(ids.join(",")))
    }
}

#[test]
fn search_ranks_by_rare_words_and_survives_typos_and_missing_diacritics() {
    let mut host = Host::new().searched_by("faq", &["questions"]).records(
        "faq",
        [
            json!({"questions": ["When do you open?"], "answer": "parking"}),
            json!({"questions": ["Do you have parking?"], "answer": "yes"}),
            json!({"questions": ["Mấy giờ mở cửa?"], "answer": "9"}),
        ],
    );
    let mut ids = |asked: &str| host.run::<Finder>(text(asked)).unwrap().texts()[0].to_owned();
    assert!(ids("have you got a prking lot").starts_with('2'));
    assert_eq!(ids("may gio mo cua"), "3");
    assert_eq!(ids("zzz"), "");
}
