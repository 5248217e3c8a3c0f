//! Epoch keys: they wrap the data keys, lie in files outside every database, and are destroyed when their time is over,
//! so that old copies of the keyring cannot be read.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use aes_gcm::Aes256Gcm;
use bellhop_domain::id::KeyId;
use hmac::Mac;
use zeroize::Zeroizing;

use crate::db::Db;

use super::files;
use super::keyring::{self, EpochRow, KeyName, WrappedKey};
use super::seal::{self, RawKey};
use super::{VaultError, blocking};

/// Keys wrapped anew in one statement: a rotation should not hold up the keys of new contacts.
const REWRAP_BATCH: i64 = 500;

/// How often a host that wraps under an epoch which is being retired looks for the next one.
const WRAP_TRIES: usize = 3;

/// The epoch keys that this host has read.
pub(super) struct Epochs {
    folder: PathBuf,
    master: Aes256Gcm,
    loaded: Mutex<Loaded>,
}

#[derive(Default)]
struct Loaded {
    current: i64,
    ciphers: BTreeMap<i64, Arc<Aes256Gcm>>,
}

impl Epochs {
    /// Reads the current epoch key; makes the first one when the keyring is new.
    pub(super) async fn open(
        folder: PathBuf,
        master: Aes256Gcm,
        keyring: &Db,
        known: &[EpochRow],
    ) -> Result<Self, VaultError> {
        let epochs = Self { folder, master, loaded: Mutex::new(Loaded::default()) };
        if known.is_empty() {
            epochs.begin(keyring, None, 1).await?;
        }
        epochs.refresh(keyring).await?;
        Ok(epochs)
    }

    /// Wraps and stores new keys under the current epoch. A key whose name is taken is not stored.
    pub(super) async fn store(&self, keyring: &Db, keys: &[(KeyName, RawKey)]) -> Result<(), VaultError> {
        for _ in 0..WRAP_TRIES {
            let (epoch, cipher) = self.current(keyring).await?;
            let wrapped: Vec<WrappedKey> = keys.iter().map(|(name, raw)| wrap_new(&cipher, epoch, name, raw)).collect();
            if keyring::keys_insert(keyring, epoch, &wrapped, keyring.now()).await? {
                return Ok(());
            }
            self.refresh(keyring).await?;
        }
        Err(VaultError::EpochMoved)
    }

    /// The bytes of a wrapped key.
    pub(super) async fn unwrap(&self, keyring: &Db, key: &WrappedKey) -> Result<RawKey, VaultError> {
        let cipher = self.cipher(keyring, key.epoch).await?;
        unwrap(&cipher, key).ok_or(VaultError::Sealed)
    }

    /// Begins a new epoch, wraps every key anew and destroys the epoch keys that nothing needs any more.
    pub(super) async fn rotate(&self, keyring: &Db) -> Result<i64, VaultError> {
        self.refresh(keyring).await?;
        let (previous, _) = self.current(keyring).await?;
        self.begin(keyring, Some(previous), previous + 1).await?;
        self.refresh(keyring).await?;
        let (epoch, fresh) = self.current(keyring).await?;
        loop {
            let mut keys = keyring::keys_before_epoch(keyring, epoch, REWRAP_BATCH).await?;
            if keys.is_empty() {
                break;
            }
            for key in &mut keys {
                let raw = self.unwrap(keyring, key).await?;
                key.epoch = epoch;
                key.wrapped = seal::seal(&fresh, &associated(key), raw.as_slice());
            }
            keyring::keys_rewrap(keyring, epoch, &keys).await?;
        }
        for unused in keyring::epochs_unused(keyring).await? {
            let folder = self.folder.clone();
            blocking(&self.folder, move || files::destroy(&folder, &file_name(unused))).await?;
            keyring::epoch_delete(keyring, unused).await?;
            self.loaded.lock().unwrap_or_else(PoisonError::into_inner).ciphers.remove(&unused);
        }
        Ok(epoch)
    }

