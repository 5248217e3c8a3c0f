//! Host events: a slice read into types. Works on the stored bytes as well as on fresh ones.
//!
//! Never fails: a slice that is not what its kind promises is `Ignored`. Whether an event is acted on is not decided
//! here but by its lane.

mod control;
mod message;
#[cfg(test)]
mod tests;

use crate::cut::{Object, Origin, Place};
use crate::json::Members;
use crate::kind::EventKind;
use crate::time::Timestamp;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A customer did something that deserves a turn.
    Contact(ContactEvent),
    /// Something to be applied at once.
    Control(ControlEvent),
    /// Kept and left alone.
    Ignored(EventKind),
}

/// What a customer did.
#[derive(Debug, Clone, PartialEq)]
pub enum ContactEvent {
    /// Wrote, sent something, or tapped a quick reply.
    Message(InboundMessage),
    /// Tapped a button or menu entry.
    Postback(Postback),
    /// Wrote under a post.
    Comment(InboundComment),
}

impl ContactEvent {
    /// The customer waits for an answer to a tap, so that nothing more is to come and the settle window closes at once.
    pub const fn is_tap(&self) -> bool {
        match self {
            Self::Message(message) => message.quick_reply.is_some(),
            Self::Postback(_) => true,
            Self::Comment(_) => false,
        }
    }

    /// What the customer wrote or, of a tap, what stood on the button.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Message(message) => message.text.as_deref(),
            Self::Postback(postback) => postback.title.as_deref(),
            Self::Comment(comment) => comment.text.as_deref(),
        }
    }

    /// The payload of what was tapped.
    pub fn payload(&self) -> Option<&str> {
        match self {
            Self::Message(message) => message.quick_reply.as_deref(),
            Self::Postback(postback) => postback.payload.as_deref(),
            Self::Comment(_) => None,
        }
    }

    /// Meta's id of the message or comment.
    pub fn meta_id(&self) -> Option<&str> {
        match self {
            Self::Message(message) => message.mid.as_deref(),
            Self::Postback(postback) => postback.mid.as_deref(),
            Self::Comment(comment) => comment.id.as_deref(),
        }
    }
}

/// A message from a customer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct InboundMessage {
    /// Meta's id.
    pub mid: Option<String>,
    /// What was written.
    pub text: Option<String>,
    /// The payload of the quick reply that was tapped.
    pub quick_reply: Option<String>,
    /// What was attached, each once.
    pub attachments: Vec<InboundAttachment>,
    /// Meta's id of the message it answers.
    pub reply_to: Option<String>,
    /// The link or ad it came in through.
    pub referral: Option<Referral>,
    /// Meta says that it cannot show the content.
    pub is_unsupported: bool,
}

/// Something attached to a message.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct InboundAttachment {
    /// Meta's word: "image", "video", "audio", "file", "sticker", "location", "fallback", …
    pub kind: String,
    /// Where the bytes are, for a while.
    pub url: Option<String>,
    /// Title, of a link or place.
    pub title: Option<String>,
    /// Which sticker.
    pub sticker: Option<String>,
    /// Which place.
    pub location: Option<Location>,
}

/// A place on earth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Location {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
}

/// A tap on a button or menu entry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Postback {
    /// Meta's id, where it gives one.
    pub mid: Option<String>,
    /// What stood on the button.
    pub title: Option<String>,
    /// What the button carries.
    pub payload: Option<String>,
    /// The link or ad it came in through.
    pub referral: Option<Referral>,
}

/// The link or ad a customer came in through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Referral {
    /// What the business wrote into the link.
    pub reference: Option<String>,
    /// "SHORTLINK", "ADS", …
    pub source: Option<String>,
    /// The ad.
    pub ad: Option<String>,
}

/// A comment by a customer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InboundComment {
    /// Meta's id.
    pub id: Option<String>,
    /// What was written; a sticker or picture has none.
    pub text: Option<String>,
    /// The post or media.
    pub post: Option<String>,
    /// The comment it answers; a comment under the post itself has none.
    pub parent: Option<String>,
}

/// Something to be applied at once.
#[derive(Debug, Clone, PartialEq)]
pub enum ControlEvent {
    /// The business sent something.
    Echo(Echo),
    /// Messages arrived: those named, else all up to the watermark.
    Delivered(Receipt),
    /// Messages were seen: the one named and all before it, else all up to the watermark.
    Read(Receipt),
    /// A reaction came or went.
    Reaction(Reaction),
    /// A message was changed.
    Edited(Edited),
    /// A message was taken back: Meta's id.
    Unsent(String),
    /// The customer opted in or out of notifications.
    Optin(Optin),
    /// The thread changes hands.
    Thread(ThreadControl),
    /// Meta warns, blocks or unblocks.
    Policy(Policy),
}

/// A message that the business sent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Echo {
    /// Meta's id.
    pub mid: Option<String>,
    /// Which app sent it; a person's message has none or an inbox's.
    pub app_id: Option<String>,
    /// What the sender attached, unseen by the customer: our correlation id.
    pub metadata: Option<String>,
    /// What was written.
    pub text: Option<String>,
    /// What was attached.
    pub attachments: Vec<InboundAttachment>,
}

/// Which messages a receipt is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    /// Meta's ids.
    pub mids: Vec<String>,
    /// All messages up to this time.
    pub watermark: Option<Timestamp>,
}

/// A reaction to a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reaction {
    /// Meta's id of the message.
    pub mid: Option<String>,
    /// The emoji; `None` when the reaction was taken back.
    pub emoji: Option<String>,
}

/// A changed message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Edited {
    /// Meta's id of the message.
    pub mid: Option<String>,
    /// What it says now.
    pub text: Option<String>,
    /// Which change this is, counted from one.
    pub number: Option<i64>,
}

/// What a customer opted in to or out of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Optin {
    /// Stopped marketing messages.
    Stopped,
    /// Wants marketing messages, or wants them again.
    Resumed,
    /// Came in through a plugin on a web page.
    Other,
}

/// Who gets the thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ThreadControl {
    /// The owner is now this app; `None` is nobody.
    Passed(Option<String>),
    /// Taken by this app.
    Taken(Option<String>),
    /// Asked for by this app.
    Requested(Option<String>),
}

/// What Meta does to a Page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Policy {
    /// A warning.
    Warned,
    /// The Page may not send.
    Blocked,
    /// The Page may send again.
    Unblocked,
}

/// Reads a slice.
pub fn parse(origin: &Origin, raw: &str) -> Event {
    let read = || match (&origin.object, &origin.place) {
        (Object::Page | Object::Instagram, Place::Messaging) => parse_messaging(origin.kind, &Members::read(raw)?),
        (Object::Page | Object::Instagram, Place::Change(_)) => {
            parse_change(origin.kind, &Members::read(raw)?.object("value")?)
        }
        (_, Place::Messaging | Place::Standby | Place::Change(_) | Place::Entry) => None,
    };
    read().unwrap_or(Event::Ignored(origin.kind))
}

fn parse_messaging(kind: EventKind, item: &Members<'_>) -> Option<Event> {
    let contact = |event| Some(Event::Contact(event));
    match kind {
        EventKind::Message => contact(ContactEvent::Message(message::message(&item.object("message")?))),
        EventKind::Postback => contact(ContactEvent::Postback(message::postback(&item.object("postback")?))),
        other => control::read(other, item).map(Event::Control),
    }
}

fn parse_change(kind: EventKind, value: &Members<'_>) -> Option<Event> {
    (kind == EventKind::Comment).then(|| Event::Contact(ContactEvent::Comment(message::comment(value))))
}
