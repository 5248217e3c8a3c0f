//! What the operator decides: `bellhop.toml` and the environment, read once at start. Never reads the environment later.

mod keys;

pub use keys::{KeysConfig, MasterKeySource, MasterKeyText};
