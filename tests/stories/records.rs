//! Records on both databases: what is imported is found, what is changed conflicts with whoever read before.

use bellhop::record::{self, Change, CollectionKey, ImportMode, Range, Record, RecordError, RecordWrite, Whose};
use bellhop_domain::id::RecordId;

use crate::support::{TestApp, postgres};

const FILE: &str = r#"
{"questions": ["When do you open?"], "answer": "At nine.", "language": "en"}
{"questions": ["Mấy giờ mở cửa?"], "answer": "Chín giờ.", "language": "vi", "_key": 7}
"#;

async fn entries(app: &TestApp) -> CollectionKey {
    app.enable(&app.business, "faq", "{}").await;
    let plugin = app.app.stores.registry.plugin_find("faq").await.unwrap();
    let workspace = app.business.workspace.clone();
    CollectionKey { workspace, plugin_key: plugin.key, name: "faq".to_owned() }
}

async fn all(app: &TestApp, entries: &CollectionKey) -> Vec<Record> {
    let range = Range { from: i64::MIN, to: i64::MAX, descending: true, limit: 10 };
    app.app.stores.records.find(entries, Whose::Business, &range).await.unwrap()
}

async fn apply(app: &TestApp, writes: Vec<RecordWrite>) -> Result<(), RecordError> {
    let stores = &app.app.stores;
    let prepared = stores.records.prepare(writes).await?;
    let mut transaction = stores.db.begin_write().await?;
    record::apply_in(&mut transaction, &prepared, stores.db.now()).await?;
    transaction.commit().await?;
    prepared.iter().for_each(|write| stores.records.forget(write.collection()));
    Ok(())
}

async fn check(url: Option<String>) {
    let app = TestApp::start_on(url).await;
    let entries = entries(&app).await;
    let records = &app.app.stores.records;
    let imported = records.import(&entries, ImportMode::Append, FILE.as_bytes()).await.unwrap();
    assert_eq!((imported.n_added, imported.n_removed), (2, 0));
    let found = records.search(&entries, "may gio mo cua", None, 1).await.unwrap();
    assert!(found[0].0.json.contains("Chín giờ"));

    let read = all(&app, &entries).await;
    assert_eq!(read.iter().map(|record| record.key).collect::<Vec<_>>(), [7, 1]);
    let write =
        |id: &RecordId, change| RecordWrite { collection: entries.clone(), id: id.clone(), contact: None, change };
    let json = "{\"answer\":\"Ten.\"}".to_owned();
    let update = write(&read[1].id, Change::Update { key: 1, json: json.clone(), revision: 1 });
    apply(&app, vec![update.clone()]).await.unwrap();
    let insert = write(&RecordId::new(), Change::Insert { key: 9, json: json.clone() });
    assert!(matches!(apply(&app, vec![insert.clone(), update]).await, Err(RecordError::Conflict)));
    let taken = write(&read[0].id, Change::Insert { key: 9, json });
    assert!(matches!(apply(&app, vec![insert, taken]).await, Err(RecordError::Conflict)));
    apply(&app, vec![write(&read[0].id, Change::Remove { revision: 1 })]).await.unwrap();
    let left = all(&app, &entries).await;
    assert_eq!(left.iter().map(|record| (record.key, record.revision)).collect::<Vec<_>>(), [(1, 2)]);

    let replaced = records.import(&entries, ImportMode::Replace, FILE.as_bytes()).await.unwrap();
    assert_eq!((replaced.n_added, replaced.n_removed), (2, 1));
}

#[tokio::test]
async fn records_are_kept_and_guarded() {
    check(None).await;
}

#[tokio::test]
async fn records_are_kept_and_guarded_on_postgresql() {
    if let Some(url) = postgres::database().await {
        check(Some(url)).await;
    }
}
