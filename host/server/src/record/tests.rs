//! Records on SQLite with a real vault.

use std::time::Duration;

use bellhop_domain::manifest::{Collection, Owner as CollectionOwner};
use serde_json::json;

use super::*;

struct House {
    db: Db,
    vault: Vault,
    records: Records,
    workspace: WorkspaceId,
    _folder: tempfile::TempDir,
}

const EVERYTHING: Range = Range { from: i64::MIN, to: i64::MAX, descending: false, limit: 100 };

fn faq() -> Collection {
    Collection {
        name: "entries".to_owned(),
        owner: CollectionOwner::Business,
        search: vec!["questions".to_owned()],
        language: Some("language".to_owned()),
        shared: Vec::new(),
        schema: json!({
            "type": "object",
            "properties": {"questions": {"type": "array"}, "answer": {"type": "string"}, "language": {"type": "string"}},
            "required": ["answer"],
        }),
    }
}

fn bookings() -> Collection {
    Collection {
        name: "bookings".to_owned(),
        owner: CollectionOwner::Contacts,
        search: Vec::new(),
        language: None,
        shared: Vec::new(),
        schema: json!({"type": "object"}),
    }
}

impl House {
    async fn build() -> Self {
        let (folder, db, vault) = testing::store().await;
        let records = Records::new(db.clone(), vault.clone());
        let house = Self { db, vault, records, workspace: WorkspaceId::new(), _folder: folder };
        house.declare(&house.workspace.clone(), &[faq(), bookings()]).await.unwrap();
        house
    }

    async fn declare(&self, workspace: &WorkspaceId, collections: &[Collection]) -> Result<(), RecordError> {
        let mut transaction = self.db.begin_write().await.unwrap();
        collections_declare_in(&mut transaction, workspace, &plugin_key(), collections).await?;
        transaction.commit().await.unwrap();
        Ok(())
    }

    fn key(&self, name: &str) -> CollectionKey {
        CollectionKey { workspace: self.workspace.clone(), plugin_key: plugin_key(), name: name.to_owned() }
    }

    async fn apply(&self, writes: Vec<RecordWrite>) -> Result<(), RecordError> {
        let prepared = self.records.prepare(writes).await?;
        let mut transaction = self.db.begin_write().await?;
        apply_in(&mut transaction, &prepared, self.db.now()).await?;
        transaction.commit().await?;
        for write in &prepared {
            self.records.forget(write.collection());
        }
        Ok(())
    }

    async fn import(&self, file: &str) -> Result<Imported, ImportError> {
        self.records.import(&self.key("entries"), ImportMode::Append, file.as_bytes()).await
    }

    async fn answers(&self) -> Vec<String> {
        let found = self.records.find(&self.key("entries"), Whose::Business, &EVERYTHING).await.unwrap();
        found.into_iter().map(|record| record.json).collect()
    }
}

fn plugin_key() -> PluginKey {
    PluginKey::parse("signer/faq").unwrap()
}

fn insert(collection: CollectionKey, contact: Option<&ContactId>, key: i64, json: &str) -> RecordWrite {
    let change = Change::Insert { key, json: json.to_owned() };
    RecordWrite { collection, id: RecordId::new(), contact: contact.cloned(), change }
}

#[tokio::test]
async fn a_range_comes_in_the_order_of_keys() {
    let house = House::build().await;
    let writes = [30, 10, 20].map(|key| insert(house.key("entries"), None, key, &format!("{{\"n\":{key}}}")));
    house.apply(writes.to_vec()).await.unwrap();
    let keys = |range: Range| {
        let records = &house.records;
        let collection = house.key("entries");
        async move {
            let found = records.find(&collection, Whose::Business, &range).await.unwrap();
            found.into_iter().map(|record| record.key).collect::<Vec<_>>()
        }
    };
    assert_eq!(keys(EVERYTHING).await, [10, 20, 30]);
    assert_eq!(keys(Range { descending: true, limit: 2, ..EVERYTHING }).await, [30, 20]);
    assert_eq!(keys(Range { from: 11, to: 29, ..EVERYTHING }).await, [20]);
}

#[tokio::test]
async fn content_is_sealed_in_the_store() {
    let house = House::build().await;
    house.apply(vec![insert(house.key("entries"), None, 1, "{\"answer\":\"cinnamon\"}")]).await.unwrap();
    let rows = house.db.fetch_all(sqlx::query("select sealed from record")).await.unwrap();
    let sealed: Vec<u8> = sqlx::Row::get(&rows[0], 0);
    assert!(!sealed.windows(8).any(|bytes| bytes == b"cinnamon"));
}

