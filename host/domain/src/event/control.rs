//! Reads what is applied at once: echoes, receipts, reactions, edits, unsends, thread control and policy.

use super::message::attachments;
use super::{ControlEvent, Echo, Edited, Optin, Policy, Reaction, Receipt, ThreadControl};
use crate::json::{self, Members};
use crate::kind::EventKind;

/// Most messages that one receipt names; Meta names a handful.
const MAX_MIDS: usize = 500;

/// Reads a control event; `None` for a kind without one, or for a body that says nothing.
pub(super) fn read(kind: EventKind, item: &Members<'_>) -> Option<ControlEvent> {
    match kind {
        EventKind::Echo => Some(ControlEvent::Echo(echo(&item.object("message")?))),
        EventKind::Unsend => Some(ControlEvent::Unsent(item.object("message")?.word("mid")?)),
        EventKind::Delivery => Some(ControlEvent::Delivered(receipt(&item.object("delivery")?))),
        EventKind::Read => Some(ControlEvent::Read(receipt(&item.object("read")?))),
        EventKind::Reaction => Some(ControlEvent::Reaction(reaction(&item.object("reaction")?))),
        EventKind::Edit => Some(ControlEvent::Edited(edited(&item.object("message_edit")?))),
        EventKind::Optin => Some(ControlEvent::Optin(optin(&item.object("optin")?))),
        EventKind::PassThread | EventKind::TakeThread | EventKind::RequestThread => {
            thread(kind, item).map(ControlEvent::Thread)
        }
        EventKind::Policy => policy(item).map(ControlEvent::Policy),
        EventKind::Message
        | EventKind::Postback
        | EventKind::Status
        | EventKind::Referral
        | EventKind::Preference
        | EventKind::AccountLinking
        | EventKind::AppRoles
        | EventKind::Feedback
        | EventKind::ResponseFeedback
        | EventKind::System
        | EventKind::Comment
        | EventKind::CommentEdit
        | EventKind::CommentState
        | EventKind::OwnComment
        | EventKind::Feed
        | EventKind::Mention
        | EventKind::Account
        | EventKind::AccountError
        | EventKind::Unknown => None,
    }
}

fn echo(body: &Members<'_>) -> Echo {
    Echo {
        mid: body.word("mid"),
        app_id: body.word("app_id").or_else(|| body.word("appId")),
        metadata: body.text("metadata"),
        text: body.text("text"),
        attachments: attachments(body),
    }
}

fn receipt(body: &Members<'_>) -> Receipt {
    let mut mids: Vec<_> =
        body.list("mids").unwrap_or_default().into_iter().take(MAX_MIDS).filter_map(json::word).collect();
    mids.extend(body.word("mid"));
    Receipt { mids, watermark: body.time("watermark") }
}

fn reaction(body: &Members<'_>) -> Reaction {
    let is_gone = body.word("action").as_deref() == Some("unreact");
    let emoji = body.text("emoji").or_else(|| body.text("reaction")).filter(|emoji| !is_gone && !emoji.is_empty());
    Reaction { mid: body.word("mid"), emoji }
}

fn edited(body: &Members<'_>) -> Edited {
    Edited { mid: body.word("mid"), text: body.text("text"), number: body.number("num_edit") }
}

fn optin(body: &Members<'_>) -> Optin {
    let status = body.text("notification_messages_status");
    match (status.as_deref(), body.word("type").as_deref()) {
        (Some("STOP NOTIFICATIONS" | "STOP_NOTIFICATIONS"), _) => Optin::Stopped,
        (Some("RESUME NOTIFICATIONS" | "RESUME_NOTIFICATIONS"), _) => Optin::Resumed,
        (None, Some("notification_messages")) => Optin::Resumed,
        _ => Optin::Other,
    }
}

fn thread(kind: EventKind, item: &Members<'_>) -> Option<ThreadControl> {
    if let Some(body) = item.object("pass_thread_control").filter(|_| kind == EventKind::PassThread) {
        return Some(ThreadControl::Passed(body.word("new_owner_app_id")));
    }
    if let Some(body) = item.object("take_thread_control").filter(|_| kind == EventKind::TakeThread) {
        return Some(ThreadControl::Taken(body.word("new_owner_app_id")));
    }
    let body = item.object("request_thread_control")?;
    Some(ThreadControl::Requested(body.word("requested_owner_app_id")))
}

fn policy(item: &Members<'_>) -> Option<Policy> {
    let body = item.object("policy_enforcement").or_else(|| item.object("policy-enforcement"))?;
    match body.word("action")?.to_ascii_lowercase().as_str() {
        "warning" => Some(Policy::Warned),
        "block" => Some(Policy::Blocked),
        "unblock" => Some(Policy::Unblocked),
        _ => None,
    }
}
