//! Installation and grants with the plugins that ship with the host.

use bellhop_domain::manifest::Collection;
use bellhop_plugins::BUNDLED;
use bellhop_sandbox::{SandboxOptions, with_signature};
use ed25519_dalek::{Signer, SigningKey};
use serde_json::json;

use super::*;
use crate::record::testing;

mod agreement;
mod flows;
mod updates;

struct House {
    db: Db,
    vault: Vault,
    registry: Registry,
    workspace: WorkspaceId,
    channel: ChannelId,
    _folder: tempfile::TempDir,
}

impl House {
    async fn build() -> Self {
        let (folder, db, vault) = testing::store().await;
        let registry = registry(&db, &vault).await;
        let house =
            Self { db, vault, registry, workspace: WorkspaceId::new(), channel: ChannelId::new(), _folder: folder };
        house.connect(&house.channel.clone()).await;
        house.registry.install_bundled().await.unwrap();
        house
    }

    async fn connect(&self, channel: &ChannelId) {
        let query = sqlx::query(
            "insert into channel (workspace_id, id, app_id, kind, asset_id, name, locale, state, created_at) \
             values ($1, $2, 'app', 'messenger', $3, 'Page', 'en', 'active', 0)",
        );
        let query = query.bind(self.workspace.as_str()).bind(channel.as_str()).bind(format!("asset of {channel}"));
        self.db.execute(query).await.unwrap();
    }

    async fn enable(&self, plugin: &str, change: impl FnOnce(&mut Scopes)) -> Result<GrantId, RegistryError> {
        self.enable_with(plugin, "{}", change).await
    }

    async fn enable_with(
        &self,
        plugin: &str,
        settings_json: &str,
        change: impl FnOnce(&mut Scopes),
    ) -> Result<GrantId, RegistryError> {
        let plugin = self.registry.plugin_find(plugin).await?;
        let mut scopes = Scopes::asked(&plugin.manifest, TextScope::Clear);
        change(&mut scopes);
        scopes.flows = bellhop_domain::flow::possible(&scopes);
        let (workspace, channel) = (&self.workspace, &self.channel);
        let enable = Enable { workspace, channel, plugin: &plugin, scopes, settings_json, position: None };
        self.registry.enable(enable).await
    }

    fn enabled(&self) -> Vec<String> {
        let plugins = self.registry.plugins_for(&self.workspace, &self.channel);
        plugins.iter().map(|plugin| plugin.plugin_id.clone()).collect()
    }

    async fn n_rows(&self, sql: &'static str) -> i64 {
        let rows = self.db.fetch_all(sqlx::query(sql)).await.unwrap();
        sqlx::Row::get(&rows[0], 0)
    }
}

async fn registry(db: &Db, vault: &Vault) -> Registry {
    let sandbox = Sandbox::new(SandboxOptions { calls_at_once: 4, ..SandboxOptions::default() }).unwrap();
    Registry::open(db.clone(), vault.clone(), sandbox).await.unwrap()
}

fn hello() -> &'static [u8] {
    BUNDLED.iter().find(|plugin| plugin.id == "hello").unwrap().bytes
}

#[tokio::test]
async fn what_ships_is_signed_by_the_installation_and_installed_once() {
    let house = House::build().await;
    let signer = hex::encode(sha2::Digest::finalize(sha2::Digest::chain_update(
        <sha2::Sha256 as sha2::Digest>::new(),
        house.vault.public_key().await.unwrap(),
    )));
    let installed = house.registry.install_bundled().await.unwrap();
    assert_eq!(installed.len(), BUNDLED.len());
    for installed in &installed {
        assert!(!installed.is_new);
        let key = format!("{signer}/{}", installed.plugin.manifest.id);
        assert_eq!(installed.plugin.key.as_str(), key);
    }
    assert_eq!(house.registry.plugins().await.unwrap().len(), BUNDLED.len());
}

