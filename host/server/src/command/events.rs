//! `bellhop events` and `bellhop quarantine`: what was put aside, and bringing it back or dropping it. Prints codes and ids,
//! never what somebody said.

use anyhow::{Context, bail};
use bellhop_domain::id::{EventId, WorkspaceId};
use bellhop_domain::time::Timestamp;
use clap::Subcommand;

use crate::command::say;
use crate::db::Db;
use crate::inbox;

/// Lines that are printed at most; `--all` of the other commands needs no list.
const MOST_LINES: i64 = 1_000;

#[derive(Debug, Subcommand)]
pub(super) enum EventsCommand {
    /// Lists events that were put aside, oldest first: workspace, event, lane, kind, reason, when it came.
    Parked {
        /// This workspace only.
        #[arg(long)]
        workspace: Option<String>,
    },
    /// Brings parked events back: plugins see them, or they are applied, as if they came now.
    Replay {
        /// The workspace's id.
        #[arg(long)]
        workspace: String,
        /// All that are parked in the workspace.
        #[arg(long)]
        all: bool,
        /// The event's id.
        #[arg(conflicts_with = "all", required_unless_present = "all")]
        event: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum QuarantineCommand {
    /// Lists bodies that Meta signed and that could not be cut into events, oldest first.
    List,
    /// Drops bodies for good; they are counted, and their reason is kept.
    Drop {
        /// All.
        #[arg(long)]
        all: bool,
        /// The body's id.
        #[arg(conflicts_with = "all", required_unless_present = "all")]
        body: Option<String>,
    },
}

pub(super) async fn events(command: EventsCommand, db: &Db) -> anyhow::Result<()> {
    match command {
        EventsCommand::Parked { workspace } => parked(workspace.as_deref(), db).await,
        EventsCommand::Replay { workspace, event, .. } => {
            let workspace = known(&workspace, db).await?;
            let Some(event) = event else {
                let n_events = inbox::events_replay_all(db, &workspace).await?;
                say(format_args!("{n_events} events are open again"));
                return Ok(());
            };
            let event = EventId::parse(&event).context("that is no event id; `bellhop events parked` shows them")?;
            if !inbox::event_replay(db, &workspace, &event).await? {
                bail!("no event {event} is parked in this workspace; `bellhop events parked` shows which are");
            }
            say("the event is open again");
            Ok(())
        }
    }
}

async fn parked(workspace: Option<&str>, db: &Db) -> anyhow::Result<()> {
    let workspaces = match workspace {
        Some(workspace) => vec![known(workspace, db).await?],
        None => inbox::workspaces_with_parked(db).await?,
    };
    let mut n_events = 0;
    for workspace in workspaces {
        for event in inbox::events_parked(db, &workspace, None, MOST_LINES).await? {
            n_events += 1;
            let (at, reason) = (time(event.received_at)?, &event.reason);
            say(format_args!("{workspace}  {}  {}  {}  {reason}  {at}", event.id, event.lane, event.kind));
        }
    }
    if n_events == 0 {
        say("no event is parked");
    }
    Ok(())
}

pub(super) async fn quarantine(command: QuarantineCommand, db: &Db) -> anyhow::Result<()> {
    match command {
        QuarantineCommand::List => {
            let bodies = inbox::quarantine_list(db, MOST_LINES).await?;
            if bodies.is_empty() {
                say("nothing is in quarantine");
            }
            for body in bodies {
                say(format_args!("{}  app {}  {}  {}", body.id, body.app, time(body.received_at)?, body.reason));
            }
        }
        QuarantineCommand::Drop { body, .. } => {
            let n_dropped = inbox::quarantine_drop(db, body.as_deref()).await?;
            if n_dropped == 0 && body.is_some() {
                bail!("no such body is in quarantine; `bellhop quarantine list` shows which are");
            }
            say(format_args!("dropped {n_dropped}"));
        }
    }
    Ok(())
}

/// The id of a workspace that there is.
async fn known(raw: &str, db: &Db) -> anyhow::Result<WorkspaceId> {
    let workspace = WorkspaceId::parse(raw).context("that is no workspace id; see `bellhop workspace list`")?;
    let select = sqlx::query("select id from workspace where id = $1").bind(workspace.as_str());
    if db.fetch_optional(select).await?.is_none() {
        bail!("there is no workspace {workspace}; see `bellhop workspace list`");
    }
    Ok(workspace)
}

fn time(at: Timestamp) -> anyhow::Result<String> {
    Ok(format!("{:.0}", jiff::Timestamp::from_millisecond(at.millis())?))
}
