//! Hosts and what they work with: the lock, who serves, what waits for a person, where Meta is, whether plugins can be read.

use std::fs::{File, TryLockError};

use bellhop_sandbox::{Sandbox, SandboxOptions};
use sqlx::Row;

use crate::config::{Config, GraphConfig};
use crate::db::Db;
use crate::host;
use crate::registry::Registry;
use crate::status;
use crate::vault::Vault;

use super::finding::{Findings, chain};

/// Where outgoing requests go. Nothing is contacted.
pub(super) fn configured(findings: &mut Findings, config: &Config) {
    let base_url = &config.graph.base_url;
    if *base_url == GraphConfig::default().base_url {
        findings.ok("graph", format!("Meta at {base_url}, {}", config.graph.version));
    } else if base_url.starts_with("https://") {
        findings
            .warning("graph", format!("`graph.base_url` is {base_url}, a stand-in for Meta: no customer is reached"));
    } else {
        findings.warning(
            "graph",
            format!("`graph.base_url` is {base_url}: tokens go there in clear; a stand-in for Meta is for tests"),
        );
    }
    if !config.egress.private_origins.is_empty() {
        let origins = config.egress.private_origins.join(", ");
        findings.warning(
            "egress",
            format!("private addresses that may be reached: {origins}; see that each is still wanted"),
        );
    }
}

/// Who serves.
pub(super) async fn serving(findings: &mut Findings, config: &Config, db: &Db) {
    if config.store.url.is_none() {
        match is_locked(config) {
            Ok(true) => findings.ok("lock", "a host serves this store; a second one would be refused"),
            Ok(false) => findings
                .warning("lock", "no host serves this store: webhooks are not answered until `bellhop serve` runs"),
            Err(error) => findings.broken("lock", format!("the lock of the data folder cannot be tried: {error}")),
        }
    }
    match host::hosts(db).await {
        Ok(hosts) => {
            let (alive, dead): (Vec<_>, Vec<_>) = hosts.iter().partition(|host| host.is_alive);
            if !dead.is_empty() {
                let ids: Vec<&str> = dead.iter().map(|host| host.id.as_str()).collect();
                findings.warning("hosts", format!("ended without signing off within the last day: {}", ids.join(", ")));
            }
            let mut versions: Vec<&str> = alive.iter().map(|host| host.version.as_str()).collect();
            versions.sort_unstable();
            versions.dedup();
            match (alive.len(), versions.len()) {
                (0, _) if config.store.url.is_some() => {
                    findings.warning(
                        "hosts",
                        "no host serves this store: webhooks are not answered until `bellhop serve` runs",
                    );
                }
                (_, 0 | 1) => findings.ok("hosts", format!("{} alive", alive.len())),
                (n_alive, _) => findings.warning(
                    "hosts",
                    format!("{n_alive} alive, of versions {}: finish the upgrade", versions.join(" and ")),
                ),
            }
        }
        Err(error) => findings.broken("hosts", chain("hosts cannot be read", &error)),
    }
}

fn is_locked(config: &Config) -> std::io::Result<bool> {
    let file = match File::open(config.store.data_folder.join("serve.lock")) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// What waits for a person.
pub(super) async fn waiting(findings: &mut Findings, db: &Db) {
    let queues = match status::queues(db).await {
        Ok(queues) => queues,
        Err(error) => return findings.broken("queues", chain("the queues cannot be counted", &error)),
    };
    let advice = [
        ("parked", "events were put aside; see `bellhop events parked`"),
        ("quarantine", "bodies of Meta's could not be read; see `bellhop quarantine list`"),
        (
            "delivery-held",
            "deliveries wait for a person; see `bellhop deliveries`, and `bellhop release` after a restore",
        ),
        ("delivery-dead", "deliveries were given up; see `bellhop deliveries`"),
    ];
    let mut is_calm = true;
    for (name, says) in advice {
        let length = queues.iter().find(|line| line.name == name).map_or(0, |line| line.queue.length);
        if length > 0 {
            is_calm = false;
            findings.warning("queues", format!("{length} {says}"));
        }
    }
    if is_calm {
        findings.ok("queues", "nothing was put aside or given up");
    }
}

/// Are grants and manifests readable.
pub(super) async fn plugins(findings: &mut Findings, db: &Db, vault: &Vault) {
    let sandbox = match Sandbox::new(SandboxOptions { calls_at_once: 1, code_folder: None }) {
        Ok(sandbox) => sandbox,
        Err(error) => return findings.broken("plugins", chain("the sandbox cannot start", &error)),
    };
    match Registry::open(db.clone(), vault.clone(), sandbox).await {
        Ok(_) => findings.ok("plugins", "every grant and manifest can be read"),
        Err(error) => {
            let says = "a grant or manifest cannot be read; enable that plugin anew with `bellhop plugin enable`";
            findings.broken("plugins", chain(says, &error));
        }
    }
}

/// Channels on which nothing goes out until somebody does something.
pub(super) async fn channels(findings: &mut Findings, db: &Db) {
    let select = "select id, name, state, coalesce(state_reason, '') from channel where state in ('reauthorise', 'paused') order by id";
    let read = |row: &sqlx::any::AnyRow| -> Result<[String; 4], sqlx::Error> {
        Ok([row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?])
    };
    let rows = match db.fetch_all(sqlx::query(select)).await {
        Ok(rows) => rows,
        Err(error) => return findings.broken("channels", chain("the channels cannot be read", &error)),
    };
    let stopped: Vec<_> = rows.iter().filter_map(|row| read(row).ok()).collect();
    for [id, name, state, reason] in &stopped {
        let advice = match state.as_str() {
            "reauthorise" => "its token is not taken any more: give it a new one with `bellhop channel token`",
            _ => {
                "Meta has stopped it: look into Meta's dashboard, then give it its token again with `bellhop channel token`"
            }
        };
        findings.warning("channels", format!("{name} ({id}) is {state} ({reason}): {advice}"));
    }
    if stopped.is_empty() {
        findings.ok("channels", "none waits for its owner");
    }
}
