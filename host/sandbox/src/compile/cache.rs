//! The folder of compiled code. A file is a MAC and the code: HMAC-SHA256 over the plugin's hash, the engine's compatibility
//! hash and the code. A file that fails the check is as good as absent; a file that cannot be written is only a warning.

use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use wasmtime::Engine;

use super::CodeFolder;
use crate::admit::Admitted;

/// Bytes of the MAC at the head of a file.
const MAC_BYTES: usize = 32;

/// A larger file was not written by us: a Python plugin's code has 42 MB.
const FILE_BYTES_MAX: u64 = 512 << 20;

/// Bytes of the compatibility hash that stand in a file's name.
const NAMED_BYTES: usize = 8;

pub(super) struct CodeCache {
    folder: CodeFolder,
    compatibility: [u8; 32],
}

impl CodeCache {
    pub(super) fn new(folder: CodeFolder, engine: &Engine) -> Self {
        let mut hasher = Sha256Hasher(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Self { folder, compatibility: hasher.0.finalize().into() }
    }

    /// The code of a plugin, if a file of this installation has it.
    pub(super) fn load(&self, admitted: &Admitted) -> Option<Vec<u8>> {
        let path = self.path(admitted);
        match fs::metadata(&path) {
            Ok(found) if found.len() <= FILE_BYTES_MAX => {}
            _ => return None,
        }
        let mut file = fs::read(&path).ok()?;
        let (tag, code) = file.split_at_checked(MAC_BYTES)?;
        if self.mac(admitted, code)?.verify_slice(tag).is_err() {
            tracing::warn!(plugin.hash = %admitted.hash, "Compiled code on disk was altered; compiling again");
            return None;
        }
        file.drain(..MAC_BYTES);
        Some(file)
    }

    /// Keeps the code for the next start.
    pub(super) fn store(&self, admitted: &Admitted, code: &[u8]) {
        if let Err(error) = self.write(admitted, code) {
            tracing::warn!(plugin.hash = %admitted.hash, %error, "Compiled code could not be kept; the next start compiles again");
        }
    }

    fn write(&self, admitted: &Admitted, code: &[u8]) -> io::Result<()> {
        let Some(mac) = self.mac(admitted, code) else { return Ok(()) };
        fs::create_dir_all(&self.folder.path)?;
        let path = self.path(admitted);
        // Two processes may compile the same plugin at once; each renames its own whole file.
        let draft = path.with_extension(format!("{}.draft", std::process::id()));
        let written = write_whole(&draft, &mac.finalize().into_bytes(), code).and_then(|()| fs::rename(&draft, &path));
        if written.is_err() {
            // The draft may not even exist; the first error is the one that tells.
            fs::remove_file(&draft).ok();
        }
        written
    }

    fn mac(&self, admitted: &Admitted, code: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.folder.key).ok()?;
        mac.update(admitted.hash.as_str().as_bytes());
        mac.update(&self.compatibility);
        mac.update(code);
        Some(mac)
    }

    fn path(&self, admitted: &Admitted) -> PathBuf {
        let engine: String = self.compatibility.iter().take(NAMED_BYTES).map(|byte| format!("{byte:02x}")).collect();
        self.folder.path.join(format!("{}-{engine}.cwasm", admitted.hash))
    }
}

fn write_whole(path: &Path, mac: &[u8], code: &[u8]) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(mac)?;
    file.write_all(code)?;
    file.sync_all()
}

/// Wasmtime says what a compiled file depends on through `Hash`; a file name needs it to be the same in every process.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest: [u8; 32] = self.0.clone().finalize().into();
        let (head, _) = digest.split_first_chunk().unwrap_or((&[0; 8], &[]));
        u64::from_be_bytes(*head)
    }
}
