//! `bellhop audit`: whether the log still says what it said, who read what of a contact, and what was granted and is not used.
//! Prints codes, ids and names of plugins, never what somebody said.

use std::collections::HashMap;

use anyhow::{Context, bail};
use bellhop_domain::id::{AuditId, ContactId, WorkspaceId};
use bellhop_domain::time::Timestamp;
use clap::Subcommand;

use crate::app::Stores;
use crate::audit::{self, Anchor, Anchors, AuditError, Examined, ReadRow, Verified};
use crate::command::{existing, hint, look, named, say, setup};
use crate::config::Config;
use crate::conversation;
use crate::db::Db;

/// Batches between two words to whoever waits: some seconds of work.
const BATCHES_BETWEEN_WORDS: i64 = 10_000;

/// Lines of one page unless asked otherwise, and at most.
const LINES: i64 = 100;
const MOST_LINES: i64 = 1_000;

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Checks every row of the log against its chain, and the chains against the anchors that were written down each day.
    Verify {
        /// This workspace only.
        #[arg(long)]
        workspace: Option<String>,
    },
    /// Shows which plugins read what of a contact, newest first.
    WhoRead {
        /// The workspace's id.
        #[arg(long)]
        workspace: String,
        /// The contact's id; `bellhop tasks` shows it.
        #[arg(long)]
        contact: String,
        /// Lines at most.
        #[arg(long, default_value_t = LINES, value_parser = clap::value_parser!(i64).range(1..=MOST_LINES))]
        limit: i64,
        /// Only what stands below this line of an earlier page.
        #[arg(long, value_name = "ROW")]
        before: Option<String>,
    },
    /// Lists what the plugins of a channel may read and have not read for 30 days.
    Unused {
        /// The workspace's id.
        #[arg(long)]
        workspace: String,
        /// The channel's id.
        #[arg(long)]
        channel: String,
    },
}

pub(super) async fn run(command: AuditCommand, config: &Config) -> anyhow::Result<()> {
    match command {
        // Needs no keys and writes nothing, so that whoever checks the log need not be able to.
        AuditCommand::Verify { workspace } => {
            verify(workspace.as_deref(), &Anchors::of_folder(&config.store.data_folder), &look(config).await?).await
        }
        AuditCommand::WhoRead { workspace, contact, limit, before } => {
            let stores = existing(config).await?;
            let workspace = named::workspace(&stores.directory.snapshot(), &workspace)?.id.clone();
            let before = before.map(|id| AuditId::parse(&id)).transpose().context("`--before` takes a row's id")?;
            who_read(&stores, (&workspace, &contact), before.as_ref(), limit).await
        }
        AuditCommand::Unused { workspace, channel } => unused(&existing(config).await?, &workspace, &channel).await,
    }
}

async fn verify(workspace: Option<&str>, anchors: &Anchors, db: &Db) -> anyhow::Result<()> {
    let anchors = anchors.read().await?;
    // A log that is gone as a whole is missed by its anchors alone.
    let mut known = audit::workspaces(db).await?;
    known.extend(anchors.iter().map(|anchor| anchor.workspace.clone()));
    if let Some(asked) = workspace {
        known.retain(|workspace| workspace.as_str() == asked);
        if known.is_empty() {
            bail!("there is no log of a workspace `{asked}`; without `--workspace` all are checked");
        }
    }
    let (n_logs, mut n_broken) = (known.len(), 0);
    for workspace in known {
        n_broken += usize::from(!is_whole(db, &workspace, &anchors).await?);
    }
    if n_broken > 0 {
        bail!("{n_broken} of {n_logs} logs are not what they were");
    }
    Ok(())
}

