//! `bellhop plugin`: what is installed, and what a business grants on a channel.

use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;

use crate::app::Stores;
use crate::command::{say, setup};
use crate::registry::{Disabled, Enable, Scopes, TextScope};

#[derive(Debug, Subcommand)]
pub(super) enum PluginCommand {
    /// Lists the installed plugins and what each asks for.
    List,
    /// Installs a plugin from its file. It can do nothing before a business enables it.
    Install {
        /// The component, with its manifest.
        file: PathBuf,
    },
    /// Enables a plugin on a channel and grants what it asks for.
    Enable {
        /// The workspace's id.
        #[arg(long)]
        workspace: String,
        /// The channel's id.
        #[arg(long)]
        channel: String,
        /// File with the settings, a JSON object.
        #[arg(long, value_name = "FILE")]
        settings: Option<PathBuf>,
        /// Its place in the order in which plugins are asked; last by default.
        #[arg(long)]
        position: Option<i64>,
        /// Show it what customers write: "clear" or "none".
        #[arg(long, default_value = "clear", value_parser = ["clear", "none"])]
        text: String,
        /// The plugin's id or hash.
        plugin: String,
    },
    /// Disables a plugin on a channel.
    Disable {
        /// The workspace's id.
        #[arg(long)]
        workspace: String,
        /// The channel's id.
        #[arg(long)]
        channel: String,
        /// The plugin's id or hash.
        plugin: String,
    },
}

pub(super) async fn run(command: PluginCommand, stores: &Stores) -> anyhow::Result<()> {
    match command {
        PluginCommand::List => {
            for plugin in stores.registry.plugins().await? {
                let asked: Vec<_> = plugin.manifest.asked().iter().map(|capability| capability.as_str()).collect();
                let effects = plugin.manifest.scopes.effects.join(", ");
                say(format_args!("{} {}  {}", plugin.manifest.id, plugin.manifest.version, plugin.hash));
                say(format_args!(
                    "    reads: {}; may: {effects}",
                    if asked.is_empty() { "nothing".to_owned() } else { asked.join(", ") }
                ));
            }
        }
        PluginCommand::Install { file } => {
            let bytes = std::fs::read(&file).with_context(|| format!("could not read {}", file.display()))?;
            let installed = stores.registry.install(&bytes).await?;
            let (manifest, hash) = (&installed.plugin.manifest, &installed.plugin.hash);
            let how = if installed.is_new { "installed" } else { "it was installed before" };
            say(format_args!("{} {}  {hash}  {how}", manifest.id, manifest.version));
        }
        PluginCommand::Enable { workspace, channel, settings, position, text, plugin } => {
            let plugin = stores.registry.plugin_find(&plugin).await?;
            let settings = match settings {
                Some(file) => {
                    std::fs::read_to_string(&file).with_context(|| format!("could not read {}", file.display()))?
                }
                None => "{}".to_owned(),
            };
            let text = if text == "clear" { TextScope::Clear } else { TextScope::None };
            let (workspace, channel) = (setup::workspace_id(&workspace)?, setup::channel_id(&channel)?);
            let enable = Enable {
                workspace: &workspace,
                channel: &channel,
                scopes: Scopes::asked(&plugin.manifest, text),
                plugin: &plugin,
                settings_json: &settings,
                position,
            };
            let grant = stores.registry.enable(enable).await?;
            say(format_args!("enabled as grant {grant}"));
        }
        PluginCommand::Disable { workspace, channel, plugin } => {
            let plugin = stores.registry.plugin_find(&plugin).await?;
            let (workspace, channel) = (setup::workspace_id(&workspace)?, setup::channel_id(&channel)?);
            let was_enabled = stores.registry.disable(&workspace, &channel, &plugin.key, Disabled::ByBusiness).await?;
            say(if was_enabled { "disabled" } else { "it was not enabled there" });
        }
    }
    Ok(())
}
