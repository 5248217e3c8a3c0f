//! Tests of vault on SQLite.

use std::fs;

use proptest::prelude::*;
use tempfile::TempDir;
use zeroize::Zeroizing;

use crate::config::MasterKeyText;
use crate::db::{Clock, Schema, Statement};

use super::*;

struct House {
    folder: TempDir,
    clock: Clock,
    keyring: Db,
    store: Db,
}

impl House {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::manual(Timestamp::from_millis(1_800_000_000_000));
        let open = async |name: &str, schema| {
            let url = Db::sqlite_url(&folder.path().join(name));
            Db::open(&url, schema, clock.clone()).await.unwrap()
        };
        let (keyring, store) = (open("keyring.db", Schema::Keyring).await, open("store.db", Schema::Store).await);
        Self { folder, clock, keyring, store }
    }

    fn keys(&self) -> KeysConfig {
        KeysConfig { folder: self.folder.path().join("keys"), ..KeysConfig::default() }
    }

    async fn vault(&self) -> Vault {
        self.open(&self.keys()).await.unwrap()
    }

    async fn open(&self, keys: &KeysConfig) -> Result<Vault, VaultError> {
        Vault::open(keys, self.keyring.clone(), self.store.clone()).await
    }

    async fn put(&self, vault: &Vault, workspace: &WorkspaceId, kind: SecretKind, secret: (&str, &str)) {
        let mut transaction = self.store.begin_write().await.unwrap();
        let bytes = Zeroizing::new(secret.1.as_bytes().to_vec());
        vault.secret_put(&mut transaction, workspace, kind, secret.0, bytes).await.unwrap();
        transaction.commit().await.unwrap();
        vault.secrets_forget();
    }
}

const PLACE: Place<'static> = Place { table: "message", column: "sealed", row: "row-1", revision: 3 };

fn tag(secret: &[u8], message: &[u8]) -> [u8; 32] {
    use hmac::Mac;
    seal::digest(seal::mac_state_of(secret).chain_update(message))
}