#[tokio::test]
async fn state_hangs_on_the_signer_or_on_the_bytes() {
    let house = House::build().await;
    let known = house.registry.install(hello()).await.unwrap();
    assert!(!known.is_new, "an unsigned copy of known bytes changes nothing");
    assert_eq!(known.plugin.key, house.registry.plugin_find("hello").await.unwrap().key);

    let (_folder, db, vault) = testing::store().await;
    let empty = registry(&db, &vault).await;
    let unsigned = empty.install(hello()).await.unwrap();
    let hash = bellhop_sandbox::admit(hello()).unwrap().hash;
    assert_eq!(unsigned.plugin.key.as_str(), format!("{hash}/hello"));

    let author = SigningKey::from_bytes(&[7; 32]);
    let signature = author.sign(&hex::decode(hash.as_str()).unwrap()).to_bytes();
    let signed = with_signature(hello(), &author.verifying_key().to_bytes(), &signature);
    for taken in [&house.registry, &empty] {
        assert!(matches!(taken.install(&signed).await, Err(RegistryError::OtherSigner)));
    }
}

#[tokio::test]
async fn a_wrong_signature_is_refused() {
    let house = House::build().await;
    let author = SigningKey::from_bytes(&[7; 32]);
    let of_other_bytes = author.sign(b"other bytes").to_bytes();
    let forged = with_signature(hello(), &author.verifying_key().to_bytes(), &of_other_bytes);
    assert!(matches!(house.registry.install(&forged).await, Err(RegistryError::BadSignature)));
    let no_key = with_signature(hello(), &[0xff; 32], &of_other_bytes);
    assert!(matches!(house.registry.install(&no_key).await, Err(RegistryError::BadSignature)));
    assert!(matches!(house.registry.install(b"nonsense").await, Err(RegistryError::Refused(_))));
}

