//! `bellhop records`: what a business keeps in the tables of its plugins.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Subcommand;

use crate::app::Stores;
use crate::command::{named, say};
use crate::record::{CollectionKey, ImportError, ImportMode, RecordError};

#[derive(Debug, Subcommand)]
pub(super) enum RecordsCommand {
    /// Imports records from JSON: a list of objects, or one object a line. All rows or none.
    Import {
        /// The workspace's id.
        #[arg(long)]
        workspace: String,
        /// The plugin's id or hash.
        #[arg(long)]
        plugin: String,
        /// Name of the collection.
        #[arg(long)]
        collection: String,
        /// Replace what is there instead of adding to it.
        #[arg(long)]
        replace: bool,
        /// The file.
        file: PathBuf,
    },
}

pub(super) async fn run(command: RecordsCommand, stores: &Stores) -> anyhow::Result<()> {
    let RecordsCommand::Import { workspace, plugin, collection, replace, file } = command;
    let owner = named::workspace(&stores.directory.snapshot(), &workspace)?;
    let plugin = stores.registry.plugin_find(&plugin).await?;
    let key = CollectionKey { workspace: owner.id.clone(), plugin_key: plugin.key.clone(), name: collection };
    let mode = if replace { ImportMode::Replace } else { ImportMode::Append };
    let bytes = std::fs::read(&file).with_context(|| format!("could not read {}", file.display()))?;
    match stores.records.import(&key, mode, &bytes).await {
        Ok(imported) => {
            say(format_args!("{} added, {} removed", imported.n_added, imported.n_removed));
            Ok(())
        }
        Err(ImportError::Rows(problems)) => {
            for problem in &problems {
                say(format_args!("row {}: {}", problem.row, problem.problem));
            }
            bail!("{} rows cannot be imported; nothing was written", problems.len())
        }
        Err(ImportError::Record(RecordError::NotDeclared(name))) => bail!(
            "the workspace {} has no collection `{name}` of {}: enable the plugin on one of its channels first; \
             `bellhop workspace list` shows workspaces and channels",
            owner.name,
            plugin.manifest.id
        ),
        Err(error) => Err(error.into()),
    }
}
