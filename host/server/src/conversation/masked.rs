//! What the tokens of masked texts stand for, by contact: sealed under the contact's key, found by the token.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use bellhop_domain::id::{ContactId, WorkspaceId};
use bellhop_domain::mask::{Token, Value};
use bellhop_domain::time::Timestamp;
use sqlx::Row;

use crate::conversation::{ConversationError, sealed_column};
use crate::db::{Bulk, Db, WriteTransaction};
use crate::vault::{DataKey, Place, Vault, VaultError};

/// A value to keep; one that is kept already stays as it is.
#[derive(Debug, Clone)]
pub struct MaskedValue {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// Who wrote it.
    pub contact: ContactId,
    /// Token and value.
    pub value: Value,
    /// The contact's key.
    pub key: Arc<DataKey>,
}

fn row_name(contact: &ContactId, token: &str) -> String {
    format!("{contact}/{token}")
}

fn place(row: &str) -> Place<'_> {
    Place { table: "masked_value", column: "sealed", row, revision: 0 }
}

/// Keeps values.
///
/// # Errors
/// [`ConversationError`]; the transaction is over.
pub async fn masked_write_in(
    transaction: &mut WriteTransaction,
    values: &[MaskedValue],
    now: Timestamp,
) -> Result<(), ConversationError> {
    let by_key = |one: &MaskedValue| (one.workspace.clone(), one.contact.clone(), one.value.token.clone());
    let once: BTreeMap<_, _> = values.iter().rev().map(|one| (by_key(one), one)).collect();
    let once: Vec<&MaskedValue> = once.into_values().collect();
    for chunk in once.chunks(Bulk::MAX_ROWS) {
        let mut insert =
            Bulk::new("insert into masked_value (workspace_id, contact_id, token, key_id, sealed, seen_at) values ");
        for one in chunk {
            let row = row_name(&one.contact, one.value.token.as_str());
            insert
                .row()
                .bind(one.workspace.as_str())
                .bind(one.contact.as_str())
                .bind(one.value.token.as_str())
                .bind(one.key.id().as_str())
                .bind(one.key.seal(&place(&row), one.value.shown.as_bytes()))
                .bind(now.millis());
        }
        transaction.execute(insert.end(" on conflict (workspace_id, contact_id, token) do nothing")).await?;
    }
    Ok(())
}

/// What these tokens of a contact stand for. One that this contact never wrote is not in the answer.
///
/// # Errors
/// [`ConversationError`].
pub async fn masked_find(
    db: &Db,
    vault: &Vault,
    (workspace, contact): (&WorkspaceId, &ContactId),
    tokens: &BTreeSet<Token>,
) -> Result<HashMap<Token, String>, ConversationError> {
    let mut select =
        Bulk::new("select token, key_id, sealed from masked_value where (workspace_id, contact_id, token) in ").keys(3);
    for token in tokens {
        select.row().bind(workspace.as_str()).bind(contact.as_str()).bind(token.as_str());
    }
    let mut found = HashMap::new();
    if select.is_empty() {
        return Ok(found);
    }
    for row in db.fetch_all(select).await? {
        let name: String = row.try_get(0)?;
        let sealed = sealed_column(&row, 1, 2)?;
        let key = match vault.key_by_id(workspace, &sealed.key).await {
            Ok(key) => key,
            Err(VaultError::KeyGone) => continue,
            Err(error) => return Err(error.into()),
        };
        let plain = key.open(&place(&row_name(contact, &name)), &sealed.bytes)?;
        let shown = String::from_utf8(plain.to_vec()).map_err(|_| ConversationError::Unreadable("masked_value"))?;
        found.extend(tokens.iter().find(|token| token.as_str() == name).map(|token| (token.clone(), shown)));
    }
    Ok(found)
}
