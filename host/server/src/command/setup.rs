//! `bellhop app`, `bellhop workspace`, `bellhop channel`: who is connected.

use std::path::{Path, PathBuf};

use anyhow::bail;
use bellhop_domain::channel::ChannelKind;
use bellhop_domain::id::{AppId, ChannelId, WorkspaceId};
use clap::Subcommand;

use crate::app::Stores;
use crate::command::{hint, named, say, secret};
use crate::directory::{self, AppSecrets, NewApp, NewChannel, NewWorkspace};
use crate::vault::SecretKind;

#[derive(Debug, Subcommand)]
pub(super) enum AppCommand {
    /// Replaces an app's secret or verify token: a wrong one, or one that was reset at Meta.
    Secret {
        /// The app's id, as `bellhop app list` shows it.
        #[arg(long)]
        app: String,
        /// File with the app secret; `-` reads standard input.
        #[arg(long, value_name = "FILE", required_unless_present = "verify_token_file")]
        secret_file: Option<PathBuf>,
        /// File with the verify token.
        #[arg(long, value_name = "FILE")]
        verify_token_file: Option<PathBuf>,
    },
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
    /// Lists apps: our id, Meta's id, whose it is, the path of its callback URL.
    List,
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
    /// Lists a workspace's channels: our id, kind, name, state, Meta's id, the app.
    List {
        /// The workspace's id.
        #[arg(long)]
        workspace: String,
    },
    /// Takes a channel away: nothing is sent on it any more, its token is destroyed, and what still comes is stored and left
    /// alone. `channel token` brings it back.
    Remove {
        /// The workspace's id.
        #[arg(long)]
        workspace: String,
        /// The channel's id.
        #[arg(long)]
        channel: String,
    },
    /// Replaces a channel's token, and takes it up again if it waited for that or was removed.
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

/// The ids of a channel and its workspace.
pub(super) fn channel_ids(stores: &Stores, workspace: &str, channel: &str) -> anyhow::Result<(WorkspaceId, ChannelId)> {
    let snapshot = stores.directory.snapshot();
    let workspace = named::workspace(&snapshot, workspace)?;
    let channel = named::channel(&snapshot, &workspace, channel)?;
    Ok((workspace.id.clone(), channel.id.clone()))
}

pub(super) async fn app(command: AppCommand, stores: &Stores) -> anyhow::Result<()> {
    let snapshot = stores.directory.snapshot();
    match command {
        AppCommand::Add { meta_app_id, secret_file, verify_token_file, workspace } => {
            app_add(meta_app_id, (&secret_file, &verify_token_file), workspace, stores).await
        }
        AppCommand::Secret { app, secret_file, verify_token_file } => {
            app_secret(&app, (secret_file.as_deref(), verify_token_file.as_deref()), stores).await
        }
        AppCommand::List => {
            for app in snapshot.apps_all() {
                let owner = named::owner(&snapshot, &app);
                say(format_args!("{}  Meta's id {}  {owner}  /webhook/{}", app.id, app.meta_app_id, app.id));
            }
            Ok(())
        }
    }
}

async fn app_secret(app: &str, files: (Option<&Path>, Option<&Path>), stores: &Stores) -> anyhow::Result<()> {
    let snapshot = stores.directory.snapshot();
    let Some(app) = AppId::parse(app).ok().and_then(|id| snapshot.app(&id)) else {
        bail!("that is no app; `bellhop app list` shows them");
    };
    let kinds = [("app secret", SecretKind::AppSecret, files.0), ("verify token", SecretKind::VerifyToken, files.1)];
    let mut transaction = stores.db.begin_write().await?;
    for (what, kind, file) in kinds {
        let Some(file) = file else { continue };
        let secret = secret::read(what, file)?;
        directory::app_secret_replace(&mut transaction, &stores.vault, stores.db.now(), &app, (kind, secret)).await?;
    }
    transaction.commit().await?;
    say("replaced; running hosts use it within a second, and nothing signed with the old one is taken any more");
    Ok(())
}

async fn app_add(
    meta_app_id: String,
    (secret_file, verify_token_file): (&Path, &Path),
    workspace: Option<String>,
    stores: &Stores,
) -> anyhow::Result<()> {
    let snapshot = stores.directory.snapshot();
    let workspace = workspace.map(|raw| named::workspace(&snapshot, &raw)).transpose()?.map(|found| found.id.clone());
    let standard_input = Path::new("-");
    if secret_file == standard_input && verify_token_file == standard_input {
        bail!("only one secret can come from standard input; put the app secret or the verify token into a file");
    }
    let secrets = AppSecrets {
        app_secret: secret::read("app secret", secret_file)?,
        verify_token: secret::read("verify token", verify_token_file)?,
    };
    if secrets.app_secret == secrets.verify_token {
        bail!("app secret and verify token are the same; the secret is Meta's, the token is a word that you think of");
    }
    let mut transaction = stores.db.begin_write().await?;
    let new = NewApp { workspace, meta_app_id };
    let id = directory::app_add(&mut transaction, &stores.vault, stores.db.now(), &new, secrets).await?;
    transaction.commit().await?;
    say(id.as_str());
    hint(format_args!("callback URL for Meta's dashboard: https://YOUR-HOST/webhook/{id}"));
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
            let snapshot = stores.directory.snapshot();
            let workspace = named::workspace(&snapshot, &workspace)?;
            let new = NewChannel {
                app: named::app(&snapshot, &workspace, &app)?.id.clone(),
                locale: locale.unwrap_or_else(|| workspace.locale.clone()),
                workspace: workspace.id.clone(),
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
        ChannelCommand::List { workspace } => {
            let snapshot = stores.directory.snapshot();
            for channel in snapshot.channels(&named::workspace(&snapshot, &workspace)?.id) {
                let reason = channel.state_reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
                say(format_args!(
                    "{}  {}  {}  {}{reason}  Meta's id {}  app {}",
                    channel.id,
                    channel.kind.as_str(),
                    channel.name,
                    channel.state.as_str(),
                    channel.asset_id,
                    channel.app
                ));
            }
        }
        ChannelCommand::Remove { workspace, channel } => {
            let (workspace, channel) = channel_ids(stores, &workspace, &channel)?;
            let mut transaction = stores.db.begin_write().await?;
            let (vault, now) = (&stores.vault, stores.db.now());
            directory::channel_remove(&mut transaction, vault, now, (&workspace, &channel)).await?;
            transaction.commit().await?;
            say("the channel was removed and its token destroyed; unsubscribe the Page from the app at Meta too");
        }
        ChannelCommand::Token { workspace, channel, token_file } => {
            let (workspace, channel) = channel_ids(stores, &workspace, &channel)?;
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
