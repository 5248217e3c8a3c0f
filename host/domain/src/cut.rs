//! Cuts the body of a webhook into slices: one per messaging item, standby item, change, WhatsApp message or status.
//!
//! Slices borrow the original bytes. Nothing that Meta may add one day is an error: what is unknown becomes a slice of
//! kind `Unknown`, to be stored and left alone. Only a body that has no entries at all is refused. Never recurses and
//! never panics, whatever the bytes.

mod change;
mod messaging;
mod whatsapp;
#[cfg(test)]
mod tests;

use crate::json::{self, Members};
use crate::kind::{DedupeBy, EventKind, Lane};
use crate::time::Timestamp;

/// Most slices of one body. Meta batches up to 1,000 updates in a POST; a body of the largest size could hold many more
/// empty ones, each of which would become a row.
pub const MAX_SLICES: usize = 5_000;

/// Why a body cannot be cut. The caller quarantines it and answers as if all were well: Meta would only send it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotCuttable {
    /// No JSON object.
    #[error("the body is not a JSON object")]
    NotAnObject,
    /// An object without a list of entries.
    #[error("the body has no list `entry`")]
    NoEntries,
    /// More than [`MAX_SLICES`].
    #[error("the body holds more than {MAX_SLICES} events")]
    TooMany,
}

/// What kind of thing a body is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Object {
    /// A Facebook Page: Messenger and the feed.
    Page,
    /// An Instagram account.
    Instagram,
    /// A WhatsApp business account.
    Whatsapp,
    /// Anything else, by Meta's name; empty when the body names none.
    Other(String),
}

impl Object {
    /// Meta's name.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Page => "page",
            Self::Instagram => "instagram",
            Self::Whatsapp => "whatsapp_business_account",
            Self::Other(name) => name,
        }
    }

    /// Reads Meta's name.
    pub fn parse(name: &str) -> Self {
        match name {
            "page" => Self::Page,
            "instagram" => Self::Instagram,
            "whatsapp_business_account" => Self::Whatsapp,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// Where in an entry a slice stood.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// `messaging[]`: this app may answer.
    Messaging,
    /// `standby[]`: another app owns the thread; never answered.
    Standby,
    /// `changes[]`, by the name of the field.
    Change(String),
    /// The entry itself: none of the above stood in it.
    Entry,
}

impl Place {
    /// The name used in tables, such as "messaging" or "change:feed".
    pub fn name(&self) -> String {
        match self {
            Self::Messaging => "messaging".to_owned(),
            Self::Standby => "standby".to_owned(),
            Self::Change(field) => format!("change:{field}"),
            Self::Entry => "entry".to_owned(),
        }
    }

    /// Reads a name; what is unknown is an entry, which nothing acts on.
    pub fn parse(name: &str) -> Self {
        match name {
            "messaging" => Self::Messaging,
            "standby" => Self::Standby,
            other => other.strip_prefix("change:").map_or(Self::Entry, |field| Self::Change(field.to_owned())),
        }
    }
}

/// Where a slice came from and what it is: kept beside its bytes, so that they can be read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// What the body was about.
    pub object: Object,
    /// Where the slice stood.
    pub place: Place,
    /// What happened.
    pub kind: EventKind,
}

impl Origin {
    /// Where it goes in this version: Messenger is acted on, all else is stored. Standby is never acted on.
    pub fn lane(&self) -> Lane {
        let is_served = self.object == Object::Page && self.place == Place::Messaging;
        if is_served { self.kind.lane() } else { Lane::Stored }
    }
}

/// One event, cut out of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice<'a> {
    /// What the body is about.
    pub object: Object,
    /// Where it stood.
    pub place: Place,
    /// What routes it: the id of the Page or Instagram account, or the id of the phone number (of the WhatsApp account
    /// where no number is named). Empty when the body names none.
    pub asset: String,
    /// Meta's id of the customer, in both directions; `None` where there is none.
    pub person: Option<String>,
    /// What happened.
    pub kind: EventKind,
    /// When, by Meta's clock: the event's own time, else the entry's.
    pub at: Option<Timestamp>,
    /// How many slices stood before it in the body.
    pub position: u32,
    /// The original bytes.
    pub raw: &'a str,
    /// What tells it apart from others of its kind.
    distinct: Distinct,
}

