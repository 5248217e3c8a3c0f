//! `bellhop migrate-store`: the store goes to another database.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;

use crate::app::{keyring_url, store_url};
use crate::backup::{self, Relocation};
use crate::command::{lock, log, say, secret};
use crate::config::{Config, StoreConfig};
use crate::db::{Clock, Db, Schema};

/// Where the store goes.
#[derive(Debug, Args)]
pub(super) struct MigrateStore {
    /// An empty PostgreSQL database, `postgres://…`, or a folder for an embedded store.
    #[arg(long, required_unless_present_any = ["to_file", "cancel"], value_name = "TARGET")]
    to: Option<String>,
    /// The same, read from a file, for an address with a password in it; `-` reads standard input.
    #[arg(long, conflicts_with = "to", value_name = "FILE")]
    to_file: Option<PathBuf>,
    /// Take the store back; what was copied so far is of no use any more.
    #[arg(long, conflicts_with_all = ["to", "to_file"])]
    cancel: bool,
}

pub(super) async fn run(migrate: MigrateStore, config: &Config) -> anyhow::Result<()> {
    log::quiet();
    let _locks = lock::alone(config)?;
    let store = super::store(config).await?;
    if migrate.cancel {
        backup::relocate_cancel(&store).await?;
        say(
            "the store is served where it is again; the database that was being filled has to be emptied before another try",
        );
        return Ok(());
    }
    let Some(to) = target(&migrate, config)? else { bail!("name a target with `--to`") };
    let keyring = Db::open(&keyring_url(config), Schema::Keyring, Clock::machine()).await?;
    let from = Relocation { store, keyring, place: place(config) };
    let there = Config { store: to, ..config.clone() };
    let _their_locks = lock::alone(&there)?;
    let target = Relocation {
        store: Db::open(&store_url(&there), Schema::Store, Clock::machine()).await?,
        keyring: Db::open(&keyring_url(&there), Schema::Keyring, Clock::machine()).await?,
        place: place(&there),
    };
    let moved = backup::relocate(from, target, |copied| {
        say(format_args!("{}: {} rows{}", copied.table, copied.n_rows, if copied.is_whole { "" } else { " …" }));
        true
    });
    moved.await?;
    say(format_args!(
        "everything is in {} and counted. Set `{}` there before `bellhop serve`; this store refuses to be served from now on",
        place(&there),
        if there.store.url.is_some() { "store.url" } else { "store.data_folder" }
    ));
    say("the keys folder and the master key stay where they are");
    Ok(())
}

fn target(migrate: &MigrateStore, config: &Config) -> anyhow::Result<Option<StoreConfig>> {
    let text = match (&migrate.to, &migrate.to_file) {
        (Some(to), _) if has_password(to) => {
            bail!("an address with a password comes from a file, `--to-file FILE`: arguments stand in process lists")
        }
        (Some(to), _) => to.clone(),
        (None, Some(file)) => {
            let bytes = secret::read("address", file)?;
            std::str::from_utf8(&bytes).context("an address is text")?.to_owned()
        }
        (None, None) => return Ok(None),
    };
    Ok(Some(match text.contains("://") {
        true => StoreConfig { url: Some(text), data_folder: config.store.data_folder.clone() },
        false => StoreConfig { url: None, data_folder: PathBuf::from(text) },
    }))
}

fn has_password(url: &str) -> bool {
    let authority = url.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default());
    url.contains("password=") || authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
}

/// How a store is called where people read it: never with a user or a password.
fn place(config: &Config) -> String {
    match &config.store.url {
        None => config.store.data_folder.display().to_string(),
        Some(url) => {
            let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
            let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
            format!("{scheme}://{}", rest.split('?').next().unwrap_or_default())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_shows_no_password() {
        let mut config = Config::default();
        config.store.url = Some("postgres://bellhop:p@ss@db.internal/bellhop?sslmode=require".to_owned());
        assert_eq!(place(&config), "postgres://db.internal/bellhop");
        assert!(has_password("postgres://bellhop:secret@db/bellhop") && has_password("postgres://db/b?password=x"));
        assert!(!has_password("postgres://bellhop@db:5432/bellhop") && !has_password("/srv/bellhop-data"));
    }
}
