//! The conductor: claims conversations, opens their events, shows each plugin what it may see, runs it, lets policy judge what it
//! wants, and commits everything at once. Beside it the control lane. Never talks to Meta or to a browser.

mod commit;
mod control;
mod effects;
mod held;
mod masked;
mod open;
mod order;
mod run;
mod turn;
mod unsaid;

use std::sync::Arc;
use std::time::Duration;

use bellhop_domain::id::{ChannelId, HostId, WorkspaceId};
use tokio_util::task::TaskTracker;

use crate::conversation::ConversationError;
use crate::db::{Db, DbError, Group, GroupError};
use crate::directory::{Directory, DirectoryError};
use crate::dispatch::commit::{Committed, TurnCommit};
use crate::dispatch::held::Held;
use crate::inbox::Wake;
use crate::outbox::OutboxError;
use crate::record::{RecordError, Records};
use crate::registry::{Registry, RegistryError};
use crate::vault::{Vault, VaultError};

pub use run::Begun;

/// Turns that share one transaction at most.
const MAX_TURNS_IN_COMMIT: usize = 64;

/// The longest silence of plugins after a person took over or was asked for; closing the task ends it by hand.
const HUMAN_MODE_LASTS: Duration = Duration::from_secs(24 * 3_600);

/// What can go wrong with the conductor itself. What a plugin does wrong is no error here but a line of the trace.
#[derive(Debug, thiserror::Error)]
pub enum DispatchError {
    /// The database.
    #[error("could not read or write a turn")]
    Db(#[from] DbError),
    /// People's content.
    #[error("could not read the conversation")]
    Conversation(#[from] ConversationError),
    /// Keys.
    #[error("could not open or seal")]
    Vault(#[from] VaultError),
    /// Plugins.
    #[error("could not prepare a plugin")]
    Registry(#[from] RegistryError),
    /// Workspaces and channels.
    #[error("could not look for a channel")]
    Directory(#[from] DirectoryError),
    /// The tables of plugins.
    #[error("could not prepare what a plugin writes")]
    Record(#[from] RecordError),
    /// The commit.
    #[error("could not commit a turn")]
    Commit(#[source] GroupError),
    /// What was sent.
    #[error("could not read what was sent")]
    Outbox(#[from] OutboxError),
    /// Something that this version cannot read.
    #[error("unreadable {0}")]
    Unreadable(&'static str),
    /// The sandbox had no place for a plugin, or failed itself.
    #[error("a plugin could not be called: {0}")]
    Unavailable(&'static str),
    /// A mistake in this program; the turn is tried again like any that failed.
    #[error("the turn ended in a panic")]
    Panicked,
}

/// What the conductor is made of.
#[derive(Clone)]
pub struct Parts {
    /// The store.
    pub db: Db,
    /// Keys.
    pub vault: Vault,
    /// Workspaces and channels.
    pub directory: Directory,
    /// Plugins and grants.
    pub registry: Registry,
    /// The tables of plugins.
    pub records: Records,
    /// Who claims.
    pub host: HostId,
    /// What one call of a plugin may use.
    pub limits: bellhop_sandbox::Limits,
    /// Woken by the inbox.
    pub contact_wake: Wake,
    /// Woken by the inbox.
    pub control_wake: Wake,
    /// Wakes the outbox.
    pub outbox_wake: Wake,
}

/// The conductor of one host. Clones share it.
#[derive(Clone)]
pub struct Dispatch {
    parts: Arc<Parts>,
    commits: Group<TurnCommit, Committed>,
    held: Held,
}

impl std::ops::Deref for Dispatch {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.parts
    }
}

impl Dispatch {
    /// Sets up the conductor and its committer; nothing runs before [`Dispatch::run_once`] or [`Dispatch::run`].
    pub fn start(parts: Parts, tracker: &TaskTracker) -> Self {
        let db = parts.db.clone();
        let commits = Group::start(tracker, MAX_TURNS_IN_COMMIT, move |turns| commit::write_group(db.clone(), turns));
        Self { parts: Arc::new(parts), commits, held: Held::default() }
    }

    /// Looks once more for channels that this host does not know: another process may have connected them since the last look,
    /// and enabled plugins on them. Costs a read only then; what is still unknown afterwards is parked and does not come again.
    async fn know(&self, mut channels: impl Iterator<Item = (&WorkspaceId, &ChannelId)>) -> Result<(), DispatchError> {
        let snapshot = self.directory.snapshot();
        if channels.any(|(workspace, channel)| snapshot.channel(workspace, channel).is_none()) {
            self.directory.refresh_if_changed().await?;
            self.registry.refresh_if_changed().await?;
        }
        Ok(())
    }
}
