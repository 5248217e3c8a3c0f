//! Reads what a customer wrote, sent or tapped.

use super::{InboundAttachment, InboundComment, InboundMessage, Location, Postback, Referral};
use crate::json::Members;

/// Most attachments that are read from one message. Messenger sends up to 30 pictures at once.
const MAX_ATTACHMENTS: usize = 64;

pub(super) fn message(body: &Members<'_>) -> InboundMessage {
    InboundMessage {
        mid: body.word("mid"),
        text: body.text("text").filter(|text| !text.is_empty()),
        quick_reply: body.object_or_empty("quick_reply").text("payload"),
        attachments: attachments(body),
        reply_to: body.object_or_empty("reply_to").word("mid"),
        referral: body.object("referral").map(|body| referral(&body)),
        is_unsupported: body.is_true("is_unsupported"),
    }
}

pub(super) fn postback(body: &Members<'_>) -> Postback {
    Postback {
        mid: body.word("mid"),
        title: body.text("title").filter(|title| !title.is_empty()),
        payload: body.text("payload"),
        referral: body.object("referral").map(|body| referral(&body)),
    }
}

pub(super) fn comment(value: &Members<'_>) -> InboundComment {
    let post = value.word("post_id").or_else(|| value.object_or_empty("media").word("id"));
    InboundComment {
        id: value.word("comment_id").or_else(|| value.word("id")),
        text: value.text("message").or_else(|| value.text("text")).filter(|text| !text.is_empty()),
        parent: value.word("parent_id").filter(|parent| Some(parent) != post.as_ref()),
        post,
    }
}

pub(super) fn attachments(body: &Members<'_>) -> Vec<InboundAttachment> {
    let listed = body.list("attachments").unwrap_or_default();
    let mut found: Vec<InboundAttachment> = Vec::new();
    for attachment in listed.into_iter().take(MAX_ATTACHMENTS).filter_map(Members::read).map(|one| attachment(&one)) {
        // While Meta moved stickers to a type of their own, each came twice: as an image and as a sticker.
        let is_copy = attachment.sticker.is_some() && found.iter().any(|other| other.sticker == attachment.sticker);
        if !is_copy {
            found.push(attachment);
        }
    }
    let legacy = body.word("sticker_id").filter(|id| !found.iter().any(|other| other.sticker.as_ref() == Some(id)));
    if let Some(id) = legacy {
        found.push(InboundAttachment { kind: "sticker".to_owned(), sticker: Some(id), ..InboundAttachment::default() });
    }
    found
}

fn attachment(one: &Members<'_>) -> InboundAttachment {
    let payload = one.object_or_empty("payload");
    let sticker = payload.word("sticker_id");
    let kind = match &sticker {
        Some(_) => "sticker".to_owned(),
        None => one.word("type").unwrap_or_else(|| "unknown".to_owned()),
    };
    InboundAttachment {
        kind,
        url: payload.text("url").or_else(|| one.text("url")),
        title: one.text("title").or_else(|| payload.text("title")),
        sticker,
        location: payload.object("coordinates").and_then(|body| location(&body)),
    }
}

fn location(body: &Members<'_>) -> Option<Location> {
    let degrees =
        |name: &str| body.get(name)?.trim_matches('"').parse::<f64>().ok().filter(|degrees| degrees.is_finite());
    Some(Location { latitude: degrees("lat")?, longitude: degrees("long")? })
}

fn referral(body: &Members<'_>) -> Referral {
    Referral { reference: body.text("ref"), source: body.word("source"), ad: body.word("ad_id") }
}
