//! How things stand with conversations: mode, revision, contact, and whether that person may be written to. One statement for
//! all that a turn, a control event or a send has to know; decides nothing.

use std::collections::HashMap;

use bellhop_domain::id::{ChannelId, ContactId, ConversationId, WorkspaceId};
use bellhop_domain::policy::Mode;
use bellhop_domain::time::Timestamp;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::conversation::contact::{SealedContact, open_all};
use crate::conversation::{Contact, ConversationError, sealed_column};
use crate::db::{Bulk, Db};
use crate::vault::Vault;

/// How things stand with one conversation.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The mode as it is written; [`Standing::mode_at`] says whether it still counts.
    mode: Mode,
    /// When it ends by itself.
    mode_until: Option<Timestamp>,
    /// Grows with each control event that matters.
    pub revision: i64,
    /// Meta's time of the newest contact event that opened a window.
    pub last_contact_event_at: Option<Timestamp>,
    /// The contact that the conversation names, erased or not.
    pub contact_id: Option<ContactId>,
    /// The contact, unless it was erased or there was no turn yet.
    pub contact: Option<Contact>,
    /// Why this person may not be written to, and since when.
    pub suppressed: Option<Suppressed>,
}

/// Somebody who may not be written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppressed {
    /// [`OPT_OUT`](crate::conversation::OPT_OUT) or another.
    pub reason: String,
    /// Since when, by Meta's clock where they said so.
    pub since: Timestamp,
}

impl Standing {
    /// The mode at a time: one that has run out is over.
    pub fn mode_at(&self, now: Timestamp) -> Mode {
        if self.mode_until.is_some_and(|until| until <= now) { Mode::Automated } else { self.mode }
    }
}

const SELECT: &str = "select c.workspace_id, c.id, c.mode, c.mode_until, c.revision, c.last_contact_event_at, c.contact_id, \
     s.reason, k.channel_id, k.key_id, k.profile, s.created_at from conversation c \
     left join contact k on k.workspace_id = c.workspace_id and k.id = c.contact_id and k.erased_at is null \
     left join suppression s on s.workspace_id = c.workspace_id and s.channel_id = c.channel_id and s.person = c.thread \
     where (c.workspace_id, c.id) in ";

/// How things stand with these conversations.
///
/// # Errors
/// [`ConversationError`].
pub async fn standings<'a>(
    db: &Db,
    vault: &Vault,
    conversations: impl Iterator<Item = (&'a WorkspaceId, &'a ConversationId)>,
) -> Result<HashMap<ConversationId, Standing>, ConversationError> {
    let mut select = Bulk::new(SELECT).keys(2);
    for (workspace, conversation) in conversations {
        select.row().bind(workspace.as_str()).bind(conversation.as_str());
    }
    if select.is_empty() {
        return Ok(HashMap::new());
    }
    let mut standings = HashMap::new();
    let mut sealed = Vec::new();
    for row in db.fetch_all(select).await? {
        let (conversation, standing) = standing(&row)?;
        if let Some(id) = &standing.contact_id
            && row.try_get::<Option<String>, _>(8)?.is_some()
        {
            let unreadable = |_| ConversationError::Unreadable("contact");
            sealed.push(SealedContact {
                workspace: WorkspaceId::parse(row.try_get(0)?).map_err(unreadable)?,
                id: id.clone(),
                channel: ChannelId::parse(row.try_get(8)?).map_err(unreadable)?,
                profile: sealed_column(&row, 9, 10)?,
            });
        }
        standings.insert(conversation, standing);
    }
    let contacts = open_all(vault, sealed).await?;
    for standing in standings.values_mut() {
        standing.contact = standing.contact_id.as_ref().and_then(|id| contacts.get(id).cloned());
    }
    Ok(standings)
}

fn standing(row: &AnyRow) -> Result<(ConversationId, Standing), ConversationError> {
    let unreadable = |_| ConversationError::Unreadable("conversation");
    let time = |n: usize| row.try_get::<Option<i64>, _>(n).map(|millis| millis.map(Timestamp::from_millis));
    let contact: Option<String> = row.try_get(6)?;
    let standing = Standing {
        mode: Mode::parse(row.try_get(2)?).ok_or(ConversationError::Unreadable("conversation.mode"))?,
        mode_until: time(3)?,
        revision: row.try_get(4)?,
        last_contact_event_at: time(5)?,
        contact_id: contact.map(|id| ContactId::parse(&id)).transpose().map_err(unreadable)?,
        contact: None,
        suppressed: suppressed(row)?,
    };
    Ok((ConversationId::parse(row.try_get(1)?).map_err(unreadable)?, standing))
}

fn suppressed(row: &AnyRow) -> Result<Option<Suppressed>, ConversationError> {
    let reason: Option<String> = row.try_get(7)?;
    let since: Option<i64> = row.try_get(11)?;
    Ok(reason.zip(since).map(|(reason, since)| Suppressed { reason, since: Timestamp::from_millis(since) }))
}
