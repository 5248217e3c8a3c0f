//! Ids: one type per kind of thing, so that a channel's id never stands where a contact's belongs.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A text that is no id of this kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid id")]
pub struct InvalidId;

/// Longest id in bytes: a UUID has 36, plugin keys and hashes up to 130.
const MAX_ID_BYTES: usize = 160;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Reads an id: 1 to 160 visible ASCII characters.
            ///
            /// # Errors
            /// [`InvalidId`] for anything else; it did not come from this host.
            pub fn parse(raw: &str) -> Result<Self, InvalidId> {
                let fits = (1..=MAX_ID_BYTES).contains(&raw.len());
                if fits && raw.bytes().all(|byte| byte.is_ascii_graphic()) { Ok(Self(raw.to_owned())) } else { Err(InvalidId) }
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(raw: String) -> Result<Self, InvalidId> {
                Self::parse(&raw)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    )*};
}

macro_rules! made_here {
    ($($name:ident)*) => {$(
        impl $name {
            /// A new id: a UUIDv7, so that ids sort by the time they were made.
            pub fn new() -> Self {
                Self(uuid::Uuid::now_v7().to_string())
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }
    )*};
}

ids! {
    /// One business: the tenant.
    WorkspaceId;
    /// A Meta app whose webhooks this host receives.
    AppId;
    /// A connected Page, Instagram account or WhatsApp number.
    ChannelId;
    /// A customer on one channel.
    ContactId;
    /// The thread between a channel and a contact.
    ConversationId;
    /// One thing that happened, as a row of the inbox.
    EventId;
    /// The processing of the events that settled together.
    TurnId;
    /// One message in either direction.
    MessageId;
    /// One attempt-tracked outbound thing.
    DeliveryId;
    /// Something a person must decide or do.
    TaskId;
    /// What a business gave one plugin on one channel.
    GrantId;
    /// One document of a collection.
    RecordId;
    /// A data key in the keyring.
    KeyId;
    /// A row of the audit log.
    AuditId;
    /// One running host process.
    HostId;
    /// SHA-256 of a plugin file in lowercase hex: what authority belongs to.
    ContentHash;
    /// Signer's fingerprint (or hash) and plugin id: what state belongs to.
    PluginKey;
}

made_here! {
    WorkspaceId AppId ChannelId ContactId ConversationId EventId TurnId MessageId DeliveryId TaskId GrantId RecordId KeyId
    AuditId HostId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_visible_ascii_of_bounded_length() {
        assert!(ContactId::parse("018f-a").is_ok());
        assert_eq!(ContactId::parse(""), Err(InvalidId));
        assert_eq!(ContactId::parse("a b"), Err(InvalidId));
        assert_eq!(ContactId::parse(&"x".repeat(MAX_ID_BYTES + 1)), Err(InvalidId));
        assert!(ContactId::parse(&"x".repeat(MAX_ID_BYTES)).is_ok());
    }

    #[test]
    fn new_ids_sort_by_time() {
        let (first, second) = (EventId::new(), EventId::new());
        assert!(first < second);
    }
}
