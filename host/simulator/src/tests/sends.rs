//! `POST /{page}/messages`: what goes through, what does not, what follows.

use super::*;

#[tokio::test]
async fn a_message_in_the_window_is_accepted_and_recorded() {
    let stage = Stage::greeted().await;
    let mut body = stage.text_to_ana("hi Ana");
    body["message"]["metadata"] = "corr-1".into();
    body["message"]["quick_replies"] = json!([{ "content_type": "text", "title": "Hours", "payload": "H" }]);
    let (status, answer) = stage.send(&body).await;
    assert_eq!(status, 200);
    assert_eq!(answer["recipient_id"], stage.ana.person_id);
    assert!(answer["message_id"].as_str().unwrap().starts_with("m_"));
    let sends = stage.control.wait_for_sends(1, PATIENCE).await.unwrap();
    assert_eq!(sends[0].text(), Some("hi Ana"));
    assert_eq!(sends[0].metadata(), Some("corr-1"));
    assert_eq!(sends[0].recipient(), Some(stage.ana.person_id.as_str()));
    assert_eq!(sends[0].quick_replies(), ["Hours"]);
    assert_eq!(sends[0].body, body);
    let thread = stage.control.thread(&stage.page.id, &stage.ana.person_id).unwrap();
    assert_eq!(thread.len(), 2);
    assert_eq!(thread[1].author, Author::Page);
}

#[tokio::test]
async fn me_and_forms_and_tokens_in_parameters_work_alike() {
    let stage = Stage::greeted().await;
    let form = [
        ("access_token", stage.page.token.clone()),
        ("recipient", json!({ "id": stage.ana.person_id }).to_string()),
        ("messaging_type", "RESPONSE".to_owned()),
        ("message", json!({ "text": "from a form" }).to_string()),
    ];
    let request = stage.client.post(format!("{}/v25.0/me/messages", stage.simulator.url())).form(&form);
    assert_eq!(answered(request).await.unwrap().0, 200);
    let sends = stage.control.accepted();
    assert_eq!(sends[0].text(), Some("from a form"));
    assert!(sends[0].body.get("access_token").is_none(), "tokens do not belong in the books");
}

#[tokio::test]
async fn the_window_is_open_for_24_hours_to_the_millisecond() {
    let stage = Stage::greeted().await;
    stage.control.advance(Duration::from_hours(24) - Duration::from_millis(1));
    assert_eq!(stage.send(&stage.text_to_ana("in time")).await.0, 200);
    stage.control.advance(Duration::from_millis(1));
    let answer = stage.send(&stage.text_to_ana("too late")).await;
    is_error(&answer, 403, 10, Some(2_018_278));
    stage.ana.says("again").unwrap();
    assert_eq!(stage.send(&stage.text_to_ana("open again")).await.0, 200);
}

#[tokio::test]
async fn whoever_never_wrote_cannot_be_written_to() {
    let stage = Stage::new().await;
    stage.send_fails(&stage.text_to_ana("hi"), 403, 10, Some(2_018_278)).await;
    stage.ana.reads().unwrap();
    stage.send_fails(&stage.text_to_ana("hi"), 403, 10, Some(2_018_278)).await;
}

#[tokio::test]
async fn taps_and_reactions_open_the_window_too() {
    let stage = Stage::new().await;
    stage.ana.taps("Get started", "START").unwrap();
    assert_eq!(stage.send(&stage.text_to_ana("hi")).await.0, 200);
    let said = stage.control.thread(&stage.page.id, &stage.ana.person_id).unwrap()[1].id.clone();
    stage.ana.close_window().unwrap();
    stage.ana.reacts(&said, Some("❤")).unwrap();
    assert_eq!(stage.send(&stage.text_to_ana("hi again")).await.0, 200);
}

#[tokio::test]
async fn people_who_are_unknown_blocked_or_with_another_app_are_refused() {
    let stage = Stage::greeted().await;
    let mut unknown = stage.text_to_ana("hi");
    unknown["recipient"]["id"] = "1".into();
    stage.send_fails(&unknown, 400, 100, Some(2_018_001)).await;
    stage.ana.blocks(true).unwrap();
    stage.send_fails(&stage.text_to_ana("hi"), 400, 551, Some(1_545_041)).await;
    stage.ana.blocks(false).unwrap();
    stage.ana.give_thread_to(Some(PAGE_INBOX_APP)).unwrap();
    stage.send_fails(&stage.text_to_ana("hi"), 400, 100, Some(2_018_300)).await;
    stage.ana.give_thread_to(Some(&stage.app.id)).unwrap();
    assert_eq!(stage.send(&stage.text_to_ana("hi")).await.0, 200);
}

#[tokio::test]
async fn messaging_types_are_required_and_dead_tags_refused() {
    let stage = Stage::greeted().await;
    let mut body = stage.text_to_ana("hi");
    body.as_object_mut().unwrap().remove("messaging_type");
    stage.send_fails(&body, 400, 100, None).await;
    body["messaging_type"] = "MESSAGE_TAG".into();
    stage.send_fails(&body, 400, 100, None).await;
    body["tag"] = "ACCOUNT_UPDATE".into();
    stage.send_fails(&body, 400, 100, None).await;
    body["tag"] = "HUMAN_AGENT".into();
    stage.send_fails(&body, 403, 200, None).await;
}

