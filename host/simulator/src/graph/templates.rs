//! What a template may carry (Meta: Messenger templates).

use serde_json::Value;

use crate::error::GraphError;
use crate::graph::rules::{Limit, PAYLOAD_MAX, TITLE_MAX, required_text, too_long};

/// Longest text of a button template, in characters.
const BUTTON_TEXT_MAX: usize = 640;
/// Longest title and subtitle of a card, in characters.
const CARD_TEXT_MAX: usize = 80;
/// Most cards of a generic template.
const CARDS_MAX: usize = 10;
/// Most buttons of a template or a card.
const BUTTONS_MAX: usize = 3;
/// Most lines of a receipt.
const RECEIPT_LINES_MAX: usize = 100;

/// Checks the payload of a template.
///
/// # Errors
/// 100 with the parameter that is wrong.
pub(crate) fn check(payload: &Value) -> Result<(), GraphError> {
    match payload.get("template_type").and_then(Value::as_str) {
        Some("button") => {
            required_text(payload.get("text"), "payload[text]", Limit::Characters(BUTTON_TEXT_MAX))?;
            buttons(payload, 1)
        }
        Some("generic") => elements(payload, CARDS_MAX)?.iter().try_for_each(card),
        Some("media") => elements(payload, 1)?.iter().try_for_each(media),
        Some("receipt") => receipt(payload),
        _ => {
            Err(GraphError::parameter("Param payload[template_type] must be one of {BUTTON, GENERIC, MEDIA, RECEIPT}"))
        }
    }
}

fn elements(payload: &Value, most: usize) -> Result<&Vec<Value>, GraphError> {
    let elements = payload
        .get("elements")
        .and_then(Value::as_array)
        .filter(|elements| !elements.is_empty())
        .ok_or_else(|| GraphError::parameter("Param payload[elements] must be a non-empty array"))?;
    if elements.len() > most { Err(too_long("payload[elements]", most)) } else { Ok(elements) }
}

fn card(card: &Value) -> Result<(), GraphError> {
    required_text(card.get("title"), "elements[title]", Limit::Characters(CARD_TEXT_MAX))?;
    if let Some(subtitle) = card.get("subtitle") {
        required_text(Some(subtitle), "elements[subtitle]", Limit::Characters(CARD_TEXT_MAX))?;
    }
    buttons(card, 0)
}

fn media(element: &Value) -> Result<(), GraphError> {
    let has = |key: &str| element.get(key).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    if !matches!(element.get("media_type").and_then(Value::as_str), Some("image" | "video")) {
        return Err(GraphError::parameter("Param elements[media_type] must be one of {IMAGE, VIDEO}"));
    }
    if has("url") == has("attachment_id") {
        return Err(GraphError::parameter("Param elements takes either url or attachment_id"));
    }
    buttons(element, 0)
}

fn receipt(payload: &Value) -> Result<(), GraphError> {
    for name in ["recipient_name", "order_number", "currency", "payment_method"] {
        required_text(payload.get(name), &format!("payload[{name}]"), Limit::Characters(CARD_TEXT_MAX))?;
    }
    if payload.pointer("/summary/total_cost").and_then(Value::as_f64).is_none() {
        return Err(GraphError::parameter("Param payload[summary][total_cost] must be a number"));
    }
    if payload.get("elements").and_then(Value::as_array).is_some_and(|lines| lines.len() > RECEIPT_LINES_MAX) {
        return Err(too_long("payload[elements]", RECEIPT_LINES_MAX));
    }
    Ok(())
}

/// The buttons of a template or a card; `least` says how many there must be.
fn buttons(owner: &Value, least: usize) -> Result<(), GraphError> {
    let none = Vec::new();
    let buttons = match owner.get("buttons") {
        None => &none,
        Some(value) => value.as_array().ok_or_else(|| GraphError::parameter("Param buttons must be an array"))?,
    };
    if buttons.len() < least {
        return Err(GraphError::parameter("Param buttons must be a non-empty array"));
    }
    if buttons.len() > BUTTONS_MAX {
        return Err(too_long("buttons", BUTTONS_MAX));
    }
    buttons.iter().try_for_each(button)
}

fn button(button: &Value) -> Result<(), GraphError> {
    let text = |key: &str, limit| required_text(button.get(key), &format!("buttons[{key}]"), limit).map(drop);
    let title = || text("title", Limit::Characters(TITLE_MAX));
    match button.get("type").and_then(Value::as_str) {
        Some("web_url") => title().and_then(|()| text("url", Limit::Bytes(2_000))),
        Some("postback" | "phone_number") => title().and_then(|()| text("payload", Limit::Bytes(PAYLOAD_MAX))),
        Some("account_link") => text("url", Limit::Bytes(2_000)),
        Some("account_unlink") => Ok(()),
        _ => Err(GraphError::parameter(
            "Param buttons[type] must be one of {WEB_URL, POSTBACK, PHONE_NUMBER, ACCOUNT_LINK, ACCOUNT_UNLINK}",
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn is_fine(payload: &Value) {
        if let Err(error) = check(payload) {
            panic!("refused: {}", error.message);
        }
    }

    fn is_refused(payload: &Value, because: &str) {
        let error = check(payload).unwrap_err();
        assert_eq!(error.code, 100);
        assert!(error.message.contains(because), "{:?} does not say {because:?}", error.message);
    }

    fn postback(title: &str) -> Value {
        json!({ "type": "postback", "title": title, "payload": "P" })
    }

    #[test]
    fn a_button_template_has_640_characters_and_one_to_three_buttons() {
        let template = |text: &str, count: usize| json!({ "template_type": "button", "text": text, "buttons": vec![postback("Go"); count] });
        is_fine(&template(&"x".repeat(640), 3));
        is_refused(&template(&"x".repeat(641), 3), "payload[text]");
        is_refused(&template("x", 4), "buttons");
        is_refused(&template("x", 0), "buttons");
    }

    #[test]
    fn a_generic_template_has_ten_cards_of_80_characters() {
        let template = |title: &str, count: usize| json!({ "template_type": "generic", "elements": vec![json!({ "title": title, "subtitle": title }); count] });
        is_fine(&template(&"x".repeat(80), 10));
        is_refused(&template(&"x".repeat(81), 10), "title");
        is_refused(&template("x", 11), "elements");
        is_refused(&template("x", 0), "elements");
    }

    #[test]
    fn buttons_have_a_known_kind_a_short_title_and_what_their_kind_needs() {
        let with = |button: Value| json!({ "template_type": "button", "text": "x", "buttons": [button] });
        is_fine(&with(postback(&"t".repeat(20))));
        is_refused(&with(postback(&"t".repeat(21))), "title");
        is_refused(&with(json!({ "type": "postback", "title": "Go" })), "payload");
        is_refused(&with(json!({ "type": "web_url", "title": "Go" })), "url");
        is_refused(&with(json!({ "type": "teleport", "title": "Go" })), "type");
    }

    #[test]
    fn media_and_receipts_need_their_parts() {
        is_fine(&json!({ "template_type": "media", "elements": [{ "media_type": "image", "attachment_id": "1" }] }));
        is_refused(&json!({ "template_type": "media", "elements": [{ "media_type": "image" }] }), "url");
        let mut receipt = json!({ "template_type": "receipt", "recipient_name": "A", "order_number": "1",
            "currency": "EUR", "payment_method": "Card", "summary": { "total_cost": 3.5 } });
        is_fine(&receipt);
        receipt["elements"] = json!(vec![json!({ "title": "x" }); 101]);
        is_refused(&receipt, "elements");
        is_refused(&json!({ "template_type": "hologram" }), "template_type");
    }
}
