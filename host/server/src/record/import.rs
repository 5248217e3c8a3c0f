//! Imports the business's records from JSON: an array, or one object per line. All rows or none, with a report by row.

use bellhop_domain::id::RecordId;
use bellhop_domain::manifest::Owner;
use serde_json::Value;

use super::collection::{declared, revision_bump_in};
use super::schema::Schema;
use super::write::insert_in;
use super::{Change, CollectionKey, MAX_RECORD_BYTES, MAX_RECORDS, RecordError, RecordWrite, Records};

/// Largest file in bytes: it is held in memory, opened and sealed.
pub const MAX_IMPORT_BYTES: usize = 16 << 20;

/// Most rows that a report names; whoever has more has one mistake many times.
const MAX_REPORTED: usize = 100;

/// The member that sets a record's key; without it rows are numbered.
const KEY_MEMBER: &str = "_key";

/// What happens to the records that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportMode {
    /// They stay.
    Append,
    /// They are removed in the same transaction.
    Replace,
}

/// What an import did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    /// Records made.
    pub n_added: usize,
    /// Records removed.
    pub n_removed: u64,
}

/// What is wrong with one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowProblem {
    /// From 1: the number of the object, or of the line.
    pub row: usize,
    /// What to change; names places and rules, never values.
    pub problem: String,
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is too large.
    #[error("the file has {bytes} bytes; split it, one import takes {MAX_IMPORT_BYTES}")]
    TooLarge {
        /// How many it has.
        bytes: usize,
    },
    /// More records than a collection may have.
    #[error("there would be {records} records; a collection takes {MAX_RECORDS}")]
    TooMany {
        /// How many there would be.
        records: usize,
    },
    /// The array does not parse.
    #[error("the file is no JSON array: {0}")]
    NotJson(String),
    /// The records belong to contacts.
    #[error("`{0}` holds contacts' records, which only a conversation can make")]
    ContactsOwned(String),
    /// The declaration's schema cannot be used.
    #[error("the collection's schema cannot be used")]
    Schema(#[from] super::schema::InvalidSchema),
    /// Rows are wrong; nothing was written.
    #[error("{} rows cannot be imported; nothing was written", .0.len())]
    Rows(Vec<RowProblem>),
    /// The store failed; nothing was written.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl Records {
    /// Imports records into a business-owned collection, all or none.
    ///
    /// # Errors
    /// [`ImportError`] says what to change; nothing was written.
    ///
    /// # Cancel safety
    /// One transaction: either all rows are there or none.
    pub async fn import(
        &self,
        collection: &CollectionKey,
        mode: ImportMode,
        file: &[u8],
    ) -> Result<Imported, ImportError> {
        if file.len() > MAX_IMPORT_BYTES {
            return Err(ImportError::TooLarge { bytes: file.len() });
        }
        let declared =
            declared(&self.db, collection).await?.ok_or_else(|| RecordError::NotDeclared(collection.name.clone()))?;
        match declared.collection.owner {
            Owner::Business => {}
            Owner::Contacts => return Err(ImportError::ContactsOwned(collection.name.clone())),
        }
        let schema = Schema::compile(&declared.collection.schema)?;
        let documents = checked(&schema, rows(file)?)?;
        let (n_before, last_key) = self.extent(collection, mode).await?;
        let n_added = documents.len();
        if n_before + n_added > MAX_RECORDS {
            return Err(ImportError::TooMany { records: n_before + n_added });
        }
        let writes = (last_key.saturating_add(1)..).zip(documents).map(|(number, (key, json))| RecordWrite {
            collection: collection.clone(),
            id: RecordId::new(),
            contact: None,
            change: Change::Insert { key: key.unwrap_or(number), json },
        });
        let prepared = self.prepare(writes.collect()).await?;
        let now = self.db.now();
        let mut transaction = self.db.begin_write().await.map_err(RecordError::Db)?;
        revision_bump_in(&mut transaction, collection).await?;
        let n_removed = match mode {
            ImportMode::Append => 0,
            ImportMode::Replace => remove_all_in(&mut transaction, collection).await?,
        };
        insert_in(&mut transaction, now, &prepared.iter().collect::<Vec<_>>()).await?;
        transaction.commit().await.map_err(RecordError::Db)?;
        self.forget(collection);
        Ok(Imported { n_added, n_removed })
    }

    /// How many records stay and the largest key among them.
    async fn extent(&self, collection: &CollectionKey, mode: ImportMode) -> Result<(usize, i64), RecordError> {
        match mode {
            ImportMode::Replace => Ok((0, 0)),
            ImportMode::Append => {
                let query = sqlx::query_as::<sqlx::Any, (i64, i64)>(
                    "select count(*), coalesce(max(key), 0) from record \
                     where workspace_id = $1 and plugin_key = $2 and collection = $3",
                );
                let query = query
                    .bind(collection.workspace.as_str())
                    .bind(collection.plugin_key.as_str())
                    .bind(collection.name.as_str());
                let mut reader = self.db.reader().await?;
                let (count, key) = query.fetch_one(&mut *reader).await.map_err(crate::db::DbError::Statement)?;
                Ok((usize::try_from(count).unwrap_or(usize::MAX), key))
            }
        }
    }
}

