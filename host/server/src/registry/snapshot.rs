//! All enabled grants in memory, so that a turn asks no database for them. Equal scopes, settings and manifests are held
//! once: ten thousand channels mostly share them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bellhop_domain::id::{ChannelId, ContentHash, GrantId, PluginKey, WorkspaceId};
use serde::de::IgnoredAny;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::install::plugin_of;
use super::scopes::fingerprint;
use super::{ChannelPlugins, EnabledPlugin, Failing, Plugin, RegistryError, Scopes, UnreadableGrant, failing};
use crate::db::Db;
use crate::directory;

/// Grants at one generation of the configuration.
#[derive(Default)]
pub(super) struct Snapshot {
    pub(super) generation: i64,
    channels: HashMap<(WorkspaceId, ChannelId), ChannelPlugins>,
    plugins: HashMap<ContentHash, Arc<Plugin>>,
    /// Enabled by their business and left out, because their rows cannot be read.
    pub(super) unreadable: Vec<UnreadableGrant>,
    /// Grants whose plugin has failed: few, whatever the number of grants.
    pub(super) failing: HashMap<GrantId, Failing>,
}

impl Snapshot {
    pub(super) fn plugins_for(&self, workspace: &WorkspaceId, channel: &ChannelId) -> ChannelPlugins {
        self.channels.get(&(workspace.clone(), channel.clone())).cloned().unwrap_or_default()
    }

    /// Where a plugin of this key is enabled, whichever version.
    pub(super) fn enabled_of(&self, key: &PluginKey) -> Vec<Arc<EnabledPlugin>> {
        let all = self.channels.values().flat_map(|plugins| plugins.iter());
        all.filter(|enabled| enabled.plugin_key == *key).cloned().collect()
    }
}

/// What equal rows share.
#[derive(Default)]
struct Shared {
    scopes: HashMap<String, Arc<Scopes>>,
    settings: HashSet<Arc<str>>,
}

/// Reads the grants; plugins that the last snapshot has are taken over with their compiled schemas.
pub(super) async fn load(db: &Db, last: &Snapshot) -> Result<Snapshot, RegistryError> {
    // Read first: what changes in between is read again at the next look.
    let generation = directory::generation(db).await?;
    let plugins = load_plugins(db, last).await?;
    let failing = failing::load(db).await?;
    let query = sqlx::query(
        "select workspace_id, id, channel_id, hash, position, scopes, fingerprint, settings from plugin_grant \
         where state = 'enabled' order by workspace_id, channel_id, position, id",
    );
    let rows = db.fetch_all(query).await?;
    let mut shared = Shared::default();
    let mut channels: HashMap<(WorkspaceId, ChannelId), Vec<Arc<EnabledPlugin>>> = HashMap::new();
    let mut unreadable = Vec::new();
    for row in &rows {
        let grant = unreadable_grant(row, &plugins)?;
        let Ok(enabled) = enabled(row, &plugins, &mut shared) else {
            tell_once(&grant, last);
            unreadable.push(grant);
            continue;
        };
        let place = (enabled.workspace.clone(), enabled.channel.clone());
        channels.entry(place).or_default().push(Arc::new(enabled));
    }
    let channels = channels.into_iter().map(|(place, list)| (place, ChannelPlugins::from(list))).collect();
    Ok(Snapshot { generation, channels, plugins, unreadable, failing })
}

/// One damaged row stops its own plugin on its own channel, and nobody else's.
fn tell_once(grant: &UnreadableGrant, last: &Snapshot) {
    if !last.unreadable.contains(grant) {
        tracing::error!(
            workspace.id = grant.workspace,
            channel.id = grant.channel,
            grant.id = grant.id,
            plugin.hash = grant.hash,
            "A grant cannot be read; its plugin is not asked on this channel until it is enabled again"
        );
    }
}

