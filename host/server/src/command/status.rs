//! `bellhop status`: hosts, leases, queues, as a table for people or as JSON for machines.

use std::time::Duration;

use bellhop_domain::time::Timestamp;
use clap::Args;

use crate::command::say;
use crate::db::{Db, Queue};
use crate::status::{self, Status};

/// How the installation stands.
#[derive(Debug, Args)]
pub(super) struct StatusOf {
    /// For programs: one JSON object.
    #[arg(long)]
    json: bool,
    /// Also all events and deliveries that ever were, by how they ended. Walks every row: seconds on a large store.
    #[arg(long)]
    totals: bool,
}

pub(super) async fn run(asked: &StatusOf, db: &Db) -> anyhow::Result<()> {
    let mut status = status::status(db).await?;
    if asked.totals {
        status.totals = Some(status::totals(db).await?);
    }
    if asked.json {
        say(serde_json::to_string_pretty(&status)?);
    } else {
        say(table(&status));
    }
    Ok(())
}

/// The table that people read.
fn table(status: &Status) -> String {
    let mut lines = vec![
        store(status),
        String::new(),
        format!("{:<38}{:<10}{:<7}{:<12}{:<12}holds", "host", "version", "", "up", "seen"),
    ];
    if status.hosts.is_empty() {
        lines.push("none: `bellhop serve` is not running".to_owned());
    }
    for line in &status.hosts {
        let host = &line.host;
        lines.push(format!(
            "{:<38}{:<10}{:<7}{:<12}{:<12}{} conversations, {} deliveries",
            host.id.as_str(),
            host.version,
            if host.is_alive { "alive" } else { "dead" },
            ago(if host.is_alive { status.at } else { host.seen_at }, host.started_at),
            ago(status.at, host.seen_at),
            line.conversations,
            line.deliveries
        ));
    }
    lines.extend([String::new(), format!("{:<38}{:>10}  oldest", "queue", "length")]);
    for line in &status.queues {
        lines.push(queue(line.name, &line.queue, status.at));
        if line.name == "parked" {
            lines.extend(status.parked.iter().map(|parked| {
                let reason = if parked.reason.is_empty() { "(no reason)" } else { parked.reason.as_str() };
                queue(&format!("  {reason}"), &parked.queue, status.at)
            }));
        }
    }
    if let Some(totals) = &status.totals {
        for (what, totals) in [("events", &totals.events), ("deliveries", &totals.deliveries)] {
            lines.extend([String::new(), total_line(what, "kept", "swept", "all")]);
            lines.extend(totals.iter().map(|total| {
                let name = format!("  {} {}", total.state, total.reason);
                let numbers = [total.kept, total.swept, total.kept + total.swept].map(|n| n.to_string());
                let [kept, swept, all] = &numbers;
                total_line(&name, kept, swept, all)
            }));
            let (kept, swept) = totals.iter().fold((0, 0), |sum, total| (sum.0 + total.kept, sum.1 + total.swept));
            lines.push(total_line("  all", &kept.to_string(), &swept.to_string(), &(kept + swept).to_string()));
        }
    }
    lines.join("\n")
}

fn total_line(name: &str, kept: &str, swept: &str, all: &str) -> String {
    format!("{name:<38}{kept:>10}{swept:>10}{all:>10}")
}

fn store(status: &Status) -> String {
    let size = &status.store;
    let wal =
        if size.wal_bytes > 0 { format!(", write-ahead log {}", megabytes(size.wal_bytes)) } else { String::new() };
    format!("store: {}, {}{wal}", size.engine, megabytes(size.bytes))
}

fn queue(name: &str, queue: &Queue, at: Timestamp) -> String {
    let length = if queue.length >= Queue::COUNTED { format!("{}+", queue.length) } else { queue.length.to_string() };
    let oldest = queue.oldest_at.map(|oldest| ago(at, oldest)).unwrap_or_default();
    format!("{name:<38}{length:>10}  {oldest}").trim_end().to_owned()
}

fn megabytes(bytes: i64) -> String {
    let tenths = bytes / 100_000;
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

/// How long before `at` something was, in its two largest units.
pub(super) fn ago(at: Timestamp, earlier: Timestamp) -> String {
    let seconds = at.since(earlier).as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match Duration::from_secs(seconds) {
        age if age < Duration::from_secs(60) => format!("{seconds} s"),
        age if age < Duration::from_secs(3_600) => format!("{minutes} min"),
        age if age < Duration::from_secs(86_400) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_in_words_that_fit() {
        let at = Timestamp::from_millis(1_795_176_000_000);
        let cases =
            [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3_599, "59 min"), (3_660, "1 h 1 min"), (90_000, "1 d 1 h")];
        for (seconds, told) in cases {
            assert_eq!(ago(at, at - Duration::from_secs(seconds)), told);
        }
        assert_eq!(ago(at, at + Duration::from_secs(5)), "0 s", "clocks may differ");
    }

    #[test]
    fn a_length_that_was_not_counted_to_its_end_says_so() {
        let at = Timestamp::from_millis(1_795_176_000_000);
        let long = Queue { length: Queue::COUNTED, oldest_at: Some(at) };
        assert!(queue("contact", &long, at).contains("100000+"));
        assert!(queue("contact", &Queue::default(), at).ends_with('0'));
    }
}
