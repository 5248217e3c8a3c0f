//! `bellhop doctor`: looks at everything an installation rests on and says what holds and what to do. Changes nothing, migrates
//! nothing, talks to nobody but the store.

mod finding;
mod host;
mod keys;
mod store;

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use crate::command::{log, say};
use crate::config::Config;
use crate::db::{Clock, Db, Schema};

use finding::{Findings, Level};

/// Looks at everything and says what holds.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// Where the copy of the keyring is kept (embedded store): checks that it could be used today.
    #[arg(long, value_name = "FILE")]
    keyring_copy: Option<PathBuf>,
    /// For programs: a JSON list.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(asked: Doctor, config: &Config) -> anyhow::Result<()> {
    log::quiet();
    let mut findings = Findings::default();
    examine(&mut findings, config, asked.keyring_copy).await;
    if asked.json {
        say(serde_json::to_string_pretty(&findings)?);
    } else {
        say(&findings);
    }
    match findings.count(Level::Broken) {
        0 => Ok(()),
        1 => bail!("one thing is broken; the line that begins with BROKEN says what to do"),
        n_broken => bail!("{n_broken} things are broken; the lines that begin with BROKEN say what to do"),
    }
}

/// Everything that can be looked at: what cannot be reached is a finding, and what rests on it is left out.
async fn examine(findings: &mut Findings, config: &Config, keyring_copy: Option<PathBuf>) {
    store::folder(findings, config);
    keys::folder(findings, config);
    host::configured(findings, config);
    let Some(db) = store::open(findings, config).await else { return };
    store::promise(findings, &db).await;
    store::whole(findings, &db).await;
    store::clock(findings, &db).await;
    host::serving(findings, config, &db).await;
    host::waiting(findings, &db).await;
    host::channels(findings, &db).await;
    let clock = Clock::machine();
    match Db::look(&crate::app::keyring_url(config), Schema::Keyring, clock).await {
        Ok(keyring) => {
            keys::copied(findings, config, &keyring, keyring_copy).await;
            if let Some(vault) = keys::open(findings, config, keyring, &db).await {
                host::plugins(findings, &db, &vault).await;
            }
        }
        Err(error) => findings.broken("keyring", finding::chain("the keyring cannot be opened", &error)),
    }
}

#[cfg(test)]
mod tests;
