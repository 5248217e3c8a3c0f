//! A backup, and what a restore makes of it: a new life of the store, in which nothing goes out by itself.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bellhop::app::keyring_url;
use bellhop::backup::{self, BackupError, Release, Restore, Restored};
use bellhop::db::{Db, Schema};
use bellhop::vault;
use bellhop_domain::id::{ContactId, WorkspaceId};
use bellhop_domain::time::Timestamp;
use sqlx::Row;

use crate::support::post::message;
use crate::support::{SETTLED, START, TestApp, postgres, story};

impl TestApp {
    async fn back_up(&self) -> PathBuf {
        backup::take(&self.app.stores.db, &self.folder.path().join("backup"), |_| {}).await.unwrap().file
    }

    /// A restore over the living store; on SQLite its host has ended before, as the locks demand.
    async fn try_restore(&self, file: &Path, replace: bool) -> Result<Restored, BackupError> {
        if self.app.stores.is_embedded() {
            self.app.stores.vault.close().await;
            self.app.stores.db.close().await;
        }
        let asked = Restore { config: &self.config, file, replace, clock: self.clock.clone() };
        backup::restore(asked, |_| {}).await
    }

    async fn restore(&mut self, file: &Path) -> Restored {
        let restored = self.try_restore(file, true).await.unwrap();
        self.reopen(|_| {}).await;
        restored
    }

    async fn release(&self, deliveries: bool, events: bool, give_up: bool) -> backup::Released {
        let asked = Release {
            workspace: self.business.workspace.clone(),
            deliveries,
            events,
            before: Timestamp::from_millis(i64::MAX),
            give_up,
        };
        backup::release(&self.app.stores.db, &asked).await.unwrap()
    }

    fn n_sent(&self) -> usize {
        self.control.accepted().len()
    }
}

/// One answered, one answer staged, one message that waits for its turn. What is then sent is not in the backup.
async fn a_backup_in_the_middle(app: &TestApp) -> (PathBuf, [bellhop_simulator::Customer; 3]) {
    app.enable(&app.business, "hello", "{}").await;
    let customers = ["Ana", "Ben", "Cleo"].map(|name| app.customer(name));
    customers[0].says("hello").unwrap();
    app.rest().await;
    customers[1].says("hello").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    app.app.dispatch.run_once().await.unwrap();
    customers[2].says("hello").unwrap();
    app.arrive().await;
    let file = app.back_up().await;
    app.rest().await;
    app.customer("Dora").says("hello").unwrap();
    app.rest().await;
    assert_eq!(app.n_sent(), 4);
    (file, customers)
}

story!(after_a_restore_nothing_goes_out_until_it_is_released, |mut app| {
    let (file, [ana, ben, cleo]) = a_backup_in_the_middle(&app).await;
    let first = app.control.ledger().webhooks.front().unwrap().number;
    let restored = app.restore(&file).await;
    let held: Vec<_> = restored.held.iter().map(|held| (held.n_deliveries, held.n_events)).collect();
    assert_eq!((held, restored.n_erased), (vec![(1, 1)], 0));
    assert!(restored.aside.is_some());
    app.advance(Duration::from_secs(60));
    app.rest().await;
    assert_eq!(app.n_sent(), 4, "nothing by itself");
    assert_eq!(app.delivery_states().await, ["delivered", "held"]);
    // What was answered before the backup is known to be.
    app.control.redeliver(first).unwrap();
    app.rest().await;
    assert_eq!((app.n_sent(), app.received(&ana).len()), (4, 1));

    let released = app.release(true, false, false).await;
    assert_eq!((released.deliveries, released.events), (1, 0));
    app.rest().await;
    assert_eq!((app.n_sent(), app.received(&ben).len(), app.received(&cleo).len()), (5, 2, 1));
    assert_eq!(app.release(false, true, false).await.events, 1);
    app.rest().await;
    assert_eq!((app.n_sent(), app.received(&ben).len(), app.received(&cleo).len()), (6, 2, 2));
    assert_eq!(app.release(true, true, false).await, backup::Released { deliveries: 0, events: 0 });
    // And the new life goes on like any other.
    ana.says("hello again").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana).len(), 2);
});

story!(what_is_given_up_after_a_restore_has_its_end_and_is_never_sent, |mut app| {
    let (file, _) = a_backup_in_the_middle(&app).await;
    app.restore(&file).await;
    let released = app.release(true, true, true).await;
    assert_eq!((released.deliveries, released.events), (1, 1));
    app.rest().await;
    assert_eq!(app.n_sent(), 4);
    assert_eq!(app.delivery_states().await, ["delivered", "dead"]);
    assert_eq!(app.events_that("message refused").await, 1);
    assert_eq!(app.events_that("message held").await, 0);
});

