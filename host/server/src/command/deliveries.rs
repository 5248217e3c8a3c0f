//! `bellhop deliveries`: messages that did not reach their customer, and trying them again or giving them up. Prints codes and
//! ids, never what was said; that stands in `bellhop tasks`.

use anyhow::{Context, bail};
use bellhop_domain::id::DeliveryId;
use clap::Args;

use crate::app::Stores;
use crate::command::{named, say};
use crate::outbox;

/// Lines that are printed at most.
const MOST_LINES: i64 = 1_000;

/// What did not arrive.
#[derive(Debug, Args)]
pub(super) struct Deliveries {
    /// The workspace's id.
    #[arg(long)]
    workspace: String,
    /// Try this one again; policy judges it once more. Look in Meta's inbox first: one of which nobody knows may have arrived.
    #[arg(long, value_name = "DELIVERY", conflicts_with = "give_up")]
    retry: Option<String>,
    /// Give this one up.
    #[arg(long, value_name = "DELIVERY")]
    give_up: Option<String>,
}

pub(super) async fn run(command: Deliveries, stores: &Stores) -> anyhow::Result<()> {
    let snapshot = stores.directory.snapshot();
    let workspace = named::workspace(&snapshot, &command.workspace)?.id.clone();
    let delivery =
        |raw: &str| DeliveryId::parse(raw).context("that is no delivery's id; `bellhop deliveries` shows them");
    if let Some(retry) = &command.retry {
        let id = delivery(retry)?;
        if !outbox::delivery_retry(&stores.db, &workspace, &id).await? {
            bail!(
                "{id} is not held or given up in this workspace; `bellhop deliveries --workspace {workspace}` shows which are"
            );
        }
        say("it is due now; policy judges it once more before it is sent");
        return Ok(());
    }
    if let Some(give_up) = &command.give_up {
        let id = delivery(give_up)?;
        if !outbox::delivery_give_up(&stores.db, &workspace, &id).await? {
            bail!("{id} is not held in this workspace; `bellhop deliveries --workspace {workspace}` shows which are");
        }
        say("given up; nothing is sent");
        return Ok(());
    }
    let found = outbox::deliveries_put_aside(&stores.db, &workspace, MOST_LINES).await?;
    if found.is_empty() {
        say("every message reached Meta or is still on its way");
    }
    for one in found {
        let since = jiff::Timestamp::from_millisecond(one.created_at.millis())?;
        let channel = snapshot.channel(&workspace, &one.channel).map(|channel| channel.name.clone());
        say(format_args!(
            "{}  {}  {}  {} attempts  {}, since {since:.0}",
            one.id,
            one.state,
            one.reason.as_deref().unwrap_or("-"),
            one.attempts,
            channel.as_deref().unwrap_or("a channel that is gone")
        ));
    }
    Ok(())
}
