//! Reads the file and lays the environment over it.

use std::io;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::{Config, MasterKeyText};

/// Separates section and key in the name of a variable.
const SEPARATOR: &str = "__";
const PREFIX: &str = "BELLHOP_";
const MASTER_KEY: &str = "BELLHOP_MASTER_KEY";

/// What is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("could not read the configuration file {0}")]
    File(PathBuf, #[source] io::Error),
    /// The file is not TOML, or has a key or value that does not exist.
    #[error("the configuration file {file} is not valid:\n{problem}")]
    Syntax {
        /// The file.
        file: PathBuf,
        /// Where, and what was expected.
        problem: String,
    },
    /// A variable names no key, or its value does not fit.
    #[error("the variable {name} does not fit: {problem}")]
    Variable {
        /// The variable.
        name: String,
        /// What was expected; never the value.
        problem: &'static str,
    },
    /// A value that cannot work.
    #[error("`{key}` {problem}")]
    Value {
        /// Section and key.
        key: &'static str,
        /// What it must be.
        problem: &'static str,
    },
}

impl Config {
    /// Reads the file, or takes the defaults without one, and lays this process's environment over it.
    ///
    /// # Errors
    /// [`ConfigError`], naming the key or variable and what it should be.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        // Variables that are not text cannot be ours.
        let environment = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        let ours = environment.filter(|(name, _)| name.starts_with(PREFIX));
        let variables = ours.filter_map(|(name, value)| Some((name, value.into_string().ok()?)));
        let text = match file {
            Some(file) => std::fs::read_to_string(file).map_err(|error| ConfigError::File(file.to_owned(), error))?,
            None => String::new(),
        };
        Self::from_parts(file.unwrap_or(Path::new("")), &text, variables)
    }

    /// Reads a configuration from the text of a file and a list of variables. Folders are relative to the file.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn from_parts(
        file: &Path,
        text: &str,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let syntax = |error: toml::de::Error| ConfigError::Syntax { file: file.to_owned(), problem: error.to_string() };
        // Read as a whole first: only then does an error show the line.
        let mut config: Self = toml::from_str(text).map_err(syntax)?;
        let mut table: Table = toml::from_str(text).map_err(syntax)?;
        let mut given = None;
        for (name, value) in variables {
            if name == MASTER_KEY {
                given = Some(MasterKeyText::new(value));
            } else if let Some((section, key)) = path_of(&name) {
                config = lay_over(&mut table, (&section, &key), &name, &value)?;
            }
        }
        config.keys.master_given = given;
        config.place_in(file.parent().unwrap_or(Path::new("")));
        config.check()?;
        Ok(config)
    }

    fn place_in(&mut self, folder: &Path) {
        let folders = [&mut self.store.data_folder, &mut self.keys.folder];
        for path in folders.into_iter().chain(self.keys.master_file.as_mut()) {
            *path = folder.join(&*path);
        }
    }
}

/// `BELLHOP_GRAPH__BASE_URL` → `graph`, `base_url`; `None` for variables that set nothing here.
fn path_of(name: &str) -> Option<(String, String)> {
    let (section, key) = name.strip_prefix(PREFIX)?.split_once(SEPARATOR)?;
    Some((section.to_ascii_lowercase(), key.to_ascii_lowercase()))
}

/// Sets one value: as text where the key wants text, else as TOML writes it (`12`, `["a", "b"]`).
fn lay_over(table: &mut Table, (section, key): (&str, &str), name: &str, value: &str) -> Result<Config, ConfigError> {
    let wrong = |problem| ConfigError::Variable { name: name.to_owned(), problem };
    let mut set = |value: Value| {
        let section = table.entry(section).or_insert_with(|| Value::Table(Table::new())).as_table_mut()?;
        section.insert(key.to_owned(), value);
        table.clone().try_into::<Config>().ok()
    };
    if let Some(config) = set(Value::String(value.to_owned())) {
        return Ok(config);
    }
    let parsed = toml::from_str::<Table>(&format!("value = {value}")).ok().and_then(|mut one| one.remove("value"));
    let parsed = parsed.ok_or_else(|| wrong("no such section and key, or not a value of its kind"))?;
    set(parsed).ok_or_else(|| wrong("no such section and key, or not a value of its kind"))
}

#[cfg(test)]
mod tests {
    use super::super::DEFAULT_FILE;
    use super::*;

    fn read(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::from_parts(Path::new("bellhop.toml"), text, variables)
    }

    #[test]
    fn the_annotated_file_says_what_the_defaults_are() {
        assert_eq!(read(DEFAULT_FILE, &[]).unwrap(), Config::default());
        let shown: Table = toml::from_str(DEFAULT_FILE).unwrap();
        assert_eq!(shown, Table::try_from(Config::default()).unwrap(), "every key is shown");
        for optional in ["# url = ", "# master_file = ", "# master_command = "] {
            assert!(DEFAULT_FILE.contains(optional), "{optional}");
        }
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let variables = [
            ("BELLHOP_GRAPH__BASE_URL", "http://127.0.0.1:9"),
            ("BELLHOP_GRAPH__TIMEOUT_SECONDS", "3"),
            ("BELLHOP_EGRESS__PRIVATE_ORIGINS", "[\"http://127.0.0.1:9\"]"),
            ("BELLHOP_STORE__URL", "postgres://db"),
            ("BELLHOP_WEBHOOK_CORPUS", "elsewhere"),
        ];
        let config = read("[graph]\nversion = \"v26.0\"\nbase_url = \"https://a\"", &variables).unwrap();
        assert_eq!(config.graph.base_url, "http://127.0.0.1:9");
        assert_eq!(config.graph.version, "v26.0");
        assert_eq!(config.graph.timeout_seconds, 3);
        assert_eq!(config.egress.private_origins, ["http://127.0.0.1:9"]);
        assert_eq!(config.store.url.as_deref(), Some("postgres://db"));
    }

    #[test]
    fn an_error_names_the_key_and_never_a_variables_value() {
        let error = |text: &str, variables: &[(&str, &str)]| read(text, variables).unwrap_err().to_string();
        assert!(error("[graph]\nbase = 1", &[]).contains("base_url"), "the keys that exist are listed");
        assert!(error("[grap]", &[]).contains("graph"));
        assert!(error("[graph]\ntimeout_seconds = \"x\"", &[]).contains("timeout_seconds"));
        for name in ["BELLHOP_GRAPH__TIMEOUT_SECONDS", "BELLHOP_GRAPH__BASE", "BELLHOP_GRAP__BASE_URL"] {
            let said = error("", &[(name, "secret!")]);
            assert!(said.contains(name) && !said.contains("secret!"), "{said}");
        }
    }

    #[test]
    fn folders_are_relative_to_the_file() {
        let config =
            Config::from_parts(Path::new("/etc/bellhop/bellhop.toml"), "[keys]\nfolder = \"/keys\"", []).unwrap();
        assert_eq!(config.store.data_folder, Path::new("/etc/bellhop/bellhop-data"));
        assert_eq!(config.keys.folder, Path::new("/keys"));
    }

    #[test]
    fn the_master_key_comes_from_its_variable_and_is_not_printed() {
        let config = read("", &[("BELLHOP_MASTER_KEY", "abab")]).unwrap();
        assert!(config.keys.master_given.is_some());
        assert!(!format!("{config:?}").contains("abab"));
    }
}
