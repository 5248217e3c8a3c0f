//! Tests of the database layer on SQLite.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::Row;
use tokio_util::task::TaskTracker;

use super::*;

async fn fresh() -> (tempfile::TempDir, Db) {
    let folder = tempfile::tempdir().unwrap();
    let url = Db::sqlite_url(&folder.path().join("store.db"));
    let db = Db::open(&url, Schema::Store, Clock::machine()).await.unwrap();
    (folder, db)
}

fn put(name: &'static str) -> Statement<'static> {
    sqlx::query("insert into meta (name, value) values ($1, 'x')").bind(name)
}

/// What a test has put; the store itself notes its life in the same table.
async fn n_rows(db: &Db) -> i64 {
    let rows = db.fetch_all(sqlx::query("select count(*) from meta where name <> 'incarnation'")).await.unwrap();
    rows[0].get::<i64, _>(0)
}

#[tokio::test]
async fn opening_twice_finds_the_schema_in_place() {
    let (folder, db) = fresh().await;
    db.execute(put("a")).await.unwrap();
    db.close().await;
    let url = Db::sqlite_url(&folder.path().join("store.db"));
    let again = Db::open(&url, Schema::Store, Clock::machine()).await.unwrap();
    assert_eq!(n_rows(&again).await, 1);
}

#[tokio::test]
async fn an_error_ends_the_transaction() {
    let (_folder, db) = fresh().await;
    let mut transaction = db.begin_write().await.unwrap();
    transaction.execute(put("a")).await.unwrap();
    assert!(transaction.execute(put("a")).await.is_err(), "the key is taken");
    assert!(matches!(transaction.execute(put("b")).await, Err(DbError::TransactionEnded)));
    assert!(matches!(transaction.commit().await, Err(DbError::TransactionEnded)));
    assert_eq!(n_rows(&db).await, 0);
}

#[tokio::test]
async fn a_dropped_transaction_leaves_nothing_and_lets_the_next_one_write() {
    let (_folder, db) = fresh().await;
    let mut transaction = db.begin_write().await.unwrap();
    transaction.execute(put("a")).await.unwrap();
    drop(transaction);
    db.execute(put("b")).await.unwrap();
    assert_eq!(n_rows(&db).await, 1);
}

#[tokio::test]
async fn bulk_writes_and_finds_many_rows_in_one_statement() {
    let (_folder, db) = fresh().await;
    let mut insert = Bulk::new("insert into meta (name, value) values ");
    for n in 0..50 {
        insert.row().bind(format!("name {n}")).bind(format!("value {n}"));
    }
    let mut transaction = db.begin_write().await.unwrap();
    let rows = transaction.fetch_all(insert.end(" on conflict do nothing returning name")).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(rows.len(), 50);

    let mut wanted = Bulk::new("select value from meta where (name, value) in ").keys(2);
    wanted.row().bind("name 7").bind("value 7");
    wanted.row().bind("name 8").bind("value 7");
    let rows = db.fetch_all(wanted).await.unwrap();
    assert_eq!(rows.len(), 1);
}

#[tokio::test]
async fn a_job_that_stands_in_anothers_way_is_written_again() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let group = Group::start(&TaskTracker::new(), 8, move |jobs: Arc<Vec<()>>| {
        let n_before = counted.fetch_add(1, Ordering::Relaxed);
        async move { if n_before < 2 { Err(DbError::Conflict) } else { Ok(jobs.to_vec()) } }
    });
    group.submit(()).await.unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_job_that_is_always_in_the_way_fails_in_the_end() {
    let group = Group::start(&TaskTracker::new(), 8, |_: Arc<Vec<()>>| async { Err::<Vec<()>, _>(DbError::Conflict) });
    assert!(group.submit(()).await.is_err());
}

#[tokio::test]
async fn a_panic_while_writing_fails_its_job_and_not_the_writer() {
    let group = Group::start(&TaskTracker::new(), 8, |jobs: Arc<Vec<bool>>| async move {
        assert!(!jobs.contains(&true), "a job that cannot be written");
        Ok(jobs.to_vec())
    });
    assert!(group.submit(true).await.is_err());
    assert!(group.submit(false).await.is_ok());
}

#[tokio::test]
async fn a_bad_job_fails_alone() {
    let (_folder, db) = fresh().await;
    let tracker = TaskTracker::new();
    let transactions = Arc::new(AtomicUsize::new(0));
    let (store, counted) = (db.clone(), Arc::clone(&transactions));
    let group = Group::start(&tracker, 8, move |names: Arc<Vec<&'static str>>| {
        let (db, transactions) = (store.clone(), Arc::clone(&counted));
        async move {
            transactions.fetch_add(1, Ordering::Relaxed);
            let mut transaction = db.begin_write().await?;
            for name in names.iter() {
                transaction.execute(put(name)).await?;
            }
            transaction.commit().await?;
            Ok(names.to_vec())
        }
    });
    db.execute(put("taken")).await.unwrap();
    let results = futures_util::future::join_all(["a", "b", "taken", "c"].map(|name| group.submit(name))).await;
    let failed: Vec<bool> = results.iter().map(Result::is_err).collect();
    assert_eq!(failed, [false, false, true, false]);
    assert_eq!(n_rows(&db).await, 4);
    assert!(transactions.load(Ordering::Relaxed) < 8, "jobs that wait together share a transaction");
}

#[tokio::test]
async fn keys_are_looked_up_by_their_index() {
    let (_folder, db) = fresh().await;
    let mut plan = Bulk::new("explain query plan select profile from contact where (workspace_id, id) in ").keys(2);
    plan.row().bind("a").bind("b");
    plan.row().bind("a").bind("c");
    let rows = db.fetch_all(plan).await.unwrap();
    let steps: Vec<String> = rows.iter().map(|row| row.get::<String, _>(3)).collect();
    assert!(steps.iter().any(|step| step.starts_with("SEARCH contact")), "{steps:?}");
}
