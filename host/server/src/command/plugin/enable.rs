//! `bellhop plugin enable`: shows what is about to be granted, asks, and grants it.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};
use bellhop_domain::consent::{self, Language, Request};
use bellhop_domain::grant::Flow;
use clap::Args;

use super::{Place, inspect};
use crate::app::Stores;
use crate::command::{say, setup};
use crate::registry::{self, Enable, Plugin, Scopes};

#[derive(Debug, Args)]
pub(in crate::command) struct EnableCommand {
    #[command(flatten)]
    place: Place,
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
    /// Lets personal data that it reads in clear, or could have kept, go out this way: "clear-text:links". Refusals name
    /// what is needed.
    #[arg(long, value_name = "SOURCE:SINK", value_delimiter = ',', value_parser = Flow::parse)]
    allow_flow: Vec<Flow>,
    /// Consents to what is shown without being asked; for scripts. `plugin inspect` shows the same text.
    #[arg(long)]
    yes: bool,
    /// The plugin's id or hash.
    plugin: String,
}

pub(super) async fn run(command: EnableCommand, stores: &Stores) -> anyhow::Result<()> {
    let (workspace, channel) = setup::channel_ids(stores, &command.place.workspace, &command.place.channel)?;
    let plugin = stores.registry.plugin_find(&command.plugin).await?;
    let settings = match &command.settings {
        Some(file) => std::fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))?,
        None => "{}".to_owned(),
    };
    let mut scopes = Scopes::asked(&plugin.manifest, super::text_scope(&command.text));
    scopes.flows = command.allow_flow.into_iter().collect();
    let locale = stores.directory.snapshot().workspace(&workspace).map(|one| one.locale.clone()).unwrap_or_default();
    show(stores, &plugin, &scopes, &locale).await?;
    if !command.yes && !agrees()? {
        bail!("nothing was granted");
    }
    let enable = Enable {
        workspace: &workspace,
        channel: &channel,
        scopes,
        plugin: &plugin,
        settings_json: &settings,
        position: command.position,
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
    Ok(())
}

/// What the grant means, in the business's language. What the plugin imports is read from its bytes, not from what it says.
async fn show(stores: &Stores, plugin: &Plugin, scopes: &Scopes, locale: &str) -> anyhow::Result<()> {
    let (admitted, manifest, signer) = registry::read(&stores.registry.file_of(plugin).await?)?;
    let own = stores.registry.own_fingerprint().await?;
    say(format_args!("{} {}  {}", manifest.id, manifest.version, admitted.hash));
    // An unsigned copy that was installed first hides no signature: the plugin's key says whose it is.
    let signer = plugin.signer().or(signer.as_deref());
    say(format_args!("signed by {}", inspect::signed_by(signer, Some(&own))));
    let request = Request { imports: &admitted.imports, manifest: &manifest, scopes };
    inspect::tell(&consent::clauses(&request), Language::of(locale));
    Ok(())
}

/// Asks at the terminal; without one, consent has to be said with the command.
fn agrees() -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("nothing was granted: there is no terminal to ask at; read the text above and say it again with `--yes`");
    }
    let mut err = std::io::stderr().lock();
    write!(err, "Grant this? [y/N] ")?;
    err.flush()?;
    drop(err);
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
