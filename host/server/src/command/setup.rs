//! `bellhop app`, `bellhop workspace`, `bellhop channel`: who is connected.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bellhop_domain::channel::ChannelKind;
use bellhop_domain::id::{AppId, ChannelId, WorkspaceId};
use clap::Subcommand;

use crate::app::Stores;
use crate::command::{say, secret};
use crate::directory::{self, AppSecrets, NewApp, NewChannel, NewWorkspace};

#[derive(Debug, Subcommand)]
pub(super) enum AppCommand {
    /// Adds a Meta app.
    Add {
        /// The app's id in Meta's dashboard.
        #[arg(long)]
        meta_app_id: String,
        /// File with the app secret; `-` reads standard input.
        #[arg(long, value_name = "FILE")]
        secret_file: PathBuf,
        /// File with the verify token that you enter in Meta's dashboard; `-` reads standard input. Only one can.
        #[arg(long, value_name = "FILE")]
        verify_token_file: PathBuf,
        /// The workspace that brings its own app; without it the app is the installation's.
        #[arg(long)]
        workspace: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum WorkspaceCommand {
    /// Adds a business.
    Add {
        /// Its name.
        name: String,
        /// Its language, BCP 47.
        #[arg(long, default_value = "en")]
        locale: String,
        /// Its time zone, an IANA name.
        #[arg(long, default_value = "UTC")]
        time_zone: String,
    },
    /// Lists businesses with their channels.
    List,
}

#[derive(Debug, Subcommand)]
pub(super) enum ChannelCommand {
    /// Connects a channel.
    Add {
        /// The workspace's id.
        #[arg(long)]
        workspace: String,
        /// The app's id, as `bellhop app add` printed it.
        #[arg(long)]
        app: String,
        /// "messenger", "instagram", "whatsapp", "page-comments" or "instagram-comments".
        #[arg(long)]
        kind: String,
        /// Id of the Page, account or phone number at Meta.
        #[arg(long)]
        asset_id: String,
        /// What staff call it.
        #[arg(long)]
        name: String,
        /// Its language, BCP 47; the workspace's by default.
        #[arg(long)]
        locale: Option<String>,
        /// What customers hear when no plugin knows an answer.
        #[arg(long)]
        fallback: Option<String>,
        /// File with the access token; `-` reads standard input.
        #[arg(long, value_name = "FILE")]
        token_file: PathBuf,
    },
    /// Replaces a channel's token, and takes it up again if it waited for that.
    Token {
        /// The workspace's id.
        #[arg(long)]
        workspace: String,
        /// The channel's id.
        #[arg(long)]
        channel: String,
        /// File with the access token; `-` reads standard input.
        #[arg(long, value_name = "FILE")]
        token_file: PathBuf,
    },
}

pub(super) fn workspace_id(raw: &str) -> anyhow::Result<WorkspaceId> {
    WorkspaceId::parse(raw).context("that is no workspace id; see `bellhop workspace list`")
}

pub(super) fn channel_id(raw: &str) -> anyhow::Result<ChannelId> {
    ChannelId::parse(raw).context("that is no channel id; see `bellhop workspace list`")
}

pub(super) async fn app(command: AppCommand, stores: &Stores) -> anyhow::Result<()> {
    let AppCommand::Add { meta_app_id, secret_file, verify_token_file, workspace } = command;
    let standard_input = Path::new("-");
    if secret_file == standard_input && verify_token_file == standard_input {
        bail!("only one secret can come from standard input; put the app secret or the verify token into a file");
    }
    let secrets = AppSecrets {
        app_secret: secret::read("app secret", &secret_file)?,
        verify_token: secret::read("verify token", &verify_token_file)?,
    };
    let workspace = workspace.as_deref().map(workspace_id).transpose()?;
    let mut transaction = stores.db.begin_write().await?;
    let new = NewApp { workspace, meta_app_id };
    let id = directory::app_add(&mut transaction, &stores.vault, stores.db.now(), &new, secrets).await?;
    transaction.commit().await?;
    say(id.as_str());
    say(format_args!("callback URL for Meta's dashboard: https://YOUR-HOST/webhook/{id}"));
    Ok(())
}

pub(super) async fn workspace(command: WorkspaceCommand, stores: &Stores) -> anyhow::Result<()> {
    match command {
        WorkspaceCommand::Add { name, locale, time_zone } => {
            let mut transaction = stores.db.begin_write().await?;
            let new = NewWorkspace { name, locale, time_zone };
            let id = directory::workspace_add(&mut transaction, stores.db.now(), &new).await?;
            transaction.commit().await?;
            say(id.as_str());
        }
        WorkspaceCommand::List => {
            let snapshot = stores.directory.snapshot();
            for workspace in snapshot.workspaces() {
                say(format_args!(
                    "{}  {}  ({}, {})",
                    workspace.id, workspace.name, workspace.locale, workspace.time_zone
                ));
                for channel in snapshot.channels(&workspace.id) {
                    let state = channel.state.as_str();
                    say(format_args!("    {}  {}  {}  {state}", channel.id, channel.kind.as_str(), channel.name));
                }
            }
        }
    }
    Ok(())
}

pub(super) async fn channel(command: ChannelCommand, stores: &Stores) -> anyhow::Result<()> {
    match command {
        ChannelCommand::Add { workspace, app, kind, asset_id, name, locale, fallback, token_file } => {
            let Some(kind) = ChannelKind::parse(&kind) else {
                let kinds: Vec<_> = ChannelKind::ALL.iter().map(|kind| kind.as_str()).collect();
                bail!("there is no channel of kind `{kind}`; choose one of {}", kinds.join(", "));
            };
            let workspace = workspace_id(&workspace)?;
            let known = stores.directory.snapshot().workspace(&workspace);
            let known = known.context("there is no such workspace; see `bellhop workspace list`")?;
            let new = NewChannel {
                app: AppId::parse(&app).context("that is no app id; `bellhop app add` prints it")?,
                locale: locale.unwrap_or_else(|| known.locale.clone()),
                workspace,
                kind,
                asset_id,
                name,
                fallback,
            };
            let token = secret::read("access token", &token_file)?;
            let mut transaction = stores.db.begin_write().await?;
            let id = directory::channel_add(&mut transaction, &stores.vault, stores.db.now(), &new, token).await?;
            transaction.commit().await?;
            say(id.as_str());
        }
        ChannelCommand::Token { workspace, channel, token_file } => {
            let (workspace, channel) = (workspace_id(&workspace)?, channel_id(&channel)?);
            let token = secret::read("access token", &token_file)?;
            let mut transaction = stores.db.begin_write().await?;
            let (vault, now) = (&stores.vault, stores.db.now());
            directory::channel_token_replace(&mut transaction, vault, now, (&workspace, &channel), token).await?;
            transaction.commit().await?;
            say("the token was replaced");
        }
    }
    Ok(())
}