#[tokio::test]
async fn a_write_against_an_old_revision_conflicts_and_leaves_nothing() {
    let house = House::build().await;
    let first = insert(house.key("entries"), None, 1, "{\"n\":1}");
    house.apply(vec![first.clone()]).await.unwrap();
    let update = |revision| RecordWrite {
        change: Change::Update { key: 1, json: format!("{{\"from\":{revision}}}"), revision },
        ..first.clone()
    };
    house.apply(vec![update(1)]).await.unwrap();
    let other = insert(house.key("entries"), None, 2, "{\"n\":2}");
    assert!(matches!(house.apply(vec![other.clone(), update(1)]).await, Err(RecordError::Conflict)));
    assert_eq!(house.answers().await, ["{\"from\":1}"]);
    let remove = |revision| RecordWrite { change: Change::Remove { revision }, ..first.clone() };
    assert!(matches!(house.apply(vec![other, remove(1)]).await, Err(RecordError::Conflict)));
    assert!(matches!(house.apply(vec![first.clone()]).await, Err(RecordError::Conflict)), "the id is taken");
    assert_eq!(house.answers().await, ["{\"from\":1}"]);
    house.apply(vec![remove(2)]).await.unwrap();
    assert!(matches!(house.apply(vec![update(2)]).await, Err(RecordError::Conflict)), "it is gone");
    assert_eq!(house.answers().await, Vec::<String>::new());
}

#[tokio::test]
async fn nobody_reads_or_changes_the_records_of_another() {
    let house = House::build().await;
    let (one, other) = (ContactId::new(), ContactId::new());
    let collection = house.key("bookings");
    let booking = insert(collection.clone(), Some(&one), 5, "{\"at\":5}");
    house.apply(vec![booking.clone()]).await.unwrap();
    let seen = |whose| house.records.get(&collection, whose, &booking.id);
    assert!(seen(Whose::Contact(&one)).await.unwrap().is_some());
    assert!(seen(Whose::Contact(&other)).await.unwrap().is_none());
    assert!(seen(Whose::Business).await.unwrap().is_none());
    assert_eq!(house.records.find(&collection, Whose::Contact(&other), &EVERYTHING).await.unwrap(), []);

    let foreign = CollectionKey { workspace: WorkspaceId::new(), ..collection.clone() };
    assert!(house.records.get(&foreign, Whose::Contact(&one), &booking.id).await.unwrap().is_none());
    house.declare(&foreign.workspace, &[bookings()]).await.unwrap();
    assert_eq!(house.records.find(&foreign, Whose::Contact(&one), &EVERYTHING).await.unwrap(), []);

    let remove = Change::Remove { revision: 1 };
    let theft = RecordWrite { contact: Some(other.clone()), change: remove.clone(), ..booking.clone() };
    assert!(matches!(house.apply(vec![theft]).await, Err(RecordError::Conflict)));
    let theft = RecordWrite { collection: foreign, change: remove, ..booking.clone() };
    assert!(matches!(house.apply(vec![theft]).await, Err(RecordError::Conflict)));
    assert!(seen(Whose::Contact(&one)).await.unwrap().is_some());
}

#[tokio::test]
async fn an_erased_contacts_records_are_gone() {
    let house = House::build().await;
    let contact = ContactId::new();
    let collection = house.key("bookings");
    house.apply(vec![insert(collection.clone(), Some(&contact), 5, "{}")]).await.unwrap();
    house.vault.destroy_contact_key(&house.workspace, &contact).await.unwrap();
    assert_eq!(house.records.find(&collection, Whose::Contact(&contact), &EVERYTHING).await.unwrap(), []);
}

#[tokio::test]
async fn what_is_imported_is_found_and_what_is_changed_is_found_anew() {
    let house = House::build().await;
    let file = r#"[{"questions": ["When do you open?"], "answer": "At nine", "language": "en"},
                   {"questions": ["Mấy giờ mở cửa?"], "answer": "Chín giờ", "language": "vi"}]"#;
    assert_eq!(house.import(file).await.unwrap(), Imported { n_added: 2, n_removed: 0 });
    let entries = house.key("entries");
    let best = |text: &'static str| {
        let (records, entries) = (&house.records, &entries);
        async move { records.search(entries, text, None, 3).await.unwrap().into_iter().next() }
    };
    let (found, score) = best("may gio mo cua").await.unwrap();
    assert!(found.json.contains("Chín giờ") && score > 0.9, "{score}");

    let json = r#"{"questions": ["Mấy giờ mở cửa?"], "answer": "Mười giờ", "language": "vi"}"#.to_owned();
    let change = Change::Update { key: found.key, json, revision: found.revision };
    let write = RecordWrite { collection: entries.clone(), id: found.id.clone(), contact: None, change };
    house.apply(vec![write]).await.unwrap();
    assert!(best("may gio mo cua").await.unwrap().0.json.contains("Mười giờ"));
    let read = house.records.get(&entries, Whose::Business, &found.id).await.unwrap();
    assert_eq!(read.map(|record| record.revision), Some(2));
    assert_eq!(best("unrelated").await, None);
}

