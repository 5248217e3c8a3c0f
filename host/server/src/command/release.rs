//! `bellhop release`: what a restore has set aside goes out after all, or is given up.

use anyhow::Context;
use bellhop_domain::time::Timestamp;
use clap::{ArgGroup, Args};
use std::time::Duration;

use crate::app::Stores;
use crate::backup;
use crate::command::{named, say};

/// What to release.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).args(["deliveries", "events", "all"])))]
pub(super) struct Release {
    /// The workspace's id.
    #[arg(long)]
    workspace: String,
    /// Messages that were about to be sent.
    #[arg(long)]
    deliveries: bool,
    /// Messages of customers, echoes and receipts that were about to be taken up.
    #[arg(long, conflicts_with = "deliveries")]
    events: bool,
    /// Both.
    #[arg(long)]
    all: bool,
    /// Only what is older: "30m", "12h", "2d".
    #[arg(long, value_name = "AGE", value_parser = age)]
    older_than: Option<Duration>,
    /// Give it up instead of letting it go.
    #[arg(long)]
    drop: bool,
}

pub(super) async fn run(release: Release, stores: &Stores) -> anyhow::Result<()> {
    let workspace = named::workspace(&stores.directory.snapshot(), &release.workspace)?.id.clone();
    let before = release.older_than.map_or(Timestamp::from_millis(i64::MAX), |age| stores.db.now() - age);
    let asked = backup::Release {
        workspace,
        deliveries: release.deliveries || release.all,
        events: release.events || release.all,
        before,
        give_up: release.drop,
    };
    let released = backup::release(&stores.db, &asked).await?;
    let verb = if release.drop { "given up" } else { "released" };
    say(format_args!("{} messages and {} events {verb}", released.deliveries, released.events));
    if !release.drop && released.deliveries > 0 {
        say("policy judges each message again before it is sent");
    }
    Ok(())
}

fn age(text: &str) -> anyhow::Result<Duration> {
    let seconds = [("m", 60), ("h", 3_600), ("d", 86_400)];
    let (number, unit) = seconds
        .into_iter()
        .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)))
        .context("an age looks like 30m, 12h or 2d")?;
    let number: u32 = number.parse().context("an age looks like 30m, 12h or 2d")?;
    Ok(Duration::from_secs(u64::from(number) * unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_has_a_number_and_a_unit() {
        assert_eq!(age("30m").unwrap(), Duration::from_secs(1_800));
        assert_eq!(age("2d").unwrap(), Duration::from_secs(172_800));
        for text in ["", "h", "12", "-1h", "1.5h", "2 h", "2w"] {
            assert!(age(text).is_err(), "{text}");
        }
    }
}
