//! What a row of the log can say. Free text is impossible by type: codes are short words, references are our own ids.

use std::borrow::Cow;

use bellhop_domain::id::{
    AppId, ChannelId, ContentHash, ConversationId, DeliveryId, GrantId, HostId, MessageId, PluginKey, RecordId, TaskId,
    TurnId, WorkspaceId,
};

/// Longest code: a few words.
const MAX_CODE_BYTES: usize = 64;

/// One row of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The business it concerns; the installation's own id for what concerns none.
    pub workspace: WorkspaceId,
    /// What kind of thing happened.
    pub kind: Kind,
    /// What happened.
    pub code: Code,
    /// The plugin on whose behalf.
    pub plugin_hash: Option<ContentHash>,
    /// The grant that allowed it.
    pub grant_id: Option<GrantId>,
    /// The thing it happened to.
    pub reference: Option<Reference>,
    /// The contact, as `DataKey::subject` names it: it leads to nobody once the contact is erased.
    pub subject: Option<[u8; 32]>,
}

impl Entry {
    /// A row about a workspace and nothing more; the other fields are set with struct update.
    pub fn new(workspace: WorkspaceId, kind: Kind, code: Code) -> Self {
        Self { workspace, kind, code, plugin_hash: None, grant_id: None, reference: None, subject: None }
    }
}

/// The kinds of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The configuration changed: a channel, a plugin, a grant, a token.
    Configuration,
    /// Someone or some plugin read personal data.
    Read,
    /// A message, comment or post left the host.
    Message,
    /// A language model was asked.
    Model,
    /// An endpoint was called.
    Http,
    /// Data was erased or exported.
    Privacy,
    /// A person signed in, or was refused.
    Access,
    /// Keys were made, wrapped anew or destroyed.
    Key,
}

impl Kind {
    /// Its name in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Read => "read",
            Self::Message => "message",
            Self::Model => "model",
            Self::Http => "http",
            Self::Privacy => "privacy",
            Self::Access => "access",
            Self::Key => "key",
        }
    }
}

/// A short word for what happened: lowercase letters, digits and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(Cow<'static, str>);

/// A text that is no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an audit code is 1 to 64 lowercase letters, digits and hyphens")]
pub struct InvalidCode;

impl Code {
    /// A code that stands in this program.
    pub const fn of(code: &'static str) -> Self {
        Self(Cow::Borrowed(code))
    }

    /// A code made at run time, for instance from the name of a capability.
    ///
    /// # Errors
    /// [`InvalidCode`] for anything that could carry a sentence or a number of a person.
    pub fn parse(raw: &str) -> Result<Self, InvalidCode> {
        let fits = (1..=MAX_CODE_BYTES).contains(&raw.len());
        let is_word = raw.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if fits && is_word { Ok(Self(Cow::Owned(raw.to_owned()))) } else { Err(InvalidCode) }
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One of our own ids: what a row tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference(String);

impl Reference {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! references {
    ($($id:ident)*) => {$(
        impl From<&$id> for Reference {
            fn from(id: &$id) -> Self {
                Self(id.as_str().to_owned())
            }
        }
    )*};
}

references! {
    AppId ChannelId ContentHash ConversationId DeliveryId GrantId HostId MessageId PluginKey RecordId TaskId TurnId
    WorkspaceId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_a_short_word() {
        assert_eq!(Code::parse("contact-name").unwrap().as_str(), "contact-name");
        assert!(Code::parse(&"x".repeat(64)).is_ok());
        for wrong in ["", "Contact", "two words", "snake_case", "ä", "a@b.c", "+4917", &"x".repeat(65)] {
            assert_eq!(Code::parse(wrong), Err(InvalidCode), "{wrong}");
        }
    }
}
