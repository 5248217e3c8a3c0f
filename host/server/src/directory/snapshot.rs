//! The directory as a value: look-ups without a database. Every look-up by workspace refuses what belongs to another one.

use std::collections::HashMap;
use std::sync::Arc;

use bellhop_domain::channel::ChannelKind;
use bellhop_domain::id::{AppId, ChannelId, WorkspaceId};
use bellhop_domain::time::Timestamp;

use crate::vault;

/// One business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// Its id.
    pub id: WorkspaceId,
    /// What it calls itself.
    pub name: String,
    /// Language and region, for instance `de-AT`.
    pub locale: String,
    /// IANA name, for instance `Europe/Vienna`.
    pub time_zone: String,
}

/// A Meta app whose webhooks come here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// Its id here; it stands in the webhook's URL.
    pub id: AppId,
    /// Whose it is: a business's own, or the installation's.
    pub workspace: WorkspaceId,
    /// Its id at Meta.
    pub meta_app_id: String,
    /// Meta asked to slow down.
    pub rest: Rest,
}

/// A connected Page, account or number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// Its id here.
    pub id: ChannelId,
    /// The app that its webhooks come through and its token was made for.
    pub app: AppId,
    /// What it is.
    pub kind: ChannelKind,
    /// Its id at Meta. Not for logs: it names the business.
    pub asset_id: String,
    /// What the business calls it.
    pub name: String,
    /// Language and region of its customers when nothing else is known.
    pub locale: String,
    /// Whether it may send.
    pub state: ChannelState,
    /// What customers hear when no plugin knows an answer.
    pub fallback: Option<String>,
    /// Why not, as a short code.
    pub state_reason: Option<String>,
    /// Meta asked to slow down.
    pub rest: Rest,
}

/// Until when an app or a channel holds back because Meta asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rest {
    /// Nothing is sent.
    pub silent_until: Timestamp,
    /// What is sent goes one by one.
    pub slow_until: Timestamp,
}

impl Rest {
    /// Both at their longest.
    pub fn and(self, other: Self) -> Self {
        Self {
            silent_until: self.silent_until.max(other.silent_until),
            slow_until: self.slow_until.max(other.slow_until),
        }
    }
}

/// Whether a channel may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChannelState {
    /// It may.
    Active,
    /// The business or Meta stopped it.
    Paused,
    /// Its token is dead: the owner must log in again.
    Reauthorise,
    /// The business took it away; what still comes is stored and left alone.
    Disconnected,
}

impl ChannelState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Active, Self::Paused, Self::Reauthorise, Self::Disconnected];

    /// The name used in the table and on pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Reauthorise => "reauthorise",
            Self::Disconnected => "disconnected",
        }
    }

    /// Reads a name; `None` for an unknown one.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// Everything that is connected, at one moment.
#[derive(Debug, Default)]
pub struct Snapshot {
    generation: i64,
    rests_until: Timestamp,
    workspaces: HashMap<WorkspaceId, Arc<Workspace>>,
    apps: HashMap<AppId, Arc<App>>,
    channels: HashMap<ChannelId, Arc<Channel>>,
    by_asset: HashMap<ChannelKind, HashMap<String, Arc<Channel>>>,
}

impl Snapshot {
    pub(crate) fn new(generation: i64, workspaces: Vec<Workspace>, apps: Vec<App>, mut channels: Vec<Channel>) -> Self {
        let rests = apps.iter().map(|app| app.rest).chain(channels.iter().map(|channel| channel.rest));
        let rests_until = rests.map(|rest| rest.silent_until.max(rest.slow_until)).max().unwrap_or_default();
        let mut snapshot = Self { generation, rests_until, ..Self::default() };
        snapshot.workspaces = workspaces.into_iter().map(|one| (one.id.clone(), Arc::new(one))).collect();
        snapshot.apps = apps.into_iter().map(|one| (one.id.clone(), Arc::new(one))).collect();
        // Of several with one asset the last counts: the one that is connected, else the newest that was.
        channels.sort_by(|a, b| {
            (a.state != ChannelState::Disconnected, &a.id).cmp(&(b.state != ChannelState::Disconnected, &b.id))
        });
        for channel in channels.into_iter().map(Arc::new) {
            let of_its_kind = snapshot.by_asset.entry(channel.kind).or_default();
            of_its_kind.insert(channel.asset_id.clone(), Arc::clone(&channel));
            snapshot.channels.insert(channel.id.clone(), channel);
        }
        snapshot
    }

    /// The change of the configuration that this snapshot shows.
    pub fn generation(&self) -> i64 {
        self.generation
    }

    /// From when on nobody holds back any more because Meta asked for it.
    pub fn rests_until(&self) -> Timestamp {
        self.rests_until
    }

    /// A workspace.
    pub fn workspace(&self, id: &WorkspaceId) -> Option<Arc<Workspace>> {
        self.workspaces.get(id).cloned()
    }

    /// An app, whosever it is.
    pub fn app(&self, id: &AppId) -> Option<Arc<App>> {
        self.apps.get(id).cloned()
    }

    /// A channel of this workspace.
    pub fn channel(&self, workspace: &WorkspaceId, id: &ChannelId) -> Option<Arc<Channel>> {
        self.channels.get(id).filter(|channel| channel.workspace == *workspace).cloned()
    }

    /// The channel of a Page, account or number. Whoever asks because of a webhook compares its `app` with the app whose
    /// secret verified the body.
    pub fn channel_by_asset(&self, kind: ChannelKind, asset_id: &str) -> Option<Arc<Channel>> {
        self.by_asset.get(&kind)?.get(asset_id).cloned()
    }

    /// All workspaces by name.
    pub fn workspaces(&self) -> Vec<Arc<Workspace>> {
        let mut all: Vec<_> = self.workspaces.values().cloned().collect();
        all.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        all
    }

    /// The apps that a workspace may use: the installation's and its own, oldest first.
    pub fn apps(&self, workspace: &WorkspaceId) -> Vec<Arc<App>> {
        let mut all: Vec<_> = self.apps.values().filter(|app| app.may_serve(workspace)).cloned().collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all
    }

    /// All apps, the installation's and those of businesses, oldest first.
    pub fn apps_all(&self) -> Vec<Arc<App>> {
        let mut all: Vec<_> = self.apps.values().cloned().collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all
    }

    /// All channels, whosever they are, oldest first.
    pub fn channels_all(&self) -> Vec<Arc<Channel>> {
        let mut all: Vec<_> = self.channels.values().cloned().collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all
    }

    /// The channels of a workspace, oldest first.
    pub fn channels(&self, workspace: &WorkspaceId) -> Vec<Arc<Channel>> {
        let mut all: Vec<_> = self.channels.values().filter(|one| one.workspace == *workspace).cloned().collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all
    }
}

impl App {
    /// True when a workspace's channel may come through this app.
    pub fn may_serve(&self, workspace: &WorkspaceId) -> bool {
        self.workspace == *workspace || self.workspace == vault::installation()
    }
}
