//! What doctor says of an installation that is whole, and of ones that are not.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::finding::{Finding, Findings, Level};
use super::*;
use crate::app::Stores;

struct House {
    folder: tempfile::TempDir,
    config: Config,
}

impl House {
    /// An installation that was started once and stopped.
    async fn whole() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.store.data_folder = folder.path().join("data");
        config.keys.folder = folder.path().join("keys");
        let stores = Stores::open(&config, Clock::machine()).await.unwrap();
        stores.vault.close().await;
        stores.db.close().await;
        Self { folder, config }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn findings(&self, keyring_copy: Option<PathBuf>) -> Findings {
        let mut findings = Findings::default();
        examine(&mut findings, &self.config, keyring_copy).await;
        findings
    }

    /// How bad it is and what is said of one thing; the worst where there are several.
    async fn says(&self, what: &str) -> (Level, String) {
        worst(&self.findings(None).await, what)
    }
}

fn worst(findings: &Findings, what: &str) -> (Level, String) {
    let of_it: Vec<&Finding> = findings.of(what);
    let level = [Level::Broken, Level::Warning, Level::Ok];
    let worst = level.iter().find_map(|level| of_it.iter().find(|finding| finding.level == *level));
    let worst = worst.unwrap_or_else(|| panic!("nothing is said of {what}: {findings}"));
    (worst.level, worst.says.clone())
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn nothing_is_broken_in_an_installation_that_is_whole() {
    let house = House::whole().await;
    let findings = house.findings(None).await;
    assert_eq!(findings.count(Level::Broken), 0, "{findings}");
    for what in ["data folder", "store", "promise", "integrity", "keys folder", "keys", "plugins", "graph", "queues"] {
        assert_eq!(worst(&findings, what).0, Level::Ok, "{findings}");
    }
    assert_eq!(worst(&findings, "lock").0, Level::Warning, "nobody serves");
}

#[tokio::test]
async fn looking_makes_nothing_where_there_is_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.store.data_folder = folder.path().join("data");
    config.keys.folder = folder.path().join("keys");
    let house = House { folder, config };
    assert_eq!(house.says("store").await.0, Level::Broken);
    assert_eq!(std::fs::read_dir(house.folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn keys_that_are_gone_or_another_installations_are_broken() {
    let house = House::whole().await;
    let other = House::whole().await;
    for name in ["keys/master.key", "keys/epoch-1.key"] {
        let kept = std::fs::read(house.path(name)).unwrap();
        std::fs::copy(other.path(name), house.path(name)).unwrap();
        assert_eq!(house.says("keys").await.0, Level::Broken, "another's {name}");
        std::fs::remove_file(house.path(name)).unwrap();
        let (level, says) = house.says("keys").await;
        assert!(level == Level::Broken && says.contains("missing"), "{says}");
        assert!(!house.path(name).exists(), "no new key is made");
        std::fs::write(house.path(name), kept).unwrap();
        set_mode(&house.path(name), 0o600);
    }
    assert_eq!(house.says("keys").await.0, Level::Ok);
}

#[tokio::test]
async fn what_others_can_read_is_warned_of() {
    let house = House::whole().await;
    set_mode(&house.path("data"), 0o755);
    assert_eq!(house.says("data folder").await.0, Level::Warning);
    set_mode(&house.path("keys/epoch-1.key"), 0o640);
    let (level, says) = house.says("keys folder").await;
    assert!(level == Level::Warning && says.contains("epoch-1.key"), "{says}");
}

#[tokio::test]
async fn keys_in_the_data_folder_by_way_of_a_link_are_broken() {
    let mut house = House::whole().await;
    std::fs::rename(house.path("keys"), house.path("data/keys")).unwrap();
    std::os::unix::fs::symlink(house.path("data/keys"), house.path("link")).unwrap();
    house.config.keys.folder = house.path("link");
    assert_eq!(house.says("keys folder").await.0, Level::Broken);
}

#[tokio::test]
async fn a_copy_of_the_keyring_is_good_until_the_next_epoch() {
    let house = House::whole().await;
    let (copy, said) = (house.path("copy.db"), "keyring copy");
    assert_eq!(worst(&house.findings(Some(copy.clone())).await, said).0, Level::Broken, "it is not there");
    std::fs::copy(house.path("data/keyring.db"), &copy).unwrap();
    assert_eq!(worst(&house.findings(Some(copy.clone())).await, said).0, Level::Ok);
    let itself = house.path("data/keyring.db");
    assert_eq!(worst(&house.findings(Some(itself)).await, said).0, Level::Broken);
    let stores = Stores::open(&house.config, Clock::machine()).await.unwrap();
    stores.vault.rotate_epoch().await.unwrap();
    stores.vault.close().await;
    stores.db.close().await;
    assert_eq!(worst(&house.findings(Some(copy)).await, said).0, Level::Broken, "its epoch key is destroyed");
}

#[tokio::test]
async fn a_store_without_tables_is_broken() {
    let house = House::whole().await;
    std::fs::write(house.path("data/store.db"), []).unwrap();
    assert_eq!(house.says("store").await.0, Level::Broken);
}

#[test]
fn each_engine_is_told_what_its_promise_rests_on() {
    let sqlite = |mode, level| {
        let mut findings = Findings::default();
        store::sqlite_promise(&mut findings, mode, level);
        worst(&findings, "promise").0
    };
    assert_eq!(sqlite("wal", "2"), Level::Ok);
    assert_eq!(sqlite("wal", "1"), Level::Broken);
    assert_eq!(sqlite("delete", "2"), Level::Broken);
    let postgres = |name: &str, value: &'static str| {
        let mut findings = Findings::default();
        store::postgres_promise(&mut findings, |asked| match asked {
            asked if asked == name => value,
            "server_version" => "17.1",
            "synchronous_standby_names" => "",
            _ => "on",
        });
        worst(&findings, "promise")
    };
    assert_eq!(postgres("", "").0, Level::Ok);
    assert!(postgres("synchronous_standby_names", "*").1.contains("standby's"));
    for name in ["fsync", "full_page_writes", "synchronous_commit"] {
        assert_eq!(postgres(name, "off").0, Level::Broken, "{name}");
    }
}

#[tokio::test]
async fn a_channel_that_waits_for_its_owner_is_named_with_what_to_do() {
    let house = House::whole().await;
    assert_eq!(house.says("channels").await.0, Level::Ok);
    let stores = Stores::open(&house.config, Clock::machine()).await.unwrap();
    let insert = "insert into channel (workspace_id, id, app_id, kind, asset_id, name, locale, state, state_reason, created_at) \
                  values ('w', 'c', 'a', 'messenger', '1', 'Café Aurora', 'en', 'reauthorise', '190', 0)";
    stores.db.execute(sqlx::query(insert)).await.unwrap();
    stores.vault.close().await;
    stores.db.close().await;
    let (level, says) = house.says("channels").await;
    assert_eq!(level, Level::Warning);
    assert!(says.contains("Café Aurora") && says.contains("190") && says.contains("bellhop channel token"), "{says}");
}
