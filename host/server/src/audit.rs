//! The append-only log of what was done and what left the host. Holds codes and our own ids; never content, never free text.
//!
//! Rows are inserted unchained, in the transaction of what they tell of; [`seal`] later numbers them and chains them in
//! batches, so that a changed, removed or inserted row is noticed by [`verify`].

mod anchor;
mod chain;
mod count;
mod entry;
mod reads;

use bellhop_domain::id::AuditId;
use bellhop_domain::time::Timestamp;

use crate::db::{Bulk, DbError, WriteTransaction};

pub use anchor::{Anchor, Anchors, Examined, examine};
pub use chain::{AuditError, Verified, seal, verify, workspaces};
pub use count::unsealed;
pub use entry::{Code, Entry, InvalidCode, Kind, Reference};
pub use reads::{ReadRow, reads_of, reads_since};

/// Adds rows to the log, in one statement, as part of the transaction that does what they tell of.
///
/// # Errors
/// As [`WriteTransaction::execute`]; the transaction is over.
pub async fn append(transaction: &mut WriteTransaction, now: Timestamp, entries: &[Entry]) -> Result<(), DbError> {
    for entries in entries.chunks(Bulk::MAX_ROWS) {
        let mut insert = Bulk::new(
            "insert into audit (workspace_id, id, at, kind, code, plugin_hash, grant_id, ref, subject) values ",
        );
        for entry in entries {
            insert
                .row()
                .bind(entry.workspace.as_str())
                .bind(AuditId::new().as_str())
                .bind(now.millis())
                .bind(entry.kind.as_str())
                .bind(entry.code.as_str())
                .bind(entry.plugin_hash.as_ref().map(|hash| hash.as_str()))
                .bind(entry.grant_id.as_ref().map(|grant| grant.as_str()))
                .bind(entry.reference.as_ref().map(Reference::as_str))
                .bind(entry.subject.as_ref().map(|subject| subject.as_slice()));
        }
        transaction.execute(insert).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
