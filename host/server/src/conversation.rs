//! Contacts, conversations, messages, sessions, tasks: what people said and what is known of them. Seals and opens content
//! through vault; never decides who may see it.
//!
//! Text is stored once, under its message's id, so that taking a message back overwrites it; everything else points there.

mod contact;
mod customer;
mod erased;
mod mark;
mod masked;
mod message;
mod mode;
mod session;
mod standing;
mod task;

use bellhop_domain::id::KeyId;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::db::DbError;
use crate::vault::VaultError;

pub use contact::{Contact, NewContact, Profile, contact_is_known, contacts_find, contacts_insert_in};
pub use customer::{Customer, customers_find};
pub use erased::{ContactKey, contact_keys_after, contacts_note_erased_in};
pub use mark::{Mark, MarkRow, marks_find, marks_write_in};
pub use masked::{MaskedValue, masked_find, masked_write_in};
pub use message::{Body, MessageRow, NewMessage, history, message_id_by_mid, messages_find, messages_insert_in};
pub use mode::{OPT_OUT, Suppression, conversation_set_mode_in, conversations_touch_in, suppress_in, unsuppress_in};
pub use session::{SessionWrite, sessions_find, sessions_write_in};
pub use standing::{Standing, Suppressed, standings};
pub use task::{
    NewTask, PLUGIN_SUSPENDED, TaskRow, task_close, task_queue, tasks_close_in, tasks_insert_in, tasks_open,
};

/// What can go wrong with people's content.
#[derive(Debug, thiserror::Error)]
pub enum ConversationError {
    /// The database.
    #[error("could not read or write conversations")]
    Db(#[from] DbError),
    /// A key is gone (the contact was erased) or the content is damaged.
    #[error("could not open or seal content")]
    Vault(#[from] VaultError),
    /// Content that this version cannot read.
    #[error("unreadable content in {0}")]
    Unreadable(&'static str),
}

impl From<sqlx::Error> for ConversationError {
    fn from(error: sqlx::Error) -> Self {
        Self::Db(DbError::Statement(error))
    }
}

/// A sealed column as it stands in a row.
struct SealedColumn {
    key: KeyId,
    bytes: Vec<u8>,
}

fn sealed_column(row: &AnyRow, key: usize, bytes: usize) -> Result<SealedColumn, ConversationError> {
    let key = KeyId::parse(row.try_get(key)?).map_err(|_| ConversationError::Unreadable("key_id"))?;
    Ok(SealedColumn { key, bytes: row.try_get(bytes)? })
}
