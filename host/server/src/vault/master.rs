//! Finds the master key, or makes one on the first run. Never makes one for a keyring that already has keys.

use std::process::Stdio;
use std::time::Duration;

use aes_gcm::Aes256Gcm;
use tokio::process::Command;
use zeroize::Zeroizing;

use crate::config::{KeysConfig, MasterKeySource};

use super::files;
use super::seal::{self, RawKey};
use super::{VaultError, blocking};

/// A client of a KMS asks over the network; what takes longer than this hangs.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

const FILE_NAME: &str = "master.key";

/// The cipher of the master key. `is_first_run` allows to make one.
pub(super) async fn load(keys: &KeysConfig, is_first_run: bool) -> Result<Aes256Gcm, VaultError> {
    let text = match keys.master() {
        MasterKeySource::Given(text) => Zeroizing::new(text.reveal().to_owned()),
        MasterKeySource::Command(command) => ask(command).await?,
        MasterKeySource::File(file) => {
            let path = file.clone();
            let found = blocking(file, move || files::read(&path)).await?;
            found.ok_or_else(|| VaultError::MasterMissing(file.clone()))?
        }
        MasterKeySource::Folder => from_folder(keys, is_first_run).await?,
    };
    Ok(seal::cipher(&parse(&text)?))
}

async fn from_folder(keys: &KeysConfig, is_first_run: bool) -> Result<Zeroizing<String>, VaultError> {
    let folder = keys.folder.clone();
    let found = blocking(&keys.folder, move || {
        if is_first_run {
            let fresh = Zeroizing::new(hex::encode(seal::random_key()));
            files::publish(&folder, FILE_NAME, &fresh)?;
        }
        files::read(&folder.join(FILE_NAME))
    });
    found.await?.ok_or_else(|| VaultError::MasterMissing(keys.folder.join(FILE_NAME)))
}

async fn ask(command: &[String]) -> Result<Zeroizing<String>, VaultError> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(VaultError::MasterCommand(None));
    };
    let running =
        Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::inherit()).kill_on_drop(true).output();
    let finished = tokio::time::timeout(COMMAND_TIMEOUT, running).await.map_err(|_| VaultError::MasterCommand(None))?;
    let output = finished.map_err(|error| VaultError::MasterCommand(Some(error)))?;
    let printed = Zeroizing::new(output.stdout);
    if !output.status.success() {
        return Err(VaultError::MasterCommand(None));
    }
    let text = std::str::from_utf8(&printed).map_err(|_| VaultError::MasterKey)?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn parse(text: &str) -> Result<RawKey, VaultError> {
    let mut key = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim(), key.as_mut_slice()).map_err(|_| VaultError::MasterKey)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_master_key_is_sixty_four_hexadecimal_characters() {
        let text = "0f".repeat(32);
        assert!(parse(&format!("{text}\n")).is_ok());
        assert!(matches!(parse(&text[1..]), Err(VaultError::MasterKey)));
        assert!(matches!(parse(&"x".repeat(64)), Err(VaultError::MasterKey)));
        assert!(matches!(parse(""), Err(VaultError::MasterKey)));
    }

    #[tokio::test]
    async fn a_command_may_print_the_key_and_its_failure_is_an_error() {
        let command = |line: &str| vec![String::from("sh"), String::from("-c"), line.to_owned()];
        let keys = |line: &str| KeysConfig { master_command: Some(command(line)), ..KeysConfig::default() };
        let text = "0f".repeat(32);
        assert!(load(&keys(&format!("echo {text}")), false).await.is_ok());
        assert!(matches!(load(&keys("exit 3"), false).await, Err(VaultError::MasterCommand(_))));
        assert!(matches!(load(&keys("echo short"), false).await, Err(VaultError::MasterKey)));
    }
}
