//! The composition: opens the stores, puts the rooms together, runs their loops. The demo, the tests and production differ only
//! in what they pass in here.

mod listen;

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use axum::Router;
use bellhop_domain::id::HostId;
use bellhop_domain::settle::SettleWindow;
use bellhop_sandbox::{Sandbox, SandboxOptions};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::{self, Api};
use crate::audit::Anchors;
use crate::backup::{self, BackupError};
use crate::config::Config;
use crate::db::{Clock, Db, DbError, Engine, Schema, Signal};
use crate::directory::{Directory, DirectoryError};
use crate::dispatch::{self, Dispatch, DispatchError};
use crate::egress::{Egress, EgressSetupError};
use crate::graph::Graph;
use crate::host::Host;
use crate::inbox::{Inbox, Wake};
use crate::jobs::{JobError, Jobs, Pulse};
use crate::outbox::{self, Outbox, OutboxError};
use crate::record::Records;
use crate::registry::{self, Registry, RegistryError};
use crate::status::Health;
use crate::vault::{Vault, VaultError};
use crate::webhook::{self, Webhook};

pub use listen::{Listening, listen};

/// Why the host could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The data folder could not be made.
    #[error("could not make the data folder {0}")]
    Folder(std::path::PathBuf, #[source] std::io::Error),
    /// The database.
    #[error("could not open the store")]
    Db(#[from] DbError),
    /// A store that is not to be used: moved away, or not whole.
    #[error(transparent)]
    Unusable(#[from] BackupError),
    /// Keys.
    #[error("could not open the vault")]
    Vault(#[from] VaultError),
    /// Workspaces, apps, channels.
    #[error("could not read the directory")]
    Directory(#[from] DirectoryError),
    /// Outgoing connections.
    #[error("could not set up outgoing connections")]
    Egress(#[from] EgressSetupError),
    /// The engine for plugins.
    #[error("could not start the sandbox")]
    Sandbox(#[from] bellhop_sandbox::EngineError),
    /// Plugins.
    #[error("could not install the bundled plugins")]
    Registry(#[from] RegistryError),
    /// A turn, while driven by hand.
    #[error("a turn failed")]
    Dispatch(#[from] DispatchError),
    /// A send, while driven by hand.
    #[error("the outbox failed")]
    Outbox(#[from] OutboxError),
    /// A job, while driven by hand.
    #[error("a background job failed")]
    Jobs(#[from] JobError),
}

/// The store, its keys and what is known of businesses: all that a command needs.
#[derive(Clone)]
pub struct Stores {
    /// The store.
    pub db: Db,
    /// Keys and secrets.
    pub vault: Vault,
    /// Workspaces, apps, channels.
    pub directory: Directory,
    /// Plugins and grants.
    pub registry: Registry,
    /// The tables of plugins.
    pub records: Records,
}

impl Stores {
    /// Opens everything that lies on disk; migrates the schemas and installs the bundled plugins.
    ///
    /// # Errors
    /// [`AppError`]; nothing runs.
    pub async fn open(config: &Config, clock: Clock) -> Result<Self, AppError> {
        let folder = &config.store.data_folder;
        make_data_folder(folder).map_err(|error| AppError::Folder(folder.clone(), error))?;
        if config.store.url.is_none() && backup::restore_unfinished(folder) {
            return Err(BackupError::Unfinished(folder.clone()).into());
        }
        let db = Self::open_store(config, clock.clone()).await?;
        backup::check_living(&db).await?;
        let keyring = Db::open(&keyring_url(config), Schema::Keyring, clock).await?;
        let vault = Vault::open(&config.keys, keyring, db.clone()).await?;
        let directory = Directory::open(db.clone(), vault.clone()).await?;
        let code_folder = Some(registry::code_folder(folder, &vault).await?);
        let sandbox = Sandbox::new(SandboxOptions { calls_at_once: config.sandbox.calls_at_once, code_folder })?;
        let registry = Registry::open(db.clone(), vault.clone(), sandbox).await?;
        registry.install_bundled().await?;
        let records = Records::new(db.clone(), vault.clone());
        Ok(Self { db, vault, directory, registry, records })
    }

    /// Opens the store alone, without keys: for those who only look.
    ///
    /// # Errors
    /// [`AppError::Db`].
    pub async fn open_store(config: &Config, clock: Clock) -> Result<Db, AppError> {
        Ok(Db::open(&store_url(config), Schema::Store, clock).await?)
    }

    /// True when the store is an embedded file, which one process alone may serve.
    pub fn is_embedded(&self) -> bool {
        self.db.engine() == Engine::Sqlite
    }
}

/// Where the store is.
pub fn store_url(config: &Config) -> String {
    url_of(config, "store.db")
}

/// Where the keyring is: a file of its own, or a schema of its own in the store's database.
pub fn keyring_url(config: &Config) -> String {
    url_of(config, "keyring.db")
}

fn url_of(config: &Config, file: &str) -> String {
    config.store.url.clone().unwrap_or_else(|| Db::sqlite_url(&config.store.data_folder.join(file)))
}

/// Makes the data folder, for its owner's eyes only.
///
/// # Errors
/// Whatever the system says.
pub fn make_data_folder(folder: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// A host, put together. Its loops run after [`App::start`]; until then, or instead, [`App::run_until_idle`] drives it.
#[derive(Clone)]
pub struct App {
    /// What lies on disk.
    pub stores: Stores,
    /// The conductor.
    pub dispatch: Dispatch,
    /// What goes out.
    pub outbox: Outbox,
    /// What the house does by itself.
    pub jobs: Jobs,
    store_url: String,
    inbox: Inbox,
    metrics: Option<PrometheusHandle>,
    writers: TaskTracker,
    loops: TaskTracker,
    stop: CancellationToken,
}

impl App {
    /// Opens the stores and puts the rooms together.
    ///
    /// # Errors
    /// [`AppError`]; nothing runs.
    pub async fn open(config: &Config, clock: Clock, metrics: Option<PrometheusHandle>) -> Result<Self, AppError> {
        let stores = Stores::open(config, clock).await?;
        let egress = Egress::new(&config.egress)?;
        let graph = Graph::new(&config.graph, egress, stores.vault.clone());
        let writers = TaskTracker::new();
        // Until somebody else is seen.
        stores.db.set_company(false);
        let (contact_wake, control_wake, outbox_wake) = (Wake::default(), Wake::default(), Wake::default());
        let window = SettleWindow { quiet: config.settle.quiet(), longest: config.settle.at_most() };
        let inbox = Inbox::start(stores.db.clone(), &writers, window, contact_wake.clone(), control_wake.clone());
        let host = HostId::new();
        let parts = dispatch::Parts {
            db: stores.db.clone(),
            vault: stores.vault.clone(),
            directory: stores.directory.clone(),
            registry: stores.registry.clone(),
            records: stores.records.clone(),
            host: host.clone(),
            limits: config.sandbox.limits(),
            contact_wake,
            control_wake,
            outbox_wake: outbox_wake.clone(),
        };
        let dispatch = Dispatch::start(parts, &writers);
        let parts = outbox::Parts {
            db: stores.db.clone(),
            vault: stores.vault.clone(),
            directory: stores.directory.clone(),
            registry: stores.registry.clone(),
            graph,
            host: host.clone(),
            wake: outbox_wake,
        };
        let outbox = Outbox::start(parts, &writers);
        let jobs = Jobs {
            db: stores.db.clone(),
            vault: stores.vault.clone(),
            directory: stores.directory.clone(),
            registry: stores.registry.clone(),
            host: Host::new(stores.db.clone(), host),
            pulse: Pulse::new(stores.db.now()),
            anchors: Anchors::of_folder(&config.store.data_folder),
            retention: config.retention.clone(),
            wake: Wake::default(),
        };
        let (loops, stop) = (TaskTracker::new(), CancellationToken::new());
        let store_url = store_url(config);
        Ok(Self { stores, dispatch, outbox, jobs, store_url, inbox, metrics, writers, loops, stop })
    }

    /// The public listener's routes.
    pub fn public_router(&self) -> Router {
        webhook::router(Webhook {
            db: self.stores.db.clone(),
            vault: self.stores.vault.clone(),
            directory: self.stores.directory.clone(),
            inbox: self.inbox.clone(),
        })
    }

    /// What the private listener reads from.
    pub fn api(&self) -> Api {
        Api {
            db: self.stores.db.clone(),
            vault: self.stores.vault.clone(),
            directory: self.stores.directory.clone(),
            health: Health { db: self.stores.db.clone(), host: self.jobs.host.clone(), pulse: self.jobs.pulse.clone() },
            metrics: self.metrics.clone(),
        }
    }

    /// The private listener's routes.
    pub fn private_router(&self) -> Router {
        api::router(self.api())
    }

    /// Starts the loops.
    pub fn start(&self) {
        self.loops.spawn(self.dispatch.clone().run(self.stop.clone()));
        self.loops.spawn(self.outbox.clone().run(self.stop.clone()));
        self.loops.spawn(self.jobs.clone().run(self.stop.clone()));
        self.loops.spawn(self.exchange_signals());
        self.loops.close();
    }

    /// Hears from other hosts what is ready, and tells them, until the host stops.
    pub fn exchange_signals(&self) -> impl Future<Output = ()> + Send + 'static {
        let (db, dispatch, outbox, jobs) =
            (self.stores.db.clone(), self.dispatch.clone(), self.outbox.clone(), self.jobs.wake.clone());
        let hear = move |signal| match signal {
            Signal::Contact => dispatch.contact_wake.notify(),
            Signal::ContactAt(at) => dispatch.contact_wake.notify_at(at, dispatch.db.now()),
            Signal::Control => dispatch.control_wake.notify(),
            Signal::Delivery => outbox.wake.notify(),
            Signal::Configuration => jobs.notify(),
        };
        db.exchange_signals(self.store_url.clone(), hear, self.stop.clone())
    }

    /// Drives every room by hand until none finds anything to do; the loops must not run. Waiting for a settle window or a
    /// retry is not doing: the caller moves the clock.
    ///
    /// # Errors
    /// [`AppError`] of the first step that fails.
    pub async fn run_until_idle(&self) -> Result<(), AppError> {
        loop {
            let n_control = self.dispatch.control_once().await?;
            let n_turns = self.dispatch.run_once().await?;
            let n_sends = self.outbox.run_once().await?;
            if n_control + n_turns + n_sends == 0 {
                return Ok(());
            }
        }
    }

    /// Told when the host is to stop.
    pub fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Stops taking work, lets what runs come to its end, and closes the stores.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.loops.close();
        self.loops.wait().await;
        let Self { stores, dispatch, outbox, jobs, inbox, writers, .. } = self;
        // The writers end when nobody can hand in work any more; other clones of this app keep them alive.
        drop((dispatch, outbox, inbox));
        writers.close();
        if let Err(error) = jobs.host.leave().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "Could not sign off; this host will look dead for a day"
            );
        }
        stores.vault.close().await;
        stores.db.close().await;
    }
}