async fn remove_all_in(
    transaction: &mut crate::db::WriteTransaction,
    collection: &CollectionKey,
) -> Result<u64, RecordError> {
    let query = sqlx::query("delete from record where workspace_id = $1 and plugin_key = $2 and collection = $3")
        .bind(collection.workspace.as_str())
        .bind(collection.plugin_key.as_str())
        .bind(collection.name.as_str());
    Ok(transaction.execute(query).await?)
}

/// The rows of a file, each parsed or with what the parser said.
fn rows(file: &[u8]) -> Result<Vec<Result<Value, String>>, ImportError> {
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file).trim_ascii();
    if file.first() == Some(&b'[') {
        let list: Vec<Value> = serde_json::from_slice(file).map_err(|error| ImportError::NotJson(error.to_string()))?;
        return Ok(list.into_iter().map(Ok).collect());
    }
    let lines = file.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let filled = lines.filter(|line| !line.is_empty());
    Ok(filled.map(|line| serde_json::from_slice(line).map_err(|error| format!("no JSON: {error}"))).collect())
}

/// Key, if one is given, and document of each row.
fn checked(schema: &Schema, rows: Vec<Result<Value, String>>) -> Result<Vec<(Option<i64>, String)>, ImportError> {
    let mut documents = Vec::with_capacity(rows.len());
    let mut problems = Vec::new();
    for (row, parsed) in (1..).zip(rows) {
        match parsed.map_err(|problem| vec![problem]).and_then(|document| checked_row(schema, document)) {
            Ok(document) => documents.push(document),
            Err(found) => problems.extend(found.into_iter().map(|problem| RowProblem { row, problem })),
        }
        if problems.len() >= MAX_REPORTED {
            break;
        }
    }
    if problems.is_empty() { Ok(documents) } else { Err(ImportError::Rows(problems)) }
}

fn checked_row(schema: &Schema, document: Value) -> Result<(Option<i64>, String), Vec<String>> {
    let Value::Object(mut members) = document else { return Err(vec!["a record is a JSON object".to_owned()]) };
    let key = match members.remove(KEY_MEMBER) {
        None => None,
        Some(key) => Some(key.as_i64().ok_or_else(|| vec![format!("`{KEY_MEMBER}` is a whole number")])?),
    };
    let document = Value::Object(members);
    schema.check(&document)?;
    let json = document.to_string();
    if json.len() > MAX_RECORD_BYTES {
        return Err(vec![format!("the record has {} bytes; shorten it to {MAX_RECORD_BYTES}", json.len())]);
    }
    Ok((key, json))
}
