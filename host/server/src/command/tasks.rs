//! `bellhop tasks` and `bellhop token`.

use anyhow::{Context, bail};
use bellhop_domain::id::{TaskId, WorkspaceId};
use clap::{Args, Subcommand};

use crate::api;
use crate::app::Stores;
use crate::command::say;
use crate::conversation;

/// What waits for a person.
#[derive(Debug, Args)]
pub(super) struct Tasks {
    /// The workspace's id.
    #[arg(long)]
    workspace: String,
    /// Close this task; plugins answer in its conversation again.
    #[arg(long, value_name = "TASK")]
    done: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Token {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Makes a token.
    Add {
        /// What it is for; names it when it is revoked.
        name: String,
    },
    /// Revokes all tokens of a name.
    Revoke {
        /// The name they were made with.
        name: String,
    },
}

pub(super) async fn list(tasks: Tasks, stores: &Stores) -> anyhow::Result<()> {
    let workspace =
        WorkspaceId::parse(&tasks.workspace).context("that is no workspace id; see `bellhop workspace list`")?;
    if stores.directory.snapshot().workspace(&workspace).is_none() {
        bail!("there is no workspace {workspace}; see `bellhop workspace list`");
    }
    if let Some(done) = tasks.done {
        let task = TaskId::parse(&done).context("that is no task id; `bellhop tasks` shows them")?;
        if !conversation::task_close(&stores.db, &workspace, &task).await? {
            bail!("there is no open task {task} in this workspace");
        }
        say("done; plugins answer in that conversation again unless another task holds it");
        return Ok(());
    }
    let open = conversation::tasks_open(&stores.db, &stores.vault, &workspace).await?;
    if open.is_empty() {
        say("nothing waits for a person");
    }
    for task in open {
        let at = jiff::Timestamp::from_millisecond(task.created_at.millis())?;
        let note = task.note.unwrap_or_else(|| "(the contact was erased)".to_owned());
        say(format_args!(
            "{at:.0}  {}  {}  task {}\n    {}",
            task.kind,
            task.reason,
            task.id,
            note.replace('\n', "\n    ")
        ));
    }
    Ok(())
}

pub(super) async fn token(token: Token, stores: &Stores) -> anyhow::Result<()> {
    match token.command {
        TokenCommand::Add { name } => say(api::token_issue(&stores.db, &name).await?),
        TokenCommand::Revoke { name } => {
            let n_revoked = api::token_revoke(&stores.db, &name).await?;
            say(format_args!("revoked {n_revoked}"));
        }
    }
    Ok(())
}
