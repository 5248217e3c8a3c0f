//! Where the master key and the epoch keys lie. Never holds a key but the one that the environment gave.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// `[keys]`: the folder of epoch keys and the source of the master key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeysConfig {
    /// Folder of the epoch keys, and of `master.key` when neither a file nor a command is named. It must lie outside the
    /// data folder: a backup of one without the other can be read by nobody.
    pub folder: PathBuf,
    /// A file with the master key, made by the operator: 64 hexadecimal characters.
    pub master_file: Option<PathBuf>,
    /// A command with its arguments that prints the master key, for instance a client of a KMS.
    pub master_command: Option<Vec<String>>,
    /// The value of `BELLHOP_MASTER_KEY`.
    #[serde(skip)]
    pub master_given: Option<MasterKeyText>,
}

/// Where the master key comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MasterKeySource<'a> {
    /// `master.key` in the folder, made on the first run.
    Folder,
    /// A file that the operator made.
    File(&'a PathBuf),
    /// What a command prints.
    Command(&'a [String]),
    /// The environment.
    Given(&'a MasterKeyText),
}

/// A master key as text; never printed, overwritten when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKeyText(Zeroizing<String>);

impl Default for KeysConfig {
    fn default() -> Self {
        Self { folder: PathBuf::from("bellhop-keys"), master_file: None, master_command: None, master_given: None }
    }
}

impl KeysConfig {
    /// The source of the master key: the environment wins over a file, a file over a command, a command over the folder.
    pub fn master(&self) -> MasterKeySource<'_> {
        match (&self.master_given, &self.master_file, &self.master_command) {
            (Some(given), _, _) => MasterKeySource::Given(given),
            (None, Some(file), _) => MasterKeySource::File(file),
            (None, None, Some(command)) => MasterKeySource::Command(command),
            (None, None, None) => MasterKeySource::Folder,
        }
    }
}

impl MasterKeyText {
    /// Keeps a text that should be a master key; vault checks it.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, for vault alone.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for MasterKeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKeyText(…)")
    }
}