/// What the row of a grant is called, should the rest not be readable.
fn unreadable_grant(
    row: &AnyRow,
    plugins: &HashMap<ContentHash, Arc<Plugin>>,
) -> Result<UnreadableGrant, RegistryError> {
    let text = |name: &str| row.try_get::<String, _>(name).map_err(|_| RegistryError::Unreadable("grant"));
    let hash = text("hash")?;
    let plugin = ContentHash::parse(&hash).ok().and_then(|hash| plugins.get(&hash));
    Ok(UnreadableGrant {
        workspace: text("workspace_id")?,
        channel: text("channel_id")?,
        id: text("id")?,
        plugin: plugin.map(|plugin| (plugin.key.clone(), plugin.manifest.id.clone())),
        hash,
    })
}

async fn load_plugins(db: &Db, last: &Snapshot) -> Result<HashMap<ContentHash, Arc<Plugin>>, RegistryError> {
    let query = sqlx::query(
        "select hash, plugin_key, manifest from plugin \
         where hash in (select hash from plugin_grant where state = 'enabled')",
    );
    let mut plugins = HashMap::new();
    for row in &db.fetch_all(query).await? {
        let plugin = plugin_of(row)?;
        let plugin = last.plugins.get(&plugin.hash).cloned().unwrap_or_else(|| Arc::new(plugin));
        plugins.insert(plugin.hash.clone(), plugin);
    }
    Ok(plugins)
}

fn enabled(
    row: &AnyRow,
    plugins: &HashMap<ContentHash, Arc<Plugin>>,
    shared: &mut Shared,
) -> Result<EnabledPlugin, RegistryError> {
    let text = |name: &str| row.try_get::<String, _>(name).map_err(|_| RegistryError::Unreadable("grant"));
    let unreadable = |_| RegistryError::Unreadable("grant");
    let hash = ContentHash::parse(&text("hash")?).map_err(unreadable)?;
    let plugin = plugins.get(&hash).ok_or(RegistryError::Unreadable("grant"))?;
    let scopes = text("scopes")?;
    // Nobody consented to this text for these bytes.
    if fingerprint(&hash, &scopes) != text("fingerprint")? {
        return Err(RegistryError::Unreadable("grant"));
    }
    Ok(EnabledPlugin {
        workspace: WorkspaceId::parse(&text("workspace_id")?).map_err(unreadable)?,
        channel: ChannelId::parse(&text("channel_id")?).map_err(unreadable)?,
        grant_id: GrantId::parse(&text("id")?).map_err(unreadable)?,
        plugin_key: plugin.key.clone(),
        plugin_id: plugin.manifest.id.clone(),
        hash,
        position: row.try_get("position").map_err(|_| RegistryError::Unreadable("grant"))?,
        plugin: Arc::clone(plugin),
        scopes: shared.scopes(scopes)?,
        settings_json: shared.settings(&text("settings")?)?,
    })
}

impl Shared {
    fn scopes(&mut self, text: String) -> Result<Arc<Scopes>, RegistryError> {
        if let Some(scopes) = self.scopes.get(&text) {
            return Ok(Arc::clone(scopes));
        }
        let scopes: Scopes = serde_json::from_str(&text).map_err(|_| RegistryError::Unreadable("grant"))?;
        let scopes = Arc::new(scopes);
        self.scopes.insert(text, Arc::clone(&scopes));
        Ok(scopes)
    }

    /// They were checked against the plugin's schema when it was enabled; here counts that they are whole.
    fn settings(&mut self, text: &str) -> Result<Arc<str>, RegistryError> {
        if let Some(settings) = self.settings.get(text) {
            return Ok(Arc::clone(settings));
        }
        serde_json::from_str::<HashMap<String, IgnoredAny>>(text).map_err(|_| RegistryError::Unreadable("grant"))?;
        let settings: Arc<str> = Arc::from(text);
        self.settings.insert(Arc::clone(&settings));
        Ok(settings)
    }
}
