//! The business that all rounds begin with: made once, with one Page on which the echo plugin answers, and copied for each round.
//! In a folder (SQLite), or as a database that others are copied from (PostgreSQL).

use std::fs::{self, DirBuilder};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use bellhop::app::Stores;
use bellhop::config::Config;
use bellhop::db::Clock;
use bellhop::directory::{self, AppSecrets, NewApp, NewChannel, NewWorkspace};
use bellhop::registry::{Enable, Scopes, TextScope};
use bellhop_domain::channel::ChannelKind;
use bellhop_domain::flow;
use bellhop_domain::id::{AppId, WorkspaceId};
use bellhop_simulator::{AppKeys, Control, PageKeys};
use tempfile::TempDir;
use zeroize::Zeroizing;

use crate::cluster::Cluster;
use crate::crash::echo;

/// What the operator typed into Meta's dashboard.
pub(crate) const VERIFY_TOKEN: &str = "a verify token";

const META_APP: &str = "bellhop";
const PAGE: &str = "Café Aurora";

/// The database that those of the rounds are copied from.
const TEMPLATE: &str = "crash_template";

/// The business before the first round.
pub(crate) struct House {
    folder: TempDir,
    cluster: Option<Cluster>,
    pub(crate) app: AppId,
    pub(crate) workspace: WorkspaceId,
}

/// A round's copy of it.
pub(crate) struct Lodging {
    folder: TempDir,
    pub(crate) config: Config,
}

/// The app and the Page: the same names give the same keys in every stand-in for Meta.
pub(crate) fn meta_side(control: &Control) -> anyhow::Result<(AppKeys, PageKeys)> {
    let app = control.add_app(META_APP);
    let page = control.add_page(&app.id, PAGE)?;
    control.subscribe(&page.id)?;
    Ok((app, page))
}

impl House {
    /// Sets the business up as an operator would with the commands; with a cluster, in a database there.
    pub(crate) async fn build(cluster: Option<Cluster>, control: &Control) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let url = match &cluster {
            Some(cluster) => {
                cluster.execute(format!("create database {TEMPLATE}")).await?;
                Some(cluster.url(TEMPLATE))
            }
            None => None,
        };
        let stores = Stores::open(&config(folder.path(), url), Clock::machine()).await?;
        let (meta_app, page) = meta_side(control)?;
        let (app, workspace) = furnish(&stores, &meta_app, &page).await?;
        stores.vault.close().await;
        stores.db.close().await;
        if let Some(cluster) = &cluster {
            cluster.disconnect(TEMPLATE).await?;
        }
        Ok(Self { folder, cluster, app, workspace })
    }

    /// The cluster, to stop and to start it.
    pub(crate) fn cluster_mut(&mut self) -> Option<&mut Cluster> {
        self.cluster.as_mut()
    }

    /// A copy under this name.
    pub(crate) async fn copy(
        &self,
        name: &str,
        change: impl FnOnce(&mut Config) -> anyhow::Result<()>,
    ) -> anyhow::Result<Lodging> {
        let folder = tempfile::tempdir()?;
        copy_folder(self.folder.path(), folder.path()).context("the house could not be copied")?;
        let url = match &self.cluster {
            Some(cluster) => {
                let database = format!("crash_{name}");
                cluster.copy(TEMPLATE, &database).await?;
                Some(cluster.url(&database))
            }
            None => None,
        };
        let mut config = config(folder.path(), url);
        change(&mut config)?;
        let lodging = Lodging { folder, config };
        fs::write(lodging.config_file(), toml::to_string(&lodging.config)?)?;
        Ok(lodging)
    }
}

impl Lodging {
    pub(crate) fn config_file(&self) -> PathBuf {
        self.folder.path().join("bellhop.toml")
    }

    /// Where the hosts write their logs.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Leaves the folder where it is, for whoever looks for the reason.
    pub(crate) fn keep(self) -> PathBuf {
        self.folder.keep()
    }
}

fn config(folder: &Path, url: Option<String>) -> Config {
    let mut config = Config::default();
    config.store.data_folder = folder.join("data");
    config.store.url = url;
    config.keys.folder = folder.join("keys");
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    (config.listen.public, config.listen.private) = (any_port, any_port);
    config
}

async fn furnish(stores: &Stores, meta_app: &AppKeys, page: &PageKeys) -> anyhow::Result<(AppId, WorkspaceId)> {
    let (now, secret) = (stores.db.now(), |text: &str| Zeroizing::new(text.as_bytes().to_vec()));
    let mut transaction = stores.db.begin_write().await?;
    let new = NewApp { workspace: None, meta_app_id: meta_app.id.clone() };
    let secrets = AppSecrets { app_secret: secret(&meta_app.secret), verify_token: secret(VERIFY_TOKEN) };
    let app = directory::app_add(&mut transaction, &stores.vault, now, &new, secrets).await?;
    let new = NewWorkspace { name: PAGE.to_owned(), locale: "en".to_owned(), time_zone: "Europe/Vienna".to_owned() };
    let workspace = directory::workspace_add(&mut transaction, now, &new).await?;
    let new = NewChannel {
        workspace: workspace.clone(),
        app: app.clone(),
        kind: ChannelKind::Messenger,
        asset_id: page.id.clone(),
        name: PAGE.to_owned(),
        locale: "en".to_owned(),
        fallback: None,
    };
    let channel = directory::channel_add(&mut transaction, &stores.vault, now, &new, secret(&page.token)).await?;
    transaction.commit().await?;
    stores.directory.refresh_if_changed().await?;
    let plugin = stores.registry.install(&echo::file()?).await?.plugin;
    let mut scopes = Scopes::asked(&plugin.manifest, TextScope::Clear);
    scopes.flows = flow::possible(&scopes);
    let (workspace_id, settings_json) = (&workspace, "{}");
    let enable =
        Enable { workspace: workspace_id, channel: &channel, plugin: &plugin, scopes, settings_json, position: None };
    stores.registry.enable(enable).await?;
    Ok((app, workspace))
}

/// Keys that others may read are refused, so the new folders are their owner's as well.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
