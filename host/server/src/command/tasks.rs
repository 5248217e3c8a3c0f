//! `bellhop tasks` and `bellhop token`.

use anyhow::{Context, bail};
use bellhop_domain::id::{ContactId, TaskId};
use clap::{Args, Subcommand};

use crate::api;
use crate::app::Stores;
use crate::command::{named, say};
use crate::conversation::{self, Customer};

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
    let snapshot = stores.directory.snapshot();
    let workspace = named::workspace(&snapshot, &tasks.workspace)?.id.clone();
    if let Some(done) = tasks.done {
        let task = TaskId::parse(&done).context("that is no task id; `bellhop tasks` shows them")?;
        if !conversation::task_close(&stores.db, &workspace, &task).await? {
            bail!("there is no open task {task} in this workspace; `bellhop tasks --workspace {workspace}` shows them");
        }
        say("done; plugins answer in that conversation again unless another task holds it");
        return Ok(());
    }
    let open = conversation::tasks_open(&stores.db, &stores.vault, &workspace).await?;
    if open.is_empty() {
        say("nothing waits for a person");
    }
    let conversations: Vec<_> = open.iter().map(|task| (workspace.clone(), task.conversation.clone())).collect();
    let customers = conversation::customers_find(&stores.db, &stores.vault, &conversations).await?;
    for task in open {
        let since = jiff::Timestamp::from_millisecond(task.created_at.millis())?;
        let note = task.note.unwrap_or_else(|| "(the contact was erased)".to_owned());
        let customer = customers.get(&task.conversation);
        let contact = customer.and_then(|customer| customer.contact.as_ref());
        let channel = customer.and_then(|customer| snapshot.channel(&workspace, &customer.channel));
        say(format_args!(
            "{}  {}  task {}{}\n    {}: {}, since {since:.0}\n    {}",
            task.kind,
            task.reason,
            task.id,
            contact.map(|contact| format!("  contact {contact}")).unwrap_or_default(),
            channel.map_or_else(|| "a channel that is gone".to_owned(), |channel| channel.name.clone()),
            plain(&customer.map_or_else(|| "a customer".to_owned(), called)),
            plain(&note).replace('\n', "\n    ")
        ));
    }
    Ok(())
}

/// What staff find a customer by: the name, or the end of our id, which is all that differs between customers without one.
fn called(customer: &Customer) -> String {
    let tail = |id: &ContactId| id.as_str().get(id.as_str().len().saturating_sub(4)..).unwrap_or_default().to_owned();
    match (&customer.name, &customer.contact) {
        (Some(name), _) => name.clone(),
        (None, Some(contact)) => format!("customer …{}", tail(contact)),
        (None, None) => "a customer".to_owned(),
    }
}

/// Without the characters that would let a customer's words steer a terminal.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || *c == '\n').collect()
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
