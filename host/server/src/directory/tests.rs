//! Tests of the directory on SQLite.

use bellhop_domain::channel::ChannelKind;
use bellhop_domain::id::{AppId, ChannelId, WorkspaceId};
use bellhop_domain::time::Timestamp;
use tempfile::TempDir;
use zeroize::Zeroizing;

use crate::audit::{self, Code};
use crate::config::KeysConfig;
use crate::db::{Clock, Schema};
use crate::vault::SecretKind;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

struct House {
    _folder: TempDir,
    db: Db,
    vault: Vault,
    clock: Clock,
}

impl House {
    async fn new() -> Self {
        let (folder, clock) = (tempfile::tempdir().unwrap(), Clock::manual(NOW));
        let open = async |name: &str, schema| {
            let url = Db::sqlite_url(&folder.path().join(name));
            Db::open(&url, schema, clock.clone()).await.unwrap()
        };
        let (keyring, db) = (open("keyring.db", Schema::Keyring).await, open("store.db", Schema::Store).await);
        let keys = KeysConfig { folder: folder.path().join("keys"), ..KeysConfig::default() };
        let vault = Vault::open(&keys, keyring, db.clone()).await.unwrap();
        Self { _folder: folder, db, vault, clock }
    }

    async fn directory(&self) -> Directory {
        Directory::open(self.db.clone(), self.vault.clone()).await.unwrap()
    }

    async fn workspace(&self) -> WorkspaceId {
        let mut transaction = self.db.begin_write().await.unwrap();
        let id = workspace_add(&mut transaction, NOW, &salon()).await.unwrap();
        transaction.commit().await.unwrap();
        id
    }

    async fn app(&self, workspace: Option<&WorkspaceId>) -> AppId {
        let mut transaction = self.db.begin_write().await.unwrap();
        let new = NewApp { workspace: workspace.cloned(), meta_app_id: String::from("1234567890") };
        let secrets = AppSecrets { app_secret: bytes("app secret"), verify_token: bytes("hub token") };
        let id = app_add(&mut transaction, &self.vault, NOW, &new, secrets).await.unwrap();
        transaction.commit().await.unwrap();
        id
    }

    async fn channel(&self, new: &NewChannel) -> Result<ChannelId, DirectoryError> {
        let mut transaction = self.db.begin_write().await.unwrap();
        let id = channel_add(&mut transaction, &self.vault, NOW, new, bytes("token")).await?;
        transaction.commit().await.unwrap();
        Ok(id)
    }
}

fn bytes(text: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(text.as_bytes().to_vec())
}

fn salon() -> NewWorkspace {
    NewWorkspace { name: String::from("Salon"), locale: String::from("de-AT"), time_zone: String::from("UTC") }
}

fn page(workspace: &WorkspaceId, app: &AppId, asset_id: &str) -> NewChannel {
    NewChannel {
        workspace: workspace.clone(),
        app: app.clone(),
        kind: ChannelKind::Messenger,
        asset_id: asset_id.to_owned(),
        name: String::from("Salon on Messenger"),
        locale: String::from("de"),
        fallback: None,
    }
}

#[tokio::test]
async fn what_was_added_is_found_after_a_refresh_and_on_record() {
    let house = House::new().await;
    let directory = house.directory().await;
    assert!(!directory.refresh_if_changed().await.unwrap());
    let (workspace, app) = (house.workspace().await, house.app(None).await);
    let channel = house.channel(&page(&workspace, &app, "100200300")).await.unwrap();
    assert!(directory.snapshot().channel(&workspace, &channel).is_none(), "a snapshot does not change underneath");

    assert!(directory.refresh_if_changed().await.unwrap());
    assert!(!directory.refresh_if_changed().await.unwrap());
    let snapshot = directory.snapshot();
    let found = snapshot.channel_by_asset(ChannelKind::Messenger, "100200300").unwrap();
    assert_eq!((&found.id, &found.app, found.state), (&channel, &app, ChannelState::Active));
    assert_eq!(snapshot.channel(&workspace, &channel), Some(found));
    assert_eq!(snapshot.workspace(&workspace).unwrap().locale, "de-AT");
    assert_eq!(snapshot.app(&app).unwrap().workspace, vault_installation());
    assert!(house.vault.matches(SecretKind::VerifyToken, app.as_str(), b"hub token").await.unwrap());

    audit::seal(&house.db, NOW).await.unwrap();
    assert_eq!(audit::verify(&house.db, &workspace, |_| ()).await.unwrap().n_rows, 2);
    assert_eq!(audit::verify(&house.db, &vault_installation(), |_| ()).await.unwrap().n_rows, 1);
}

fn vault_installation() -> WorkspaceId {
    crate::vault::installation()
}