#[tokio::test]
async fn a_human_agent_has_seven_days() {
    let stage = Stage::greeted().await;
    stage.control.change_app(&stage.app.id, |app| app.human_agent = true).unwrap();
    let mut body = stage.text_to_ana("hi");
    body["messaging_type"] = "MESSAGE_TAG".into();
    body["tag"] = "HUMAN_AGENT".into();
    stage.control.advance(Duration::from_hours(7 * 24) - Duration::from_millis(1));
    assert_eq!(stage.send(&body).await.0, 200);
    stage.control.advance(Duration::from_millis(1));
    is_error(&stage.send(&body).await, 403, 10, Some(2_018_278));
}

#[tokio::test]
async fn limits_and_contradictions_reach_the_caller_as_errors() {
    let stage = Stage::greeted().await;
    stage.send_fails(&stage.text_to_ana(&"x".repeat(2_001)), 400, 100, None).await;
    let mut both = stage.text_to_ana("hi");
    both["sender_action"] = "typing_on".into();
    stage.send_fails(&both, 400, 100, Some(2_018_014)).await;
    stage.send_fails(&json!({ "recipient": { "id": stage.ana.person_id } }), 400, 100, None).await;
    stage.send_fails(&json!({ "message": { "text": "hi" } }), 400, 100, None).await;
    let mut odd = stage.text_to_ana("hi");
    odd["recipient"] = json!({ "shoe_size": "43" });
    stage.send_fails(&odd, 400, 100, None).await;
    assert!(stage.control.ledger().sends.iter().all(|send| matches!(send.outcome, Outcome::Refused { code: 100, .. })));
    assert_eq!(stage.control.ledger().n_sends, 5);
}

#[tokio::test]
async fn sender_actions_are_carried_out_and_are_no_messages() {
    let stage = Stage::greeted().await;
    let action = |name: &str| json!({ "recipient": { "id": stage.ana.person_id }, "sender_action": name });
    let (status, answer) = stage.send(&action("typing_on")).await;
    assert_eq!((status, answer), (200, json!({ "recipient_id": stage.ana.person_id })));
    let seen = || stage.control.thread(&stage.page.id, &stage.ana.person_id).unwrap()[0].status;
    assert_ne!(seen(), Status::Read);
    assert_eq!(stage.send(&action("mark_seen")).await.0, 200);
    assert_eq!(seen(), Status::Read);
    assert_eq!(stage.control.ledger().n_accepted, 0);
    assert_eq!(stage.control.ledger().n_sends, 2);
}

#[tokio::test]
async fn a_comment_can_be_answered_privately_once() {
    let stage = Stage::new().await;
    let comment = stage.ana.comments("price?").unwrap();
    let event = stage.callback.next().await.json();
    let value = &event["entry"][0]["changes"][0]["value"];
    assert_eq!(value["comment_id"], comment);
    assert_eq!(value["parent_id"], value["post_id"]);
    assert_eq!(event["entry"][0]["time"], START / 1_000);
    let reply = json!({ "recipient": { "comment_id": comment }, "message": { "text": "12 €" } });
    let (status, answer) = stage.send(&reply).await;
    assert_eq!((status, &answer["recipient_id"]), (200, &json!(stage.ana.person_id)));
    is_error(&stage.send(&reply).await, 400, 10_900, None);
    // It does not open the window.
    is_error(&stage.send(&stage.text_to_ana("and?")).await, 403, 10, Some(2_018_278));
}

#[tokio::test]
async fn a_comment_can_be_answered_privately_for_seven_days() {
    let stage = Stage::new().await;
    let (early, late) = (stage.ana.comments("price?").unwrap(), stage.ana.comments("hello?").unwrap());
    let reply = |comment: &str| json!({ "recipient": { "comment_id": comment }, "message": { "text": "12 €" } });
    stage.control.advance(Duration::from_hours(7 * 24) - Duration::from_millis(1));
    assert_eq!(stage.send(&reply(&early)).await.0, 200);
    stage.control.advance(Duration::from_millis(1));
    is_error(&stage.send(&reply(&late)).await, 400, 10_902, None);
    is_error(&stage.send(&reply("1_2")).await, 400, 100, Some(33));
}

#[tokio::test]
async fn a_message_comes_back_as_echo_and_as_delivered() {
    let stage = Stage::with(|options| (options.echoes, options.deliveries, options.reads) = (true, true, true)).await;
    stage.ana.says("hello").unwrap();
    stage.callback.next().await;
    let mut body = stage.text_to_ana("hi");
    body["message"]["metadata"] = "corr-1".into();
    let mid = stage.send(&body).await.1["message_id"].clone();
    let echo = stage.callback.next().await.item();
    assert_eq!(echo["sender"]["id"], stage.page.id);
    assert_eq!(echo["message"]["is_echo"], true);
    assert_eq!(echo["message"]["mid"], mid);
    assert_eq!(echo["message"]["metadata"], "corr-1");
    assert_eq!(echo["message"]["app_id"].as_u64().unwrap().to_string(), stage.app.id);
    let delivery = stage.callback.next().await.item();
    assert_eq!(delivery["delivery"]["mids"], json!([mid]));
    assert!(delivery.get("timestamp").is_none());
    assert_eq!(stage.callback.next().await.item()["read"]["watermark"], START);
}