/// The parts of a dedupe key that differ by kind.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Distinct {
    /// These words suffice.
    Words(Vec<String>),
    /// No id: the whole slice counts.
    Whole,
}

impl Slice<'_> {
    /// Where it goes in this version: as its origin says, but what a customer without an id did belongs to no conversation.
    pub fn lane(&self) -> Lane {
        match self.origin().lane() {
            Lane::Contact if self.person.is_none() || self.asset.is_empty() => Lane::Stored,
            lane => lane,
        }
    }

    /// What is needed to read it again later.
    pub fn origin(&self) -> Origin {
        Origin { object: self.object.clone(), place: self.place.clone(), kind: self.kind }
    }

    /// Canonical bytes that are equal exactly for copies of one event. Personal data: keep only a keyed hash of them.
    pub fn dedupe_bytes(&self) -> Vec<u8> {
        let mut bytes = b"bellhop dedupe 1".to_vec();
        let place = self.place.name();
        for part in [self.object.as_str(), &self.asset, &place, self.kind.as_str()] {
            push(&mut bytes, part);
        }
        match &self.distinct {
            Distinct::Words(words) => words.iter().for_each(|word| push(&mut bytes, word)),
            Distinct::Whole => {
                push(&mut bytes, self.person.as_deref().unwrap_or_default());
                push(&mut bytes, &self.at.map(|at| at.millis().to_string()).unwrap_or_default());
                push(&mut bytes, self.raw);
            }
        }
        bytes
    }
}

/// Appends a part with its length in front, so that no two lists of parts spell the same bytes.
fn push(bytes: &mut Vec<u8>, part: &str) {
    bytes.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
    bytes.extend_from_slice(part.as_bytes());
}

/// Cuts a body.
///
/// # Errors
/// [`NotCuttable`] when the body has no entries or too many events: quarantine it.
pub fn cut(body: &[u8]) -> Result<Vec<Slice<'_>>, NotCuttable> {
    let text = std::str::from_utf8(body).map_err(|_| NotCuttable::NotAnObject)?;
    let envelope = Members::read(text).ok_or(NotCuttable::NotAnObject)?;
    let entries = envelope.list("entry").ok_or(NotCuttable::NoEntries)?;
    let mut slices = Slices::new(Object::parse(&envelope.word("object").unwrap_or_default()));
    for raw in entries {
        cut_entry(raw, &mut slices)?;
    }
    Ok(slices.done)
}

fn cut_entry<'a>(raw: &'a str, slices: &mut Slices<'a>) -> Result<(), NotCuttable> {
    let Some(members) = Members::read(raw) else {
        return slices.add(Found::unknown(Place::Entry, raw), &EntryOf::default());
    };
    let entry = EntryOf { id: members.word("id").unwrap_or_default(), time: members.time("time") };
    let before = slices.done.len();
    for (name, place) in [("messaging", Place::Messaging), ("standby", Place::Standby)] {
        for item in members.list(name).unwrap_or_default() {
            let found = messaging::read(&slices.object, &entry, place.clone(), item);
            slices.add(found, &entry)?;
        }
    }
    for item in members.list("changes").unwrap_or_default() {
        cut_change(item, &entry, slices)?;
    }
    // Instagram's documentation prints one change without the list around it.
    if members.has("field") {
        cut_change(raw, &entry, slices)?;
    }
    if slices.done.len() == before {
        slices.add(Found::unknown(Place::Entry, raw), &entry)?;
    }
    Ok(())
}

