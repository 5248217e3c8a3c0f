//! The whole app in a test: the host in this process on port 0, the simulator beside it, both on clocks that only the test
//! moves. The rooms are driven by hand, so nothing is waited for and nothing races.

mod cluster;
pub(crate) mod gate;
pub(crate) mod hostile;
pub(crate) mod look;
pub(crate) mod post;
pub(crate) mod postgres;
pub(crate) mod template;
pub(crate) mod terminal;

use std::path::Path;
use std::time::Duration;

use bellhop::app::{App, Listening, listen};
use bellhop::config::Config;
use bellhop::conversation::{self, TaskRow};
use bellhop::db::Clock;
use bellhop::directory::{self, AppSecrets, ChannelState, NewApp, NewChannel, NewWorkspace};
use bellhop::registry::{Enable, Scopes, TextScope};
use bellhop_domain::channel::ChannelKind;
use bellhop_domain::id::{AppId, ChannelId, WorkspaceId};
use bellhop_domain::time::Timestamp;
use bellhop_simulator::{Clock as SimulatorClock, Control, Customer, Options, Simulator};
use template::Template;
use zeroize::Zeroizing;

/// 2026-11-20 12:00 UTC: where every test's clocks begin.
pub(crate) const START: i64 = 1_795_176_000_000;

/// Longer than any settle window.
pub(crate) const SETTLED: Duration = Duration::from_secs(7);

/// How long a test waits for the other half of a loopback exchange before it calls it lost.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A host, a simulator, and one business with one Page.
pub(crate) struct TestApp {
    pub(crate) app: App,
    pub(crate) control: Control,
    pub(crate) simulator: Simulator,
    pub(crate) clock: Clock,
    pub(crate) business: Business,
    pub(crate) app_id: AppId,
    pub(crate) meta_app_id: String,
    pub(crate) app_secret: String,
    pub(crate) config: Config,
    listening: Listening,
    pub(crate) folder: tempfile::TempDir,
}

/// One tenant of a test.
#[derive(Debug, Clone)]
pub(crate) struct Business {
    pub(crate) workspace: WorkspaceId,
    pub(crate) channel: ChannelId,
    pub(crate) page_id: String,
    pub(crate) page_token: String,
}

impl TestApp {
    /// On a fresh SQLite file.
    pub(crate) async fn start() -> Self {
        Self::start_on(None).await
    }

    /// On a database that [`postgres::database`] gave, or a fresh SQLite file.
    pub(crate) async fn start_on(url: Option<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let simulator = Simulator::start(Options::new(SimulatorClock::standing(START))).await.unwrap();
        let control = simulator.control();
        let clock = Clock::manual(Timestamp::from_millis(START));
        let template = if url.is_some() { postgres::template().await } else { Template::sqlite().await };
        template.copy_to(folder.path());
        let mut config = template::config(folder.path(), url);
        config.graph.base_url = simulator.url();
        config.egress.private_origins = vec![simulator.url()];
        let app = App::open(&config, clock.clone(), None).await.unwrap();
        let listening = listen(([127, 0, 0, 1], 0).into(), app.public_router(), app.stop_token()).await.unwrap();
        let meta_app = control.add_app("bellhop");
        let app_id = add_app(&app, &meta_app.id, &meta_app.secret).await;
        let callback = format!("http://{}/webhook/{app_id}", listening.address);
        control.configure_webhook(&meta_app.id, &callback, VERIFY_TOKEN).await.unwrap();
        let business = add_business(&app, &control, &app_id, &meta_app.id, "Café Aurora").await;
        Self {
            app,
            control,
            simulator,
            clock,
            business,
            app_id,
            meta_app_id: meta_app.id,
            app_secret: meta_app.secret,
            config,
            listening,
            folder,
        }
    }

    /// The host goes away as in a crash, with nothing said to anybody, and another one opens the same store.
    pub(crate) async fn reopen(&mut self, change: impl FnOnce(&mut Config)) {
        self.app.stop_token().cancel();
        self.listening.stopped().await;
        change(&mut self.config);
        self.app = App::open(&self.config, self.clock.clone(), None).await.unwrap();
        let (router, stop) = (self.app.public_router(), self.app.stop_token());
        self.listening = listen(([127, 0, 0, 1], 0).into(), router, stop).await.unwrap();
        self.control.configure_webhook(&self.meta_app_id, &self.webhook_url(), VERIFY_TOKEN).await.unwrap();
    }

    /// A second host on the same store, keys and clock.
    pub(crate) async fn another_host(&self) -> App {
        App::open(&self.config, self.clock.clone(), None).await.unwrap()
    }

    /// The test's own folder; it is gone with the test.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What the host was opened with.
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// Where webhooks go.
    pub(crate) fn webhook_url(&self) -> String {
        format!("http://{}/webhook/{}", self.listening.address, self.app_id)
    }

    /// A second tenant on the same app.
    pub(crate) async fn another_business(&self, name: &str) -> Business {
        add_business(&self.app, &self.control, &self.app_id, &self.meta_app_id, name).await
    }

    /// A customer of the first business.
    pub(crate) fn customer(&self, name: &str) -> Customer {
        self.control.add_person(&self.business.page_id, name).unwrap()
    }

    /// Enables a bundled plugin with all that it asks for.
    pub(crate) async fn enable(&self, business: &Business, plugin: &str, settings: &str) {
        self.enable_at(business, plugin, settings, None).await;
    }

