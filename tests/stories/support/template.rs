//! A host that was opened once: its store, keys and compiled plugins. Every story starts from a copy, because making keys,
//! migrating and compiling would otherwise be most of what a story does.

use std::path::{Path, PathBuf};

use bellhop::app::App;
use bellhop::config::Config;
use bellhop::db::Clock;
use bellhop::registry::{Enable, Registry, RegistryError, Scopes, TextScope};
use bellhop_domain::id::{ChannelId, WorkspaceId};
use bellhop_domain::time::Timestamp;
use tokio::sync::OnceCell;

/// The files of a host, by their path in its folder.
pub(crate) struct Template(Vec<(PathBuf, Vec<u8>)>);

/// The configuration of a host that keeps everything in one folder.
pub(crate) fn config(folder: &Path, url: Option<String>) -> Config {
    let mut config = Config::default();
    config.store.data_folder = folder.join("data");
    config.store.url = url;
    config.keys.folder = folder.join("keys");
    config
}

impl Template {
    /// On SQLite; made by the first story.
    pub(crate) async fn sqlite() -> &'static Self {
        static SQLITE: OnceCell<Template> = OnceCell::const_new();
        SQLITE.get_or_init(|| Self::make(None)).await
    }

    /// On this empty database, or in files of its own.
    pub(crate) async fn make(url: Option<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::manual(Timestamp::from_millis(super::START));
        let app = App::open(&config(folder.path(), url), clock, None).await.unwrap();
        for plugin in ["hello", "faq"] {
            compile(&app.stores.registry, plugin).await;
        }
        app.shutdown().await;
        let mut files = Vec::new();
        read(folder.path(), folder.path(), &mut files);
        Self(files)
    }

    /// Writes the files into another folder.
    pub(crate) fn copy_to(&self, folder: &Path) {
        for (path, bytes) in &self.0 {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, bytes).unwrap();
            if path.starts_with(folder.join("keys")) {
                // Keys that others may read are refused.
                owner_only(&path, 0o600);
                owner_only(path.parent().unwrap(), 0o700);
            }
        }
    }
}

/// A grant is linked on trial before its channel is looked for, and what was compiled for it stays on disk.
async fn compile(registry: &Registry, plugin: &str) {
    let plugin = registry.plugin_find(plugin).await.unwrap();
    let enable = Enable {
        workspace: &WorkspaceId::new(),
        channel: &ChannelId::new(),
        scopes: Scopes::asked(&plugin.manifest, TextScope::Masked),
        plugin: &plugin,
        settings_json: "{}",
        position: None,
    };
    assert!(matches!(registry.enable(enable).await, Err(RegistryError::UnknownChannel(_))));
}

fn read(folder: &Path, root: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, root, files);
        } else {
            files.push((path.strip_prefix(root).unwrap().to_owned(), std::fs::read(&path).unwrap()));
        }
    }
}

fn owner_only(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
