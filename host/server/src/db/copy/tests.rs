//! Copies on SQLite: whole, resumable, and of every table.

use super::*;
use crate::db::{Clock, NOT_COPIED, Schema};

async fn open(folder: &tempfile::TempDir, name: &str, schema: Schema) -> Db {
    let url = Db::sqlite_url(&folder.path().join(name));
    Db::open(&url, schema, Clock::machine()).await.unwrap()
}

async fn fill(db: &Db, n_rows: usize) {
    for n in 0..n_rows {
        let insert = "insert into suppression (workspace_id, channel_id, person, reason, created_at) values ($1, '', $2, 'x', $3)";
        let insert = sqlx::query(insert).bind(format!("w {}", n % 3)).bind(n.to_be_bytes().to_vec()).bind(n as i64);
        db.execute(insert).await.unwrap();
    }
    db.execute(sqlx::query("insert into meta (name, value) values ('generation', '7')")).await.unwrap();
}

#[tokio::test]
async fn every_table_is_copied_or_named_as_left_out() {
    let folder = tempfile::tempdir().unwrap();
    for schema in [Schema::Store, Schema::Keyring] {
        let db = open(&folder, &format!("{schema:?}.db"), schema).await;
        let copied: Vec<String> = db.tables().await.unwrap().into_iter().map(|table| table.name).collect();
        let all = "select name, sql from sqlite_master where type = 'table' and name not like 'sqlite_%'";
        for row in db.fetch_all(sqlx::query(all)).await.unwrap() {
            let (name, sql): (String, String) = (row.get(0), row.get(1));
            let is_left_out = NOT_COPIED.contains(&name.as_str());
            assert!(is_left_out != copied.contains(&name), "{name} is either copied or named as left out");
            let sql = sql.to_lowercase();
            assert!(is_left_out || !["boolean", "timestamp", "real", " int "].iter().any(|kind| sql.contains(kind)));
        }
        for table in db.tables().await.unwrap() {
            assert!(!table.key().is_empty(), "{} needs a primary key: copies go by it", table.name);
        }
    }
}

#[tokio::test]
async fn a_copy_that_was_cut_short_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (open(&folder, "a.db", Schema::Store).await, open(&folder, "b.db", Schema::Store).await);
    let n_rows = 2 * BATCH as usize + 7;
    fill(&from, n_rows).await;
    let mut n_calls = 0;
    // A new beginning for every batch, as after a kill.
    let counts = loop {
        let mut copy = Copy::begin("x", &from, &to).await.unwrap();
        match copy.step().await.unwrap() {
            Some(_) => n_calls += 1,
            None => break copy.finish(|_| {}).await.unwrap(),
        }
    };
    assert!(n_calls > 3, "{n_calls}");
    assert!(counts.contains(&("suppression".to_owned(), n_rows as i64)));
    let sum = "select cast(sum(created_at) as bigint) from suppression";
    let row = to.fetch_optional(sqlx::query(sum)).await.unwrap().unwrap();
    assert_eq!(row.get::<i64, _>(0), (0..n_rows as i64).sum::<i64>());
    assert_ne!(from.incarnation(), to.incarnation(), "a copy is not the store's life");
    let rows = to.fetch_all(sqlx::query("select name from meta order by name")).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>(), ["generation", "incarnation"]);
}

#[tokio::test]
async fn a_target_with_something_else_in_it_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (open(&folder, "a.db", Schema::Store).await, open(&folder, "b.db", Schema::Store).await);
    fill(&to, 1).await;
    assert!(matches!(Copy::begin("x", &from, &to).await, Err(DbError::NotEmpty(table)) if table == "suppression"));
    let third = open(&folder, "c.db", Schema::Store).await;
    let mut copy = Copy::begin("x", &from, &third).await.unwrap();
    copy.step().await.unwrap();
    assert!(matches!(Copy::begin("y", &from, &third).await, Err(DbError::NotEmpty(_))), "another copy is in it");
}

#[tokio::test]
async fn a_copy_with_another_number_of_rows_is_not_called_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (open(&folder, "a.db", Schema::Store).await, open(&folder, "b.db", Schema::Store).await);
    fill(&from, 3).await;
    let mut copy = Copy::begin("x", &from, &to).await.unwrap();
    while copy.step().await.unwrap().is_some() {}
    to.execute(sqlx::query("delete from suppression where created_at = 1")).await.unwrap();
    let differs = copy.verify().await;
    assert!(matches!(differs, Err(DbError::CopyDiffers { there: 3, here: 2, .. })), "{differs:?}");
}

#[tokio::test]
async fn schemas_that_differ_are_not_copied() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (open(&folder, "a.db", Schema::Store).await, open(&folder, "b.db", Schema::Store).await);
    from.execute(sqlx::query("alter table suppression add column more text")).await.unwrap();
    assert!(matches!(Copy::begin("x", &from, &to).await, Err(DbError::OtherSchema(table)) if table == "suppression"));
}
