//! What authors do with their files. Needs no store: it works on a machine that has never run a host.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bellhop_domain::manifest::Manifest;
use clap::Subcommand;

use crate::command::{say, secret};
use crate::registry::{self, AuthorKey};

#[derive(Debug, Subcommand)]
pub(in crate::command) enum KeyCommand {
    /// Writes a new key into a new file that only its owner can read. Keep it: whoever has it can release in your name, and
    /// without it nobody can.
    New {
        /// The file to write; one that is there stays as it is.
        file: PathBuf,
    },
}

pub(super) fn pack(component: &Path, manifest: &Path, output: &Path) -> anyhow::Result<()> {
    let bytes = super::read(component)?;
    let text = std::fs::read_to_string(manifest).with_context(|| format!("could not read {}", manifest.display()))?;
    Manifest::parse(&text)?;
    let packed = bellhop_sandbox::with_manifest(&bytes, &text);
    registry::read(&packed)?;
    std::fs::write(output, packed).with_context(|| format!("could not write {}", output.display()))?;
    say(format_args!("{} can be signed with `bellhop plugin sign`, and installed", output.display()));
    Ok(())
}

pub(super) fn key(command: KeyCommand) -> anyhow::Result<()> {
    let KeyCommand::New { file } = command;
    let key = AuthorKey::new()?;
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file);
    let mut opened = opened.with_context(|| format!("could not make {}", file.display()))?;
    opened.write_all(key.to_text().as_bytes()).and_then(|()| opened.sync_all())?;
    say(key.fingerprint());
    Ok(())
}

pub(super) fn sign(file: &Path, key_file: &Path) -> anyhow::Result<()> {
    let key = AuthorKey::parse(&secret::read("author's key", key_file)?)?;
    let bytes = super::read(file)?;
    registry::read(&bytes)?;
    let signed = key.sign(&bytes)?;
    // Written beside it and renamed: a full disk leaves the file as it was.
    let mut draft = file.as_os_str().to_owned();
    draft.push(".signed");
    std::fs::write(&draft, signed).with_context(|| format!("could not write {}", Path::new(&draft).display()))?;
    std::fs::rename(&draft, file).with_context(|| format!("could not write {}", file.display()))?;
    say(format_args!("signed by {}", key.fingerprint()));
    Ok(())
}

pub(super) fn verify(file: &Path) -> anyhow::Result<()> {
    let (admitted, manifest, signer) = registry::read(&super::read(file)?)?;
    let Some(signer) = signer else {
        bail!("nobody signed {} {} ({})", manifest.id, manifest.version, admitted.hash);
    };
    say(format_args!("{} {}  {}  signed by {signer}", manifest.id, manifest.version, admitted.hash));
    Ok(())
}