#[tokio::test]
async fn another_workspace_sees_and_uses_nothing() {
    let house = House::new().await;
    let (ours, theirs) = (house.workspace().await, house.workspace().await);
    let (shared, private) = (house.app(None).await, house.app(Some(&ours)).await);
    let channel = house.channel(&page(&ours, &private, "1")).await.unwrap();
    let stolen = house.channel(&page(&theirs, &private, "2")).await;
    assert!(matches!(stolen, Err(DirectoryError::Missing("app"))));
    let snapshot = house.directory().await.snapshot();
    assert!(snapshot.channel(&theirs, &channel).is_none());
    assert_eq!(snapshot.channels(&theirs).len(), 0);
    assert_eq!(snapshot.apps(&theirs).iter().map(|app| app.id.clone()).collect::<Vec<_>>(), [shared]);
    assert_eq!(snapshot.apps(&ours).len(), 2);

    let mut transaction = house.db.begin_write().await.unwrap();
    let paused = channel_state_set(&mut transaction, NOW, (&theirs, &channel), ChannelState::Paused, None).await;
    assert!(matches!(paused, Err(DirectoryError::Missing("channel"))));
}

#[tokio::test]
async fn a_page_can_be_connected_once_in_the_house() {
    let house = House::new().await;
    let (ours, theirs, app) = (house.workspace().await, house.workspace().await, house.app(None).await);
    house.channel(&page(&ours, &app, "1")).await.unwrap();
    assert!(matches!(house.channel(&page(&theirs, &app, "1")).await, Err(DirectoryError::Taken)));
    let comments = NewChannel { kind: ChannelKind::PageComments, ..page(&ours, &app, "1") };
    assert!(house.channel(&comments).await.is_ok(), "comments of the same Page are another channel");
    let snapshot = house.directory().await.snapshot();
    assert_eq!((snapshot.channels(&ours).len(), snapshot.channels(&theirs).len()), (2, 0));
}

#[tokio::test]
async fn a_channel_changes_its_state_token_and_pace() {
    let house = House::new().await;
    let (workspace, app) = (house.workspace().await, house.app(None).await);
    let channel = house.channel(&page(&workspace, &app, "1")).await.unwrap();
    let key = (&workspace, &channel);
    let directory = house.directory().await;
    let see = async || {
        assert!(directory.refresh_if_changed().await.unwrap());
        directory.snapshot().channel(&workspace, &channel).unwrap()
    };

    let mut transaction = house.db.begin_write().await.unwrap();
    let reason = Code::of("token-expired");
    channel_state_set(&mut transaction, NOW, key, ChannelState::Reauthorise, Some(&reason)).await.unwrap();
    let later = Timestamp::from_millis(NOW.millis() + 1_000);
    for (silent_until, slow_until) in [(later, NOW), (NOW, later)] {
        channel_rest(&mut transaction, key, Rest { silent_until, slow_until }).await.unwrap();
        app_rest(&mut transaction, &app, Rest { silent_until: slow_until, slow_until: silent_until }).await.unwrap();
    }
    transaction.commit().await.unwrap();
    let found = see().await;
    assert_eq!((found.state, found.state_reason.as_deref()), (ChannelState::Reauthorise, Some("token-expired")));
    let longest = Rest { silent_until: later, slow_until: later };
    assert_eq!(found.rest, longest, "a shorter pause does not end a longer one");
    assert_eq!(directory.snapshot().app(&app).unwrap().rest, longest);

    let mut transaction = house.db.begin_write().await.unwrap();
    channel_token_replace(&mut transaction, &house.vault, NOW, key, bytes("new token")).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(see().await.state, ChannelState::Active);
    let is_token =
        async |text: &[u8]| house.vault.matches(SecretKind::ChannelToken, channel.as_str(), text).await.unwrap();
    assert!(is_token(b"new token").await && !is_token(b"token").await);
}

#[tokio::test]
async fn what_cannot_be_right_is_refused_and_nothing_is_written() {
    let house = House::new().await;
    let (workspace, app) = (house.workspace().await, house.app(None).await);
    let refused = async |new: NewWorkspace| {
        let mut transaction = house.db.begin_write().await.unwrap();
        matches!(workspace_add(&mut transaction, NOW, &new).await, Err(DirectoryError::Value { .. }))
    };
    assert!(refused(NewWorkspace { name: String::from(" "), ..salon() }).await);
    assert!(refused(NewWorkspace { name: "x".repeat(121), ..salon() }).await);
    assert!(!refused(NewWorkspace { name: "ü".repeat(120), ..salon() }).await);
    for locale in ["", "d", "DE", "de_AT", "de-", "de-ATATATATA"] {
        assert!(refused(NewWorkspace { locale: locale.to_owned(), ..salon() }).await, "{locale}");
    }
    for zone in ["", "Vienna", "../../etc/passwd"] {
        assert!(refused(NewWorkspace { time_zone: zone.to_owned(), ..salon() }).await, "{zone}");
    }
    for asset in ["", "1/2", "a?b", "ä", &"1".repeat(65)] {
        let added = house.channel(&page(&workspace, &app, asset)).await;
        assert!(matches!(added, Err(DirectoryError::Value { .. })), "{asset}");
    }
    for fallback in [String::from(" "), "x".repeat(1_001)] {
        let added = house.channel(&NewChannel { fallback: Some(fallback), ..page(&workspace, &app, "1") }).await;
        assert!(matches!(added, Err(DirectoryError::Value { field: "fallback", .. })));
    }
    let stranger = page(&WorkspaceId::new(), &app, "1");
    assert!(matches!(house.channel(&stranger).await, Err(DirectoryError::Missing("workspace"))));
    assert_eq!(house.directory().await.snapshot().channels(&workspace).len(), 0);
}