async fn is_whole(db: &Db, workspace: &WorkspaceId, anchors: &[Anchor]) -> anyhow::Result<bool> {
    let tell = |verified: &Verified| {
        if verified.n_batches % BATCHES_BETWEEN_WORDS == 0 {
            hint(format_args!("{workspace}: {} batches hold so far", verified.n_batches));
        }
    };
    let Examined { verified, n_reached, missed } = match audit::examine(db, workspace, anchors, tell).await {
        Ok(examined) => examined,
        Err(AuditError::Broken { seq }) => {
            say(format_args!("{workspace}: BROKEN in or before batch {seq}: rows were changed, removed or put in"));
            return Ok(false);
        }
        Err(error) => return Err(error.into()),
    };
    let head = hex::encode(verified.head);
    say(format_args!(
        "{workspace}: {} batches, {} rows, head {head}; reaches {n_reached} anchors",
        verified.n_batches, verified.n_rows
    ));
    let Some(Anchor { day, seq, hash, .. }) = missed else { return Ok(true) };
    say(format_args!(
        "    DOES NOT REACH the anchor of {day}, batch {seq}, {hash}: since that day the log was cut or written anew, or the \
         store was restored from an older backup"
    ));
    Ok(false)
}

async fn who_read(
    stores: &Stores,
    (workspace, contact): (&WorkspaceId, &str),
    before: Option<&AuditId>,
    limit: i64,
) -> anyhow::Result<()> {
    let unknown = "that is no contact of this workspace; `bellhop tasks` shows contacts";
    let id = ContactId::parse(contact).context(unknown)?;
    let wanted = [(workspace.clone(), id.clone())];
    let Some(found) = conversation::contacts_find(&stores.db, &stores.vault, &wanted).await?.remove(&id) else {
        if conversation::contact_is_known(&stores.db, workspace, &id).await? {
            bail!(
                "the contact {id} was erased: the log names contacts by a key that is destroyed with them, and nobody can say \
                 any more which rows were theirs"
            );
        }
        bail!("{unknown}");
    };
    let rows = audit::reads_of(&stores.db, (workspace, found.key.subject()), before, limit).await?;
    let plugins = stores.registry.plugins().await?;
    let called = plugins
        .iter()
        .map(|plugin| (plugin.hash.as_str(), format!("{} {}", plugin.manifest.id, plugin.manifest.version)));
    let called: HashMap<&str, String> = called.collect();
    for row in &rows {
        say(line(row, &called)?);
    }
    match rows.last() {
        None => say("no plugin has read anything of this contact"),
        Some(last) if rows.len() as i64 == limit => hint(format_args!("there may be more: `--before {}`", last.id)),
        Some(_) => {}
    }
    Ok(())
}

fn line(row: &ReadRow, called: &HashMap<&str, String>) -> anyhow::Result<String> {
    let hash = row.plugin_hash.as_deref().unwrap_or_default();
    let plugin = called.get(hash).map_or("a plugin that is not installed any more", String::as_str);
    let plugin = if row.plugin_hash.is_none() { "the host" } else { plugin };
    let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "none".to_owned());
    Ok(format!(
        "{}  {plugin}  {}  turn {}\n    grant {}  hash {hash}",
        day_and_time(row.at)?,
        row.code,
        part(&row.reference),
        part(&row.grant)
    ))
}

async fn unused(stores: &Stores, workspace: &str, channel: &str) -> anyhow::Result<()> {
    let (workspace, channel) = setup::channel_ids(stores, workspace, channel)?;
    let unused = stores.registry.unused(&workspace, &channel).await?;
    if unused.is_empty() {
        say("whatever was granted on this channel 30 days ago or earlier was used since, as far as it is recorded");
    }
    for one in unused {
        let parts = one.parts.join(", ");
        say(format_args!("{}  granted {}  not used for 30 days: {parts}", one.plugin, day_and_time(one.since)?));
    }
    hint(
        "what plugins read of people is recorded; effects, and reading the business's own records, are not and are left out here",
    );
    Ok(())
}

fn day_and_time(at: Timestamp) -> anyhow::Result<String> {
    Ok(format!("{:.0}", jiff::Timestamp::from_millisecond(at.millis())?))
}
