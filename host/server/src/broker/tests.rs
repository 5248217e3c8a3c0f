//! What a plugin can ask, within its grant and not beyond.

use bellhop_domain::id::{ChannelId, ContentHash, GrantId, PluginKey, WorkspaceId};
use bellhop_domain::manifest::Manifest;

use super::*;
use crate::record::{self, RecordError, testing};
use crate::registry::{Plugin, Scopes};

const MANIFEST: &str = r#"
id = "shop"
version = "1.0.0"
name = { en = "Shop" }
description = { en = "Sells." }
[capabilities.records]
reason = { en = "Products and orders." }
[capabilities.contact]
reason = { en = "To greet." }
[capabilities.history]
reason = { en = "To understand." }
[scopes]
triggers = ["messages"]
contact-fields = ["name"]
history-lines = 5
[[collections]]
name = "products"
owner = "business"
search = ["title"]
schema = { type = "object", properties = { title = { type = "string" }, n = { type = "integer" } }, required = ["title"] }
[[collections]]
name = "orders"
owner = "contacts"
schema = { type = "object" }
"#;

struct House {
    sources: Sources,
    workspace: WorkspaceId,
    contact: ContactId,
    masker: Masker,
    _folder: tempfile::TempDir,
}

impl House {
    async fn build() -> Self {
        let (folder, db, vault) = testing::store().await;
        let records = Records::new(db.clone(), vault.clone());
        let sources = Sources { db, vault, records };
        let (workspace, contact) = (WorkspaceId::new(), ContactId::new());
        let keys = sources.vault.contact_keys(&[(workspace.clone(), contact.clone())]).await.unwrap();
        let masker = Masker::new(Arc::clone(&keys[0]), "en", "Europe/Vienna");
        let house = Self { sources, workspace, contact, masker, _folder: folder };
        house.declare(&house.workspace).await;
        house
    }

    async fn declare(&self, workspace: &WorkspaceId) {
        let manifest = Manifest::parse(MANIFEST).unwrap();
        let mut transaction = self.sources.db.begin_write().await.unwrap();
        record::collections_declare_in(&mut transaction, workspace, &plugin_key(), &manifest.collections)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
    }

    fn broker(&self) -> Broker {
        self.broker_for(&self.workspace, &self.contact, |_| ())
    }

    fn broker_for(&self, workspace: &WorkspaceId, contact: &ContactId, change: impl FnOnce(&mut Scopes)) -> Broker {
        let manifest = Manifest::parse(MANIFEST).unwrap();
        let mut scopes = Scopes::asked(&manifest, TextScope::Clear);
        change(&mut scopes);
        let hash = ContentHash::parse("aa").unwrap();
        let plugin = EnabledPlugin {
            workspace: workspace.clone(),
            channel: ChannelId::new(),
            grant_id: GrantId::new(),
            plugin_key: plugin_key(),
            plugin_id: manifest.id.clone(),
            hash: hash.clone(),
            position: 1,
            plugin: Arc::new(Plugin::new(plugin_key(), hash, manifest)),
            scopes: Arc::new(scopes),
            settings_json: Arc::from("{}"),
        };
        let caller = Caller {
            plugin: Arc::new(plugin),
            turn: TurnId::new(),
            conversation: ConversationId::new(),
            contact: contact.clone(),
            subject: Some([7; 32]),
            shown: vec![Code::of("message-text")],
            masker: self.masker.clone(),
            masked: Vec::new(),
        };
        Broker::new(self.sources.clone(), caller)
    }

    async fn commit(&self, broker: Broker) -> Result<(), RecordError> {
        let prepared = self.sources.records.prepare(broker.finish().writes).await?;
        let mut transaction = self.sources.db.begin_write().await?;
        record::apply_in(&mut transaction, &prepared, self.sources.db.now()).await?;
        transaction.commit().await?;
        for write in &prepared {
            self.sources.records.forget(write.collection());
        }
        Ok(())
    }
}

fn plugin_key() -> PluginKey {
    PluginKey::parse("signer/shop").unwrap()
}

fn all(collection: &str) -> Query {
    Query { collection: collection.to_owned(), key_from: None, key_to: None, descending: false, limit: 100 }
}

async fn put(broker: &mut Broker, collection: &str, key: i64, json: &str) -> Result<String, Fault> {
    broker.records_put(collection.to_owned(), None, key, json.to_owned()).await
}