story!(a_released_message_is_judged_by_what_is_true_when_it_goes, |mut app| {
    let (file, _) = a_backup_in_the_middle(&app).await;
    app.restore(&file).await;
    app.advance(Duration::from_secs(25 * 3_600));
    app.release(true, false, false).await;
    app.rest().await;
    let last = app.deliveries().await.pop().unwrap();
    assert_eq!((last.state.as_str(), last.reason.as_deref()), ("dropped", Some("window-closed")));
    assert_eq!(app.n_sent(), 4);
});

story!(who_was_erased_since_the_backup_stays_erased, |mut app| {
    let (file, [_, ben, _]) = a_backup_in_the_middle(&app).await;
    let select = "select workspace_id, id from contact order by id";
    let rows = app.app.stores.db.fetch_all(sqlx::query(select)).await.unwrap();
    // Contacts are made in the order in which they wrote.
    let (workspace, contact): (String, String) = (rows[1].get(0), rows[1].get(1));
    let (workspace, contact) = (WorkspaceId::parse(&workspace).unwrap(), ContactId::parse(&contact).unwrap());
    assert!(app.app.stores.vault.destroy_contact_key(&workspace, &contact).await.unwrap());
    let restored = app.restore(&file).await;
    assert_eq!(restored.n_erased, 1);
    let erased = "select id from contact where erased_at is not null";
    let rows = app.app.stores.db.fetch_all(sqlx::query(erased)).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>(), [contact.as_str()]);
    app.release(true, false, false).await;
    app.rest().await;
    assert_eq!(app.received(&ben).len(), 1, "what was sent before it all");
    assert_eq!(app.deliveries().await.pop().unwrap().reason.as_deref(), Some("erased"));
});

story!(a_message_of_somebody_erased_since_the_backup_is_not_brought_back, |mut app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("hello").unwrap();
    app.rest().await;
    ana.says("my address is a secret").unwrap();
    app.arrive().await;
    let file = app.back_up().await;
    let row = app.app.stores.db.fetch_optional(sqlx::query("select id from contact")).await.unwrap();
    let contact = ContactId::parse(&row.unwrap().get::<String, _>(0)).unwrap();
    app.app.stores.vault.destroy_contact_key(&app.business.workspace, &contact).await.unwrap();
    app.restore(&file).await;
    assert_eq!(app.events_that("message refused").await, 1);
    assert_eq!(app.release(true, true, false).await, backup::Released { deliveries: 0, events: 0 });
    app.rest().await;
    assert_eq!((app.n_sent(), app.count("contact").await), (1, 1));
    let left = "select id from inbox_event where state = 'refused' and length(sealed) > 0";
    assert!(app.app.stores.db.fetch_optional(sqlx::query(left)).await.unwrap().is_none());
});

story!(a_backup_holds_no_key_and_a_damaged_one_is_refused, |app| {
    let (file, _) = a_backup_in_the_middle(&app).await;
    let keyring = Db::open(&keyring_url(&app.config), Schema::Keyring, app.clock.clone()).await.unwrap();
    let bytes = std::fs::read(&file).unwrap();
    let wrapped = keyring.fetch_all(sqlx::query("select wrapped from wrapped_key")).await.unwrap();
    assert!(wrapped.len() > 3);
    for row in wrapped {
        let wrapped: Vec<u8> = row.get(0);
        assert!(!bytes.windows(wrapped.len()).any(|part| part == wrapped));
    }
    keyring.close().await;
    assert!(matches!(app.try_restore(&file, false).await, Err(BackupError::NotEmpty(_))));
    let damaged = file.with_file_name("store-damaged.db");
    let mut changed = bytes.clone();
    *changed.last_mut().unwrap() ^= 1;
    std::fs::write(&damaged, &changed).unwrap();
    let without = app.try_restore(&damaged, true).await;
    assert!(matches!(without, Err(BackupError::NoManifest(_))), "a backup that was killed before its end has none");
    std::fs::copy(file.with_extension("json"), damaged.with_extension("json")).unwrap();
    assert!(matches!(app.try_restore(&damaged, true).await, Err(BackupError::Damaged(_))));
    let manifest = std::fs::read_to_string(file.with_extension("json")).unwrap();
    let newer = manifest.replace("\"schema_version\": ", "\"schema_version\": 9");
    std::fs::write(file.with_extension("json"), newer).unwrap();
    assert!(matches!(app.try_restore(&file, true).await, Err(BackupError::Newer(_))));
});

