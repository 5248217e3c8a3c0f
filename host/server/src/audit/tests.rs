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
    let verified = verify(&db, &ours, |_| ()).await.unwrap();
    assert_eq!((verified.n_batches, verified.n_rows), (3, 5));
    assert_eq!(verify(&db, &theirs, |_| ()).await.unwrap().n_rows, 1);
    assert_eq!(verify(&db, &WorkspaceId::new(), |_| ()).await.unwrap().n_rows, 0);
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
        assert!(verify(&db, &workspace, |_| ()).await.is_ok());
        assert!(db.execute(sqlx::query(change)).await.unwrap() > 0, "{change}");
        let found = verify(&db, &workspace, |_| ()).await;
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
    assert_eq!(verify(&db, &workspace, |_| ()).await.unwrap().n_batches, 3);
}

#[tokio::test]
async fn a_long_log_is_sealed_in_batches() {
    let (_folder, db) = fresh().await;
    let workspace = WorkspaceId::new();
    let entries: Vec<Entry> = (0..1_201).map(|_| entry(&workspace)).collect();
    append_many(&db, &entries).await;
    assert_eq!(seal(&db, NOW).await.unwrap(), 1_201);
    let verified = verify(&db, &workspace, |_| ()).await.unwrap();
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
    assert_eq!(verify(&db, &workspace, |_| ()).await.unwrap().n_rows, 40);
}

/// The same log again, as somebody would write it who has the database in hand: everything fits, and nothing is as it was.
async fn write_anew(db: &Db, workspace: &WorkspaceId) {
    db.execute(sqlx::query("delete from audit")).await.unwrap();
    db.execute(sqlx::query("delete from audit_seal")).await.unwrap();
    for _ in 0..3 {
        append_many(db, &[Entry::new(workspace.clone(), Kind::Read, Code::of("nothing"))]).await;
        seal(db, NOW).await.unwrap();
    }
}

#[tokio::test]
async fn a_log_that_was_cut_or_written_anew_misses_its_anchor() {
    let cut = ["delete from audit where seq = 2", "delete from audit_seal where seq = 2"];
    for is_cut in [true, false] {
        let (folder, db) = fresh().await;
        let anchors = Anchors::of_folder(folder.path());
        let workspace = sealed(&db).await;
        assert_eq!(anchors.drop_daily(&db, NOW).await.unwrap(), 1);
        let dropped = anchors.read().await.unwrap();
        let holds = examine(&db, &workspace, &dropped, |_| ()).await.unwrap();
        assert_eq!((holds.verified.n_batches, holds.n_reached, holds.missed), (2, 1, None));
        if is_cut {
            for delete in cut {
                db.execute(sqlx::query(delete)).await.unwrap();
            }
        } else {
            write_anew(&db, &workspace).await;
        }
        assert!(verify(&db, &workspace, |_| ()).await.is_ok(), "the chain alone does not show it");
        let found = examine(&db, &workspace, &dropped, |_| ()).await.unwrap();
        assert_eq!((found.n_reached, found.missed.as_ref()), (0, dropped.first()));
    }
}

#[tokio::test]
async fn heads_are_written_down_once_a_day_and_of_every_chain() {
    let (folder, db) = fresh().await;
    let anchors = Anchors::of_folder(folder.path());
    let (ours, theirs) = (sealed(&db).await, sealed(&db).await);
    let day = std::time::Duration::from_secs(86_400);
    assert_eq!(anchors.drop_daily(&db, NOW).await.unwrap(), 2);
    assert_eq!(anchors.drop_daily(&db, NOW).await.unwrap(), 0);
    append_many(&db, &[entry(&ours)]).await;
    seal(&db, NOW).await.unwrap();
    assert_eq!(anchors.drop_daily(&db, NOW + day).await.unwrap(), 2);
    let read = anchors.read().await.unwrap();
    let of = |workspace: &WorkspaceId| {
        let of_it = read.iter().filter(|anchor| anchor.workspace == *workspace);
        of_it.map(|anchor| (anchor.day.to_string(), anchor.seq)).collect::<Vec<_>>()
    };
    let day = |day: &str, seq| (day.to_owned(), seq);
    assert_eq!(of(&ours), [day("2027-01-15", 2), day("2027-01-16", 3)]);
    assert_eq!(of(&theirs), [day("2027-01-15", 2), day("2027-01-16", 2)]);
    assert_eq!(examine(&db, &ours, &read, |_| ()).await.unwrap().n_reached, 2);
}

#[tokio::test]
async fn a_line_that_a_crash_cut_short_is_no_anchor_and_spoils_no_other() {
    let (folder, db) = fresh().await;
    let anchors = Anchors::of_folder(folder.path());
    sealed(&db).await;
    let file = folder.path().join("audit-anchors.txt");
    anchors.drop_daily(&db, NOW).await.unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, &text[..text.len() - 9]).unwrap();
    assert_eq!(anchors.read().await.unwrap(), []);
    assert_eq!(anchors.drop_daily(&db, NOW).await.unwrap(), 1);
    assert_eq!(anchors.read().await.unwrap().len(), 1);
}