#[tokio::test]
async fn a_call_sees_its_own_writes_and_nobody_else_does_before_the_commit() {
    let house = House::build().await;
    let mut broker = house.broker();
    let id = put(&mut broker, "orders", 3, "{\"n\":1}").await.unwrap();
    let own = broker.records_get("orders".to_owned(), id.clone()).await.unwrap();
    assert_eq!(own.map(|entry| (entry.json, entry.revision)), Some(("{\"n\":1}".to_owned(), 1)));
    assert_eq!(broker.records_find(all("orders")).await.unwrap().len(), 1);
    assert_eq!(house.broker().records_find(all("orders")).await.unwrap(), []);
    house.commit(broker).await.unwrap();

    let mut later = house.broker();
    let found = later.records_find(all("orders")).await.unwrap();
    assert_eq!(found[0].id, id);
    later.records_put("orders".to_owned(), Some(id.clone()), 4, "{\"n\":2}".to_owned()).await.unwrap();
    let changed = later.records_get("orders".to_owned(), id.clone()).await.unwrap().unwrap();
    assert_eq!((changed.json.as_str(), changed.revision), ("{\"n\":2}", 2));
    house.commit(later).await.unwrap();

    let mut last = house.broker();
    last.records_remove("orders".to_owned(), id.clone()).await.unwrap();
    assert_eq!(last.records_get("orders".to_owned(), id.clone()).await.unwrap(), None);
    assert_eq!(last.records_find(all("orders")).await.unwrap(), []);
    assert_eq!(last.records_remove("orders".to_owned(), id).await.unwrap_err().code, "not-found");
    house.commit(last).await.unwrap();
    assert_eq!(house.broker().records_find(all("orders")).await.unwrap(), []);
}

#[tokio::test]
async fn a_range_with_own_writes_keeps_its_order_and_its_limit() {
    let house = House::build().await;
    let mut first = house.broker();
    for key in [10, 20, 30] {
        put(&mut first, "orders", key, "{}").await.unwrap();
    }
    house.commit(first).await.unwrap();
    let mut broker = house.broker();
    let found = broker.records_find(all("orders")).await.unwrap();
    broker.records_remove("orders".to_owned(), found[0].id.clone()).await.unwrap();
    put(&mut broker, "orders", 25, "{\"new\":true}").await.unwrap();
    put(&mut broker, "orders", 99, "{}").await.unwrap();
    let query = Query { key_to: Some(30), descending: true, limit: 2, ..all("orders") };
    let found = broker.records_find(query).await.unwrap();
    assert_eq!(found.iter().map(|entry| entry.json.as_str()).collect::<Vec<_>>(), ["{}", "{\"new\":true}"]);
}

#[tokio::test]
async fn a_removal_of_what_was_only_written_leaves_nothing_behind() {
    let house = House::build().await;
    let mut broker = house.broker();
    let id = put(&mut broker, "orders", 1, "{}").await.unwrap();
    broker.records_remove("orders".to_owned(), id).await.unwrap();
    assert_eq!(broker.finish().writes, []);
}

#[tokio::test]
async fn two_calls_that_change_the_same_record_conflict() {
    let house = House::build().await;
    let mut first = house.broker();
    let id = put(&mut first, "products", 1, "{\"title\":\"Cup\",\"n\":1}").await.unwrap();
    house.commit(first).await.unwrap();
    let sold = || async {
        let mut broker = house.broker();
        let json = "{\"title\":\"Cup\",\"n\":0}".to_owned();
        broker.records_put("products".to_owned(), Some(id.clone()), 1, json).await.unwrap();
        broker
    };
    let (one, other) = (sold().await, sold().await);
    house.commit(one).await.unwrap();
    assert!(matches!(house.commit(other).await, Err(RecordError::Conflict)));
}

#[tokio::test]
async fn orders_are_their_contacts_and_nobody_elses() {
    let house = House::build().await;
    let mut broker = house.broker();
    let id = put(&mut broker, "orders", 1, "{\"secret\":1}").await.unwrap();
    house.commit(broker).await.unwrap();

    let neighbour = WorkspaceId::new();
    house.declare(&neighbour).await;
    let other_contact = ContactId::new();
    for mut stranger in [
        house.broker_for(&house.workspace, &other_contact, |_| ()),
        house.broker_for(&neighbour, &house.contact, |_| ()),
    ] {
        assert_eq!(stranger.records_get("orders".to_owned(), id.clone()).await.unwrap(), None);
        assert_eq!(stranger.records_find(all("orders")).await.unwrap(), []);
        let change = stranger.records_put("orders".to_owned(), Some(id.clone()), 1, "{}".to_owned()).await;
        assert_eq!(change.unwrap_err().code, "not-found");
        assert_eq!(stranger.records_remove("orders".to_owned(), id.clone()).await.unwrap_err().code, "not-found");
        assert_eq!(stranger.finish().writes, []);
    }
}