    /// Makes the key file of an epoch, unless another host has, and tells the keyring of it.
    async fn begin(&self, keyring: &Db, previous: Option<i64>, n: i64) -> Result<(), VaultError> {
        let raw = seal::random_key();
        let text = hex::encode(seal::seal(&self.master, &epoch_associated(n), raw.as_slice()));
        let folder = self.folder.clone();
        blocking(&self.folder, move || files::publish(&folder, &file_name(n), &text)).await?;
        let raw = self.read(n).await?;
        // When another host was faster its row stands, and the next look compares the fingerprints.
        keyring::epoch_begin(keyring, previous, n, &fingerprint(&raw)).await?;
        Ok(())
    }

    /// Looks which epoch is current and reads its key.
    async fn refresh(&self, keyring: &Db) -> Result<(), VaultError> {
        let rows = keyring::epochs(keyring).await?;
        let current = rows.iter().filter(|row| row.is_current).max_by_key(|row| row.n).ok_or(VaultError::EpochMoved)?;
        self.load(current).await?;
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).current = current.n;
        Ok(())
    }

    async fn current(&self, keyring: &Db) -> Result<(i64, Arc<Aes256Gcm>), VaultError> {
        let n = self.loaded.lock().unwrap_or_else(PoisonError::into_inner).current;
        Ok((n, self.cipher(keyring, n).await?))
    }

    async fn cipher(&self, keyring: &Db, n: i64) -> Result<Arc<Aes256Gcm>, VaultError> {
        if let Some(cipher) = self.loaded(n) {
            return Ok(cipher);
        }
        let rows = keyring::epochs(keyring).await?;
        let row = rows.iter().find(|row| row.n == n).ok_or(VaultError::EpochMissing(n))?;
        self.load(row).await
    }

    async fn load(&self, row: &EpochRow) -> Result<Arc<Aes256Gcm>, VaultError> {
        if let Some(cipher) = self.loaded(row.n) {
            return Ok(cipher);
        }
        let raw = self.read(row.n).await?;
        if fingerprint(&raw).as_slice() != row.fingerprint.as_slice() {
            return Err(VaultError::EpochForeign(row.n));
        }
        let cipher = Arc::new(seal::cipher(&raw));
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.ciphers.insert(row.n, Arc::clone(&cipher));
        Ok(cipher)
    }

    fn loaded(&self, n: i64) -> Option<Arc<Aes256Gcm>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).ciphers.get(&n).cloned()
    }

    async fn read(&self, n: i64) -> Result<RawKey, VaultError> {
        let path = self.folder.join(file_name(n));
        let text = blocking(&self.folder, move || files::read(&path)).await?.ok_or(VaultError::EpochMissing(n))?;
        let sealed = hex::decode(text.trim()).map_err(|_| VaultError::EpochUnreadable(n))?;
        let plain = seal::open(&self.master, &epoch_associated(n), &sealed).ok_or(VaultError::EpochUnreadable(n))?;
        raw_key(&plain).ok_or(VaultError::EpochUnreadable(n))
    }
}

fn wrap_new(cipher: &Aes256Gcm, epoch: i64, name: &KeyName, raw: &RawKey) -> WrappedKey {
    let mut key = WrappedKey { name: name.clone(), id: KeyId::new(), epoch, wrapped: Vec::new() };
    key.wrapped = seal::seal(cipher, &associated(&key), raw.as_slice());
    key
}

fn unwrap(cipher: &Aes256Gcm, key: &WrappedKey) -> Option<RawKey> {
    raw_key(&seal::open(cipher, &associated(key), &key.wrapped)?)
}

fn raw_key(plain: &[u8]) -> Option<RawKey> {
    <[u8; 32]>::try_from(plain).ok().map(Zeroizing::new)
}

fn associated(key: &WrappedKey) -> Vec<u8> {
    let texts = ["wrapped key", key.name.workspace.as_str(), key.id.as_str(), &key.name.purpose, &key.name.label];
    seal::joined(texts.into_iter().map(str::as_bytes).chain([key.epoch.to_be_bytes().as_slice()]))
}

fn epoch_associated(n: i64) -> Vec<u8> {
    seal::joined([b"epoch key".as_slice(), n.to_be_bytes().as_slice()].into_iter())
}

fn fingerprint(raw: &RawKey) -> [u8; 32] {
    seal::digest(seal::mac_state(raw).chain_update(b"bellhop epoch fingerprint"))
}

pub(super) fn file_name(n: i64) -> String {
    format!("epoch-{n}.key")
}
