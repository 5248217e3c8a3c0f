//! Questions to the log: who read what of a contact, and which reading a grant was used for. Reads rows, opens nothing.

use std::collections::BTreeSet;

use bellhop_domain::id::{AuditId, GrantId, WorkspaceId};
use bellhop_domain::time::Timestamp;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::db::{Db, DbError};

/// A reading of what belongs to a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadRow {
    /// The row.
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// What kind of data.
    pub code: String,
    /// The plugin's hash; `None` when no plugin read it.
    pub plugin_hash: Option<String>,
    /// The grant that allowed it.
    pub grant: Option<String>,
    /// The turn in which.
    pub reference: Option<String>,
}

const OF_SUBJECT: &str = "select id, at, code, plugin_hash, grant_id, ref from audit \
     where workspace_id = $1 and subject = $2 and id < $3 and kind = 'read' order by id desc limit $4";

/// Sorts after every id, wherever punctuation stands in a database's alphabet.
const END: &str = "z";

/// What was read of the contact of this subject, newest first: so many rows, those before a row of an earlier answer.
///
/// # Errors
/// [`DbError`].
pub async fn reads_of(
    db: &Db,
    (workspace, subject): (&WorkspaceId, &[u8; 32]),
    before: Option<&AuditId>,
    limit: i64,
) -> Result<Vec<ReadRow>, DbError> {
    let select = sqlx::query(OF_SUBJECT).bind(workspace.as_str()).bind(subject.as_slice());
    let select = select.bind(before.map_or(END, AuditId::as_str)).bind(limit);
    let read = |row: &AnyRow| {
        Ok(ReadRow {
            id: AuditId::parse(row.try_get(0)?).map_err(|_| DbError::Unreadable("audit"))?,
            at: Timestamp::from_millis(row.try_get(1)?),
            code: row.try_get(2)?,
            plugin_hash: row.try_get(3)?,
            grant: row.try_get(4)?,
            reference: row.try_get(5)?,
        })
    };
    db.fetch_all(select).await?.iter().map(read).collect()
}

/// The kinds of data that plugins of a workspace have read since then, with the grant of each. Walks the workspace's log.
///
/// # Errors
/// [`DbError`].
pub async fn reads_since(
    db: &Db,
    workspace: &WorkspaceId,
    since: Timestamp,
) -> Result<BTreeSet<(GrantId, String)>, DbError> {
    let select = sqlx::query(
        "select distinct grant_id, code from audit \
         where workspace_id = $1 and kind = 'read' and at >= $2 and grant_id is not null",
    );
    let read = |row: &AnyRow| {
        let grant = GrantId::parse(row.try_get(0)?).map_err(|_| DbError::Unreadable("audit"))?;
        Ok((grant, row.try_get(1)?))
    };
    db.fetch_all(select.bind(workspace.as_str()).bind(since.millis())).await?.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Code, Entry, Kind, append};
    use crate::db::testing::{fresh, reaches};

    async fn read(db: &Db, workspace: &WorkspaceId, subject: [u8; 32], code: &'static str) {
        let mut transaction = db.begin_write().await.unwrap();
        let entry = Entry { subject: Some(subject), ..Entry::new(workspace.clone(), Kind::Read, Code::of(code)) };
        append(&mut transaction, db.now(), &[entry]).await.unwrap();
        transaction.commit().await.unwrap();
    }

    #[tokio::test]
    async fn reads_come_newest_first_in_pages_and_nobody_elses() {
        let (_folder, _clock, db) = fresh().await;
        let (ours, theirs) = (WorkspaceId::new(), WorkspaceId::new());
        for code in ["one", "two", "three"] {
            read(&db, &ours, [1; 32], code).await;
        }
        read(&db, &ours, [2; 32], "of-somebody-else").await;
        read(&db, &theirs, [1; 32], "elsewhere").await;
        let codes = |rows: &[ReadRow]| rows.iter().map(|row| row.code.clone()).collect::<Vec<_>>();
        let first = reads_of(&db, (&ours, &[1; 32]), None, 2).await.unwrap();
        assert_eq!(codes(&first), ["three", "two"]);
        let rest = reads_of(&db, (&ours, &[1; 32]), Some(&first[1].id), 2).await.unwrap();
        assert_eq!(codes(&rest), ["one"]);
    }

    #[tokio::test]
    async fn the_reads_of_a_contact_are_found_by_their_index() {
        let (_folder, _clock, db) = fresh().await;
        reaches(&db, OF_SUBJECT, "audit", &["audit_by_subject (workspace_id=? AND subject=? AND id<?)"]).await;
    }
}