#[tokio::test]
async fn products_are_searched_within_the_workspace() {
    let house = House::build().await;
    let mut broker = house.broker();
    put(&mut broker, "products", 1, "{\"title\":\"Blue cup\"}").await.unwrap();
    house.commit(broker).await.unwrap();
    let search = |mut broker: Broker| async move {
        let hits = broker.records_search("products".to_owned(), "blue cups".to_owned(), None, 3).await.unwrap();
        (hits.len(), broker.finish())
    };
    let (n_hits, ledger) = search(house.broker()).await;
    assert_eq!(n_hits, 1);
    assert!(matches!(&ledger.reads[..], [ReadMark::Search { found, .. }] if found.len() == 1));
    let codes: Vec<&str> = ledger.audit.iter().map(|entry| entry.code.as_str()).collect();
    assert_eq!(codes, ["message-text"], "the business's own records are nobody's personal data");

    let neighbour = WorkspaceId::new();
    house.declare(&neighbour).await;
    assert_eq!(search(house.broker_for(&neighbour, &house.contact, |_| ())).await.0, 0);
    let of_orders = house.broker().records_search("orders".to_owned(), "x".to_owned(), None, 3).await;
    assert_eq!(of_orders.unwrap_err().code, "invalid");
}

#[tokio::test]
async fn what_is_not_granted_is_denied_and_leaves_nothing() {
    let house = House::build().await;
    let mut broker = house.broker_for(&house.workspace, &house.contact, |scopes| {
        scopes.collections.remove("orders");
        scopes.contact_fields.clear();
        scopes.history_lines = 0;
    });
    let denied = |fault: Fault| (fault.code, fault.grant);
    let orders = ("denied".to_owned(), Some("collections:orders".to_owned()));
    assert_eq!(denied(put(&mut broker, "orders", 1, "{}").await.unwrap_err()), orders);
    assert_eq!(denied(broker.records_find(all("orders")).await.unwrap_err()), orders);
    let get = broker.records_get("orders".to_owned(), "x".to_owned()).await;
    assert_eq!(denied(get.unwrap_err()), orders);
    let name = broker.contact_field("name".to_owned()).await.unwrap_err();
    assert_eq!(denied(name), ("denied".to_owned(), Some("contact-fields:name".to_owned())));
    assert_eq!(broker.history_recent(5).await.unwrap_err().code, "denied");
    assert_eq!(put(&mut broker, "invoices", 1, "{}").await.unwrap_err().code, "not-found");
    let ledger = broker.finish();
    assert_eq!((ledger.writes, ledger.reads), (Vec::new(), Vec::new()));

    let mut blind = house.broker_for(&house.workspace, &house.contact, |scopes| scopes.text = TextScope::None);
    let fault = blind.history_recent(5).await.unwrap_err();
    assert_eq!(denied(fault), ("denied".to_owned(), Some("text".to_owned())), "lines are text");
}

