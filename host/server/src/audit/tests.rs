//! Tests of the log and its chain, on SQLite.

use bellhop_domain::id::{ContentHash, GrantId, TurnId, WorkspaceId};

use crate::db::{Clock, Db, Schema};

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

async fn fresh() -> (tempfile::TempDir, Db) {
    let folder = tempfile::tempdir().unwrap();
    let url = Db::sqlite_url(&folder.path().join("store.db"));
    let db = Db::open(&url, Schema::Store, Clock::manual(NOW)).await.unwrap();
    (folder, db)
}

fn entry(workspace: &WorkspaceId) -> Entry {
    Entry {
        plugin_hash: Some(ContentHash::parse("abc").unwrap()),
        grant_id: Some(GrantId::new()),
        reference: Some(Reference::from(&TurnId::new())),
        subject: Some([7; 32]),
        ..Entry::new(workspace.clone(), Kind::Read, Code::of("contact-name"))
    }
}

async fn append_many(db: &Db, entries: &[Entry]) {
    let mut transaction = db.begin_write().await.unwrap();
    append(&mut transaction, NOW, entries).await.unwrap();
    transaction.commit().await.unwrap();
}

/// A log of two batches, three rows and one row, and the workspace it belongs to.
async fn sealed(db: &Db) -> WorkspaceId {
    let workspace = WorkspaceId::new();
    let plain = Entry::new(workspace.clone(), Kind::Configuration, Code::of("channel-added"));
    append_many(db, &[entry(&workspace), plain, entry(&workspace)]).await;
    assert_eq!(seal(db, NOW).await.unwrap(), 3);
    append_many(db, &[entry(&workspace)]).await;
    assert_eq!(seal(db, NOW).await.unwrap(), 1);
    workspace
}

#[tokio::test]
async fn a_sealed_log_verifies_and_each_workspace_has_its_own_chain() {
    let (_folder, db) = fresh().await;
    let (ours, theirs) = (sealed(&db).await, WorkspaceId::new());
    append_many(&db, &[entry(&theirs), entry(&ours)]).await;
    assert_eq!(seal(&db, NOW).await.unwrap(), 2);
    assert_eq!(seal(&db, NOW).await.unwrap(), 0);
    let verified = verify(&db, &ours).await.unwrap();
    assert_eq!((verified.n_batches, verified.n_rows), (3, 5));
    assert_eq!(verify(&db, &theirs).await.unwrap().n_rows, 1);
    assert_eq!(verify(&db, &WorkspaceId::new()).await.unwrap().n_rows, 0);
}

#[tokio::test]
async fn every_way_to_change_a_sealed_log_is_noticed() {
    let changes = [
        ("update audit set code = 'other' where code = 'channel-added'", 1),
        ("update audit set kind = 'http' where code = 'channel-added'", 1),
        ("update audit set at = at + 1 where seq = 2", 2),
        ("update audit set subject = null where seq = 2", 2),
        ("update audit set ref = '' where code = 'channel-added'", 1),
        ("delete from audit where code = 'channel-added'", 1),
        ("delete from audit where seq = 2", 2),
        ("update audit set seq = null where seq = 2", 2),
        ("update audit set seq = 1 where seq = 2", 2),
        ("update audit set seq = 3 where seq = 2", 2),
        (
            "insert into audit (workspace_id, id, at, kind, code, seq) select workspace_id, 'z', at, kind, code, seq from audit where seq = 2",
            3,
        ),
        (
            "insert into audit (workspace_id, id, at, kind, code, seq) select workspace_id, 'z', at, kind, code, 9 from audit where seq = 2",
            3,
        ),
        ("update audit_seal set last_id = first_id where seq = 1", 1),
        ("delete from audit_seal where seq = 1", 1),
        ("delete from audit_seal where seq = 2", 2),
        ("update audit_seal set hash = previous where seq = 1", 1),
        ("update audit_seal set n_rows = 4 where seq = 1", 1),
    ];
    for (change, broken) in changes {
        let (_folder, db) = fresh().await;
        let workspace = sealed(&db).await;
        assert!(verify(&db, &workspace).await.is_ok());
        assert!(db.execute(sqlx::query(change)).await.unwrap() > 0, "{change}");
        let found = verify(&db, &workspace).await;
        assert!(matches!(found, Err(AuditError::Broken { seq }) if seq == broken), "{change}: {found:?}");
    }
}

#[tokio::test]
async fn a_row_that_arrives_late_is_sealed_with_the_next_batch() {
    let (_folder, db) = fresh().await;
    let workspace = sealed(&db).await;
    append_many(&db, &[entry(&workspace)]).await;
    db.execute(sqlx::query("update audit set id = '0' where seq is null")).await.unwrap();
    assert_eq!(seal(&db, NOW).await.unwrap(), 1);
    assert_eq!(verify(&db, &workspace).await.unwrap().n_batches, 3);
}

#[tokio::test]
async fn a_long_log_is_sealed_in_batches() {
    let (_folder, db) = fresh().await;
    let workspace = WorkspaceId::new();
    let entries: Vec<Entry> = (0..1_201).map(|_| entry(&workspace)).collect();
    append_many(&db, &entries).await;
    assert_eq!(seal(&db, NOW).await.unwrap(), 1_201);
    let verified = verify(&db, &workspace).await.unwrap();
    assert_eq!((verified.n_batches, verified.n_rows), (3, 1_201));
}

#[tokio::test]
async fn two_jobs_at_once_leave_one_whole_chain() {
    let (_folder, db) = fresh().await;
    let workspace = WorkspaceId::new();
    let entries: Vec<Entry> = (0..40).map(|_| entry(&workspace)).collect();
    append_many(&db, &entries).await;
    let (a, b) = tokio::join!(seal(&db, NOW), seal(&db, NOW));
    assert_eq!(a.unwrap() + b.unwrap(), 40);
    assert_eq!(verify(&db, &workspace).await.unwrap().n_rows, 40);
}
