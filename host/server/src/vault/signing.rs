//! The installation's signing key (Ed25519), made at the first use. Signs the bundled plugins; never leaves vault.

use ed25519_dalek::{Signer, SigningKey};
use zeroize::Zeroizing;

use super::custody::SecretKind;
use super::seal;
use super::{Vault, VaultError, installation};

/// One row, whichever host makes it first.
const ROW: &str = "signing-key";
const OWNER: &str = "installation";

impl Vault {
    /// Signs a message with the installation's key.
    ///
    /// # Errors
    /// [`VaultError::Db`] and those of opening a key.
    pub async fn sign(&self, message: &[u8]) -> Result<[u8; 64], VaultError> {
        Ok(self.signing_key().await?.sign(message).to_bytes())
    }

    /// The public half of the installation's key.
    ///
    /// # Errors
    /// As [`Vault::sign`].
    pub async fn public_key(&self) -> Result<[u8; 32], VaultError> {
        Ok(self.signing_key().await?.verifying_key().to_bytes())
    }

    async fn signing_key(&self) -> Result<SigningKey, VaultError> {
        if self.secrets(SecretKind::SigningKey, OWNER).await?.is_empty() {
            let seed = seal::random_key();
            let insert =
                self.secret_insert(&installation(), SecretKind::SigningKey, (OWNER, ROW), seed.as_slice()).await?;
            self.inner.store.execute(insert).await?;
            self.secrets_forget();
        }
        let held = self.secrets(SecretKind::SigningKey, OWNER).await?;
        let newest = held.first().ok_or(VaultError::NoSecret(SecretKind::SigningKey))?;
        let seed = Zeroizing::new(<[u8; 32]>::try_from(newest.bytes.as_slice()).map_err(|_| VaultError::Sealed)?);
        Ok(SigningKey::from_bytes(&seed))
    }
}
