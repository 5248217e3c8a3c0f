//! What customers and colleagues do, as webhooks.

use super::*;

#[tokio::test]
async fn a_quick_reply_is_a_message_with_a_payload() {
    let stage = Stage::new().await;
    stage.ana.answers("Opening hours", "HOURS").unwrap();
    let message = stage.callback.next().await.item()["message"].clone();
    assert_eq!((&message["text"], &message["quick_reply"]["payload"]), (&json!("Opening hours"), &json!("HOURS")));
}

#[tokio::test]
async fn a_tap_is_a_postback() {
    let stage = Stage::new().await;
    let mid = stage.ana.taps("Get started", "START").unwrap();
    let postback = stage.callback.next().await.item()["postback"].clone();
    assert_eq!(postback, json!({ "mid": mid, "title": "Get started", "payload": "START" }));
}

#[tokio::test]
async fn attachments_and_thumbs_have_their_kind() {
    let stage = Stage::new().await;
    stage.ana.sends_attachment("image", "https://cdn.example/a.png").unwrap();
    let attachment = stage.callback.next().await.item()["message"]["attachments"][0].clone();
    assert_eq!(attachment, json!({ "type": "image", "payload": { "url": "https://cdn.example/a.png" } }));
    stage.ana.sends_thumb().unwrap();
    let message = stage.callback.next().await.item()["message"].clone();
    assert_eq!(message["attachments"][0]["type"], "sticker");
    assert!(message["attachments"][0]["payload"]["sticker_id"].is_u64());
    assert!(message.get("text").is_none());
}

#[tokio::test]
async fn reactions_reads_and_unsends_name_what_they_are_about() {
    let stage = Stage::new().await;
    let mid = stage.ana.says("oops").unwrap();
    stage.callback.next().await;
    stage.ana.reacts(&mid, Some("👍")).unwrap();
    let reaction = stage.callback.next().await.item()["reaction"].clone();
    assert_eq!(reaction, json!({ "action": "react", "emoji": "👍", "reaction": "like", "mid": mid }));
    stage.ana.reacts(&mid, None).unwrap();
    assert_eq!(stage.callback.next().await.item()["reaction"], json!({ "action": "unreact", "mid": mid }));
    stage.ana.reads().unwrap();
    assert_eq!(stage.callback.next().await.item()["read"], json!({ "watermark": START }));
    stage.ana.unsends(&mid).unwrap();
    assert_eq!(stage.callback.next().await.item()["message"], json!({ "mid": mid, "is_deleted": true }));
    assert!(matches!(stage.ana.unsends(&mid), Err(ControlError::NoSuchThing { .. })));
}

#[tokio::test]
async fn a_colleague_and_another_app_are_told_apart_by_their_app_id() {
    let stage = Stage::new().await;
    stage.ana.staff_says("Hello, this is Lena").unwrap();
    let echo = stage.callback.next().await.item();
    assert_eq!(echo["sender"]["id"], stage.page.id);
    assert_eq!(echo["message"]["app_id"].to_string(), PAGE_INBOX_APP);
    assert_eq!(echo["message"]["is_echo"], true);
    stage.ana.app_says("1234567890", "Your parcel is here").unwrap();
    assert_eq!(stage.callback.next().await.item()["message"]["app_id"], 1_234_567_890_u64);
}

#[tokio::test]
async fn a_message_is_delivered_when_the_callback_took_it() {
    let stage = Stage::new().await;
    stage.control.hold_webhooks();
    stage.ana.says("hello").unwrap();
    let status = || stage.control.thread(&stage.page.id, &stage.ana.person_id).unwrap()[0].status;
    assert_eq!(status(), Status::Sent);
    stage.control.release_webhooks(&Release::InOrder);
    stage.control.wait_for_webhooks(1, PATIENCE).await.unwrap();
    assert_eq!(status(), Status::Delivered);
}

#[tokio::test]
async fn names_keep_their_ids_from_run_to_run_and_messages_do_not() {
    let (first, second) = (Stage::new().await, Stage::with(|options| options.clock = Clock::standing(START + 1)).await);
    assert_eq!(first.app, second.app);
    assert_eq!(first.page, second.page);
    assert_eq!(first.ana.person_id, second.ana.person_id);
    assert_ne!(first.ana.says("hello").unwrap(), second.ana.says("hello").unwrap());
    let another = first.control.add_person(&first.page.id, "Ana Lopes").unwrap();
    assert_ne!(another.person_id, first.ana.person_id);
}

#[tokio::test]
async fn whoever_is_not_there_is_an_error() {
    let stage = Stage::new().await;
    assert!(matches!(stage.control.add_page("1", "x"), Err(ControlError::NoSuchApp(_))));
    assert!(matches!(stage.control.add_person("1", "x"), Err(ControlError::NoSuchPage(_))));
    assert!(matches!(stage.control.customer(&stage.page.id, "1"), Err(ControlError::NoSuchPerson { .. })));
    assert!(matches!(stage.control.kill_token("x", 460), Err(ControlError::NoSuchThing { .. })));
}