story!(the_copy_of_the_keyring_is_the_only_one_and_brings_everything_back, |mut app| {
    let (file, [ana, ..]) = a_backup_in_the_middle(&app).await;
    let place = app.folder.path().join("other place");
    let keyring = Db::open(&keyring_url(&app.config), Schema::Keyring, app.clock.clone()).await.unwrap();
    let first = vault::keys_copy(&app.config.keys, &keyring, &place).await.unwrap();
    let epoch = app.app.stores.vault.rotate_epoch().await.unwrap();
    let second = vault::keys_copy(&app.config.keys, &keyring, &place).await.unwrap();
    assert_eq!((first.folder.as_path(), first.n_keys), (second.folder.as_path(), second.n_keys));
    let names = |folder: &Path| {
        let mut names: Vec<String> =
            folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&place), ["keys"], "one copy");
    assert_eq!(names(&second.folder), [format!("epoch-{epoch}.key").as_str(), "keyring.db"], "and no master key");
    let mode = std::fs::metadata(second.folder.join("keyring.db")).unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
    let in_use = vault::keys_restore(&app.config.keys, &keyring, &second.folder).await;
    assert!(matches!(in_use, Err(vault::VaultError::KeyringInUse)));
    keyring.close().await;

    // Another machine: nothing but the backup, the copy of the keys and the master key.
    let machine = tempfile::tempdir().unwrap();
    app.app.stores.vault.close().await;
    let master = app.config.keys.folder.join("master.key");
    app.config.store.data_folder = machine.path().join("data");
    app.config.keys.folder = machine.path().join("keys");
    let url = if app.config.store.url.is_some() { postgres::database().await } else { None };
    app.config.store.url = url;
    std::fs::create_dir_all(&app.config.store.data_folder).unwrap();
    if app.config.store.url.is_none() {
        let forgotten = app.try_restore(&file, false).await;
        assert!(matches!(forgotten, Err(BackupError::NoKeyring)), "{forgotten:?}");
    } else {
        // The host that made the template left its own keys there.
        let keyring = Db::open(&keyring_url(&app.config), Schema::Keyring, app.clock.clone()).await.unwrap();
        for sql in ["delete from wrapped_key", "delete from epoch"] {
            keyring.execute(sqlx::query(sql)).await.unwrap();
        }
        let forgotten = app.try_restore(&file, false).await;
        assert!(matches!(forgotten, Err(BackupError::ForeignKeyring)), "{forgotten:?}");
    }
    let keyring = Db::open(&keyring_url(&app.config), Schema::Keyring, app.clock.clone()).await.unwrap();
    vault::keys_restore(&app.config.keys, &keyring, &second.folder).await.unwrap();
    keyring.close().await;
    std::fs::copy(master, app.config.keys.folder.join("master.key")).unwrap();
    app.try_restore(&file, false).await.unwrap();
    app.reopen(|_| {}).await;
    assert!(app.turns().await[0].turn.outline.is_some(), "it can be read");
    ana.says("hello again").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana).len(), 2, "and answered, with the token that was sealed in it");
});

/// On SQLite locks keep a restore from a store that is open (`command/lock.rs`); on PostgreSQL the store itself does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_of_the_old_life_writes_nothing_more() {
    let Some(url) = postgres::database().await else { return };
    let app = TestApp::start_on(Some(url)).await;
    let (file, _) = a_backup_in_the_middle(&app).await;
    let page = app.business.page_id.clone();
    assert_eq!(app.post_items(&[message(&page, "7", "m_before", "hello", START)]).await, 200);
    let mut open = app.app.stores.db.begin_write().await.unwrap();
    let claim = "update conversation set owner = 'old' where workspace_id = $1";
    open.execute(sqlx::query(claim).bind(app.business.workspace.as_str().to_owned())).await.unwrap();
    let restoring = async { app.try_restore(&file, true).await.unwrap() };
    // The restore waits for what is under way, and that is then in the store that was moved aside.
    let (restored, committed) = tokio::join!(restoring, async { open.commit().await });
    committed.unwrap();
    assert!(restored.aside.unwrap().contains("bellhop_before_"));

    let status = app.post_items(&[message(&page, "7", "m_after", "hello", START)]).await;
    assert_eq!(status, 503, "Meta sends it again, to the new host");
    let failed = app.app.run_until_idle().await.unwrap_err();
    assert!(format!("{:?}", anyhow_chain(&failed)).contains("start the process again"), "{failed:?}");
    app.app.stores.db.replaced().await;
    let new = app.another_host().await;
    let select = "select count(*) from conversation where owner = 'old'";
    let row = new.stores.db.fetch_optional(sqlx::query(select)).await.unwrap().unwrap();
    assert_eq!(row.get::<i64, _>(0), 0);
    new.run_until_idle().await.unwrap();
    assert_eq!(app.n_sent(), 4);
}

fn anyhow_chain(error: &dyn std::error::Error) -> Vec<String> {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect()
}
