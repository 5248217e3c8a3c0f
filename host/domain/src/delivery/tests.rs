//! What a delivery can go through.

use super::*;

const HAPPENINGS: [Happening; 15] = [
    Happening::Attempted,
    Happening::Accepted,
    Happening::RefusedForNow,
    Happening::RefusedForGood,
    Happening::Lost,
    Happening::Shown,
    Happening::ShownAbsent,
    Happening::Arrived,
    Happening::Seen,
    Happening::FailedLater,
    Happening::WaitedTooLong,
    Happening::Denied,
    Happening::Held,
    Happening::Released,
    Happening::Abandoned,
];

fn walk(kind: DeliveryKind, happenings: &[Happening]) -> State {
    happenings.iter().fold(State::Staged, |state, happening| next(state, kind.repeat(), *happening))
}

#[test]
fn the_good_way_ends_with_a_reader() {
    let way = [Happening::Attempted, Happening::Accepted, Happening::Arrived, Happening::Seen];
    assert_eq!(walk(DeliveryKind::Text, &way), State::Read);
}

#[test]
fn a_text_without_an_answer_is_never_simply_sent_again() {
    let lost = [Happening::Attempted, Happening::Lost];
    assert_eq!(walk(DeliveryKind::Text, &lost), State::Unknown);
    assert_eq!(walk(DeliveryKind::Text, &[lost.as_slice(), &[Happening::Attempted]].concat()), State::Unknown);
    assert_eq!(walk(DeliveryKind::Text, &[lost.as_slice(), &[Happening::ShownAbsent]].concat()), State::Retry);
    assert_eq!(walk(DeliveryKind::Text, &[lost.as_slice(), &[Happening::Shown]].concat()), State::Sent);
    assert_eq!(walk(DeliveryKind::Text, &[lost.as_slice(), &[Happening::WaitedTooLong]].concat()), State::Held);
}

#[test]
fn what_is_harmless_twice_is_sent_again() {
    let lost = [Happening::Attempted, Happening::Lost];
    for kind in DeliveryKind::all() {
        let expected = match kind.repeat() {
            Repeat::Freely | Repeat::GuardedByMeta | Repeat::ByKey => State::Retry,
            Repeat::ByEvidence | Repeat::ByContainer => State::Unknown,
        };
        assert_eq!(walk(kind, &lost), expected, "{kind:?}");
    }
}

#[test]
fn an_echo_that_beats_the_answer_settles_the_delivery() {
    let way = [Happening::Attempted, Happening::Shown, Happening::Lost];
    assert_eq!(walk(DeliveryKind::Text, &way), State::Sent);
}

#[test]
fn a_failure_is_final_until_the_customer_has_the_message() {
    let failed = [Happening::Attempted, Happening::Accepted, Happening::FailedLater];
    assert_eq!(walk(DeliveryKind::Text, &failed), State::Dead);
    assert_eq!(walk(DeliveryKind::Text, &[failed.as_slice(), &[Happening::Shown]].concat()), State::Dead);
    assert_eq!(walk(DeliveryKind::Text, &[failed.as_slice(), &[Happening::Arrived]].concat()), State::Delivered);
}

#[test]
fn receipts_never_go_back() {
    for happening in HAPPENINGS {
        for repeat in [Repeat::Freely, Repeat::ByEvidence] {
            assert_eq!(next(State::Read, repeat, happening), State::Read, "{happening:?}");
            let later = next(State::Delivered, repeat, happening);
            assert!(matches!(later, State::Delivered | State::Read), "{happening:?}");
        }
    }
}

#[test]
fn nothing_but_a_person_brings_a_settled_delivery_back() {
    for state in State::all().filter(|state| state.is_settled()) {
        let may_be_released = |happening: &Happening| state == State::Dead && *happening == Happening::Released;
        for happening in HAPPENINGS.into_iter().filter(|happening| !may_be_released(happening)) {
            assert!(next(state, Repeat::Freely, happening).is_settled(), "{state:?} {happening:?}");
        }
    }
}

#[test]
fn a_person_may_try_again_what_did_not_go_and_nothing_that_did() {
    let released = |state| next(state, Repeat::ByEvidence, Happening::Released);
    assert_eq!((released(State::Held), released(State::Dead)), (State::Retry, State::Retry));
    for state in [State::Sent, State::Delivered, State::Read, State::Dropped, State::Unknown] {
        assert_eq!(released(state), state);
    }
}

#[test]
fn the_same_news_twice_is_one_news() {
    for state in State::all() {
        for happening in HAPPENINGS {
            let once = next(state, Repeat::ByEvidence, happening);
            assert_eq!(next(once, Repeat::ByEvidence, happening), once, "{state:?} {happening:?}");
        }
    }
}

#[test]
fn names_round_trip() {
    for state in State::all() {
        assert_eq!(State::parse(state.as_str()), Some(state));
    }
    for kind in DeliveryKind::all() {
        assert_eq!(DeliveryKind::parse(kind.as_str()), Some(kind));
    }
    assert_eq!((State::parse("flying"), DeliveryKind::parse("pigeon")), (None, None));
}
