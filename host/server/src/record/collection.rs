//! Declarations: what a plugin's manifest says of its collections, kept beside the records so that commands and pages know
//! them without the plugin. Never judges a declaration; the manifest's parser has.

use bellhop_domain::id::{PluginKey, WorkspaceId};
use bellhop_domain::manifest::{Collection, Owner};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::Row;

use super::search::SearchFields;
use super::{CollectionKey, RecordError};
use crate::db::{Db, WriteTransaction};

/// What is kept of a declaration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Declaration {
    search: Vec<String>,
    language: Option<String>,
    shared: Vec<String>,
    schema: Value,
}

/// A collection as it stands in the store, and how often it has changed.
pub(super) struct Declared {
    pub(super) collection: Collection,
    pub(super) revision: i64,
}

impl Declared {
    pub(super) fn fields(&self) -> SearchFields {
        SearchFields { text: self.collection.search.clone(), language: self.collection.language.clone() }
    }
}

/// Declares a plugin's collections for a workspace, as its manifest has them. Records stay; a changed declaration counts as
/// a change of the collection.
///
/// # Errors
/// [`RecordError::OwnerChanged`]; the transaction must not be committed.
pub async fn collections_declare_in(
    transaction: &mut WriteTransaction,
    workspace: &WorkspaceId,
    plugin_key: &PluginKey,
    collections: &[Collection],
) -> Result<(), RecordError> {
    for collection in collections {
        let declaration = Declaration {
            search: collection.search.clone(),
            language: collection.language.clone(),
            shared: collection.shared.clone(),
            schema: collection.schema.clone(),
        };
        let text = serde_json::to_string(&declaration).map_err(|_| RecordError::Unreadable)?;
        let touched = transaction
            .execute(
                sqlx::query(
                    "insert into collection (workspace_id, plugin_key, name, ownership, declaration, revision) \
                     values ($1, $2, $3, $4, $5, 1) \
                     on conflict (workspace_id, plugin_key, name) do update \
                     set declaration = excluded.declaration, revision = collection.revision + 1 \
                     where collection.ownership = excluded.ownership",
                )
                .bind(workspace.as_str())
                .bind(plugin_key.as_str())
                .bind(collection.name.as_str())
                .bind(owner_name(collection.owner))
                .bind(text),
            )
            .await?;
        if touched != 1 {
            return Err(RecordError::OwnerChanged(collection.name.clone()));
        }
    }
    Ok(())
}

/// A collection of the store; `None` when nobody declared it.
///
/// # Errors
/// [`RecordError::Db`], [`RecordError::Unreadable`].
pub async fn collection_find(db: &Db, key: &CollectionKey) -> Result<Option<Collection>, RecordError> {
    Ok(declared(db, key).await?.map(|declared| declared.collection))
}

pub(super) async fn declared(db: &Db, key: &CollectionKey) -> Result<Option<Declared>, RecordError> {
    let query = sqlx::query(
        "select ownership, declaration, revision from collection where workspace_id = $1 and plugin_key = $2 and name = $3",
    );
    let query = query.bind(key.workspace.as_str()).bind(key.plugin_key.as_str()).bind(key.name.as_str());
    let Some(row) = db.fetch_optional(query).await? else { return Ok(None) };
    let unreadable = |_| RecordError::Unreadable;
    let owner: String = row.try_get("ownership").map_err(unreadable)?;
    let text: String = row.try_get("declaration").map_err(unreadable)?;
    let revision: i64 = row.try_get("revision").map_err(unreadable)?;
    let declaration: Declaration = serde_json::from_str(&text).map_err(|_| RecordError::Unreadable)?;
    let owner = match owner.as_str() {
        "business" => Owner::Business,
        "contacts" => Owner::Contacts,
        _ => return Err(RecordError::Unreadable),
    };
    let Declaration { search, language, shared, schema } = declaration;
    let collection = Collection { name: key.name.clone(), owner, search, language, shared, schema };
    Ok(Some(Declared { collection, revision }))
}

pub(super) async fn revision_bump_in(
    transaction: &mut WriteTransaction,
    key: &CollectionKey,
) -> Result<(), RecordError> {
    let bump = sqlx::query(
        "update collection set revision = revision + 1 where workspace_id = $1 and plugin_key = $2 and name = $3",
    );
    let bump = bump.bind(key.workspace.as_str()).bind(key.plugin_key.as_str()).bind(key.name.as_str());
    match transaction.execute(bump).await? {
        1 => Ok(()),
        _ => Err(RecordError::NotDeclared(key.name.clone())),
    }
}

const fn owner_name(owner: Owner) -> &'static str {
    match owner {
        Owner::Business => "business",
        Owner::Contacts => "contacts",
    }
}
