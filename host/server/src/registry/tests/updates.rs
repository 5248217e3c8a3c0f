//! A new version takes the place of the old one only when its author signed it and it adds nothing; any other waits.

use super::agreement::rewritten;
use super::*;

/// The manifest of a test plugin: a version and what it asks for.
fn manifest(version: &str, rest: &str) -> String {
    format!(
        "id = \"hello\"\nversion = \"{version}\"\nname.en = \"Hello\"\ndescription.en = \"Greets.\"\n{rest}\n\
         [settings]\ntype = \"object\"\nadditionalProperties = {{ type = \"string\", maxLength = 500 }}\n"
    )
}

const ASKS: &str =
    "[scopes]\neffects = [\"say\"]\ntriggers = [\"messages\"]\nlink-hosts = [\"a.example\", \"b.example\"]\n";

fn file(version: &str, rest: &str) -> Vec<u8> {
    rewritten("hello", |_| manifest(version, rest))
}

impl House {
    /// The hash that runs on the channel.
    fn running(&self) -> ContentHash {
        let plugins = self.registry.plugins_for(&self.workspace, &self.channel);
        assert_eq!(plugins.len(), 1);
        plugins[0].hash.clone()
    }

    /// Why what is installed does not run.
    async fn waits(&self) -> Option<Waits> {
        let mut waiting = self.registry.waiting(&self.workspace, &self.channel).await.unwrap();
        assert!(waiting.len() <= 1);
        waiting.pop().map(|one| one.why)
    }

