//! Who made a plugin: an Ed25519 key, known by its fingerprint. An author signs the content hash; the signature lies behind
//! all that is hashed. The key file is the author's; this host keeps none.

use bellhop_domain::id::{ContentHash, PluginKey};
use bellhop_sandbox::{Admitted, admit, with_signature};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::RegistryError;

/// What a key file begins with, so that another secret is not taken for one.
const FILE_PREFIX: &str = "bellhop-plugin-key:";

/// The key that an author signs with.
pub struct AuthorKey(SigningKey);

impl AuthorKey {
    /// A new one.
    ///
    /// # Errors
    /// [`RegistryError::NoRandomness`].
    pub fn new() -> Result<Self, RegistryError> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut_slice()).map_err(|_| RegistryError::NoRandomness)?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// Reads the text of a key file.
    ///
    /// # Errors
    /// [`RegistryError::NoAuthorKey`].
    pub fn parse(text: &[u8]) -> Result<Self, RegistryError> {
        let digits = text.strip_prefix(FILE_PREFIX.as_bytes()).ok_or(RegistryError::NoAuthorKey)?;
        let mut seed = Zeroizing::new([0; 32]);
        hex::decode_to_slice(digits, seed.as_mut_slice()).map_err(|_| RegistryError::NoAuthorKey)?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// The text of its file.
    pub fn to_text(&self) -> Zeroizing<String> {
        let seed = Zeroizing::new(self.0.to_bytes());
        let digits = Zeroizing::new(hex::encode(seed.as_slice()));
        Zeroizing::new(format!("{FILE_PREFIX}{}\n", digits.as_str()))
    }

    /// What businesses are shown of it.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.0.verifying_key().to_bytes())
    }

    /// A plugin's file with the author's signature behind it.
    ///
    /// # Errors
    /// [`RegistryError::Refused`] for bytes that are no plugin, [`RegistryError::SignedAlready`].
    pub fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, RegistryError> {
        let admitted = admit(bytes)?;
        if let Some(signer) = signer(&admitted)? {
            return Err(RegistryError::SignedAlready(signer));
        }
        let signature = self.0.sign(&hash_bytes(&admitted.hash)?).to_bytes();
        Ok(with_signature(bytes, &self.0.verifying_key().to_bytes(), &signature))
    }
}

impl std::fmt::Debug for AuthorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AuthorKey")
    }
}

/// The fingerprint of whoever signed the bytes; `None` for an unsigned file.
///
/// # Errors
/// [`RegistryError::BadSignature`].
pub(super) fn signer(admitted: &Admitted) -> Result<Option<String>, RegistryError> {
    let Some(signed) = &admitted.signature else { return Ok(None) };
    let key = VerifyingKey::from_bytes(&signed.public_key).map_err(|_| RegistryError::BadSignature)?;
    let signature = Signature::from_bytes(&signed.signature);
    key.verify_strict(&hash_bytes(&admitted.hash)?, &signature).map_err(|_| RegistryError::BadSignature)?;
    Ok(Some(fingerprint(&signed.public_key)))
}

/// SHA-256 of a public key.
pub(super) fn fingerprint(public_key: &[u8; 32]) -> String {
    hex::encode(Sha256::digest(public_key))
}

/// State hangs on who made a plugin; on its bytes when nobody says so.
pub(super) fn plugin_key(signer: Option<&str>, hash: &ContentHash, id: &str) -> Result<PluginKey, RegistryError> {
    let maker = signer.unwrap_or(hash.as_str());
    PluginKey::parse(&format!("{maker}/{id}")).map_err(|_| RegistryError::Unreadable("plugin"))
}

pub(super) fn hash_bytes(hash: &ContentHash) -> Result<Vec<u8>, RegistryError> {
    hex::decode(hash.as_str()).map_err(|_| RegistryError::Unreadable("plugin"))
}
