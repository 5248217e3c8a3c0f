//! Webhooks: shape, signature, retries, order, loss.

use super::*;

/// Two customers of two Pages of the same app.
fn second_page(stage: &Stage) -> Customer {
    let page = stage.control.add_page(&stage.app.id, "Corner Salon").unwrap();
    stage.control.subscribe(&page.id).unwrap();
    stage.control.add_person(&page.id, "Minh").unwrap()
}

#[tokio::test]
async fn a_text_arrives_as_meta_writes_it() {
    let stage = Stage::new().await;
    let mid = stage.ana.says("Köln/Łódź 😀").unwrap();
    let received = stage.callback.next().await;
    assert!(received.body.is_ascii());
    let wire = std::str::from_utf8(&received.body).unwrap();
    assert!(wire.contains(r"K\u00f6ln\/\u0141\u00f3d\u017a \ud83d\ude00"), "{wire}");
    assert!(wire.starts_with(r#"{"object":"page","entry":["#));
    let item = received.item();
    assert_eq!(item["sender"]["id"], stage.ana.person_id);
    assert_eq!(item["recipient"]["id"], stage.page.id);
    assert_eq!((&item["timestamp"], &item["message"]["mid"]), (&json!(START), &json!(mid)));
    assert_eq!(item["message"]["text"], "Köln/Łódź 😀");
    assert_eq!(received.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn both_signatures_are_over_the_bytes_on_the_wire() {
    let stage = Stage::new().await;
    stage.ana.says("grüße / 👋").unwrap();
    let received = stage.callback.next().await;
    let expected = webhook::sign::sha256(&stage.app.secret, &received.body);
    assert_eq!(received.header("x-hub-signature-256"), Some(expected.as_str()));
    assert_eq!(expected.len(), 71);
    let expected = webhook::sign::sha1(&stage.app.secret, &received.body);
    assert_eq!(received.header("x-hub-signature"), Some(expected.as_str()));
    // What a careless host would sign after reading and writing the body again is something else.
    let rewritten = received.json().to_string();
    assert_ne!(webhook::sign::sha1(&stage.app.secret, rewritten.as_bytes()), expected);
}

#[tokio::test]
async fn signatures_can_be_wrong_missing_or_old() {
    let stage = Stage::new().await;
    for signature in [Signature::Wrong, Signature::Missing, Signature::Sha1Only] {
        stage.control.sign_next(1, signature);
        stage.ana.says("hello").unwrap();
        let received = stage.callback.next().await;
        let right = webhook::sign::sha256(&stage.app.secret, &received.body);
        assert_ne!(received.header("x-hub-signature-256"), Some(right.as_str()));
        assert_eq!(received.header("x-hub-signature-256").is_some(), signature == Signature::Wrong);
        assert_eq!(received.header("x-hub-signature").is_some(), signature != Signature::Missing);
    }
    stage.ana.says("hello").unwrap();
    assert!(stage.callback.next().await.header("x-hub-signature-256").is_some());
}

#[tokio::test]
async fn the_handshake_must_bring_the_challenge_back() {
    let stage = Stage::new().await;
    let error = stage.control.configure_webhook(&stage.app.id, &stage.callback.url, "wrong").await.unwrap_err();
    assert!(matches!(error, ControlError::Handshake { status: 403, .. }), "{error}");
    let nowhere = "http://127.0.0.1:1/webhook";
    let error = stage.control.configure_webhook(&stage.app.id, nowhere, "verify-me").await.unwrap_err();
    assert!(matches!(error, ControlError::Unreachable(_)), "{error}");
    stage.ana.says("still the old callback").unwrap();
    stage.callback.next().await;
}

#[tokio::test]
async fn a_refused_webhook_is_retried_byte_for_byte_at_the_right_times() {
    let stage = Stage::new().await;
    stage.callback.will(4, Reaction::Answer(503));
    stage.ana.says("hello").unwrap();
    let first = stage.callback.next().await;
    let mut rest = vec![stage.callback.next().await, stage.callback.next().await];
    let attempts = |n: usize| stage.control.wait_until(PATIENCE, move |ledger| ledger.webhooks[0].attempts.len() == n);
    attempts(3).await.unwrap();
    stage.control.advance(Duration::from_millis(1_999));
    stage.callback.nothing_more().await;
    stage.control.advance(Duration::from_millis(1));
    rest.push(stage.callback.next().await);
    attempts(4).await.unwrap();
    stage.control.advance(Duration::from_secs(5));
    rest.push(stage.callback.next().await);
    for again in &rest {
        assert_eq!(again.body, first.body);
        assert_eq!(again.header("x-hub-signature-256"), first.header("x-hub-signature-256"));
    }
    stage.control.wait_for_webhooks(1, PATIENCE).await.unwrap();
    let record = stage.control.ledger().webhooks[0].clone();
    assert_eq!(record.state, PostState::Acknowledged);
    let times: Vec<(i64, Option<u16>)> =
        record.attempts.iter().map(|attempt| (attempt.at_ms - START, attempt.status)).collect();
    assert_eq!(times, [(0, Some(503)), (0, Some(503)), (0, Some(503)), (2_000, Some(503)), (7_000, Some(200))]);
}

#[tokio::test]
async fn only_200_counts_and_five_failures_are_the_end() {
    let stage = Stage::new().await;
    for status in [204, 302, 403, 404, 500] {
        stage.callback.will(1, Reaction::Answer(status));
    }
    stage.ana.says("hello").unwrap();
    for _ in 0..3 {
        stage.callback.next().await;
    }
    for (n, wait) in [(3, 2), (4, 5)] {
        stage.control.wait_until(PATIENCE, |ledger| ledger.webhooks[0].attempts.len() == n).await.unwrap();
        stage.control.advance(Duration::from_secs(wait));
        stage.callback.next().await;
    }
    stage.control.wait_for_webhooks(1, PATIENCE).await.unwrap();
    assert_eq!(stage.control.ledger().webhooks[0].state, PostState::GivenUp);
    stage.control.advance(Duration::from_secs(3_000));
    stage.callback.nothing_more().await;
}

#[tokio::test]
async fn a_callback_that_does_not_answer_in_time_has_failed() {
    let stage = Stage::with(|options| options.webhook_timeout = Duration::from_millis(50)).await;
    stage.callback.will(1, Reaction::Hang);
    stage.ana.says("hello").unwrap();
    stage.control.wait_for_webhooks(1, PATIENCE).await.unwrap();
    let statuses: Vec<Option<u16>> =
        stage.control.ledger().webhooks[0].attempts.iter().map(|attempt| attempt.status).collect();
    assert_eq!(statuses, [None, Some(200)]);
}

#[tokio::test]
async fn an_hour_of_failure_ends_the_subscription() {
    let stage = Stage::new().await;
    stage.callback.will(100, Reaction::Answer(500));
    stage.ana.says("hello").unwrap();
    stage.control.wait_until(PATIENCE, |ledger| ledger.webhooks[0].attempts.len() == 3).await.unwrap();
    stage.control.advance(Duration::from_hours(1) - Duration::from_millis(1));
    stage.control.wait_until(PATIENCE, |ledger| ledger.webhooks[0].attempts.len() == 4).await.unwrap();
    assert!(stage.control.page(&stage.page.id).unwrap().subscribed.is_some());
    stage.control.advance(Duration::from_millis(1));
    stage.control.wait_until_unsubscribed(&stage.page.id, PATIENCE).await.unwrap();
}

#[tokio::test]
async fn one_success_within_the_hour_saves_the_subscription() {
    let stage = Stage::new().await;
    stage.callback.will(1, Reaction::Answer(500));
    stage.ana.says("hello").unwrap();
    stage.control.wait_for_webhooks(1, PATIENCE).await.unwrap();
    assert_eq!(stage.control.page(&stage.page.id).unwrap().failing_since_ms, None);
    stage.control.advance(Duration::from_hours(2));
    stage.ana.says("again").unwrap();
    stage.control.wait_for_webhooks(2, PATIENCE).await.unwrap();
}

#[tokio::test]
async fn messages_of_one_person_arrive_in_order() {
    let stage = Stage::new().await;
    for number in 0..20 {
        stage.ana.says(&number.to_string()).unwrap();
    }
    for number in 0..20 {
        assert_eq!(stage.callback.next().await.item()["message"]["text"], number.to_string());
    }
}

#[tokio::test]
async fn held_webhooks_leave_in_the_order_asked_for() {
    let stage = Stage::new().await;
    let orders = [
        (Release::InOrder, vec!["a", "b", "c"]),
        (Release::Reversed, vec!["c", "b", "a"]),
        (Release::Places(vec![1, 0]), vec!["b", "a"]),
    ];
    for (release, expected) in orders {
        stage.control.hold_webhooks();
        for text in ["a", "b", "c"] {
            stage.ana.says(text).unwrap();
        }
        assert_eq!(stage.control.held_webhooks(), 3);
        stage.callback.nothing_more().await;
        stage.control.release_webhooks(&release);
        for text in expected {
            assert_eq!(stage.callback.next().await.item()["message"]["text"], text);
        }
    }
}

#[tokio::test]
async fn one_request_can_carry_several_tenants() {
    let stage = Stage::new().await;
    let minh = second_page(&stage);
    stage.control.hold_webhooks();
    stage.ana.says("from the bakery").unwrap();
    minh.says("from the salon").unwrap();
    stage.control.release_webhooks(&Release::OneBatch);
    let body = stage.callback.next().await.json();
    let entries = body["entry"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!((&entries[0]["id"], &entries[1]["id"]), (&json!(stage.page.id), &json!(minh.page_id)));
    assert_eq!(entries[1]["messaging"][0]["message"]["text"], "from the salon");
}

#[tokio::test]
async fn webhooks_can_be_doubled_repeated_and_lost() {
    let stage = Stage::new().await;
    stage.control.duplicate_webhooks(1);
    stage.ana.says("twice").unwrap();
    assert_eq!(stage.callback.next().await.body, stage.callback.next().await.body);
    stage.control.drop_webhooks(1);
    stage.ana.says("lost").unwrap();
    stage.ana.says("found").unwrap();
    assert_eq!(stage.callback.next().await.item()["message"]["text"], "found");
    let lost = stage.control.ledger().webhooks[2].clone();
    assert_eq!(lost.state, PostState::Dropped);
    stage.control.redeliver(lost.number).unwrap();
    assert_eq!(stage.callback.next().await.body, lost.body);
    assert!(matches!(stage.control.redeliver(99), Err(ControlError::NoSuchThing { .. })));
}

#[tokio::test]
async fn another_apps_thread_is_only_watched_on_standby() {
    let stage = Stage::new().await;
    stage.ana.give_thread_to(Some(PAGE_INBOX_APP)).unwrap();
    stage.ana.says("hello").unwrap();
    let entry = stage.callback.next().await.json()["entry"][0].clone();
    assert_eq!(entry["standby"][0]["message"]["text"], "hello");
    assert!(entry.get("messaging").is_none());
    stage.ana.taps("Start", "START").unwrap();
    let postback = stage.callback.next().await.json()["entry"][0]["standby"][0]["postback"].clone();
    assert!(postback.get("payload").is_none() && postback["title"] == "Start");
}

#[tokio::test]
async fn held_echoes_let_everything_else_pass() {
    let stage = Stage::new().await;
    stage.control.set_echoes(true);
    stage.control.hold_echoes();
    stage.ana.staff_says("a colleague writes").unwrap();
    stage.ana.says("hello").unwrap();
    assert_eq!(stage.callback.next().await.item()["message"]["text"], "hello");
    stage.control.release_echoes();
    assert_eq!(stage.callback.next().await.item()["message"]["is_echo"], true);
    stage.ana.staff_says("and again").unwrap();
    assert_eq!(stage.callback.next().await.item()["message"]["text"], "and again");
}

#[tokio::test]
async fn a_webhook_is_retried_as_often_as_the_simulator_was_told() {
    let stage = Stage::with(|options| options.webhook_retries = vec![Duration::ZERO; 2]).await;
    stage.callback.will(3, Reaction::Answer(503));
    stage.ana.says("hello").unwrap();
    for _ in 0..3 {
        stage.callback.next().await;
    }
    stage.control.wait_for_webhooks(1, PATIENCE).await.unwrap();
    assert_eq!(stage.control.ledger().webhooks[0].state, PostState::GivenUp);
}
