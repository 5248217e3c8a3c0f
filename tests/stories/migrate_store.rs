//! A store goes from one engine to the other: nothing is lost, nothing is said twice, and never do both answer.

use bellhop::app::{App, AppError, keyring_url, store_url};
use bellhop::backup::{BackupError, Relocation, relocate, relocate_cancel};
use bellhop::config::Config;
use bellhop::db::{ColumnKind, Db, Schema};
use sqlx::Row;

use crate::support::{SETTLED, TestApp, postgres};

async fn relocation(app: &TestApp, config: &Config, place: &str) -> Relocation {
    let open = async |url: String, schema| Db::open(&url, schema, app.clock.clone()).await.unwrap();
    Relocation {
        store: open(store_url(config), Schema::Store).await,
        keyring: open(keyring_url(config), Schema::Keyring).await,
        place: place.to_owned(),
    }
}

/// Every value of every table, but for what belongs to a database and not to what is in it.
async fn everything(db: &Db) -> Vec<String> {
    let mut all = Vec::new();
    let ours = [
        "select name from sqlite_master where type = 'table' and name not like 'sqlite%'",
        "select cast(table_name as text) from information_schema.tables where table_schema = current_schema()",
    ];
    let sql = ours[usize::from(db.engine() == bellhop::db::Engine::Postgres)];
    let n_tables = db.fetch_all(sqlx::query(sql)).await.unwrap().len();
    let tables = db.tables().await.unwrap();
    assert!(tables.len() + 3 >= n_tables, "a table was not looked at");
    for table in tables {
        let mut columns = table.columns.clone();
        columns.sort_by(|a, b| a.name.cmp(&b.name));
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let select = format!("select {} from {}", names.join(", "), table.name);
        for row in db.fetch_all(sqlx::query(sqlx::AssertSqlSafe(select))).await.unwrap() {
            let value = |(n, kind): (usize, ColumnKind)| match kind {
                ColumnKind::Number => format!("{:?}", row.get::<Option<i64>, _>(n)),
                ColumnKind::Text => format!("{:?}", row.get::<Option<String>, _>(n)),
                ColumnKind::Bytes => format!("{:?}", row.get::<Option<Vec<u8>>, _>(n)),
            };
            let values: Vec<String> = columns.iter().map(|column| column.kind).enumerate().map(value).collect();
            let line = format!("{} {}", table.name, values.join(" "));
            if !line.starts_with("meta Some(\"incarnation\")") && !line.starts_with("meta Some(\"standing\")") {
                all.push(line);
            }
        }
    }
    all.sort();
    all
}

/// A store with a bit of everything, and an open event and delivery.
async fn filled() -> TestApp {
    let app = TestApp::start().await;
    app.enable(&app.business, "hello", "{}").await;
    for name in ["Ana", "Ben"] {
        app.customer(name).says("hello").unwrap();
    }
    app.rest().await;
    app.customer("Cleo").says("hello").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    app.app.dispatch.run_once().await.unwrap();
    app.customer("Dora").says("hello").unwrap();
    app.arrive().await;
    app
}

async fn unusable(config: &Config, app: &TestApp) -> BackupError {
    match App::open(config, app.clock.clone(), None).await.map(drop) {
        Err(AppError::Unusable(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_goes_to_postgres_and_back_with_kills_in_between() {
    let Some(url) = postgres::empty_database().await else { return };
    let mut app = filled().await;
    let (embedded, mut shared) = (app.config.clone(), app.config.clone());
    shared.store.url = Some(url);
    let before = {
        let opened = relocation(&app, &embedded, "file").await;
        (everything(&opened.store).await, everything(&opened.keyring).await)
    };
    assert!(before.0.len() > 30 && before.1.len() > 3);

    // Every call is stopped after its first batch, as by a kill.
    let mut n_calls = 0;
    let moved = loop {
        let (from, to) = (relocation(&app, &embedded, "file").await, relocation(&app, &shared, "server").await);
        if n_calls == 5 {
            assert!(matches!(unusable(&embedded, &app).await, BackupError::Moving(_)), "nobody answers meanwhile");
            assert!(matches!(unusable(&shared, &app).await, BackupError::Filling(_)));
        }
        let mut n_batches = 0;
        let moved = relocate(from, to, |_| {
            n_batches += 1;
            n_batches < 2
        });
        n_calls += 1;
        if let Some(moved) = moved.await.unwrap() {
            break moved;
        }
    };
    assert!(n_calls > 10, "{n_calls}");
    assert!(moved.iter().any(|(table, n_rows)| table == "message" && *n_rows > 3), "{moved:?}");
    assert!(matches!(unusable(&embedded, &app).await, BackupError::Moved(place) if place == "server"));
    let there = relocation(&app, &shared, "server").await;
    assert_eq!((everything(&there.store).await, everything(&there.keyring).await), before);
    let again = relocate(relocation(&app, &embedded, "file").await, there, |_| true).await;
    assert!(matches!(again, Err(BackupError::Moved(_))), "and the living target is left alone: {again:?}");

    // It goes on where it was: one answer was staged, one event was open.
    assert_eq!(app.control.accepted().len(), 2);
    app.reopen(|config| *config = shared.clone()).await;
    app.rest().await;
    assert_eq!(app.control.accepted().len(), 4);

    let mut back = embedded.clone();
    back.store.data_folder = app.folder.path().join("back");
    std::fs::create_dir(&back.store.data_folder).unwrap();
    let (from, to) = (relocation(&app, &shared, "server").await, relocation(&app, &back, "folder").await);
    let expected = (everything(&from.store).await, everything(&from.keyring).await);
    relocate(from, to, |_| true).await.unwrap().unwrap();
    let there = relocation(&app, &back, "folder").await;
    assert_eq!((everything(&there.store).await, everything(&there.keyring).await), expected);
    // The host that was connected writes nothing more.
    assert!(app.app.run_until_idle().await.is_err());
    app.reopen(|config| *config = back).await;
    app.customer("Emil").says("hello").unwrap();
    app.rest().await;
    assert_eq!(app.control.accepted().len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_can_be_taken_back_and_never_closes_a_store_that_is_in_use() {
    let Some(url) = postgres::database().await else { return };
    let app = filled().await;
    let mut shared = app.config.clone();
    shared.store.url = Some(url);
    let both =
        async |shared: &Config| (relocation(&app, &app.config, "file").await, relocation(&app, shared, "server").await);
    let (from, to) = both(&shared).await;
    // A host has been there: its keys and plugins are in it.
    assert!(relocate(from, to, |_| true).await.is_err());
    drop(App::open(&app.config, app.clock.clone(), None).await.unwrap());

    shared.store.url = postgres::empty_database().await;
    let (from, to) = both(&shared).await;
    assert_eq!(relocate(from, to, |_| false).await.unwrap(), None);
    assert!(matches!(unusable(&app.config, &app).await, BackupError::Moving(_)));
    let (from, _) = both(&shared).await;
    relocate_cancel(&from.store).await.unwrap();
    assert!(matches!(relocate_cancel(&from.store).await, Err(BackupError::NotMoving)));
    drop(App::open(&app.config, app.clock.clone(), None).await.unwrap());
    // What was begun there is of no use for another move.
    let (from, to) = both(&shared).await;
    assert!(matches!(relocate(from, to, |_| true).await, Err(BackupError::OtherMove(_))));
    drop(App::open(&app.config, app.clock.clone(), None).await.unwrap());
    let (from, to) = (relocation(&app, &app.config, "a").await, relocation(&app, &app.config, "b").await);
    assert!(matches!(relocate(from, to, |_| true).await, Err(BackupError::SameEngine)));
}