#[tokio::test]
async fn another_hosts_change_is_found_after_half_a_second() {
    let house = House::build().await;
    let elsewhere = Records::new(house.db.clone(), house.vault.clone());
    let entries = house.key("entries");
    house.import(r#"{"questions": ["parking"], "answer": "old"}"#).await.unwrap();
    let answer =
        || async { house.records.search(&entries, "parking", None, 1).await.unwrap().pop().map(|hit| hit.0.json) };
    assert!(answer().await.unwrap().contains("old"));
    let file = r#"{"questions": ["parking"], "answer": "new"}"#;
    let done = elsewhere.import(&entries, ImportMode::Replace, file.as_bytes()).await.unwrap();
    assert_eq!(done, Imported { n_added: 1, n_removed: 1 });
    house.db.clock().advance(Duration::from_millis(500));
    assert!(answer().await.unwrap().contains("new"));
}

#[tokio::test]
async fn a_search_never_leaves_its_workspace() {
    let house = House::build().await;
    let neighbour = CollectionKey { workspace: WorkspaceId::new(), ..house.key("entries") };
    house.declare(&neighbour.workspace, &[faq()]).await.unwrap();
    house.import(r#"{"questions": ["secret menu"], "answer": "yes"}"#).await.unwrap();
    assert_eq!(house.records.search(&house.key("entries"), "secret menu", None, 5).await.unwrap().len(), 1);
    assert_eq!(house.records.search(&neighbour, "secret menu", None, 5).await.unwrap(), []);
}

#[tokio::test]
async fn an_import_is_all_or_nothing_and_names_the_rows() {
    let house = House::build().await;
    let file = "{\"answer\": \"one\"}\n\n{\"answer\": 2}\nnonsense\n[1]\n{\"answer\": \"x\", \"_key\": \"y\"}\n";
    let Err(ImportError::Rows(problems)) = house.import(file).await else { panic!("it must be refused") };
    let rows: Vec<usize> = problems.iter().map(|problem| problem.row).collect();
    assert_eq!(rows, [2, 3, 4, 5]);
    assert_eq!(house.answers().await, Vec::<String>::new());

    let large = format!("{{\"answer\": \"{}\"}}", "x".repeat(MAX_RECORD_BYTES));
    assert!(matches!(house.import(&large).await, Err(ImportError::Rows(_))));
    let fits = format!("{{\"answer\": \"{}\"}}", "x".repeat(MAX_RECORD_BYTES - 20));
    assert!(house.import(&fits).await.is_ok());
    assert!(matches!(house.import("[{]").await, Err(ImportError::NotJson(_))));
    let many = "{\"answer\":\"\"}\n".repeat(MAX_RECORDS);
    assert!(matches!(house.import(&many).await, Err(ImportError::TooMany { records: 10_001 })));
}

#[tokio::test]
async fn contacts_records_cannot_be_imported_and_unknown_collections_are_named() {
    let house = House::build().await;
    let into = |name: &str| {
        let (records, key) = (house.records.clone(), house.key(name));
        async move { records.import(&key, ImportMode::Append, b"{}").await }
    };
    assert!(matches!(into("bookings").await, Err(ImportError::ContactsOwned(name)) if name == "bookings"));
    assert!(matches!(into("nothing").await, Err(ImportError::Record(RecordError::NotDeclared(_)))));
    let lost = insert(house.key("nothing"), None, 1, "{}");
    assert!(matches!(house.apply(vec![lost]).await, Err(RecordError::NotDeclared(_))));
    assert!(house.records.search(&house.key("nothing"), "x", None, 1).await.is_err());
}

#[tokio::test]
async fn a_collection_keeps_its_owner() {
    let house = House::build().await;
    let changed = Collection { owner: CollectionOwner::Contacts, search: Vec::new(), ..faq() };
    assert!(matches!(house.declare(&house.workspace, &[changed]).await, Err(RecordError::OwnerChanged(_))));
    let widened = Collection { search: vec!["questions".to_owned(), "answer".to_owned()], ..faq() };
    house.declare(&house.workspace, std::slice::from_ref(&widened)).await.unwrap();
    assert_eq!(collection_find(&house.db, &house.key("entries")).await.unwrap(), Some(widened));
    assert_eq!(collection_find(&house.db, &house.key("nothing")).await.unwrap(), None);
}
