//! The store: can it be reached, is it whole, and which promise does a commit give.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::app;
use crate::config::Config;
use crate::db::{Clock, Db, Engine, Schema};
use crate::jobs::MAX_WAL_BYTES;

use super::finding::{Findings, chain};

/// Clocks that differ by more than this make leases and windows of Meta's look wrong to a person who reads times.
const MAX_OFFSET_MILLIS: i64 = 1_000;

/// The folder of data, where the store is a file or not.
pub(super) fn folder(findings: &mut Findings, config: &Config) {
    let folder = &config.store.data_folder;
    match others_may_look(folder) {
        Ok(false) => findings.ok("data folder", format!("{} is its owner's alone", folder.display())),
        Ok(true) => findings.warning(
            "data folder",
            format!("others on this machine can look into {0}: run `chmod 700 {0}`", folder.display()),
        ),
        Err(error) if config.store.url.is_some() && error.kind() == std::io::ErrorKind::NotFound => {
            findings.ok("data folder", format!("{} is not there yet; the first `serve` makes it", folder.display()));
        }
        Err(error) => findings.broken(
            "data folder",
            format!("{} cannot be looked at ({error}): is `--config` or BELLHOP_CONFIG set?", folder.display()),
        ),
    }
}

/// Somebody but the owner may read a file, or look into a folder.
pub(super) fn others_may_look(path: &Path) -> std::io::Result<bool> {
    Ok(std::fs::metadata(path)?.permissions().mode() & 0o077 != 0)
}

/// The store, if it can be opened and this version can use it.
pub(super) async fn open(findings: &mut Findings, config: &Config) -> Option<Db> {
    let file = config.store.data_folder.join("store.db");
    if config.store.url.is_none() && !file.exists() {
        let says = "is not there: is `--config` or BELLHOP_CONFIG set? `bellhop workspace add` begins a new one";
        findings.broken("store", format!("{} {says}", file.display()));
        return None;
    }
    let db = match Db::look(&app::store_url(config), Schema::Store, Clock::machine()).await {
        Ok(db) => db,
        Err(error) => {
            let says = "it cannot be opened; check `store.url`, or who owns the files";
            findings.broken("store", chain(says, &error));
            return None;
        }
    };
    let version = db.schema_version(Schema::Store).await;
    match version.found {
        Some(found) if found == version.known => {
            findings.ok("store", format!("{}, schema {found}, which is this version's", db.engine().as_str()));
        }
        Some(found) if found > version.known => findings.warning(
            "store",
            format!("schema {found} is of a newer Bellhop than this one ({}): upgrade this binary", version.known),
        ),
        Some(found) => {
            findings.warning(
                "store",
                format!(
                    "schema {found} is older than this version's ({}): the next start brings it up to date",
                    version.known
                ),
            );
            // What follows reads tables that may not be there yet.
            return None;
        }
        None => {
            findings.broken("store", "there are no tables in it: is `store.url` right? the first `serve` makes them");
            return None;
        }
    }
    Some(db)
}

/// What an answer of 200 is worth.
pub(super) async fn promise(findings: &mut Findings, db: &Db) {
    let settings: HashMap<String, String> = match db.commit_settings().await {
        Ok(settings) => settings.into_iter().collect(),
        Err(error) => return findings.broken("promise", chain("the engine's settings cannot be read", &error)),
    };
    let value = |name: &str| settings.get(name).map_or("", String::as_str);
    match db.engine() {
        Engine::Sqlite => sqlite_promise(findings, value("journal_mode"), value("synchronous")),
        Engine::Postgres => postgres_promise(findings, value),
    }
}

pub(super) fn sqlite_promise(findings: &mut Findings, journal_mode: &str, synchronous: &str) {
    match (journal_mode, synchronous) {
        ("wal", "2" | "3") => findings.ok(
            "promise",
            "journal_mode wal, synchronous full: what Meta got a 200 for is on disk, and stays there when the power fails",
        ),
        (mode, level) => findings.broken(
            "promise",
            format!(
                "journal_mode {mode}, synchronous {level} in place of wal and 2: what Meta got a 200 for can be lost; \
                 is the data folder on a network disk? put it on a local one"
            ),
        ),
    }
}

pub(super) fn postgres_promise<'a>(findings: &mut Findings, value: impl Fn(&str) -> &'a str) {
    findings.ok("server", format!("PostgreSQL {}", value("server_version")));
    let mut holds = true;
    if value("fsync") != "on" {
        holds = false;
        findings.broken("promise", "fsync is off: what Meta got a 200 for is lost, or the database itself, when the server's power fails; set `fsync = on`");
    }
    if value("full_page_writes") != "on" {
        holds = false;
        findings.broken("promise", "full_page_writes is off: a power failure can tear pages; set `full_page_writes = on`, unless the disk writes pages whole");
    }
    // The host sets `synchronous_commit = on` for its own connections; a server may force another value.
    if matches!(value("synchronous_commit"), "off" | "") {
        holds = false;
        findings
            .broken("promise", "synchronous_commit is off: the last moments before a crash are lost; set it to `on`");
    }
    if !holds {
        return;
    }
    if value("synchronous_standby_names").is_empty() || value("synchronous_commit") == "local" {
        findings.ok("promise", "what Meta got a 200 for is on the server's disk, and stays there when its power fails; no standby has to have it, so that a failover may lose the last moments");
    } else {
        findings.ok(
            "promise",
            "what Meta got a 200 for is on the server's disk and on a standby's, and survives the loss of one",
        );
    }
}

/// Is the file whole, is its log bounded.
pub(super) async fn whole(findings: &mut Findings, db: &Db) {
    if db.engine() == Engine::Postgres {
        return;
    }
    match db.damages().await {
        Ok(damages) if damages.is_empty() => findings.ok("integrity", "the store's file is whole"),
        Ok(damages) => findings.broken(
            "integrity",
            format!("the store's file is damaged: stop the host and put back a backup ({})", damages.join("; ")),
        ),
        Err(error) => {
            findings.broken("integrity", chain("the file cannot be read: stop the host and put back a backup", &error));
        }
    }
    match db.wal_bytes().await {
        Ok(bytes) if bytes <= MAX_WAL_BYTES => findings.ok("log", "the write-ahead log is bounded"),
        Ok(bytes) => findings.warning(
            "log",
            format!(
                "the write-ahead log has {} MB: a program that reads the store without an end (a shell of sqlite3, a backup \
                 that hangs) keeps it from being folded back",
                bytes / 1_000_000
            ),
        ),
        Err(error) => findings.broken("log", chain("the write-ahead log cannot be looked at", &error)),
    }
}

/// Does this machine's clock go as the store's does.
pub(super) async fn clock(findings: &mut Findings, db: &Db) {
    let offset = db.clock().server_offset_millis();
    if offset.abs() > MAX_OFFSET_MILLIS {
        findings.warning(
            "clock",
            format!("this machine's clock and the database server's differ by {offset} ms: hosts go by the server's; run NTP on both"),
        );
        return;
    }
    match crate::host::hosts(db).await {
        Ok(hosts) if hosts.iter().any(|host| host.seen_at.since(db.now()).as_millis() > MAX_OFFSET_MILLIS as u128) => {
            findings.warning(
                "clock",
                "a host was seen in the future: this machine's clock was set back, or runs late; run NTP",
            );
        }
        Ok(_) => findings.ok("clock", format!("differs from the store's by {offset} ms")),
        Err(error) => findings.broken("clock", chain("hosts cannot be read", &error)),
    }
}
