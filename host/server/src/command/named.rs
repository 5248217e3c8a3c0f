//! What a person names at the terminal: found, or refused with what it is instead and the command that lists the right ones.
//! Ids of all kinds look alike, so that the wrong one is easily pasted.

use std::sync::Arc;

use anyhow::bail;
use bellhop_domain::id::{AppId, ChannelId, WorkspaceId};

use crate::directory::{App, Channel, Snapshot, Workspace};

/// Longest id that an error repeats in characters; a UUID has 36.
const MAX_SHOWN: usize = 64;

/// The workspace of this id.
pub(super) fn workspace(snapshot: &Snapshot, raw: &str) -> anyhow::Result<Arc<Workspace>> {
    match WorkspaceId::parse(raw).ok().and_then(|id| snapshot.workspace(&id)) {
        Some(found) => Ok(found),
        None => bail!("{} is no workspace{}; `bellhop workspace list` shows them", shown(raw), instead(snapshot, raw)),
    }
}

/// The workspace's channel of this id.
pub(super) fn channel(snapshot: &Snapshot, workspace: &Workspace, raw: &str) -> anyhow::Result<Arc<Channel>> {
    match ChannelId::parse(raw).ok().and_then(|id| snapshot.channel(&workspace.id, &id)) {
        Some(found) => Ok(found),
        None => bail!(
            "{} is no channel of the workspace {}{}; `bellhop channel list --workspace {}` shows them",
            shown(raw),
            workspace.name,
            instead(snapshot, raw),
            workspace.id
        ),
    }
}

/// The app of this id, if the workspace's channels may come through it.
pub(super) fn app(snapshot: &Snapshot, workspace: &Workspace, raw: &str) -> anyhow::Result<Arc<App>> {
    let found = AppId::parse(raw).ok().and_then(|id| snapshot.app(&id));
    match found.filter(|app| app.may_serve(&workspace.id)) {
        Some(found) => Ok(found),
        None => bail!(
            "{} is no app that the workspace {} can use{}; `bellhop app list` shows all apps",
            shown(raw),
            workspace.name,
            instead(snapshot, raw)
        ),
    }
}

/// Whose an app is.
pub(super) fn owner(snapshot: &Snapshot, app: &App) -> String {
    match snapshot.workspace(&app.workspace) {
        Some(workspace) => format!("of the workspace {}", workspace.name),
        None => "of the installation".to_owned(),
    }
}

/// What the id names in truth, as a clause.
fn instead(snapshot: &Snapshot, raw: &str) -> String {
    if let Some(workspace) = snapshot.workspaces().into_iter().find(|one| one.id.as_str() == raw) {
        return format!(", it is the workspace {}", workspace.name);
    }
    let (channels, apps) = (snapshot.channels_all(), snapshot.apps_all());
    if let Some(channel) = channels.iter().find(|one| one.id.as_str() == raw) {
        let owner = snapshot.workspace(&channel.workspace);
        let owner = owner.map_or_else(|| channel.workspace.to_string(), |one| one.name.clone());
        return format!(", it is the channel {} of the workspace {owner}", channel.name);
    }
    if let Some(app) = apps.iter().find(|one| one.id.as_str() == raw) {
        return format!(", it is an app {}", owner(snapshot, app));
    }
    if let Some(app) = apps.iter().find(|one| one.meta_app_id == raw) {
        return format!(", it is Meta's id of the app {}", app.id);
    }
    let channel = channels.iter().find(|one| one.asset_id == raw);
    channel.map(|one| format!(", it is Meta's id of the channel {}", one.id)).unwrap_or_default()
}

/// The id as it may stand in an error.
fn shown(raw: &str) -> String {
    let text: String = raw.chars().filter(|c| !c.is_control()).take(MAX_SHOWN).collect();
    format!("`{text}`")
}
