//! Reads one item of `changes[]` of a Page or an Instagram account: comments and other news of the feed.

use super::{EntryOf, Found, Object, Place};
use crate::json::Members;
use crate::kind::{DedupeBy, EventKind};

pub(super) fn read<'a>(
    object: &Object,
    entry: &EntryOf,
    field: String,
    value: &Members<'_>,
    raw: &'a str,
) -> Found<'a> {
    let from = value.object_or_empty("from");
    let person = from.word("id").or_else(|| value.word("sender_id"));
    // An Instagram business that answers under its own post is told of its own answer too.
    let is_own = person.as_deref() == Some(entry.id.as_str())
        || from.word("self_ig_scoped_id").as_deref() == Some(entry.id.as_str());
    let kind = match object {
        Object::Instagram => instagram_kind(&field, is_own),
        Object::Page | Object::Whatsapp | Object::Other(_) => page_kind(&field, value, is_own),
    };
    let words = (kind.dedupe_by() == DedupeBy::Feed).then(|| words(object, value)).flatten();
    let person = person.filter(|_| !is_own);
    Found { place: Place::Change(field), kind, raw, asset: None, person, time: value.time("created_time"), words }
}

fn instagram_kind(field: &str, is_own: bool) -> EventKind {
    match field {
        "comments" | "live_comments" if is_own => EventKind::OwnComment,
        "comments" | "live_comments" => EventKind::Comment,
        "mentions" => EventKind::Mention,
        _ => EventKind::Unknown,
    }
}

fn page_kind(field: &str, value: &Members<'_>, is_own: bool) -> EventKind {
    let (item, verb) = (value.word("item"), value.word("verb"));
    match (field, item.as_deref(), verb.as_deref()) {
        ("feed", Some("comment"), _) if is_own => EventKind::OwnComment,
        ("feed", Some("comment"), Some("add")) => EventKind::Comment,
        ("feed", Some("comment"), Some("edit" | "edited")) => EventKind::CommentEdit,
        ("feed", Some("comment"), Some("remove" | "hide" | "unhide")) => EventKind::CommentState,
        ("feed" | "ratings", ..) => EventKind::Feed,
        ("mention", ..) => EventKind::Mention,
        _ => EventKind::Unknown,
    }
}

/// What tells copies of a comment apart: on a Page what happened to which comment when, on Instagram the comment alone,
/// because one under a promoted post is told twice with different media.
fn words(object: &Object, value: &Members<'_>) -> Option<Vec<String>> {
    let id = value.word("comment_id").or_else(|| value.word("id"))?;
    match object {
        Object::Instagram => Some(vec![id]),
        Object::Page | Object::Whatsapp | Object::Other(_) => {
            Some(vec![value.word("item")?, value.word("verb")?, id, value.word("created_time")?])
        }
    }
}
