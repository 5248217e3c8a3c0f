//! Seals and opens bytes under one data key (AES-256-GCM). What was sealed opens only at its own place: the same table,
//! column, row, revision, workspace and key.

use std::fmt;

use aes_gcm::aead::{AeadInOut, KeyInit, Nonce};
use aes_gcm::{Aes256Gcm, Tag};
use bellhop_domain::id::{KeyId, WorkspaceId};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::VaultError;

/// The first byte of everything sealed, so that another cipher can come beside this one.
const FORMAT: u8 = 1;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// A key as bytes, overwritten when dropped.
pub(super) type RawKey = Zeroizing<[u8; 32]>;

/// Where sealed bytes stand; they open nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The row within its workspace.
    pub row: &'a str,
    /// The row's revision, 0 where rows are never rewritten.
    pub revision: i64,
}

/// A key that content is sealed under. Its bytes never leave vault.
pub struct DataKey {
    id: KeyId,
    workspace: WorkspaceId,
    cipher: Aes256Gcm,
    subject: [u8; 32],
    names: Hmac<Sha256>,
}

impl DataKey {
    pub(super) fn new(workspace: WorkspaceId, id: KeyId, raw: &RawKey) -> Self {
        let subject = digest(mac_state(raw).chain_update(b"bellhop audit subject"));
        let names = mac_state(&Zeroizing::new(digest(mac_state(raw).chain_update(b"bellhop masked values"))));
        Self { id, workspace, cipher: cipher(raw), subject, names }
    }

    /// The key's id: it stands in the row beside what it sealed.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// The workspace it belongs to.
    pub fn workspace(&self) -> &WorkspaceId {
        &self.workspace
    }

    /// The name of this key's contact in the audit log. When the key is destroyed nobody can make it again, and the rows
    /// no longer lead to anyone.
    pub fn subject(&self) -> &[u8; 32] {
        &self.subject
    }

    /// The name of a value under this key: the same for the same parts, and nobody without the key can make it.
    pub fn name_of(&self, parts: &[&str]) -> [u8; 32] {
        digest(self.names.clone().chain_update(joined(parts.iter().map(|part| part.as_bytes()))))
    }

    /// Seals bytes for a place.
    pub fn seal(&self, place: &Place<'_>, plain: &[u8]) -> Vec<u8> {
        seal(&self.cipher, &self.associated(place), plain)
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// [`VaultError::Sealed`] when the bytes were changed, or belong to another place or key.
    pub fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        open(&self.cipher, &self.associated(place), sealed).ok_or(VaultError::Sealed)
    }

    fn associated(&self, place: &Place<'_>) -> Vec<u8> {
        let revision = place.revision.to_be_bytes();
        let texts = [self.workspace.as_str(), self.id.as_str(), place.table, place.column, place.row];
        joined(texts.into_iter().map(str::as_bytes).chain([revision.as_slice()]))
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataKey({})", self.id)
    }
}

pub(super) fn cipher(raw: &RawKey) -> Aes256Gcm {
    Aes256Gcm::new((&**raw).into())
}

pub(super) fn mac_state(key: &RawKey) -> Hmac<Sha256> {
    mac_state_of(key.as_slice())
}

#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
pub(super) fn mac_state_of(key: &[u8]) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length")
}

pub(super) fn digest(mac: Hmac<Sha256>) -> [u8; 32] {
    mac.finalize().into_bytes().into()
}

/// Parts with their lengths in front, so that no two lists of parts give the same bytes.
pub(super) fn joined<'a>(parts: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut all = Vec::with_capacity(192);
    for part in parts {
        all.extend_from_slice(&(part.len() as u64).to_be_bytes());
        all.extend_from_slice(part);
    }
    all
}

#[expect(clippy::expect_used, reason = "AES-GCM refuses only 64 GiB and more")]
pub(super) fn seal(cipher: &Aes256Gcm, associated: &[u8], plain: &[u8]) -> Vec<u8> {
    let mut nonce = [0; NONCE_BYTES];
    fill_random(&mut nonce);
    let mut sealed = Vec::with_capacity(1 + NONCE_BYTES + plain.len() + TAG_BYTES);
    sealed.push(FORMAT);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(plain);
    let (_, content) = sealed.split_at_mut(1 + NONCE_BYTES);
    let tag = cipher.encrypt_inout_detached(&Nonce::<Aes256Gcm>::from(nonce), associated, content.into());
    sealed.extend_from_slice(&tag.expect("content is far shorter than 64 GiB"));
    sealed
}

pub(super) fn open(cipher: &Aes256Gcm, associated: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (format, rest) = sealed.split_first()?;
    let (nonce, rest) = rest.split_first_chunk::<NONCE_BYTES>()?;
    let (content, tag) = rest.split_last_chunk::<TAG_BYTES>()?;
    if *format != FORMAT {
        return None;
    }
    let mut plain = Zeroizing::new(content.to_vec());
    let (nonce, tag) = (Nonce::<Aes256Gcm>::from(*nonce), Tag::from(*tag));
    cipher.decrypt_inout_detached(&nonce, associated, plain.as_mut_slice().into(), &tag).ok()?;
    Some(plain)
}

pub(super) fn random_key() -> RawKey {
    let mut key = Zeroizing::new([0; 32]);
    fill_random(key.as_mut_slice());
    key
}

#[expect(clippy::expect_used, reason = "without randomness nothing may be sealed; the task fails, not the process")]
fn fill_random(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system gives random bytes");
}
