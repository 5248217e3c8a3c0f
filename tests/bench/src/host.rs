//! The host in a process of its own: a folder is set up for it as an operator would with the commands, then `bellhop serve`
//! runs in a child with everything on. The same folder can be served again, as after a restart.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, ensure};
use bellhop::app::{self, App, Stores, keyring_url, listen};
use bellhop::command::{self, Cli};
use bellhop::config::Config;
use bellhop::db::Clock;
use bellhop::directory::{self, AppSecrets, NewApp, NewChannel, NewWorkspace};
use bellhop::record::{CollectionKey, ImportMode, Records};
use bellhop::registry::{Enable, Scopes, TextScope};
use bellhop_domain::channel::ChannelKind;
use bellhop_domain::flow;
use bellhop_domain::id::{AppId, ChannelId, WorkspaceId};
use clap::Parser;
use tempfile::TempDir;
use tokio::runtime;
use zeroize::Zeroizing;

use crate::child::{self, Part};
use crate::entries;
use crate::load::Server;
use crate::webhook::Target;

/// The hidden command's parts: the whole host, or its public door alone with no loop behind it.
pub(crate) const SERVE_PART: &str = "serve";
pub(crate) const DOOR_PART: &str = "door";

const APP_SECRET: &str = "b4d5e8f1a2c3967f0e1d2c3b4a5f6e7d";

/// A folder that a host can serve.
pub(crate) struct House {
    folder: TempDir,
    app: AppId,
    /// The addresses of its store and its keyring.
    pub(crate) urls: [String; 2],
    /// The business of [`HELLO_PAGE`].
    pub(crate) hello: (WorkspaceId, ChannelId),
}

/// A Page of the house: its own business, with one plugin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    /// Meta's id.
    pub(crate) id: &'static str,
    /// The plugin that answers there.
    pub(crate) plugin: &'static str,
}

/// The Pages of a house.
pub(crate) const HELLO_PAGE: Page = Page { id: "100100100100101", plugin: "hello" };
pub(crate) const FAQ_PAGE: Page = Page { id: "100100100100102", plugin: "faq" };

impl House {
    /// A business for each page, without a settle window; the FAQ has 500 entries.
    pub(crate) async fn build(graph_url: &str) -> anyhow::Result<Self> {
        Self::build_on(graph_url, None).await
    }

    /// The same in a database of PostgreSQL.
    pub(crate) async fn build_on(graph_url: &str, store_url: Option<String>) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut config = config(folder.path(), graph_url);
        config.store.url = store_url;
        std::fs::write(config_file(folder.path()), toml::to_string(&config)?)?;
        let stores = Stores::open(&config, Clock::machine()).await?;
        let app = add_app(&stores).await?;
        let (hello, faq) =
            (add_business(&stores, &app, HELLO_PAGE).await?, add_business(&stores, &app, FAQ_PAGE).await?);
        for ((workspace, channel), page) in [(&hello, HELLO_PAGE), (&faq, FAQ_PAGE)] {
            enable(&stores, (workspace, channel), page.plugin).await?;
        }
        stores.vault.close().await;
        stores.db.close().await;
        let urls = [app::store_url(&config), keyring_url(&config)];
        Ok(Self { folder, app, urls, hello })
    }

    /// Runs `bellhop serve` on the folder, up to its first line.
    pub(crate) fn serve(&self) -> anyhow::Result<Host> {
        let file = config_file(self.folder.path());
        let log = File::options().create(true).append(true).open(self.folder.path().join("serve.log"))?;
        let mut part = Part::start_logging(SERVE_PART, &[text(&file)?], log)?;
        let line = part.line()?;
        // "webhooks on http://A, health and API on http://B"
        let mut urls = line.split([' ', ',', '\n']).filter_map(|word| word.strip_prefix("http://"));
        let mut next = || urls.next().and_then(|url| url.parse::<SocketAddr>().ok());
        let (public, private) = next().zip(next()).with_context(|| format!("`serve` said something else: {line}"))?;
        Ok(Host { part, public, private, app: self.app.clone() })
    }

    /// Runs only what answers webhooks: nothing takes the events from the inbox.
    pub(crate) fn door(&self) -> anyhow::Result<Host> {
        let file = config_file(self.folder.path());
        let mut part = Part::start(DOOR_PART, &[text(&file)?])?;
        let address = part.told()?.text("address")?.parse()?;
        Ok(Host { part, public: address, private: address, app: self.app.clone() })
    }
}

/// The FAQ's entries by themselves, in a store in this folder.
pub(crate) async fn shelf(folder: &Path) -> anyhow::Result<(Records, CollectionKey)> {
    let stores = Stores::open(&config(folder, "http://127.0.0.1:9"), Clock::machine()).await?;
    let app = add_app(&stores).await?;
    let (workspace, channel) = add_business(&stores, &app, FAQ_PAGE).await?;
    let collection = enable(&stores, (&workspace, &channel), FAQ_PAGE.plugin).await?;
    Ok((stores.records, collection.context("the FAQ has no collection")?))
}

