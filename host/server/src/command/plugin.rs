//! `bellhop plugin`: what is installed, what a business grants on a channel, and what authors do with their files.

mod author;
mod enable;
mod inspect;
mod list;

use std::path::PathBuf;

use anyhow::{Context, bail};
use bellhop_domain::id::{ChannelId, WorkspaceId};
use clap::{Args, Subcommand};

use crate::app::Stores;
use crate::command::{say, setup, stores};
use crate::config::Config;
use crate::registry::{TextScope, UnreadableGrant};

#[derive(Debug, Subcommand)]
pub(super) enum PluginCommand {
    /// Lists the installed plugins and what each asks for; with a channel, what is enabled there, in the order of asking,
    /// and which newer versions wait for consent.
    List {
        /// The workspace's id.
        #[arg(long, requires = "channel")]
        workspace: Option<String>,
        /// The channel's id.
        #[arg(long, requires = "workspace")]
        channel: Option<String>,
    },
    /// Says all about a plugin: who signed it, what its bytes import, what it asks for, and what enabling it would mean.
    Inspect(inspect::Inspect),
    /// Puts a manifest into a component: one file that can be installed.
    Pack {
        /// The component, as `cargo build --target wasm32-unknown-unknown` made it.
        component: PathBuf,
        /// Its `plugin.toml`.
        manifest: PathBuf,
        /// The file to write.
        output: PathBuf,
    },
    /// Makes the key that an author signs with.
    #[command(subcommand)]
    Key(author::KeyCommand),
    /// Signs a plugin's file, as the last thing that is done to it. New versions under the same key keep their records.
    Sign {
        /// The file that `pack` made; the signature is put behind it.
        file: PathBuf,
        /// File with the author's key; `-` reads standard input.
        #[arg(long, value_name = "FILE")]
        key_file: PathBuf,
    },
    /// Checks a plugin's file and says who signed it; fails when nobody did.
    Verify {
        /// The file.
        file: PathBuf,
    },
    /// Installs a plugin from its file. It can do nothing before a business enables it, unless it is a new version that adds
    /// nothing to what its author's older one was granted.
    Install {
        /// The component, with its manifest.
        file: PathBuf,
    },
    /// Enables a plugin on a channel and grants what it asks for, after showing what that means.
    Enable(enable::EnableCommand),
    /// Disables a plugin on a channel.
    Disable {
        #[command(flatten)]
        place: Place,
        /// The plugin's id or hash.
        plugin: String,
    },
}

/// A channel of a business.
#[derive(Debug, Args)]
pub(in crate::command) struct Place {
    /// The workspace's id.
    #[arg(long)]
    workspace: String,
    /// The channel's id.
    #[arg(long)]
    channel: String,
}

impl PluginCommand {
    /// It works on files and needs no store.
    pub(super) const fn is_for_authors(&self) -> bool {
        matches!(self, Self::Pack { .. } | Self::Key(_) | Self::Sign { .. } | Self::Verify { .. })
    }
}

pub(super) async fn run(command: PluginCommand, config: &Config) -> anyhow::Result<()> {
    match command {
        PluginCommand::Pack { component, manifest, output } => author::pack(&component, &manifest, &output),
        PluginCommand::Key(command) => author::key(command),
        PluginCommand::Sign { file, key_file } => author::sign(&file, &key_file),
        PluginCommand::Verify { file } => author::verify(&file),
        PluginCommand::Inspect(command) => inspect::run(&command, config).await,
        PluginCommand::List { workspace, channel } => {
            let stores = stores(config).await?;
            match workspace.zip(channel) {
                Some((workspace, channel)) => list::channel(&stores, &workspace, &channel).await,
                None => list::installed(&stores).await,
            }
        }
        PluginCommand::Install { file } => install(&file, &stores(config).await?).await,
        PluginCommand::Enable(command) => enable::run(command, &stores(config).await?).await,
        PluginCommand::Disable { place, plugin } => disable(&place, &plugin, &stores(config).await?).await,
    }
}

async fn install(file: &std::path::Path, stores: &Stores) -> anyhow::Result<()> {
    let bytes = read(file)?;
    let installed = stores.registry.install(&bytes).await?;
    let (manifest, hash) = (&installed.plugin.manifest, &installed.plugin.hash);
    let how = if installed.is_new { "installed" } else { "it was installed before" };
    say(format_args!("{} {}  {hash}  {how}", manifest.id, manifest.version));
    if installed.n_moved > 0 {
        say(format_args!(
            "it adds nothing to the version before it and runs in its place on {} channels",
            installed.n_moved
        ));
    }
    Ok(())
}

async fn disable(place: &Place, plugin: &str, stores: &Stores) -> anyhow::Result<()> {
    let (workspace, channel) = setup::channel_ids(stores, &place.workspace, &place.channel)?;
    let enabled = stores.registry.plugins_for(&workspace, &channel);
    let readable = enabled.iter().map(|one| (one.plugin_key.clone(), one.plugin_id.clone(), one.hash.to_string()));
    let damaged = unreadable(stores, &workspace, &channel).into_iter();
    let damaged = damaged.filter_map(|grant| grant.plugin.map(|(key, id)| (key, id, grant.hash)));
    let mut n_disabled = 0;
    for (key, id, hash) in readable.chain(damaged) {
        if id == plugin || hash == plugin {
            let disabled = stores.registry.disable(&workspace, &channel, &key).await?;
            n_disabled += usize::from(disabled);
        }
    }
    if n_disabled == 0 {
        bail!("`{plugin}` is not enabled there; `bellhop plugin list` with the channel shows what is");
    }
    say(format_args!("disabled {n_disabled}"));
    Ok(())
}

/// A plugin's file, as it may be admitted: a larger one is not read whole.
fn read(file: &std::path::Path) -> anyhow::Result<Vec<u8>> {
    use std::io::Read;
    let opened = std::fs::File::open(file).with_context(|| format!("could not read {}", file.display()))?;
    let mut bytes = Vec::new();
    let limit = bellhop_sandbox::FILE_BYTES_MAX as u64 + 1;
    opened.take(limit).read_to_end(&mut bytes).with_context(|| format!("could not read {}", file.display()))?;
    Ok(bytes)
}

/// How much of what customers write a plugin is shown, as it is typed.
fn text_scope(text: &str) -> TextScope {
    match text {
        "clear" => TextScope::Clear,
        "none" => TextScope::None,
        _ => TextScope::Masked,
    }
}

/// The channel's grants that cannot be read.
fn unreadable(stores: &Stores, workspace: &WorkspaceId, channel: &ChannelId) -> Vec<UnreadableGrant> {
    let mut grants = stores.registry.unreadable();
    grants.retain(|grant| grant.workspace == workspace.as_str() && grant.channel == channel.as_str());
    grants
}