#[tokio::test]
async fn who_names_something_unknown_has_the_directory_look_again_once_a_second() {
    let house = House::new().await;
    let directory = house.directory().await;
    let is_known = |one: &WorkspaceId| directory.snapshot().workspace(one).is_some();
    let first = house.workspace().await;
    directory.look_again(Asker::Stranger).await.unwrap();
    assert!(is_known(&first));
    let second = house.workspace().await;
    house.clock.advance(Duration::from_millis(999));
    directory.look_again(Asker::Stranger).await.unwrap();
    assert!(!is_known(&second), "whoever asks again and again costs one look a second");
    directory.look_again(Asker::Signed).await.unwrap();
    assert!(is_known(&second), "strangers use up nobody else's look");
    let third = house.workspace().await;
    house.clock.advance(Duration::from_millis(1));
    directory.look_again(Asker::Stranger).await.unwrap();
    assert!(is_known(&third));
}

#[tokio::test]
async fn a_signed_body_looks_again_at_once_when_the_store_had_failed() {
    let house = House::new().await;
    let directory = house.directory().await;
    house.db.close().await;
    assert!(directory.look_again(Asker::Stranger).await.is_err());
    assert!(directory.look_again(Asker::Stranger).await.is_ok(), "strangers do not keep a failing store busy");
    for _ in 0..2 {
        assert!(directory.look_again(Asker::Signed).await.is_err(), "so that the body is not acknowledged");
    }
}

#[tokio::test]
async fn a_meta_app_is_there_once_in_a_workspace_and_the_refusal_names_it() {
    let house = House::new().await;
    let workspace = house.workspace().await;
    let (shared, own) = (house.app(None).await, house.app(Some(&workspace)).await);
    for (owner, there) in [(None, &shared), (Some(workspace.clone()), &own)] {
        let mut transaction = house.db.begin_write().await.unwrap();
        let new = NewApp { workspace: owner, meta_app_id: String::from("1234567890") };
        let secrets = AppSecrets { app_secret: bytes("app secret"), verify_token: bytes("hub token") };
        let refused = app_add(&mut transaction, &house.vault, NOW, &new, secrets).await.unwrap_err().to_string();
        assert!(refused.contains(there.as_str()) && refused.contains("bellhop app list"), "{refused}");
    }
}

#[tokio::test]
async fn a_removed_channel_keeps_its_place_until_somebody_connects_the_page_again() {
    let house = House::new().await;
    let (ours, theirs, app) = (house.workspace().await, house.workspace().await, house.app(None).await);
    let old = house.channel(&page(&ours, &app, "1")).await.unwrap();
    let remove = async |workspace: &WorkspaceId| {
        let mut transaction = house.db.begin_write().await.unwrap();
        channel_remove(&mut transaction, &house.vault, NOW, (workspace, &old)).await?;
        transaction.commit().await?;
        Ok::<_, DirectoryError>(())
    };
    assert!(matches!(remove(&theirs).await, Err(DirectoryError::Missing("channel"))));
    remove(&ours).await.unwrap();
    let by_asset = async || house.directory().await.snapshot().channel_by_asset(ChannelKind::Messenger, "1").unwrap();
    assert_eq!((by_asset().await.id.clone(), by_asset().await.state), (old.clone(), ChannelState::Disconnected));
    assert!(!house.vault.matches(SecretKind::ChannelToken, old.as_str(), b"token").await.unwrap(), "its token is gone");
    // What Meta answers to a send that was under way does not connect it again.
    let mut transaction = house.db.begin_write().await.unwrap();
    let state = ChannelState::Reauthorise;
    channel_state_set(&mut transaction, NOW, (&ours, &old), state, None).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(by_asset().await.state, ChannelState::Disconnected);
    // A new token does, as long as nobody else has the Page.
    let token = async |text: &str| {
        let mut transaction = house.db.begin_write().await.unwrap();
        channel_token_replace(&mut transaction, &house.vault, NOW, (&ours, &old), bytes(text)).await?;
        transaction.commit().await?;
        Ok::<_, DirectoryError>(())
    };
    token("another").await.unwrap();
    assert_eq!(by_asset().await.state, ChannelState::Active);
    remove(&ours).await.unwrap();
    let new = house.channel(&page(&theirs, &app, "1")).await.unwrap();
    assert_eq!(by_asset().await.id, new);
    assert!(matches!(token("a third").await, Err(DirectoryError::Taken)));
}
