//! Reads records from the store and opens them. A record whose key was destroyed is gone.

use std::sync::Arc;

use bellhop_domain::id::{KeyId, RecordId};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{CollectionKey, MAX_RECORDS, Range, Record, RecordError, Records, Whose, place};
use crate::vault::DataKey;

const COLUMNS_GET: &str = "select id, key, revision, key_id, sealed from record \
    where workspace_id = $1 and plugin_key = $2 and collection = $3 and id = $4 and coalesce(contact_id, '') = $5";

const COLUMNS_ASCENDING: &str = "select id, key, revision, key_id, sealed from record \
    where workspace_id = $1 and plugin_key = $2 and collection = $3 and coalesce(contact_id, '') = $4 \
    and key >= $5 and key <= $6 order by key, id limit $7";

const COLUMNS_DESCENDING: &str = "select id, key, revision, key_id, sealed from record \
    where workspace_id = $1 and plugin_key = $2 and collection = $3 and coalesce(contact_id, '') = $4 \
    and key >= $5 and key <= $6 order by key desc, id desc limit $7";

/// A row, still sealed.
struct Sealed {
    id: RecordId,
    key: i64,
    revision: i64,
    key_id: KeyId,
    sealed: Vec<u8>,
}

impl Records {
    /// One record; `None` when there is none of this owner with this id.
    ///
    /// # Errors
    /// [`RecordError::Db`], [`RecordError::Vault`].
    pub async fn get(
        &self,
        collection: &CollectionKey,
        whose: Whose<'_>,
        id: &RecordId,
    ) -> Result<Option<Record>, RecordError> {
        if whose == Whose::Business
            && let Some(content) = self.cache.fresh(collection, self.db.now())
        {
            return Ok(content.get(id).cloned());
        }
        let query = sqlx::query(COLUMNS_GET)
            .bind(collection.workspace.as_str())
            .bind(collection.plugin_key.as_str())
            .bind(collection.name.as_str())
            .bind(id.as_str())
            .bind(whose.contact());
        let rows = self.db.fetch_optional(query).await?.into_iter().collect();
        Ok(self.open(collection, rows).await?.pop())
    }

    /// The records of a range, in its order.
    ///
    /// # Errors
    /// As [`Records::get`].
    pub async fn find(
        &self,
        collection: &CollectionKey,
        whose: Whose<'_>,
        range: &Range,
    ) -> Result<Vec<Record>, RecordError> {
        let sql = if range.descending { COLUMNS_DESCENDING } else { COLUMNS_ASCENDING };
        let query = sqlx::query(sql)
            .bind(collection.workspace.as_str())
            .bind(collection.plugin_key.as_str())
            .bind(collection.name.as_str())
            .bind(whose.contact())
            .bind(range.from)
            .bind(range.to)
            .bind(i64::from(range.limit));
        let rows = self.db.fetch_all(query).await?;
        self.open(collection, rows).await
    }

    /// All records of a business's collection, as far as they are searched.
    pub(super) async fn all(&self, collection: &CollectionKey) -> Result<Vec<Record>, RecordError> {
        let limit = u32::try_from(MAX_RECORDS).unwrap_or(u32::MAX);
        let range = Range { from: i64::MIN, to: i64::MAX, descending: false, limit };
        self.find(collection, Whose::Business, &range).await
    }

    async fn open(&self, collection: &CollectionKey, rows: Vec<AnyRow>) -> Result<Vec<Record>, RecordError> {
        let rows = rows.iter().map(sealed).collect::<Result<Vec<_>, _>>()?;
        let mut ids: Vec<KeyId> = rows.iter().map(|row| row.key_id.clone()).collect();
        ids.sort_unstable();
        ids.dedup();
        let wanted: Vec<_> = ids.iter().map(|id| (collection.workspace.clone(), id.clone())).collect();
        let keys = self.vault.keys_by_id(&wanted).await?;
        let mut records = Vec::with_capacity(rows.len());
        for row in rows {
            let key = ids.binary_search(&row.key_id).ok().and_then(|at| keys.get(at)).and_then(Option::as_ref);
            // Without its key the record is erased, whatever the row still says.
            if let Some(key) = key {
                records.push(opened(collection, key, row)?);
            }
        }
        Ok(records)
    }
}

fn opened(collection: &CollectionKey, key: &Arc<DataKey>, row: Sealed) -> Result<Record, RecordError> {
    let name = collection.row(&row.id);
    let plain = key.open(&place(&name, row.revision), &row.sealed)?;
    let json = std::str::from_utf8(&plain).map_err(|_| RecordError::Unreadable)?.to_owned();
    Ok(Record { id: row.id, key: row.key, json, revision: row.revision })
}

fn sealed(row: &AnyRow) -> Result<Sealed, RecordError> {
    let unreadable = |_| RecordError::Unreadable;
    let id: String = row.try_get("id").map_err(unreadable)?;
    let key_id: String = row.try_get("key_id").map_err(unreadable)?;
    Ok(Sealed {
        id: RecordId::parse(&id).map_err(|_| RecordError::Unreadable)?,
        key: row.try_get("key").map_err(unreadable)?,
        revision: row.try_get("revision").map_err(unreadable)?,
        key_id: KeyId::parse(&key_id).map_err(|_| RecordError::Unreadable)?,
        sealed: row.try_get("sealed").map_err(unreadable)?,
    })
}
