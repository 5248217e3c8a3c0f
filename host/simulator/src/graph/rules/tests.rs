//! Each limit just under and just over.

use serde_json::json;

use super::*;

/// Reads a message as it stands in a request.
fn check(message: &Value) -> Result<Outgoing, GraphError> {
    let params = json!({ "message": message });
    match read(params.as_object().unwrap())? {
        Wanted::Message(outgoing) => Ok(outgoing),
        Wanted::Action(action) => panic!("read {action:?}"),
    }
}

fn is_fine(message: &Value) {
    if let Err(error) = check(message) {
        panic!("refused: {}", error.message);
    }
}

fn is_refused(message: &Value, because: &str) {
    let error = check(message).unwrap_err();
    assert_eq!((error.code, error.subcode, error.status), (100, None, 400));
    assert!(error.message.contains(because), "{:?} does not say {because:?}", error.message);
}

fn reply(title: &str, payload: &str) -> Value {
    json!({ "content_type": "text", "title": title, "payload": payload })
}

#[test]
fn a_text_has_at_most_2000_characters() {
    is_fine(&json!({ "text": "ä".repeat(2_000) }));
    is_refused(&json!({ "text": "ä".repeat(2_001) }), "message[text] must be less than or equal to 2000");
    is_refused(&json!({ "text": "" }), "non-empty");
    is_refused(&json!({ "text": " \n" }), "non-empty");
    is_refused(&json!({ "text": 7 }), "non-empty");
}

#[test]
fn thirteen_quick_replies_are_the_most() {
    is_fine(&json!({ "text": "?", "quick_replies": vec![reply("yes", "Y"); 13] }));
    is_refused(&json!({ "text": "?", "quick_replies": vec![reply("yes", "Y"); 14] }), "quick_replies");
    is_refused(&json!({ "text": "?", "quick_replies": {} }), "array");
}

#[test]
fn a_title_has_20_characters_and_a_payload_1000_bytes() {
    is_fine(&json!({ "text": "?", "quick_replies": [reply(&"é".repeat(20), "Y")] }));
    is_refused(&json!({ "text": "?", "quick_replies": [reply(&"é".repeat(21), "Y")] }), "title");
    is_fine(&json!({ "text": "?", "quick_replies": [reply("yes", &"é".repeat(500))] }));
    is_refused(&json!({ "text": "?", "quick_replies": [reply("yes", &format!("{}.", "é".repeat(500)))] }), "payload");
    is_refused(&json!({ "text": "?", "quick_replies": [reply("", "Y")] }), "title");
    is_refused(&json!({ "text": "?", "quick_replies": [reply("yes", "")] }), "payload");
}

#[test]
fn a_quick_reply_has_a_known_kind_and_known_keys() {
    is_fine(&json!({ "text": "?", "quick_replies": [{ "content_type": "user_email" }] }));
    is_refused(&json!({ "text": "?", "quick_replies": [{ "content_type": "location" }] }), "content_type");
    let mut odd = reply("yes", "Y");
    odd["colour"] = "red".into();
    is_refused(&json!({ "text": "?", "quick_replies": [odd] }), "colour");
}

#[test]
fn metadata_has_at_most_1000_bytes() {
    is_fine(&json!({ "text": "hi", "metadata": "m".repeat(1_000) }));
    is_refused(&json!({ "text": "hi", "metadata": "m".repeat(1_001) }), "metadata");
}

#[test]
fn a_message_is_a_text_or_an_attachment() {
    let image = json!({ "type": "image", "payload": { "url": "https://example.com/a.png" } });
    is_fine(&json!({ "attachment": image }));
    is_refused(&json!({ "attachment": image, "text": "both" }), "either");
    is_refused(&json!({}), "either");
    is_refused(&json!("hi"), "JSON object");
    is_refused(&json!({ "text": "hi", "txt": "hi" }), "txt");
}

#[test]
fn media_needs_a_url_or_an_id_and_a_known_kind() {
    is_fine(&json!({ "attachment": { "type": "file", "payload": { "attachment_id": "7" } } }));
    is_refused(&json!({ "attachment": { "type": "file", "payload": {} } }), "url or attachment_id");
    is_refused(&json!({ "attachment": { "type": "hologram", "payload": { "url": "https://x.y" } } }), "type");
}

#[test]
fn thirty_images_go_together_and_nothing_else_does() {
    let image = json!({ "type": "image", "payload": { "attachment_id": "7" } });
    is_fine(&json!({ "attachments": vec![image.clone(); 30] }));
    is_refused(&json!({ "attachments": vec![image; 31] }), "attachments");
    is_refused(&json!({ "attachments": [] }), "one or more");
    is_refused(&json!({ "attachments": [{ "type": "video", "payload": { "attachment_id": "7" } }] }), "images only");
}

#[test]
fn a_request_carries_a_message_or_an_action() {
    let both = json!({ "message": { "text": "hi" }, "sender_action": "typing_on" });
    let error = read(both.as_object().unwrap()).unwrap_err();
    assert_eq!((error.code, error.subcode), (100, Some(2_018_014)));
    let error = read(&Map::new()).unwrap_err();
    assert_eq!((error.code, error.subcode), (100, None));
}

#[test]
fn actions_are_read_and_unknown_ones_refused() {
    let action = |value: Value| read(value.as_object().unwrap());
    assert!(matches!(action(json!({ "sender_action": "typing_on" })), Ok(Wanted::Action(Action::Typing(true)))));
    assert!(matches!(action(json!({ "sender_action": "mark_seen" })), Ok(Wanted::Action(Action::MarkSeen))));
    assert_eq!(action(json!({ "sender_action": "wave" })).unwrap_err().code, 100);
    assert_eq!(action(json!({ "sender_action": "react" })).unwrap_err().code, 100);
    let react = json!({ "sender_action": "react", "payload": { "message_id": "m_1", "reaction": "❤" } });
    assert!(matches!(action(react), Ok(Wanted::Action(Action::React { emoji: Some(_), .. }))));
}
