//! `bellhop plugin`: what is installed, and what a business grants on a channel.

use std::path::PathBuf;

use anyhow::{Context, bail};
use bellhop_domain::id::{ChannelId, WorkspaceId};
use bellhop_domain::manifest::Manifest;
use clap::Subcommand;

use crate::app::Stores;
use crate::command::{say, setup};
use crate::registry::{Disabled, Enable, Failing, Scopes, Suspended, TextScope, UnreadableGrant};

#[derive(Debug, Subcommand)]
pub(super) enum PluginCommand {
    /// Lists the installed plugins and what each asks for; with a channel, what is enabled there, in the order of asking.
    List {
        /// The workspace's id.
        #[arg(long, requires = "channel")]
        workspace: Option<String>,
        /// The channel's id.
        #[arg(long, requires = "workspace")]
        channel: Option<String>,
    },
    /// Puts a manifest into a component: one file that can be installed.
    Pack {
        /// The component, as `cargo build --target wasm32-unknown-unknown` made it.
        component: PathBuf,
        /// Its `plugin.toml`.
        manifest: PathBuf,
        /// The file to write.
        output: PathBuf,
    },
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
        /// Show it what customers write: with phone numbers, e-mail addresses, cards and bank accounts as tokens ("masked"), as
        /// it was written ("clear"), or not at all ("none").
        #[arg(long, default_value = "masked", value_parser = ["masked", "clear", "none"])]
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
        PluginCommand::List { workspace: Some(workspace), channel: Some(channel) } => {
            let (workspace, channel) = setup::channel_ids(stores, &workspace, &channel)?;
            for plugin in stores.registry.plugins_for(&workspace, &channel).iter() {
                let version = &plugin.plugin.manifest.version;
                say(format_args!("{}  {} {version}  {}", plugin.position, plugin.plugin_id, plugin.hash));
                if let Some(failing) = stores.registry.failing(&plugin.grant_id) {
                    say_suspended(&failing)?;
                }
            }
            for grant in unreadable(stores, &workspace, &channel) {
                let plugin = grant.plugin.map_or_else(|| "a plugin that is not installed".to_owned(), |(_, id)| id);
                say(format_args!(
                    "-  {plugin}  {}  grant {} cannot be read and the plugin is not asked; enable it again",
                    grant.hash, grant.id
                ));
            }
        }
        PluginCommand::List { .. } => {
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
        PluginCommand::Pack { component, manifest, output } => {
            let bytes = std::fs::read(&component).with_context(|| format!("could not read {}", component.display()))?;
            let text =
                std::fs::read_to_string(&manifest).with_context(|| format!("could not read {}", manifest.display()))?;
            Manifest::parse(&text)?;
            let packed = bellhop_sandbox::with_manifest(&bytes, &text);
            bellhop_sandbox::admit(&packed)?;
            std::fs::write(&output, packed).with_context(|| format!("could not write {}", output.display()))?;
            say(format_args!("{} can be installed with `bellhop plugin install`", output.display()));
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
            let text = match text.as_str() {
                "clear" => TextScope::Clear,
                "none" => TextScope::None,
                _ => TextScope::Masked,
            };
            let (workspace, channel) = setup::channel_ids(stores, &workspace, &channel)?;
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
            let enabled = stores.registry.plugins_for(&workspace, &channel);
            let others = enabled.iter().filter(|one| one.plugin_id == plugin.manifest.id && one.hash != plugin.hash);
            for other in others {
                let version = &other.plugin.manifest.version;
                say(format_args!(
                    "{} {version} is still enabled beside it; disable it by its hash {}",
                    other.plugin_id, other.hash
                ));
            }
        }
        PluginCommand::Disable { workspace, channel, plugin } => {
            let (workspace, channel) = setup::channel_ids(stores, &workspace, &channel)?;
            let enabled = stores.registry.plugins_for(&workspace, &channel);
            let readable =
                enabled.iter().map(|one| (one.plugin_key.clone(), one.plugin_id.clone(), one.hash.to_string()));
            let damaged = unreadable(stores, &workspace, &channel).into_iter();
            let damaged = damaged.filter_map(|grant| grant.plugin.map(|(key, id)| (key, id, grant.hash)));
            let mut n_disabled = 0;
            for (key, id, hash) in readable.chain(damaged) {
                if id == plugin || hash == plugin {
                    let disabled = stores.registry.disable(&workspace, &channel, &key, Disabled::ByBusiness).await?;
                    n_disabled += usize::from(disabled);
                }
            }
            if n_disabled == 0 {
                bail!("`{plugin}` is not enabled there; `bellhop plugin list` with the channel shows what is");
            }
            say(format_args!("disabled {n_disabled}"));
        }
    }
    Ok(())
}

/// What keeps a plugin from being asked, and when that ends.
fn say_suspended(failing: &Failing) -> anyhow::Result<()> {
    let Some(Suspended { since, probe_at }) = failing.suspended else { return Ok(()) };
    let [since, probe_at] = [since, probe_at].map(|at| jiff::Timestamp::from_millisecond(at.millis()));
    say(format_args!(
        "    switched off since {:.0}, because it kept failing: {}\n    it is tried again at {:.0}, and at once when you enable \
         it again",
        since?, failing.reason, probe_at?
    ));
    Ok(())
}

/// The channel's grants that cannot be read.
fn unreadable(stores: &Stores, workspace: &WorkspaceId, channel: &ChannelId) -> Vec<UnreadableGrant> {
    let mut grants = stores.registry.unreadable();
    grants.retain(|grant| grant.workspace == workspace.as_str() && grant.channel == channel.as_str());
    grants
}
