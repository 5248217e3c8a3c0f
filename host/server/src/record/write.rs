//! Buffered writes: sealed before the transaction, applied inside it, each against the revision that was read. Never opens
//! a transaction of its own and never writes half: an error means that the caller's transaction is dropped.

use std::collections::BTreeSet;

use bellhop_domain::id::{ContactId, KeyId, RecordId};
use bellhop_domain::time::Timestamp;

use super::collection::revision_bump_in;
use super::{CollectionKey, RecordError, Records, place};
use crate::db::{Bulk, WriteTransaction};
use crate::vault::Owner;

/// A write that waits for its turn's commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordWrite {
    /// Where.
    pub collection: CollectionKey,
    /// Which.
    pub id: RecordId,
    /// Whose record it is; `None` for the business's.
    pub contact: Option<ContactId>,
    /// What happens to it.
    pub change: Change,
}

/// What happens to a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A new record.
    Insert {
        /// Its key.
        key: i64,
        /// The document, checked against the schema.
        json: String,
    },
    /// A new document for a record that was read at this revision.
    Update {
        /// Its key.
        key: i64,
        /// The document, checked against the schema.
        json: String,
        /// As it was read.
        revision: i64,
    },
    /// The record that was read at this revision goes.
    Remove {
        /// As it was read.
        revision: i64,
    },
}

/// A write whose content is sealed.
#[derive(Debug, Clone)]
pub struct PreparedWrite {
    write: RecordWrite,
    sealed: Option<(KeyId, Vec<u8>)>,
}

impl PreparedWrite {
    /// The collection it writes to; what is cached of it is stale after the commit.
    pub fn collection(&self) -> &CollectionKey {
        &self.write.collection
    }
}

impl Records {
    /// Seals the content of writes. Done before the transaction, because the keyring is another database.
    ///
    /// # Errors
    /// [`RecordError::Vault`]; nothing was written.
    pub async fn prepare(&self, writes: Vec<RecordWrite>) -> Result<Vec<PreparedWrite>, RecordError> {
        let mut prepared = Vec::with_capacity(writes.len());
        for write in writes {
            let content = match &write.change {
                Change::Insert { json, .. } => Some((json, 1)),
                Change::Update { json, revision, .. } => Some((json, revision + 1)),
                Change::Remove { .. } => None,
            };
            let sealed = match content {
                Some((json, revision)) => {
                    let owner = write.contact.as_ref().map_or(Owner::Workspace, Owner::Contact);
                    let key = self.vault.key(&write.collection.workspace, owner).await?;
                    let row = write.collection.row(&write.id);
                    Some((key.id().clone(), key.seal(&place(&row, revision), json.as_bytes())))
                }
                None => None,
            };
            prepared.push(PreparedWrite { write, sealed });
        }
        Ok(prepared)
    }
}

/// Applies prepared writes in the turn's transaction and counts each collection's change.
///
/// # Errors
/// [`RecordError::Conflict`] when a record is not as it was read: drop the transaction, nothing was written.
/// [`RecordError::NotDeclared`] when the collection is gone.
pub async fn apply_in(
    transaction: &mut WriteTransaction,
    writes: &[PreparedWrite],
    now: Timestamp,
) -> Result<(), RecordError> {
    // In one order on every host, so that two turns never wait for each other.
    let collections: BTreeSet<&CollectionKey> = writes.iter().map(|write| &write.write.collection).collect();
    for collection in collections {
        revision_bump_in(transaction, collection).await?;
    }
    let (inserts, others): (Vec<&PreparedWrite>, Vec<&PreparedWrite>) =
        writes.iter().partition(|write| matches!(write.write.change, Change::Insert { .. }));
    insert_in(transaction, now, &inserts).await?;
    for write in others {
        let touched = match &write.write.change {
            Change::Update { key, revision, .. } => update_in(transaction, now, write, *key, *revision).await?,
            Change::Remove { revision } => remove_in(transaction, write, *revision).await?,
            // They were taken out above.
            Change::Insert { .. } => 1,
        };
        if touched != 1 {
            return Err(RecordError::Conflict);
        }
    }
    Ok(())
}

pub(super) async fn insert_in(
    transaction: &mut WriteTransaction,
    now: Timestamp,
    inserts: &[&PreparedWrite],
) -> Result<(), RecordError> {
    for chunk in inserts.chunks(Bulk::MAX_ROWS) {
        let mut bulk = Bulk::new(
            "insert into record (workspace_id, plugin_key, collection, id, key, contact_id, revision, key_id, sealed, \
             updated_at) values ",
        );
        for prepared in chunk {
            let (Change::Insert { key, .. }, Some((key_id, sealed))) = (&prepared.write.change, &prepared.sealed)
            else {
                return Err(RecordError::Unreadable);
            };
            bulk.row()
                .bind(prepared.write.collection.workspace.as_str())
                .bind(prepared.write.collection.plugin_key.as_str())
                .bind(prepared.write.collection.name.as_str())
                .bind(prepared.write.id.as_str())
                .bind(*key)
                .bind(prepared.write.contact.as_ref().map(ContactId::as_str))
                .bind(1_i64)
                .bind(key_id.as_str())
                .bind(sealed.as_slice())
                .bind(now.millis());
        }
        let touched = transaction.execute(bulk.end(" on conflict do nothing")).await?;
        if touched != chunk.len() as u64 {
            return Err(RecordError::Conflict);
        }
    }
    Ok(())
}

async fn update_in(
    transaction: &mut WriteTransaction,
    now: Timestamp,
    prepared: &PreparedWrite,
    key: i64,
    revision: i64,
) -> Result<u64, RecordError> {
    let Some((key_id, sealed)) = &prepared.sealed else { return Err(RecordError::Unreadable) };
    let write = &prepared.write;
    let query = sqlx::query(
        "update record set key = $1, revision = revision + 1, key_id = $2, sealed = $3, updated_at = $4 \
         where workspace_id = $5 and plugin_key = $6 and collection = $7 and id = $8 and revision = $9 \
         and coalesce(contact_id, '') = $10",
    )
    .bind(key)
    .bind(key_id.as_str())
    .bind(sealed.as_slice())
    .bind(now.millis())
    .bind(write.collection.workspace.as_str())
    .bind(write.collection.plugin_key.as_str())
    .bind(write.collection.name.as_str())
    .bind(write.id.as_str())
    .bind(revision)
    .bind(write.contact.as_ref().map_or("", ContactId::as_str));
    Ok(transaction.execute(query).await?)
}

async fn remove_in(
    transaction: &mut WriteTransaction,
    prepared: &PreparedWrite,
    revision: i64,
) -> Result<u64, RecordError> {
    let write = &prepared.write;
    let query = sqlx::query(
        "delete from record where workspace_id = $1 and plugin_key = $2 and collection = $3 and id = $4 and revision = $5 \
         and coalesce(contact_id, '') = $6",
    )
    .bind(write.collection.workspace.as_str())
    .bind(write.collection.plugin_key.as_str())
    .bind(write.collection.name.as_str())
    .bind(write.id.as_str())
    .bind(revision)
    .bind(write.contact.as_ref().map_or("", ContactId::as_str));
    Ok(transaction.execute(query).await?)
}
