//! What the operator decides: `bellhop.toml` and the environment, read once at start. Never reads the environment later.
//!
//! Every value has a default good enough for a first run; `bellhop.default.toml` shows them all with their meaning. A value
//! can be set by a variable: `BELLHOP_GRAPH__BASE_URL` is `base_url` of `[graph]`. The master key alone has a variable of
//! its own, `BELLHOP_MASTER_KEY`, because it should stand in no file beside the rest.

mod check;
mod keys;
mod load;
mod sections;

use serde::{Deserialize, Serialize};

pub use keys::{KeysConfig, MasterKeySource, MasterKeyText};
pub use load::ConfigError;
pub use sections::{
    EgressConfig, GraphConfig, ListenConfig, LogConfig, LogFormat, RetentionConfig, SandboxConfig, SettleConfig,
    StoreConfig,
};

/// The annotated file of defaults: what `bellhop config` prints and the guide shows.
pub const DEFAULT_FILE: &str = include_str!("../bellhop.default.toml");

/// Everything the operator can decide, one struct per concern.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where data lies.
    pub store: StoreConfig,
    /// Where keys lie.
    pub keys: KeysConfig,
    /// The two listeners.
    pub listen: ListenConfig,
    /// Meta's Graph API.
    pub graph: GraphConfig,
    /// Outgoing connections.
    pub egress: EgressConfig,
    /// Limits of one plugin call.
    pub sandbox: SandboxConfig,
    /// When events become a turn.
    pub settle: SettleConfig,
    /// How long things are kept.
    pub retention: RetentionConfig,
    /// Logs.
    pub log: LogConfig,
}
