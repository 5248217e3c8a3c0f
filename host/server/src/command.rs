//! The commands of the binary. Each opens what it needs, does one thing, and says what it did. Secrets come from a file or
//! from standard input, never from an argument: arguments stand in process lists and shell histories.

mod audit;
mod backup;
mod deliveries;
pub mod demo;
mod doctor;
mod events;
mod lock;
mod log;
mod named;
mod plugin;
mod records;
mod release;
mod relocate;
mod secret;
mod serve;
mod setup;
mod status;
mod tasks;

use std::io::Write;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::app::{Stores, store_url};
use crate::backup::{check_living, restore_unfinished};
use crate::config::Config;
use crate::db::{Clock, Db, Schema};

/// Bellhop: self-hosted automation for a business's Messenger, Instagram and WhatsApp.
#[derive(Debug, Parser)]
#[command(name = "bellhop", version, arg_required_else_help = true)]
pub struct Cli {
    /// The configuration; without it every value has its default.
    #[arg(long, global = true, env = "BELLHOP_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows everything at work on this machine: a phone, a sample business, the way of each message. Needs nothing.
    Demo(demo::Demo),
    /// Runs the host.
    Serve,
    /// Meta apps whose webhooks this host receives.
    #[command(subcommand)]
    App(setup::AppCommand),
    /// Businesses.
    #[command(subcommand)]
    Workspace(setup::WorkspaceCommand),
    /// Connected Pages, accounts and numbers.
    #[command(subcommand)]
    Channel(setup::ChannelCommand),
    /// Plugins and what they are granted.
    #[command(subcommand)]
    Plugin(plugin::PluginCommand),
    /// The tables of plugins.
    #[command(subcommand)]
    Records(records::RecordsCommand),
    /// What waits for a person.
    Tasks(tasks::Tasks),
    /// Messages that did not reach their customer: tried again, or given up.
    Deliveries(deliveries::Deliveries),
    /// The log of what was done and what left the host: whether it is whole, who read what, what is not used.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// How the installation stands: hosts, what they hold, what waits.
    Status(status::StatusOf),
    /// Looks at everything an installation rests on and says what holds and what to do.
    Doctor(doctor::Doctor),
    /// Events that were put aside.
    #[command(subcommand)]
    Events(events::EventsCommand),
    /// Bodies that Meta signed and that could not be read.
    #[command(subcommand)]
    Quarantine(events::QuarantineCommand),
    /// Makes a token for the private listener; it is shown once.
    Token(tasks::Token),
    /// Takes a backup of the store, or of the keyring, while the host runs.
    Backup(backup::Backup),
    /// Brings a backup back; what was open then is held, and nothing goes out by itself.
    Restore(backup::Restoring),
    /// Lets go what a restore has set aside, or gives it up.
    Release(release::Release),
    /// Moves the store to another database.
    MigrateStore(relocate::MigrateStore),
}

/// Runs the command line.
///
/// # Errors
/// Whatever the command says; `main` prints it with its causes.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    // The demo reads no configuration: it must run whatever this machine is set up for.
    let config = || Config::load(cli.config.as_deref());
    let stores = async || stores(&config()?).await;
    let existing = async || existing(&config()?).await;
    let _locks = match &cli.command {
        // The demo has a store of its own, and what authors do needs none; the others lock as they need it.
        Command::Plugin(command) if command.is_for_authors() => None,
        Command::Demo(_) | Command::Serve | Command::Restore(_) | Command::MigrateStore(_) => None,
        _ => Some(lock::shared(&config()?)?),
    };
    match cli.command {
        Command::Demo(demo) => demo::run(demo).await,
        Command::Serve => {
            must_exist(&config()?)?;
            serve::run(config()?).await
        }
        Command::App(command @ setup::AppCommand::Add { .. }) => setup::app(command, &stores().await?).await,
        Command::App(command) => setup::app(command, &existing().await?).await,
        Command::Workspace(command @ setup::WorkspaceCommand::Add { .. }) => {
            setup::workspace(command, &stores().await?).await
        }
        Command::Workspace(command) => setup::workspace(command, &existing().await?).await,
        Command::Channel(command) => setup::channel(command, &existing().await?).await,
        Command::Plugin(command) => plugin::run(command, &config()?).await,
        Command::Records(command) => records::run(command, &existing().await?).await,
        Command::Tasks(command) => tasks::list(command, &existing().await?).await,
        Command::Deliveries(command) => deliveries::run(command, &existing().await?).await,
        Command::Audit(command) => audit::run(command, &config()?).await,
        Command::Status(command) => status::run(&command, &look(&config()?).await?).await,
        Command::Doctor(command) => doctor::run(command, &config()?).await,
        Command::Events(command) => events::events(command, &living_store(&config()?).await?).await,
        Command::Quarantine(command) => events::quarantine(command, &living_store(&config()?).await?).await,
        Command::Token(command) => tasks::token(command, &stores().await?).await,
        Command::Backup(command) => backup::backup(command, &config()?).await,
        Command::Restore(command) => backup::restore(command, &config()?).await,
        Command::Release(command) => release::run(command, &existing().await?).await,
        Command::MigrateStore(command) => relocate::run(command, &config()?).await,
    }
}

/// Commands open the store themselves; a host that serves it sees what they changed within a second.
async fn stores(config: &Config) -> anyhow::Result<Stores> {
    log::quiet();
    Ok(Stores::open(config, Clock::machine()).await?)
}

/// For commands that make no sense on an empty installation: a forgotten configuration must not look like lost data.
async fn existing(config: &Config) -> anyhow::Result<Stores> {
    must_exist(config)?;
    stores(config).await
}

/// For commands that only look: the store as it is, so that they work also when it takes no writes.
async fn look(config: &Config) -> anyhow::Result<Db> {
    must_exist(config)?;
    log::quiet();
    let db = Db::look(&store_url(config), Schema::Store, Clock::machine()).await?;
    let version = db.schema_version(Schema::Store).await;
    if version.found < Some(version.known) {
        anyhow::bail!("the store is not this version's yet; `bellhop serve` brings it up to date");
    }
    Ok(db)
}

/// The store without its keys, while it answers: what is changed in one that is being moved would be left behind.
async fn living_store(config: &Config) -> anyhow::Result<Db> {
    let db = store(config).await?;
    check_living(&db).await?;
    Ok(db)
}

/// For commands that open no content: the store without its keys.
async fn store(config: &Config) -> anyhow::Result<Db> {
    must_exist(config)?;
    if config.store.url.is_none() && restore_unfinished(&config.store.data_folder) {
        anyhow::bail!("a restore into {} was not finished; run it again", config.store.data_folder.display());
    }
    log::quiet();
    Ok(Stores::open_store(config, Clock::machine()).await?)
}

fn must_exist(config: &Config) -> anyhow::Result<()> {
    let folder = &config.store.data_folder;
    if config.store.url.is_none() && !folder.join("store.db").exists() {
        anyhow::bail!(
            "there is no store in {}; is `--config` or BELLHOP_CONFIG set? `bellhop workspace add` begins a new one",
            folder.display()
        );
    }
    Ok(())
}

/// Says something to the person at the terminal.
fn say(text: impl std::fmt::Display) {
    // Whoever reads may have gone (`| head -1`); the command has done its work all the same.
    drop(writeln!(std::io::stdout().lock(), "{text}"));
}

/// Says what a script does not want in its variable.
fn hint(text: impl std::fmt::Display) {
    drop(writeln!(std::io::stderr().lock(), "{text}"));
}
