//! Refuses values that cannot work, before anything is opened.

use std::path::{Component, Path, PathBuf};

use super::load::ConfigError;
use super::{Config, MasterKeySource};

/// What the design promises: intake keys die within 8 days, erasure reaches every copy within 7.
const MAX_INTAKE_KEY_DAYS: u32 = 8;
const MAX_KEY_EPOCH_DAYS: u32 = 7;

/// Meta sends webhooks again for up to 7 days.
const MIN_DELIVERY_DAYS: u32 = 8;

/// The sandbox's pool is made for this much.
const MAX_MEMORY_MIB: u64 = (bellhop_sandbox::MEMORY_BYTES_MAX >> 20) as u64;

impl Config {
    /// Checks what the types cannot.
    ///
    /// # Errors
    /// [`ConfigError::Value`], naming the key.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let data_folder = &self.store.data_folder;
        rule(!is_inside(&self.keys.folder, data_folder), "keys.folder", "must lie outside `store.data_folder`")?;
        if let MasterKeySource::File(file) = self.keys.master() {
            rule(!is_inside(file, data_folder), "keys.master_file", "must lie outside `store.data_folder`")?;
        }
        rule(
            self.keys.master_command.as_ref().is_none_or(|c| !c.is_empty()),
            "keys.master_command",
            "must not be empty",
        )?;
        let postgres = |url: &String| url.starts_with("postgres://") || url.starts_with("postgresql://");
        rule(self.store.url.as_ref().is_none_or(postgres), "store.url", "must start with postgres://")?;
        let is_http = |url: reqwest::Url| matches!(url.scheme(), "https" | "http") && url.query().is_none();
        let base_url = reqwest::Url::parse(&self.graph.base_url);
        rule(base_url.is_ok_and(is_http), "graph.base_url", "must be a URL like https://graph.facebook.com")?;
        let (major, minor) = self.graph.version.split_once('.').unwrap_or(("", ""));
        let is_version = major.strip_prefix('v').is_some_and(is_number) && is_number(minor);
        rule(is_version, "graph.version", "must look like v25.0")?;
        // The outbox takes a sender for dead 12 s after its attempt began.
        rule((1..=10).contains(&self.graph.timeout_seconds), "graph.timeout_seconds", "must be 1 to 10")?;
        let connect = self.egress.connect_timeout_ms;
        rule((1..=30_000).contains(&connect), "egress.connect_timeout_ms", "must be 1 to 30000")?;
        let (public, private) = (self.listen.public, self.listen.private);
        rule(public != private || public.port() == 0, "listen.private", "must differ from `listen.public`")?;
        self.check_limits()
    }

    fn check_limits(&self) -> Result<(), ConfigError> {
        rule(self.sandbox.fuel > 0, "sandbox.fuel", "must be more than 0")?;
        rule((1..=300).contains(&self.sandbox.wall_seconds), "sandbox.wall_seconds", "must be 1 to 300")?;
        let memory = self.sandbox.memory_mib;
        rule((1..=MAX_MEMORY_MIB).contains(&memory), "sandbox.memory_mib", "must be 1 to 64")?;
        rule((1..=10_000).contains(&self.sandbox.calls_at_once), "sandbox.calls_at_once", "must be 1 to 10000")?;
        let settle = &self.settle;
        rule(settle.quiet_ms <= settle.at_most_ms, "settle.quiet_ms", "must not be more than `settle.at_most_ms`")?;
        rule(settle.at_most_ms <= 60_000, "settle.at_most_ms", "must be 0 to 60000")?;
        let intake = (1..=MAX_INTAKE_KEY_DAYS).contains(&self.retention.intake_key_days);
        rule(intake, "retention.intake_key_days", "must be 1 to 8")?;
        let epoch = (1..=MAX_KEY_EPOCH_DAYS).contains(&self.retention.key_epoch_days);
        rule(epoch, "retention.key_epoch_days", "must be 1 to 7")?;
        rule((1..=365).contains(&self.retention.turn_days), "retention.turn_days", "must be 1 to 365")?;
        rule((1..=365).contains(&self.retention.event_days), "retention.event_days", "must be 1 to 365")?;
        // An echo that Meta sends again after a week is still known as ours.
        let delivery = (MIN_DELIVERY_DAYS..=365).contains(&self.retention.delivery_days);
        rule(delivery, "retention.delivery_days", "must be 8 to 365")?;
        rule((1..=365).contains(&self.retention.parked_days), "retention.parked_days", "must be 1 to 365")
    }
}

fn rule(holds: bool, key: &'static str, problem: &'static str) -> Result<(), ConfigError> {
    if holds { Ok(()) } else { Err(ConfigError::Value { key, problem }) }
}

/// Compares as written, with `..` followed; links are not, because the folders need not exist yet.
fn is_inside(path: &Path, folder: &Path) -> bool {
    match (std::path::absolute(path), std::path::absolute(folder)) {
        (Ok(path), Ok(folder)) => folded(&path).starts_with(folded(&folder)),
        _ => true,
    }
}

fn folded(path: &Path) -> PathBuf {
    let mut folded = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(folded.pop()),
            other => folded.push(other),
        }
    }
    folded
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Option<&'static str> {
        match Config::from_parts(Path::new("bellhop.toml"), text, []) {
            Ok(_) => None,
            Err(ConfigError::Value { key, .. }) => Some(key),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn what_cannot_work_is_refused_by_name() {
        let cases = [
            ("[keys]\nfolder = \"bellhop-data/keys\"", "keys.folder"),
            ("[keys]\nfolder = \"other/../bellhop-data\"", "keys.folder"),
            ("[keys]\nmaster_file = \"bellhop-data/m\"", "keys.master_file"),
            ("[keys]\nmaster_command = []", "keys.master_command"),
            ("[store]\nurl = \"mysql://x\"", "store.url"),
            ("[graph]\nbase_url = \"graph.facebook.com\"", "graph.base_url"),
            ("[graph]\nversion = \"25\"", "graph.version"),
            ("[listen]\nprivate = \"127.0.0.1:8080\"", "listen.private"),
            ("[sandbox]\nmemory_mib = 65", "sandbox.memory_mib"),
            ("[settle]\nquiet_ms = 6001", "settle.quiet_ms"),
            ("[retention]\nintake_key_days = 9", "retention.intake_key_days"),
            ("[retention]\nkey_epoch_days = 8", "retention.key_epoch_days"),
            ("[retention]\nevent_days = 0", "retention.event_days"),
            ("[retention]\ndelivery_days = 7", "retention.delivery_days"),
            ("[retention]\nparked_days = 366", "retention.parked_days"),
        ];
        for (text, key) in cases {
            assert_eq!(refused(text), Some(key), "{text}");
        }
    }

    #[test]
    fn what_stands_at_the_edge_is_taken() {
        let cases = [
            "[sandbox]\nmemory_mib = 64",
            "[settle]\nquiet_ms = 6000",
            "[settle]\nquiet_ms = 0\nat_most_ms = 0",
            "[retention]\nintake_key_days = 1",
            "[retention]\ndelivery_days = 8\nevent_days = 1\nparked_days = 365",
            "[listen]\npublic = \"127.0.0.1:0\"\nprivate = \"127.0.0.1:0\"",
            "[keys]\nfolder = \"bellhop-data-keys\"",
            "[keys]\nfolder = \"bellhop-data/../keys\"",
        ];
        for text in cases {
            assert_eq!(refused(text), None, "{text}");
        }
    }
}