    /// The same, at a place in the business's order.
    pub(crate) async fn enable_at(&self, business: &Business, plugin: &str, settings: &str, position: Option<i64>) {
        let registry = &self.app.stores.registry;
        let plugin = registry.plugin_find(plugin).await.unwrap();
        let enable = Enable {
            workspace: &business.workspace,
            channel: &business.channel,
            scopes: Scopes::asked(&plugin.manifest, TextScope::Masked),
            plugin: &plugin,
            settings_json: settings,
            position,
        };
        registry.enable(enable).await.unwrap();
    }

    /// What is said on a channel when no plugin answers.
    pub(crate) async fn set_fallback(&self, business: &Business, text: &str) {
        let stores = &self.app.stores;
        let mut transaction = stores.db.begin_write().await.unwrap();
        let update = sqlx::query("update channel set fallback = $1 where id = $2");
        transaction.execute(update.bind(text).bind(business.channel.as_str())).await.unwrap();
        let channel = (&business.workspace, &business.channel);
        let (now, state) = (stores.db.now(), ChannelState::Active);
        directory::channel_state_set(&mut transaction, now, channel, state, None).await.unwrap();
        transaction.commit().await.unwrap();
        stores.directory.refresh_if_changed().await.unwrap();
    }

    /// Moves both clocks.
    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.control.advance(by);
    }

    /// Waits until `n_webhooks` deliveries of webhooks were answered since the start, lets settle windows close, and drives every
    /// room until nothing is left to do.
    pub(crate) async fn settle(&self, n_webhooks: usize) {
        self.control.wait_for_webhooks(n_webhooks, PATIENCE).await.unwrap();
        self.advance(SETTLED);
        self.app.run_until_idle().await.unwrap();
    }

    /// Drives every room and lets every webhook arrive until nothing is under way any more. The clocks stand still.
    pub(crate) async fn calm(&self) {
        loop {
            self.arrive().await;
            let n_arrived = self.control.ledger().n_webhooks;
            self.app.run_until_idle().await.unwrap();
            if self.control.ledger().n_webhooks == n_arrived {
                return;
            }
        }
    }

    /// Waits until every webhook that was sent is answered.
    pub(crate) async fn arrive(&self) {
        self.control.wait_until(PATIENCE, |ledger| ledger.n_settled == ledger.n_webhooks).await.unwrap();
    }

    /// Everything arrives, settle windows close, and everything that follows happens.
    pub(crate) async fn rest(&self) {
        self.arrive().await;
        self.advance(SETTLED);
        self.calm().await;
    }

    /// What the customer's phone received, in order.
    pub(crate) fn received(&self, customer: &Customer) -> Vec<String> {
        let sends = self.control.accepted();
        let theirs = sends.into_iter().filter(|send| send.recipient() == Some(customer.person_id.as_str()));
        theirs.filter_map(|send| send.text().map(str::to_owned)).collect()
    }

    /// The first business's open tasks.
    pub(crate) async fn tasks(&self) -> Vec<TaskRow> {
        let stores = &self.app.stores;
        conversation::tasks_open(&stores.db, &stores.vault, &self.business.workspace).await.unwrap()
    }
}

/// What the operator typed into Meta's dashboard.
pub(crate) const VERIFY_TOKEN: &str = "a verify token";

/// Registers a Meta app with the host.
pub(crate) async fn add_app(app: &App, meta_app_id: &str, secret: &str) -> AppId {
    let stores = &app.stores;
    let mut transaction = stores.db.begin_write().await.unwrap();
    let new = NewApp { workspace: None, meta_app_id: meta_app_id.to_owned() };
    let secrets = AppSecrets {
        app_secret: Zeroizing::new(secret.as_bytes().to_vec()),
        verify_token: Zeroizing::new(VERIFY_TOKEN.as_bytes().to_vec()),
    };
    let id = directory::app_add(&mut transaction, &stores.vault, stores.db.now(), &new, secrets).await.unwrap();
    transaction.commit().await.unwrap();
    stores.directory.refresh_if_changed().await.unwrap();
    id
}

/// Connects a Page of its own workspace through an app.
pub(crate) async fn add_business(
    app: &App,
    control: &Control,
    app_id: &AppId,
    meta_app_id: &str,
    name: &str,
) -> Business {
    let page = control.add_page(meta_app_id, name).unwrap();
    control.subscribe(&page.id).unwrap();
    let stores = &app.stores;
    let now = stores.db.now();
    let mut transaction = stores.db.begin_write().await.unwrap();
    let new = NewWorkspace { name: name.to_owned(), locale: "en".to_owned(), time_zone: "Europe/Vienna".to_owned() };
    let workspace = directory::workspace_add(&mut transaction, now, &new).await.unwrap();
    let new = NewChannel {
        workspace: workspace.clone(),
        app: app_id.clone(),
        kind: ChannelKind::Messenger,
        asset_id: page.id.clone(),
        name: name.to_owned(),
        locale: "en".to_owned(),
        fallback: None,
    };
    let token = Zeroizing::new(page.token.as_bytes().to_vec());
    let channel = directory::channel_add(&mut transaction, &stores.vault, now, &new, token).await.unwrap();
    transaction.commit().await.unwrap();
    stores.directory.refresh_if_changed().await.unwrap();
    Business { workspace, channel, page_id: page.id, page_token: page.token }
}

/// One story on both engines: `story!(name, |app| { … })`.
macro_rules! story {
    ($(#[$doc:meta])* $name:ident, |$app:pat_param| $body:block) => {
        $(#[$doc])*
        mod $name {
            #[allow(unused_imports, reason = "a story may need nothing of its file")]
            use super::*;

            async fn tell($app: crate::support::TestApp) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                tell(crate::support::TestApp::start().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                if let Some(url) = crate::support::postgres::database().await {
                    tell(crate::support::TestApp::start_on(Some(url)).await).await;
                }
            }
        }
    };
}

pub(crate) use story;
