//! The binary at a terminal, beside the host of the test and on the same store.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bellhop::config::Config;

use super::TestApp;

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) succeeded: bool,
    /// On standard output.
    pub(crate) out: String,
    /// On standard error.
    pub(crate) err: String,
}

impl TestApp {
    /// A file in the test's folder; its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// Runs `bellhop` with these arguments. The host of the test then knows what changed.
    pub(crate) async fn bellhop(&self, arguments: &[&str]) -> Said {
        let config = config_file(self.folder(), self.config());
        let mut command = Command::new(env!("CARGO_BIN_EXE_bellhop"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("BELLHOP_")) {
            command.env_remove(name);
        }
        command.arg("--config").arg(config).args(arguments).stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        self.app.stores.directory.refresh_if_changed().await.unwrap();
        self.app.stores.registry.refresh_if_changed().await.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Said { succeeded: output.status.success(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// The same, of a command that has to succeed: what it printed.
    pub(crate) async fn told(&self, arguments: &[&str]) -> String {
        let said = self.bellhop(arguments).await;
        assert!(said.succeeded, "{arguments:?}: {said:?}");
        said.out
    }

    /// The same, of a command that has to be refused: why.
    pub(crate) async fn refused(&self, arguments: &[&str]) -> String {
        let said = self.bellhop(arguments).await;
        assert!(!said.succeeded, "{arguments:?}: {said:?}");
        said.err
    }
}

fn config_file(folder: &Path, config: &Config) -> PathBuf {
    let url = config.store.url.as_ref().map(|url| format!("url = {url:?}\n")).unwrap_or_default();
    let text = format!(
        "[store]\ndata_folder = {:?}\n{url}[keys]\nfolder = {:?}\n",
        config.store.data_folder, config.keys.folder
    );
    let path = folder.join("bellhop.toml");
    std::fs::write(&path, text).unwrap();
    path
}
