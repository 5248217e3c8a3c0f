//! Requests and answers as Meta writes them (Meta: Messenger Platform, Send API).

use bellhop_domain::effect::Choice;
use bellhop_domain::render::{Layout, Outgoing};
use bellhop_domain::time::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{DATE, HeaderMap};
use serde::{Deserialize, Serialize};

use super::{Recipient, SenderAction};

/// The body of a send.
#[derive(Serialize)]
pub(super) struct Send<'a> {
    recipient: To<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messaging_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sender_action: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum To<'a> {
    Id(&'a str),
    CommentId(&'a str),
}

#[derive(Serialize)]
struct Message<'a> {
    text: &'a str,
    metadata: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    quick_replies: Vec<QuickReply<'a>>,
}

#[derive(Serialize)]
struct QuickReply<'a> {
    content_type: &'static str,
    title: &'a str,
    payload: &'a str,
}

/// The answer to a send.
#[derive(Deserialize)]
pub(super) struct Taken {
    #[serde(default)]
    pub(super) message_id: Option<String>,
    #[serde(default)]
    pub(super) recipient_id: Option<String>,
}

impl<'a> Send<'a> {
    pub(super) fn message(recipient: &'a Recipient, outgoing: &'a Outgoing, metadata: &'a str) -> Self {
        let choices: &[Choice] = match outgoing.layout {
            Layout::Text => &[],
            Layout::QuickReplies | Layout::List => &outgoing.choices,
        };
        let quick_reply =
            |choice: &'a Choice| QuickReply { content_type: "text", title: &choice.title, payload: &choice.payload };
        Self {
            recipient: to(recipient),
            messaging_type: Some("RESPONSE"),
            message: Some(Message {
                text: &outgoing.text,
                metadata,
                quick_replies: choices.iter().map(quick_reply).collect(),
            }),
            sender_action: None,
        }
    }

    pub(super) fn action(recipient: &'a Recipient, action: SenderAction) -> Self {
        let action = match action {
            SenderAction::TypingOn => "typing_on",
            SenderAction::TypingOff => "typing_off",
            SenderAction::MarkSeen => "mark_seen",
        };
        Self { recipient: to(recipient), messaging_type: None, message: None, sender_action: Some(action) }
    }
}

/// What time it was for whoever answered, to the second.
pub(super) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let date = rfc2822::DateTimeParser::new().parse_timestamp(headers.get(DATE)?.as_bytes()).ok()?;
    Some(Timestamp::from_millis(date.as_millisecond()))
}

fn to(recipient: &Recipient) -> To<'_> {
    match recipient {
        Recipient::Person(id) => To::Id(id),
        Recipient::Comment(id) => To::CommentId(id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_as_servers_write_it() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(DATE, text.parse().unwrap());
            date(&headers)
        };
        assert_eq!(read("Fri, 20 Nov 2026 12:00:07 GMT"), Some(Timestamp::from_millis(1_795_176_007_000)));
        assert_eq!((read("yesterday"), date(&HeaderMap::new())), (None, None));
    }
}