#[tokio::test]
async fn what_was_sealed_opens_at_its_place_and_nowhere_else() {
    let house = House::new().await;
    let vault = house.vault().await;
    let (ours, theirs) = (WorkspaceId::new(), WorkspaceId::new());
    let key = vault.key(&ours, Owner::Workspace).await.unwrap();
    let sealed = key.seal(&PLACE, b"hello");
    assert_eq!(key.open(&PLACE, &sealed).unwrap().as_slice(), b"hello");
    assert_ne!(key.seal(&PLACE, b"hello"), sealed, "every sealing has a nonce of its own");

    let elsewhere = [
        Place { table: "session", ..PLACE },
        Place { column: "profile", ..PLACE },
        Place { row: "row-2", ..PLACE },
        Place { revision: 4, ..PLACE },
    ];
    for place in elsewhere {
        assert!(matches!(key.open(&place, &sealed), Err(VaultError::Sealed)), "{place:?}");
    }
    let foreign = vault.key(&theirs, Owner::Workspace).await.unwrap();
    assert!(matches!(foreign.open(&PLACE, &sealed), Err(VaultError::Sealed)));
    let raw = Zeroizing::new([7; 32]);
    let moved = DataKey::new(ours.clone(), KeyId::new(), &raw).seal(&PLACE, b"hello");
    let same_bytes_other_workspace = DataKey::new(theirs, KeyId::new(), &raw);
    assert!(matches!(same_bytes_other_workspace.open(&PLACE, &moved), Err(VaultError::Sealed)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_changed_bit_is_noticed(plain in proptest::collection::vec(any::<u8>(), 0..64), bit in any::<proptest::sample::Index>()) {
        let key = DataKey::new(WorkspaceId::new(), KeyId::new(), &seal::random_key());
        let mut sealed = key.seal(&PLACE, &plain);
        let opened = key.open(&PLACE, &sealed).unwrap();
        prop_assert_eq!(opened.as_slice(), plain.as_slice());
        let bit = bit.index(sealed.len() * 8);
        sealed[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(key.open(&PLACE, &sealed).is_err());
        sealed.truncate(bit / 8);
        prop_assert!(key.open(&PLACE, &sealed).is_err());
    }
}

#[tokio::test]
async fn a_key_outlives_the_process() {
    let house = House::new().await;
    let workspace = WorkspaceId::new();
    let sealed = {
        let vault = house.vault().await;
        vault.key(&workspace, Owner::Workspace).await.unwrap().seal(&PLACE, b"hello")
    };
    let vault = house.vault().await;
    let key = vault.key(&workspace, Owner::Workspace).await.unwrap();
    assert_eq!(key.open(&PLACE, &sealed).unwrap().as_slice(), b"hello");
    assert_eq!(vault.key_by_id(&workspace, key.id()).await.unwrap().id(), key.id());
    let stranger = vault.key_by_id(&WorkspaceId::new(), key.id()).await;
    assert!(matches!(stranger, Err(VaultError::KeyGone)), "a key is found in its own workspace only");
}

#[tokio::test]
async fn two_vaults_on_one_keyring_agree_on_a_new_key() {
    let house = House::new().await;
    let (first, second) = (house.vault().await, house.vault().await);
    let (workspace, contact) = (WorkspaceId::new(), ContactId::new());
    let (a, b) =
        tokio::join!(first.key(&workspace, Owner::Contact(&contact)), second.key(&workspace, Owner::Contact(&contact)));
    let sealed = a.unwrap().seal(&PLACE, b"hello");
    assert_eq!(b.unwrap().open(&PLACE, &sealed).unwrap().as_slice(), b"hello");
    assert_eq!(
        first.index(&workspace).await.unwrap().of("mid", &[b"m_1"]),
        second.index(&workspace).await.unwrap().of("mid", &[b"m_1"])
    );
}

#[tokio::test]
async fn many_contacts_get_their_keys_in_order_and_once_each() {
    let house = House::new().await;
    let vault = house.vault().await;
    let workspace = WorkspaceId::new();
    let known = ContactId::new();
    let known_key = vault.key(&workspace, Owner::Contact(&known)).await.unwrap();
    let new = ContactId::new();
    let wanted = [new.clone(), known, new.clone()].map(|contact| (workspace.clone(), contact));
    let keys = vault.contact_keys(&wanted).await.unwrap();
    assert_eq!(keys[0].id(), keys[2].id());
    assert_eq!(keys[1].id(), known_key.id());

    let gone = (workspace.clone(), KeyId::new());
    let ids = [(workspace.clone(), keys[0].id().clone()), gone, (workspace.clone(), keys[1].id().clone())];
    house.clock.advance(Duration::from_secs(61));
    let found = vault.keys_by_id(&ids).await.unwrap();
    let found: Vec<_> = found.iter().map(|key| key.as_ref().map(|key| key.id().clone())).collect();
    assert_eq!(found, [Some(keys[0].id().clone()), None, Some(keys[1].id().clone())]);
}

#[tokio::test]
async fn a_new_epoch_keeps_content_readable_and_old_copies_of_the_keyring_unreadable() {
    let house = House::new().await;
    let vault = house.vault().await;
    let (workspace, contact) = (WorkspaceId::new(), ContactId::new());
    let key = vault.key(&workspace, Owner::Contact(&contact)).await.unwrap();
    let sealed = key.seal(&PLACE, b"hello");
    let backup = keyring::keys_by_id(&house.keyring, &[&(workspace.clone(), key.id().clone())]).await.unwrap();
    let old_file = house.keys().folder.join("epoch-1.key");
    assert!(old_file.exists());

    assert_eq!(vault.rotate_epoch().await.unwrap(), 2);
    assert!(!old_file.exists());
    let later = house.vault().await;
    let key = later.key(&workspace, Owner::Contact(&contact)).await.unwrap();
    assert_eq!(key.open(&PLACE, &sealed).unwrap().as_slice(), b"hello");
    let from_backup = later.inner.epochs.unwrap(&house.keyring, &backup[0]).await;
    assert!(matches!(from_backup, Err(VaultError::EpochMissing(1))));
}

#[tokio::test]
async fn a_host_that_missed_a_new_epoch_still_makes_and_reads_keys() {
    let house = House::new().await;
    let (first, second) = (house.vault().await, house.vault().await);
    assert_eq!(first.rotate_epoch().await.unwrap(), 2);
    let workspace = WorkspaceId::new();
    let key = second.key(&workspace, Owner::Workspace).await.unwrap();
    let rows = keyring::keys_by_id(&house.keyring, &[&(workspace.clone(), key.id().clone())]).await.unwrap();
    assert_eq!(rows[0].epoch, 2, "nothing is wrapped under a retired epoch");
    assert_eq!(first.key(&workspace, Owner::Workspace).await.unwrap().id(), key.id());
    assert_eq!(second.rotate_epoch().await.unwrap(), 3);
    house.clock.advance(Duration::from_secs(61));
    assert_eq!(first.key(&workspace, Owner::Workspace).await.unwrap().id(), key.id());
}

#[tokio::test]
async fn a_destroyed_key_is_gone_here_at_once_and_elsewhere_within_a_minute() {
    let house = House::new().await;
    let (here, elsewhere) = (house.vault().await, house.vault().await);
    let (workspace, contact, other) = (WorkspaceId::new(), ContactId::new(), ContactId::new());
    let id = here.key(&workspace, Owner::Contact(&contact)).await.unwrap().id().clone();
    let kept = here.key(&workspace, Owner::Contact(&other)).await.unwrap().id().clone();
    elsewhere.key_by_id(&workspace, &id).await.unwrap();
    assert!(here.destroy_contact_key(&workspace, &contact).await.unwrap());
    assert!(!here.destroy_contact_key(&workspace, &contact).await.unwrap());
    assert!(matches!(here.key_by_id(&workspace, &id).await, Err(VaultError::KeyGone)));
    house.clock.advance(Duration::from_secs(60));
    assert!(matches!(elsewhere.key_by_id(&workspace, &id).await, Err(VaultError::KeyGone)));
    assert_eq!(elsewhere.key_by_id(&workspace, &kept).await.unwrap().id(), &kept);
}

#[tokio::test]
async fn intake_keys_die_with_their_day() {
    let house = House::new().await;
    let vault = house.vault().await;
    let workspace = WorkspaceId::new();
    let day = |n: i64| Day::of(Timestamp::from_millis(n * 24 * 60 * 60 * 1_000));
    let old = vault.key(&workspace, Owner::Intake(day(99))).await.unwrap().id().clone();
    let new = vault.key(&workspace, Owner::Intake(day(100))).await.unwrap().id().clone();
    let theirs = vault.key(&workspace, Owner::Workspace).await.unwrap().id().clone();
    assert_eq!(vault.drop_intake_keys_before(day(100)).await.unwrap(), 1);
    assert!(matches!(vault.key_by_id(&workspace, &old).await, Err(VaultError::KeyGone)));
    assert!(vault.key_by_id(&workspace, &new).await.is_ok());
    assert!(vault.key_by_id(&workspace, &theirs).await.is_ok());
}

#[tokio::test]
async fn a_lost_master_key_is_said_and_never_replaced() {
    let house = House::new().await;
    house.vault().await;
    let master = house.keys().folder.join("master.key");
    let text = fs::read_to_string(&master).unwrap();
    fs::remove_file(&master).unwrap();
    assert!(matches!(house.open(&house.keys()).await, Err(VaultError::MasterMissing(_))));
    assert!(!master.exists());

    let given = |text: &str| KeysConfig { master_given: Some(MasterKeyText::new(text.to_owned())), ..house.keys() };
    let error = house.open(&given(&"ab".repeat(32))).await.unwrap_err();
    assert!(matches!(error, VaultError::EpochUnreadable(1)));
    assert!(house.open(&given(&text)).await.is_ok(), "the environment may give the same key");
}

#[tokio::test]
async fn another_installations_epoch_key_is_refused() {
    let (house, other) = (House::new().await, House::new().await);
    house.vault().await;
    other.vault().await;
    let error = other.open(&house.keys()).await.unwrap_err();
    assert!(matches!(error, VaultError::EpochForeign(1)), "{error}");
}

#[tokio::test]
async fn index_names_differ_by_purpose_part_and_workspace() {
    let house = House::new().await;
    let vault = house.vault().await;
    let index = vault.index(&WorkspaceId::new()).await.unwrap();
    let name = index.of("thread", &[b"ab", b"c"]);
    assert_eq!(name, index.of("thread", &[b"ab", b"c"]));
    assert_ne!(name, index.of("thread", &[b"a", b"bc"]));
    assert_ne!(name, index.of("person", &[b"ab", b"c"]));
    assert_ne!(name, vault.index(&WorkspaceId::new()).await.unwrap().of("thread", &[b"ab", b"c"]));
}

#[tokio::test]
async fn every_live_secret_of_an_owner_verifies_and_no_other() {
    let house = House::new().await;
    let vault = house.vault().await;
    let app = "app-1";
    let kind = SecretKind::AppSecret;
    for secret in ["old secret", "new secret"] {
        house.put(&vault, &installation(), kind, (app, secret)).await;
    }
    let check = async |secret: &str| vault.verify(kind, app, b"body", &tag(secret.as_bytes(), b"body")).await.unwrap();
    assert!(check("old secret").await && check("new secret").await);
    assert!(!check("other").await);
    assert!(!check("").await);
    assert!(!vault.verify(kind, app, b"body!", &tag(b"new secret", b"body")).await.unwrap());
    assert!(!vault.verify(kind, app, b"body", &tag(b"new secret", b"body")[..31]).await.unwrap());
    assert!(!vault.verify(kind, "app-2", b"body", &tag(b"new secret", b"body")).await.unwrap());
    assert!(!vault.verify(SecretKind::VerifyToken, app, b"body", &tag(b"new secret", b"body")).await.unwrap());

    let mut transaction = house.store.begin_write().await.unwrap();
    assert_eq!(vault.secret_retire_older(&mut transaction, &installation(), kind, app).await.unwrap(), 1);
    transaction.commit().await.unwrap();
    vault.secrets_forget();
    assert!(!check("old secret").await && check("new secret").await);
    let mut transaction = house.store.begin_write().await.unwrap();
    assert_eq!(vault.secret_retire(&mut transaction, &installation(), kind, app).await.unwrap(), 1);
    transaction.commit().await.unwrap();
    house.clock.advance(Duration::from_secs(60));
    assert!(!check("new secret").await, "other hosts forget within a minute without being told");
}

#[tokio::test]
async fn an_empty_secret_is_refused_and_an_empty_candidate_never_matches() {
    let house = House::new().await;
    let vault = house.vault().await;
    let kind = SecretKind::VerifyToken;
    let mut transaction = house.store.begin_write().await.unwrap();
    let empty = Zeroizing::new(Vec::new());
    let refused = vault.secret_put(&mut transaction, &installation(), kind, "app", empty).await;
    assert!(matches!(refused, Err(VaultError::SecretSize)));
    drop(transaction);
    assert!(!vault.matches(kind, "app", b"").await.unwrap());
    house.put(&vault, &installation(), kind, ("app", "hub token")).await;
    assert!(vault.matches(kind, "app", b"hub token").await.unwrap());
    assert!(!vault.matches(kind, "app", b"").await.unwrap());
    assert!(!vault.matches(kind, "app", b"hub toke").await.unwrap());
}

#[tokio::test]
async fn a_secret_moved_to_another_owner_in_the_database_does_not_open() {
    let house = House::new().await;
    let vault = house.vault().await;
    house.put(&vault, &installation(), SecretKind::AppSecret, ("app-1", "secret")).await;
    let statement: Statement<'_> = sqlx::query("update secret set owner_id = 'app-2'");
    house.store.execute(statement).await.unwrap();
    let moved = vault.verify(SecretKind::AppSecret, "app-2", b"body", &tag(b"secret", b"body")).await;
    assert!(matches!(moved, Err(VaultError::Sealed)));
}

#[tokio::test]
async fn a_request_carries_the_token_out_of_sight_and_its_proof() {
    let house = House::new().await;
    let vault = house.vault().await;
    let (workspace, app, channel) =
        (WorkspaceId::new(), bellhop_domain::id::AppId::new(), bellhop_domain::id::ChannelId::new());
    let request =
        || reqwest::Request::new(reqwest::Method::POST, "https://graph.facebook.com/v25.0/me".parse().unwrap());
    let missing = vault.authorise(request(), &app, &channel, &workspace).await;
    assert!(matches!(missing, Err(VaultError::NoSecret(SecretKind::ChannelToken))));
    house.put(&vault, &workspace, SecretKind::ChannelToken, (channel.as_str(), "EAAtoken")).await;
    house.put(&vault, &installation(), SecretKind::AppSecret, (app.as_str(), "app secret")).await;

    let sent = vault.authorise(request(), &app, &channel, &workspace).await.unwrap();
    let header = &sent.headers()["authorization"];
    assert_eq!(header.as_bytes(), b"Bearer EAAtoken");
    assert!(header.is_sensitive() && !format!("{sent:?}").contains("EAAtoken"));
    let proof = hex::encode(tag(b"app secret", b"EAAtoken"));
    assert_eq!(sent.url().query(), Some(format!("appsecret_proof={proof}").as_str()));

    let stranger = vault.authorise(request(), &app, &channel, &WorkspaceId::new()).await;
    assert!(matches!(stranger, Err(VaultError::NoSecret(_))), "a tenant cannot use another one's token");
}

#[tokio::test]
async fn the_installation_signs_with_one_key_for_good() {
    let house = House::new().await;
    let (first, second) = (house.vault().await, house.vault().await);
    let (a, b) = tokio::join!(first.public_key(), second.public_key());
    assert_eq!(a.unwrap(), b.unwrap());
    let public = ed25519_dalek::VerifyingKey::from_bytes(&house.vault().await.public_key().await.unwrap()).unwrap();
    let signature = ed25519_dalek::Signature::from_bytes(&first.sign(b"component").await.unwrap());
    assert!(public.verify_strict(b"component", &signature).is_ok());
    assert!(public.verify_strict(b"other", &signature).is_err());
}

#[tokio::test]
async fn secrets_show_in_no_debug_output_and_in_no_error() {
    let house = House::new().await;
    let text = "ab".repeat(32);
    let keys = KeysConfig { master_given: Some(MasterKeyText::new(text.clone())), ..house.keys() };
    assert!(!format!("{keys:?}").contains("abab"));
    let vault = house.open(&keys).await.unwrap();
    house.put(&vault, &installation(), SecretKind::AppSecret, ("app", "very secret")).await;
    let held = vault.secrets(SecretKind::AppSecret, "app").await.unwrap();
    assert!(!format!("{held:?} {vault:?}").contains("very secret"));
    let key = vault.key(&installation(), Owner::Workspace).await.unwrap();
    assert_eq!(format!("{key:?}"), format!("DataKey({})", key.id()));
    let broken = KeysConfig { master_given: Some(MasterKeyText::new(text[1..].to_owned())), ..house.keys() };
    let error = house.open(&broken).await.unwrap_err();
    assert!(!format!("{error:?} {error}").contains("abab"));

    let mut connection = house.store.reader().await.unwrap();
    let rows = sqlx::query("select sealed from secret").fetch_all(&mut *connection).await.unwrap();
    let sealed: Vec<u8> = sqlx::Row::get(&rows[0], 0);
    assert!(!sealed.windows(4).any(|window| window == b"very"));
}

#[tokio::test]
async fn subjects_of_contacts_differ_and_stay() {
    let house = House::new().await;
    let vault = house.vault().await;
    let (workspace, contact) = (WorkspaceId::new(), ContactId::new());
    let subject = *vault.key(&workspace, Owner::Contact(&contact)).await.unwrap().subject();
    house.clock.advance(Duration::from_secs(61));
    assert_eq!(vault.key(&workspace, Owner::Contact(&contact)).await.unwrap().subject(), &subject);
    assert_ne!(vault.key(&workspace, Owner::Contact(&ContactId::new())).await.unwrap().subject(), &subject);
}