/// A host that serves in a child.
pub(crate) struct Host {
    part: Part,
    public: SocketAddr,
    /// Health and metrics.
    pub(crate) private: SocketAddr,
    app: AppId,
}

impl Host {
    pub(crate) fn id(&self) -> u32 {
        self.part.id()
    }

    /// The host as the customers of one page see it.
    pub(crate) fn server(&self, page: Page) -> Server {
        let target = Target {
            path: format!("/webhook/{}", self.app),
            app_secret: APP_SECRET.to_owned(),
            page_id: page.id.to_owned(),
        };
        Server { address: self.public, process: self.id(), target: Arc::new(target) }
    }
}

/// The child that is the whole host, exactly as the binary runs it.
pub(crate) fn child_serve(arguments: &[String]) -> anyhow::Result<()> {
    let file = arguments.first().context("the configuration is missing")?;
    let cli = Cli::parse_from(["bellhop", "--config", file, "serve"]);
    runtime::Builder::new_multi_thread().enable_all().build()?.block_on(command::run(cli))
}

/// The child that is the public door.
pub(crate) fn child_door(arguments: &[String]) -> anyhow::Result<()> {
    let file = arguments.first().context("the configuration is missing")?;
    runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let config = Config::load(Some(Path::new(file)))?;
        let app = App::open(&config, Clock::machine(), None).await?;
        let listening = listen(config.listen.public, app.public_router(), app.stop_token()).await?;
        child::tell(&[("address", listening.address.to_string())])?;
        listening.stopped().await;
        Ok(())
    })
}

fn config(folder: &Path, graph_url: &str) -> Config {
    let mut config = Config::default();
    config.store.data_folder = folder.join("data");
    config.keys.folder = folder.join("keys");
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    (config.listen.public, config.listen.private) = (any_port, any_port);
    config.graph.base_url = graph_url.to_owned();
    config.egress.private_origins = vec![graph_url.to_owned()];
    (config.settle.quiet_ms, config.settle.at_most_ms) = (0, 0);
    config
}

fn config_file(folder: &Path) -> PathBuf {
    folder.join("bellhop.toml")
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("the folder for temporary files has a name that is not text")
}

async fn add_app(stores: &Stores) -> anyhow::Result<AppId> {
    let mut transaction = stores.db.begin_write().await?;
    let new = NewApp { workspace: None, meta_app_id: "1517776481860111".to_owned() };
    let secret = |text: &str| Zeroizing::new(text.as_bytes().to_vec());
    let secrets = AppSecrets { app_secret: secret(APP_SECRET), verify_token: secret("a verify token") };
    let id = directory::app_add(&mut transaction, &stores.vault, stores.db.now(), &new, secrets).await?;
    transaction.commit().await?;
    stores.directory.refresh_if_changed().await?;
    Ok(id)
}

async fn add_business(stores: &Stores, app: &AppId, page: Page) -> anyhow::Result<(WorkspaceId, ChannelId)> {
    let now = stores.db.now();
    let mut transaction = stores.db.begin_write().await?;
    let name = format!("The {} café", page.plugin);
    let new = NewWorkspace { name: name.clone(), locale: "en".to_owned(), time_zone: "Europe/Lisbon".to_owned() };
    let workspace = directory::workspace_add(&mut transaction, now, &new).await?;
    let new = NewChannel {
        workspace: workspace.clone(),
        app: app.clone(),
        kind: ChannelKind::Messenger,
        asset_id: page.id.to_owned(),
        name,
        locale: "en".to_owned(),
        fallback: None,
    };
    let token = Zeroizing::new(format!("EAAB{}", "w0kQz7".repeat(30)).into_bytes());
    let channel = directory::channel_add(&mut transaction, &stores.vault, now, &new, token).await?;
    transaction.commit().await?;
    stores.directory.refresh_if_changed().await?;
    Ok((workspace, channel))
}

async fn enable(
    stores: &Stores,
    (workspace, channel): (&WorkspaceId, &ChannelId),
    plugin: &str,
) -> anyhow::Result<Option<CollectionKey>> {
    let plugin = stores.registry.plugin_find(plugin).await?;
    let mut scopes = Scopes::asked(&plugin.manifest, TextScope::Clear);
    scopes.flows = flow::possible(&scopes);
    let enable = Enable { workspace, channel, plugin: &plugin, scopes, settings_json: "{}", position: None };
    stores.registry.enable(enable).await?;
    let Some(collection) = plugin.manifest.collections.first() else { return Ok(None) };
    let (workspace, plugin_key) = (workspace.clone(), plugin.key.clone());
    let key = CollectionKey { workspace, plugin_key, name: collection.name.clone() };
    let imported = stores.records.import(&key, ImportMode::Replace, entries::json().as_bytes()).await?;
    ensure!(imported.n_added == entries::N_ENTRIES, "{} entries were imported", imported.n_added);
    Ok(Some(key))
}