    async fn enable_hash(&self, hash: &ContentHash) {
        self.enable_with(hash.as_str(), r#"{"en":"Good day"}"#, |scopes| scopes.text = TextScope::Masked)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn check_13_a_version_that_adds_nothing_takes_over_on_every_channel() {
    let house = House::build().await;
    let key = AuthorKey::new().unwrap();
    let first = house.registry.install(&key.sign(&file("1.0.0", ASKS)).unwrap()).await.unwrap().plugin;
    house.enable_hash(&first.hash).await;
    house.enable("faq", |_| ()).await.unwrap();
    let other = ChannelId::new();
    house.connect(&other).await;
    let mut narrow =
        Scopes { link_hosts: ["a.example".to_owned()].into(), ..Scopes::asked(&first.manifest, TextScope::Clear) };
    narrow.flows = bellhop_domain::flow::possible(&narrow);
    let enable = Enable {
        workspace: &house.workspace,
        channel: &other,
        plugin: &first,
        scopes: narrow,
        settings_json: "{}",
        position: Some(7),
    };
    house.registry.enable(enable).await.unwrap();

    // It asks for one host less than the old one, and for one that only one of the channels granted.
    let less = ASKS.replace(", \"b.example\"", "");
    let second = house.registry.install(&key.sign(&file("1.0.1", &less)).unwrap()).await.unwrap();
    assert!(second.is_new);
    assert_eq!(second.n_moved, 2);
    // As on another host, and after a restart.
    let registry = registry(&house.db, &house.vault).await;
    assert_eq!(registry.unreadable(), []);
    let here = registry.plugins_for(&house.workspace, &house.channel);
    assert_eq!((here[0].hash.clone(), here[0].position), (second.plugin.hash.clone(), 1));
    assert_eq!((here[0].scopes.text, here[0].settings_json.as_ref()), (TextScope::Masked, r#"{"en":"Good day"}"#));
    assert_eq!(here[0].scopes.link_hosts, ["a.example".to_owned()].into());
    let there = registry.plugins_for(&house.workspace, &other);
    assert_eq!((there[0].position, there[0].scopes.text), (7, TextScope::Clear));
    assert_eq!(here[0].plugin_key, first.key, "records and sessions stay");
    registry.prepared(&here[0]).await.unwrap();
    assert_eq!(registry.updated(&house.workspace, &house.channel).await.unwrap(), [here[0].grant_id.clone()]);
    assert_eq!(house.n_rows("select count(*) from audit where code = 'plugin-updated'").await, 2);
    assert_eq!(house.n_rows("select count(*) from plugin_grant where state = 'revoked'").await, 2);
    assert_eq!(house.waits_beside("hello").await, None);

    // What was left out is not given back by itself: it would be more than what runs now.
    let third = house.registry.install(&key.sign(&file("1.0.2", ASKS)).unwrap()).await.unwrap();
    assert_eq!(third.n_moved, 0);
    assert_eq!(house.waits_beside("hello").await, Some(Waits::Adds(vec!["link-host:b.example".to_owned()])));
}

impl House {
    async fn waits_beside(&self, id: &str) -> Option<Waits> {
        let waiting = self.registry.waiting(&self.workspace, &self.channel).await.unwrap();
        waiting.into_iter().find(|one| one.enabled.plugin_id == id).map(|one| one.why)
    }
}

#[tokio::test]
async fn check_13_every_other_version_waits_and_says_why() {
    let key = AuthorKey::new().unwrap();
    let adds = |what: &str| Some(Waits::Adds(vec![what.to_owned()]));
    let strict = manifest("1.0.1", ASKS).replace("maxLength = 500", "maxLength = 3");
    let cases: Vec<(&str, Vec<u8>, Option<Waits>)> = vec![
        ("a host", signed(&key, "1.0.1", &ASKS.replace("b.example", "c.example")), adds("link-host:c.example")),
        (
            "a wider host",
            signed(&key, "1.0.1", &ASKS.replace("b.example", "*.b.example")),
            adds("link-host:*.b.example"),
        ),
        ("an effect", signed(&key, "1.0.1", &ASKS.replace("\"say\"", "\"say\", \"note\"")), adds("effect:note")),
        (
            "a trigger",
            signed(&key, "1.0.1", &ASKS.replace("\"messages\"", "\"messages\", \"comment\"")),
            adds("trigger:comment"),
        ),
        ("unsigned", file("1.0.1", ASKS), Some(Waits::Unsigned)),
        ("another signer", signed(&AuthorKey::new().unwrap(), "1.0.1", ASKS), Some(Waits::OtherSigner)),
        ("the same version", signed(&key, "1.0.0", &format!("# built again\n{ASKS}")), Some(Waits::NotGreater)),
        ("a lower version", signed(&key, "0.9.0", ASKS), None),
        (
            "settings that it refuses",
            key.sign(&rewritten("hello", |_| strict)).unwrap(),
            Some(Waits::Settings(vec![String::new()])),
        ),
    ];
    for (what, newer, why) in cases {
        let house = House::build().await;
        let first = house.registry.install(&signed(&key, "1.0.0", ASKS)).await.unwrap().plugin;
        house.enable_hash(&first.hash).await;
        house.db.execute(sqlx::query("update plugin set installed_at = installed_at - 1")).await.unwrap();
        let newer = house.registry.install(&newer).await.unwrap();
        assert_eq!((newer.n_moved, house.running()), (0, first.hash.clone()), "{what}");
        match (house.waits().await, why) {
            (Some(Waits::Settings(problems)), Some(Waits::Settings(_))) => assert!(!problems.is_empty()),
            (waits, why) => assert_eq!(waits, why, "{what}"),
        }
        // Enabling it is the consent. What has the same key replaces the old one; what has not stands beside it.
        if !what.starts_with("settings") {
            house.enable_hash(&newer.plugin.hash).await;
            let hashes: Vec<_> = house
                .registry
                .plugins_for(&house.workspace, &house.channel)
                .iter()
                .map(|one| one.hash.clone())
                .collect();
            assert!(hashes.contains(&newer.plugin.hash), "{what}");
            assert_eq!(hashes.contains(&first.hash), newer.plugin.key != first.key, "{what}");
        }
    }
}

fn signed(key: &AuthorKey, version: &str, rest: &str) -> Vec<u8> {
    key.sign(&file(version, rest)).unwrap()
}

#[tokio::test]
async fn check_13_a_business_that_chose_an_older_version_keeps_it() {
    let house = House::build().await;
    let key = AuthorKey::new().unwrap();
    let first = house.registry.install(&signed(&key, "1.0.0", ASKS)).await.unwrap().plugin;
    let second = house.registry.install(&signed(&key, "1.1.0", ASKS)).await.unwrap().plugin;
    house.enable_hash(&first.hash).await;
    let again = house.registry.install(&signed(&key, "1.1.0", ASKS)).await.unwrap();
    assert!(!again.is_new, "{}", second.hash);
    assert_eq!((again.n_moved, house.running(), house.waits().await), (0, first.hash, Some(Waits::NotChosen)));
}

#[tokio::test]
async fn check_14_what_ships_is_updated_by_the_same_rule() {
    let house = House::build().await;
    house.enable("hello", |_| ()).await.unwrap();
    let old = house.running();
    let install = async |from: &str, to: &str| {
        let bytes =
            rewritten("hello", |manifest| manifest.replace("version = \"0.1.0\"", from).replace("[\"say\"]", to));
        let hash = bellhop_sandbox::admit(&bytes).unwrap().hash;
        house.registry.install_signed(&bytes, &hash).await.unwrap()
    };
    let more = install("version = \"0.2.0\"", "[\"say\", \"note\"]").await;
    assert_eq!((more.n_moved, house.running()), (0, old.clone()));
    assert_eq!(house.waits().await, Some(Waits::Adds(vec!["effect:note".to_owned()])));
    let same = install("version = \"0.3.0\"", "[\"say\"]").await;
    assert_eq!((same.n_moved, house.running()), (1, same.plugin.hash));
    assert_ne!(house.running(), old);
}