fn cut_change<'a>(raw: &'a str, entry: &EntryOf, slices: &mut Slices<'a>) -> Result<(), NotCuttable> {
    let Some(members) = Members::read(raw) else {
        return slices.add(Found::unknown(Place::Entry, raw), entry);
    };
    let field = members.word("field").unwrap_or_default();
    let value = members.object_or_empty("value");
    match slices.object {
        Object::Whatsapp => {
            for found in whatsapp::read(&field, &value, raw) {
                slices.add(found, entry)?;
            }
            Ok(())
        }
        // The dashboard's test button puts a messaging item into a change.
        Object::Page | Object::Instagram if field.starts_with("message") && value.has("sender") => {
            let mut found =
                messaging::read(&slices.object, entry, Place::Change(field), members.get("value").unwrap_or(raw));
            found.time = found.time.or(entry.time);
            slices.add(found, entry)
        }
        Object::Page | Object::Instagram => slices.add(change::read(&slices.object, entry, field, &value, raw), entry),
        Object::Other(_) => slices.add(Found::unknown(Place::Change(field), raw), entry),
    }
}

/// What the slices of an entry inherit from it.
#[derive(Default)]
struct EntryOf {
    id: String,
    time: Option<Timestamp>,
}

/// What a reader found out about one slice.
struct Found<'a> {
    place: Place,
    kind: EventKind,
    raw: &'a str,
    /// `None`: the entry's id.
    asset: Option<String>,
    person: Option<String>,
    time: Option<Timestamp>,
    /// What the kind's way of telling copies apart needs; `None` where any of it is missing.
    words: Option<Vec<String>>,
}

impl<'a> Found<'a> {
    const fn unknown(place: Place, raw: &'a str) -> Self {
        Self { place, kind: EventKind::Unknown, raw, asset: None, person: None, time: None, words: None }
    }
}

/// The slices cut so far.
struct Slices<'a> {
    object: Object,
    done: Vec<Slice<'a>>,
}

impl<'a> Slices<'a> {
    const fn new(object: Object) -> Self {
        Self { object, done: Vec::new() }
    }

    fn add(&mut self, found: Found<'a>, entry: &EntryOf) -> Result<(), NotCuttable> {
        if self.done.len() >= MAX_SLICES {
            return Err(NotCuttable::TooMany);
        }
        let distinct = match found.kind.dedupe_by() {
            DedupeBy::Whole => Distinct::Whole,
            DedupeBy::Id | DedupeBy::IdAndEdit | DedupeBy::Reaction | DedupeBy::IdAndState | DedupeBy::Feed => {
                found.words.map_or(Distinct::Whole, Distinct::Words)
            }
        };
        self.done.push(Slice {
            object: self.object.clone(),
            place: found.place,
            asset: found.asset.unwrap_or_else(|| entry.id.clone()),
            person: found.person,
            kind: found.kind,
            at: found.time.or(entry.time),
            position: u32::try_from(self.done.len()).unwrap_or(u32::MAX),
            raw: found.raw,
            distinct,
        });
        Ok(())
    }
}

/// The words that tell copies of a message-like event apart, by the table of kinds; `None` where one is missing.
fn words_of(kind: EventKind, body: &Members<'_>, at: Option<Timestamp>, person: Option<&str>) -> Option<Vec<String>> {
    let id = || body.word("mid").or_else(|| body.word("id"));
    let time = || at.map(|at| at.millis().to_string());
    let how = |name: &str| body.get(name).and_then(json::text).unwrap_or_default();
    match kind.dedupe_by() {
        DedupeBy::Id => Some(vec![id()?]),
        DedupeBy::IdAndEdit => Some(vec![id()?, body.word("num_edit")?]),
        DedupeBy::Reaction => {
            let target = body.word("mid").or_else(|| body.word("message_id"))?;
            Some(vec![target, person?.to_owned(), how("action"), how("reaction"), how("emoji"), time()?])
        }
        DedupeBy::IdAndState => Some(vec![id()?, body.word("status")?]),
        DedupeBy::Feed | DedupeBy::Whole => None,
    }
}
