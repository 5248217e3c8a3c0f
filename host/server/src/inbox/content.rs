//! The content of an inbox row: the cut slice, sealed under the workspace's intake key of the day.

use bellhop_domain::cut::{Object, Origin, Place as SlicePlace, Slice};
use bellhop_domain::event::{self, Event};
use bellhop_domain::id::{ChannelId, EventId};
use bellhop_domain::kind::EventKind;
use serde::{Deserialize, Serialize};

use crate::vault::{DataKey, IndexKey, Place, VaultError};

/// A cut slice as it is sealed: enough to read the event again, and the person it came from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SliceContent {
    object: String,
    place: String,
    /// Meta's id of the customer.
    pub person: Option<String>,
    raw: String,
}

#[derive(Serialize)]
struct Borrowed<'a> {
    object: &'a str,
    place: &'a str,
    person: Option<&'a str>,
    raw: &'a str,
}

fn place(id: &EventId) -> Place<'_> {
    Place { table: "inbox_event", column: "sealed", row: id.as_str(), revision: 0 }
}

impl SliceContent {
    /// Seals a slice for the row of this id.
    pub fn seal(slice: &Slice<'_>, key: &DataKey, id: &EventId) -> Vec<u8> {
        let content = Borrowed {
            object: slice.object.as_str(),
            place: &slice.place.name(),
            person: slice.person.as_deref(),
            raw: slice.raw,
        };
        // A struct of strings always serialises.
        let plain = serde_json::to_vec(&content).unwrap_or_default();
        key.seal(&place(id), &plain)
    }

    /// Opens a row's content; `None` when it was sealed by a version that this one does not understand.
    ///
    /// # Errors
    /// [`VaultError`] when the seal does not hold.
    pub fn open(sealed: &[u8], key: &DataKey, id: &EventId) -> Result<Option<Self>, VaultError> {
        let plain = key.open(&place(id), sealed)?;
        Ok(serde_json::from_slice(&plain).ok())
    }

    /// The event.
    pub fn event(&self, kind: EventKind) -> Event {
        let origin = Origin { object: Object::parse(&self.object), place: SlicePlace::parse(&self.place), kind };
        event::parse(&origin, &self.raw)
    }
}

/// What a conversation is found by: an HMAC of its channel and Meta's id of the person.
pub fn thread_key(index: &IndexKey, channel: &ChannelId, person: &str) -> [u8; 32] {
    index.of("thread", &[channel.as_str().as_bytes(), person.as_bytes()])
}

/// What a message is found by: an HMAC of Meta's id of it.
pub fn mid_key(index: &IndexKey, mid: &str) -> [u8; 32] {
    index.of("mid", &[mid.as_bytes()])
}