#[tokio::test]
async fn an_enabled_plugin_is_there_with_its_grant_and_its_code() {
    let house = House::build().await;
    assert_eq!(house.enabled(), Vec::<String>::new());
    let grant = house.enable_with("hello", r#"{"en": "Good day"}"#, |_| ()).await.unwrap();
    let plugins = house.registry.plugins_for(&house.workspace, &house.channel);
    assert_eq!(plugins[0].grant_id, grant);
    assert_eq!(plugins[0].settings_json.as_ref(), r#"{"en":"Good day"}"#);
    assert_eq!(plugins[0].scopes.effects.iter().collect::<Vec<_>>(), ["say"]);
    house.registry.prepared(&plugins[0]).await.unwrap();
    assert_eq!(
        house.n_rows("select count(*) from audit where kind = 'configuration' and code = 'plugin-enabled'").await,
        1
    );

    let elsewhere = registry(&house.db, &house.vault).await;
    assert_eq!(elsewhere.plugins_for(&house.workspace, &house.channel).len(), 1);
    assert_eq!(elsewhere.plugins_for(&WorkspaceId::new(), &house.channel).len(), 0);
    assert_eq!(elsewhere.plugins_for(&house.workspace, &ChannelId::new()).len(), 0);
}

#[tokio::test]
async fn another_host_sees_a_change_when_it_looks() {
    let house = House::build().await;
    let elsewhere = registry(&house.db, &house.vault).await;
    house.enable("hello", |_| ()).await.unwrap();
    assert_eq!(elsewhere.plugins_for(&house.workspace, &house.channel).len(), 0);
    assert!(elsewhere.refresh_if_changed().await.unwrap());
    assert_eq!(elsewhere.plugins_for(&house.workspace, &house.channel).len(), 1);
    assert!(!elsewhere.refresh_if_changed().await.unwrap());
}

#[tokio::test]
async fn plugins_stand_in_the_businesss_order_and_keep_their_place() {
    let house = House::build().await;
    house.enable("faq", |_| ()).await.unwrap();
    house.enable("hello", |_| ()).await.unwrap();
    assert_eq!(house.enabled(), ["faq", "hello"]);
    house.enable("faq", |scopes| scopes.text = TextScope::None).await.unwrap();
    assert_eq!(house.enabled(), ["faq", "hello"], "a new grant takes the place of the old one");
    assert_eq!(house.n_rows("select count(*) from plugin_grant where state = 'revoked'").await, 1);

    let faq = house.registry.plugin_find("faq").await.unwrap();
    assert!(house.registry.disable(&house.workspace, &house.channel, &faq.key).await.unwrap());
    assert_eq!(house.enabled(), ["hello"]);
    assert!(!house.registry.disable(&house.workspace, &house.channel, &faq.key).await.unwrap());
}

#[tokio::test]
async fn enabling_declares_the_plugins_collections() {
    let house = House::build().await;
    house.enable("faq", |_| ()).await.unwrap();
    let faq = house.registry.plugin_find("faq").await.unwrap();
    let names: Vec<&str> = faq.manifest.collections.iter().map(|collection| collection.name.as_str()).collect();
    for name in names {
        let (workspace, plugin_key) = (house.workspace.clone(), faq.key.clone());
        let key = crate::record::CollectionKey { workspace, plugin_key, name: name.to_owned() };
        let declared: Option<Collection> = crate::record::collection_find(&house.db, &key).await.unwrap();
        assert_eq!(declared.as_ref(), faq.manifest.collection(name));
        assert!(faq.schema(name).is_some());
    }
}

#[tokio::test]
async fn a_grant_gives_what_is_required_and_nothing_that_was_not_asked_for() {
    let house = House::build().await;
    let error = house.enable("faq", |scopes| scopes.capabilities.clear()).await.unwrap_err();
    assert!(error.to_string().contains("records"), "{error}");
    for (plugin, give) in [
        ("hello", (|scopes| scopes.capabilities.extend([Capability::Http])) as fn(&mut Scopes)),
        ("hello", |scopes| scopes.effects.extend(["call".to_owned()])),
        ("hello", |scopes| scopes.link_hosts.extend(["example.com".to_owned()])),
        ("hello", |scopes| scopes.contact_fields.extend(["phone".to_owned()])),
        ("hello", |scopes| scopes.history_lines = 1),
        ("faq", |scopes| scopes.collections.extend(["bookings".to_owned()])),
    ] {
        let refused = house.enable(plugin, give).await;
        assert!(matches!(refused, Err(RegistryError::NotAsked { .. })), "{refused:?}");
    }
    assert_eq!(house.n_rows("select count(*) from plugin_grant").await, 0);
}

#[tokio::test]
async fn settings_are_small_objects_that_the_schema_allows() {
    let house = House::build().await;
    let of_bytes = |bytes: usize| {
        let greeting = "x".repeat(490);
        let mut settings = serde_json::Map::new();
        while json!(settings).to_string().len() + 505 < bytes {
            settings.insert(format!("l{:04}", settings.len()), json!(greeting));
        }
        let rest = bytes - json!(settings).to_string().len() - "\"l\":\"\",".len();
        settings.insert("l".to_owned(), json!("x".repeat(rest)));
        json!(settings).to_string()
    };
    let (fits, too_large) = (of_bytes(MAX_SETTINGS_BYTES), of_bytes(MAX_SETTINGS_BYTES + 1));
    assert_eq!((fits.len(), too_large.len()), (MAX_SETTINGS_BYTES, MAX_SETTINGS_BYTES + 1));
    house.enable_with("hello", &fits, |_| ()).await.unwrap();
    for wrong in [too_large.as_str(), "[]", "no json", r#"{"en": 7}"#] {
        let refused = house.enable_with("hello", wrong, |_| ()).await;
        assert!(matches!(refused, Err(RegistryError::Settings(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let house = House::build().await;
    let error = house.enable("chess", |_| ()).await.unwrap_err();
    assert!(error.to_string().contains("`chess`"), "{error}");
    let plugin = house.registry.plugin_find("hello").await.unwrap();
    let channel = ChannelId::new();
    let enable = Enable {
        workspace: &house.workspace,
        channel: &channel,
        scopes: Scopes::asked(&plugin.manifest, TextScope::None),
        plugin: &plugin,
        settings_json: "{}",
        position: None,
    };
    assert!(matches!(house.registry.enable(enable).await, Err(RegistryError::UnknownChannel(_))));
    assert_eq!(house.n_rows("select count(*) from collection").await, 0);
}

#[test]
fn consent_covers_bytes_and_scopes() {
    let (one, other) = (ContentHash::parse("aa").unwrap(), ContentHash::parse("bb").unwrap());
    let none = Scopes::default().canonical();
    let said = Scopes { effects: ["say".to_owned()].into(), ..Scopes::default() };
    let print = scopes::fingerprint;
    assert_eq!(print(&one, &none), print(&one, &Scopes::default().canonical()));
    assert_ne!(print(&one, &none), print(&other, &none));
    assert_ne!(print(&one, &none), print(&one, &said.canonical()));
    assert_eq!(serde_json::from_str::<Scopes>(&said.canonical()).unwrap(), said);
}

#[tokio::test]
async fn a_damaged_grant_stops_its_own_plugin_and_nobody_elses() {
    let house = House::build().await;
    house.enable("faq", |_| ()).await.unwrap();
    let damaged = house.enable("hello", |_| ()).await.unwrap();
    let plugin = house.registry.plugin_find("hello").await.unwrap();
    let select = sqlx::query("select scopes, fingerprint from plugin_grant where id = $1").bind(damaged.as_str());
    let row = house.db.fetch_optional(select).await.unwrap().unwrap();
    let (granted, consented): (String, String) = (sqlx::Row::get(&row, 0), sqlx::Row::get(&row, 1));
    // Whole, and more than anybody consented to.
    let widened = granted.replace("\"effects\":[\"say\"]", "\"effects\":[\"comment-reply\",\"say\"]");
    assert_ne!(widened, granted);
    for (column, value) in [
        ("scopes", "{\"effects\": ["),
        ("scopes", "{\"magic\": true}"),
        ("scopes", &widened),
        ("fingerprint", ""),
        ("settings", "{\"en\": "),
        ("settings", "[]"),
    ] {
        let sql = format!("update plugin_grant set {column} = $1 where id = $2");
        let update = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(value).bind(damaged.as_str());
        house.db.execute(update).await.unwrap();
        // As after a restart.
        let registry = registry(&house.db, &house.vault).await;
        let enabled = registry.plugins_for(&house.workspace, &house.channel);
        assert_eq!(enabled.iter().map(|one| one.plugin_id.as_str()).collect::<Vec<_>>(), ["faq"], "{column} {value}");
        let unreadable = registry.unreadable();
        let [grant] = unreadable.as_slice() else { panic!("{unreadable:?}") };
        assert_eq!((grant.id.as_str(), grant.channel.as_str()), (damaged.as_str(), house.channel.as_str()));
        assert_eq!(grant.plugin, Some((plugin.key.clone(), "hello".to_owned())));
        // Mended for the next turn of this loop.
        let good = "update plugin_grant set scopes = $1, fingerprint = $2, settings = '{}' where id = $3";
        let good = sqlx::query(good).bind(granted.as_str()).bind(consented.as_str()).bind(damaged.as_str());
        house.db.execute(good).await.unwrap();
    }
    let broken = sqlx::query("update plugin_grant set scopes = '' where id = $1").bind(damaged.as_str());
    house.db.execute(broken).await.unwrap();
    house.enable("hello", |_| ()).await.unwrap();
    assert_eq!(house.enabled(), ["faq", "hello"], "enabling it again mends it");
    assert_eq!(house.registry.unreadable(), []);
}