#[tokio::test]
async fn a_contacts_records_hold_values_and_show_tokens() {
    let house = House::build().await;
    let masked = |scopes: &mut Scopes| scopes.text = TextScope::Masked;
    let mut broker = house.broker_for(&house.workspace, &house.contact, masked);
    let value = house.masker.mask("0660 1234567, please call").values.remove(0);
    broker.caller.masked.push(value.clone());
    let order = format!(r#"{{"phone":"{}","size":42}}"#, value.token.as_str());
    let id = put(&mut broker, "orders", 1, &order).await.unwrap();
    let read = |entry: Option<RecordEntry>| entry.unwrap().json;
    assert_eq!(read(broker.records_get("orders".to_owned(), id.clone()).await.unwrap()), order, "its own write");
    house.commit(broker).await.unwrap();

    let mut clear = house.broker();
    let stored = read(clear.records_get("orders".to_owned(), id.clone()).await.unwrap());
    assert_eq!(stored, r#"{"phone":"0660 1234567","size":42}"#, "staff see the number");
    let mut broker = house.broker_for(&house.workspace, &house.contact, masked);
    assert_eq!(read(broker.records_get("orders".to_owned(), id).await.unwrap()), order);
    assert_eq!(broker.records_find(all("orders")).await.unwrap()[0].json, order);

    for (front, behind) in [("x", ""), ("", "5")] {
        let glued = format!(r#"{{"t":"{front}{}{behind}"}}"#, value.token.as_str());
        let fault = put(&mut broker, "orders", 2, &glued).await.unwrap_err();
        assert_eq!(fault.code, "invalid", "{glued}: nobody would find the number again");
    }
    let guess = put(&mut broker, "orders", 2, r#"{"phone":"0660 1234567"}"#).await.unwrap_err();
    assert_eq!(guess.code, "invalid", "a guess could be compared");
    let forged = put(&mut broker, "orders", 2, r#"{"phone":"⟦phone:aaaaaa⟧"}"#).await.unwrap_err();
    assert_eq!(forged.code, "invalid");
    let business = put(&mut broker, "products", 2, r#"{"title":"call 0660 1234567"}"#).await.unwrap();
    let shown = read(broker.records_get("products".to_owned(), business).await.unwrap());
    assert_eq!(shown, r#"{"title":"call 0660 1234567"}"#, "what is the business's own is no customer's");
}

#[tokio::test]
async fn reads_are_on_record() {
    let house = House::build().await;
    let mut broker = house.broker();
    let missing = RecordId::new();
    assert_eq!(broker.records_get("orders".to_owned(), missing.to_string()).await.unwrap(), None);
    assert_eq!(broker.contact_field("name".to_owned()).await.unwrap(), None);
    assert_eq!(broker.history_recent(50).await.unwrap(), []);
    let ledger = broker.finish();
    let absent = ReadMark::Record { collection: "orders".to_owned(), id: missing, revision: None };
    assert_eq!(ledger.reads, [absent, ReadMark::ContactField("name".to_owned()), ReadMark::History(5)]);
    let codes: Vec<&str> = ledger.audit.iter().map(|entry| entry.code.as_str()).collect();
    assert_eq!(codes, ["contact-records", "message-text"]);
    assert!(ledger.audit.iter().all(|entry| entry.subject == Some([7; 32]) && entry.kind == Kind::Read));
}

#[tokio::test]
async fn a_record_has_to_meet_its_schema_and_its_limit() {
    let house = House::build().await;
    let mut broker = house.broker();
    let long = |bytes: usize| format!("{{\"title\":\"{}\"}}", "x".repeat(bytes - "{\"title\":\"\"}".len()));
    for wrong in ["{}", "[]", "no json", "{\"title\":7}", &long(record::MAX_RECORD_BYTES + 1)] {
        assert_eq!(put(&mut broker, "products", 1, wrong).await.unwrap_err().code, "invalid");
    }
    put(&mut broker, "products", 1, &long(record::MAX_RECORD_BYTES)).await.unwrap();
}

#[tokio::test]
async fn a_call_writes_a_bounded_number_of_records() {
    let house = House::build().await;
    let mut broker = house.broker();
    let mut last = String::new();
    for key in 0..32 {
        last = put(&mut broker, "orders", key, "{}").await.unwrap();
    }
    assert_eq!(put(&mut broker, "orders", 33, "{}").await.unwrap_err().code, "quota");
    let again = broker.records_put("orders".to_owned(), Some(last), 1, "{\"again\":1}".to_owned()).await;
    assert!(again.is_ok(), "changing one that waits is no further write");
    assert_eq!(broker.finish().writes.len(), 32);
}

#[tokio::test]
async fn what_this_version_lacks_says_so() {
    let house = House::build().await;
    let mut broker = house.broker();
    let prompt = Prompt { profile: String::new(), messages: Vec::new(), max_tokens: 1, json_schema: None };
    assert_eq!(broker.language_model_complete(prompt).await.unwrap_err().code, "unavailable");
    assert_eq!(broker.media_read("x".to_owned(), 0, 1).await.unwrap_err().code, "unavailable");
}

#[tokio::test]
async fn a_failure_of_the_hosts_is_kept_apart_from_what_a_plugin_gets_wrong() {
    let house = House::build().await;
    let mut broker = house.broker();
    put(&mut broker, "products", 1, "no json").await.unwrap_err();
    assert!(!broker.finish().has_stumbled);
    let mut broker = house.broker();
    house.sources.db.close().await;
    assert_eq!(broker.history_recent(5).await.unwrap_err().code, "internal");
    assert!(broker.finish().has_stumbled);
}
