//! What errors mean.

use super::*;

fn action(code: i64, subcode: i64) -> Action {
    let subcode = (subcode != 0).then_some(subcode);
    classify(Refusal { http_status: 400, code: Some(code), subcode, is_transient: false })
}

#[test]
fn the_errors_that_matter_most_are_told_apart() {
    let cases = [
        (10, 2_018_278, Action::WindowClosed),
        (10, 2_534_022, Action::WindowClosed),
        (131_047, 0, Action::WindowClosed),
        (10, 0, Action::Reauthorise),
        (190, 463, Action::Reauthorise),
        (190, 0, Action::Reauthorise),
        (200, 1_545_041, Action::Suppress),
        (551, 1_545_041, Action::Suppress),
        (551, 0, Action::Suppress),
        (100, 2_018_001, Action::Suppress),
        (100, 0, Action::Fix),
        (100, 2_534_025, Action::AlreadyReplied),
        (613, 0, Action::BackOff),
        (613, 1_996, Action::BackOff),
        (613, 2_534_040, Action::SlowRecipient),
        (4, 0, Action::BackOffApp),
        (4, 2_018_354, Action::Drop),
        (17, 0, Action::BackOff),
        (80_006, 0, Action::BackOff),
        (131_056, 0, Action::SlowRecipient),
        (368, 0, Action::Pause),
        (2, 0, Action::Retry),
        (1_200, 0, Action::Retry),
        (100, 2_018_300, Action::NotOwner),
        (230, 0, Action::Ignore),
    ];
    for (code, subcode, expected) in cases {
        assert_eq!(action(code, subcode), expected, "{code}/{subcode}");
    }
}

#[test]
fn the_token_is_dead_with_every_subcode() {
    for subcode in [0, 458, 459, 460, 463, 464, 467, 492, 999] {
        assert_eq!(action(190, subcode), Action::Reauthorise);
    }
}

#[test]
fn unknown_codes_follow_the_status_and_are_final_otherwise() {
    let status = |http_status| classify(Refusal { http_status, ..Refusal::default() });
    assert_eq!(status(503), Action::Retry);
    assert_eq!(status(429), Action::BackOff);
    assert_eq!(status(401), Action::Reauthorise);
    assert_eq!(status(400), Action::Drop);
    assert_eq!(status(0), Action::Drop);
    assert_eq!(action(777_777, 0), Action::Drop);
}

#[test]
fn metas_hope_softens_what_is_final_and_nothing_else() {
    let hopeful = |code| classify(Refusal { http_status: 400, code: Some(code), subcode: None, is_transient: true });
    assert_eq!(hopeful(777_777), Action::Retry);
    assert_eq!(hopeful(100), Action::RetryOnce);
    assert_eq!(hopeful(190), Action::Reauthorise);
    assert_eq!(hopeful(368), Action::Pause);
}
