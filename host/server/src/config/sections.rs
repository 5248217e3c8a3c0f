//! The sections of the configuration with their defaults. Units stand in the names.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use bellhop_sandbox::Limits;
use serde::{Deserialize, Serialize};

/// `[store]`: the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreConfig {
    /// Folder of the embedded database, the keyring and compiled plugins.
    pub data_folder: PathBuf,
    /// A PostgreSQL server in place of the embedded database.
    pub url: Option<String>,
}

/// `[listen]`: the two listeners.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListenConfig {
    /// Webhooks only; a proxy with TLS stands before it.
    pub public: SocketAddr,
    /// Health, metrics, pages, API.
    pub private: SocketAddr,
}

/// `[graph]`: Meta's Graph API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GraphConfig {
    /// Where it stands.
    pub base_url: String,
    /// Which version is spoken.
    pub version: String,
    /// How long an answer may take.
    pub timeout_seconds: u64,
}

/// `[egress]`: outgoing connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EgressConfig {
    /// Origins that may be reached although their address is private, for instance `http://10.0.0.7:11434`.
    pub private_origins: Vec<String>,
    /// How long connecting may take, TLS included.
    pub connect_timeout_ms: u64,
}

/// `[sandbox]`: limits of one plugin call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SandboxConfig {
    /// Instructions, about one unit each.
    pub fuel: u64,
    /// From the start of the call to its end, waiting for the host included.
    pub wall_seconds: u64,
    /// Linear memory.
    pub memory_mib: u64,
    /// Calls that run or wait at the same time.
    pub calls_at_once: u32,
}

/// `[settle]`: when events become a turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SettleConfig {
    /// Quiet time after the last event.
    pub quiet_ms: u64,
    /// Longest wait after the first event.
    pub at_most_ms: u64,
}

/// `[retention]`: how long things are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionConfig {
    /// Lifetime of the keys that what arrives is sealed under.
    pub intake_key_days: u32,
    /// Time after which living keys are wrapped anew and old copies of the keyring become unreadable.
    pub key_epoch_days: u32,
    /// How long the outline of a turn can be looked at.
    pub turn_days: u32,
    /// How long the row of an event that ended stands.
    pub event_days: u32,
    /// How long the row of a delivery that ended stands.
    pub delivery_days: u32,
    /// How long parked events, held deliveries and quarantined bodies wait for a person.
    pub parked_days: u32,
}

/// `[log]`: logs, on standard error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// For people or for programs.
    pub format: LogFormat,
    /// Which lines: a level, or levels by room.
    pub filter: String,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { data_folder: PathBuf::from("bellhop-data"), url: None }
    }
}

impl Default for ListenConfig {
    fn default() -> Self {
        let loopback = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        Self { public: loopback(8080), private: loopback(8081) }
    }
}

impl Default for GraphConfig {
    fn default() -> Self {
        Self {
            base_url: String::from("https://graph.facebook.com"),
            version: String::from("v25.0"),
            // Meta usually answers within one second; a sender's lease is two seconds longer than this.
            timeout_seconds: 10,
        }
    }
}

impl Default for EgressConfig {
    fn default() -> Self {
        // Three round trips to another continent, with one packet lost.
        Self { private_origins: Vec::new(), connect_timeout_ms: 3_000 }
    }
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self { fuel: 200_000_000, wall_seconds: 30, memory_mib: 32, calls_at_once: 1_024 }
    }
}

impl Default for SettleConfig {
    fn default() -> Self {
        Self { quiet_ms: 1_500, at_most_ms: 6_000 }
    }
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self {
            intake_key_days: 8,
            key_epoch_days: 7,
            turn_days: 30,
            event_days: 14,
            delivery_days: 30,
            parked_days: 30,
        }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: String::from("info") }
    }
}

impl SandboxConfig {
    /// The limits of one call; what is not configured keeps the sandbox's default.
    pub fn limits(&self) -> Limits {
        let memory_bytes = usize::try_from(self.memory_mib << 20).unwrap_or(usize::MAX);
        Limits { fuel: self.fuel, wall: Duration::from_secs(self.wall_seconds), memory_bytes, ..Limits::default() }
    }
}

impl SettleConfig {
    /// Quiet time after the last event.
    pub fn quiet(&self) -> Duration {
        Duration::from_millis(self.quiet_ms)
    }

    /// Longest wait after the first event.
    pub fn at_most(&self) -> Duration {
        Duration::from_millis(self.at_most_ms)
    }
}

impl GraphConfig {
    /// How long an answer may take.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds)
    }
}

impl EgressConfig {
    /// How long connecting may take.
    pub fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_sandboxs_own() {
        assert_eq!(SandboxConfig::default().limits(), Limits::default());
        assert_eq!(SandboxConfig { memory_mib: 64, ..SandboxConfig::default() }.limits().memory_bytes, 64 << 20);
    }
}
