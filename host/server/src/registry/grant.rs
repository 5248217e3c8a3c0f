//! Grants: a business enables a plugin on a channel, or disables it. One enabled grant per plugin and channel; an old one
//! is kept, revoked.

use bellhop_domain::id::{ChannelId, GrantId, PluginKey, WorkspaceId};
use sqlx::Row;

use super::{Plugin, Registry, RegistryError, Scopes, flows, scopes as rules, settings};
use crate::audit::{self, Code, Entry, Kind, Reference};
use crate::db::WriteTransaction;
use crate::directory;
use crate::record;

/// What a business decides when it enables a plugin.
#[derive(Debug)]
pub struct Enable<'a> {
    /// The tenant.
    pub workspace: &'a WorkspaceId,
    /// Where.
    pub channel: &'a ChannelId,
    /// Which; from [`Registry::plugin_find`].
    pub plugin: &'a Plugin,
    /// What it is given.
    pub scopes: Scopes,
    /// A JSON object.
    pub settings_json: &'a str,
    /// Its place in the order; `None` puts it last, or leaves it where it was.
    pub position: Option<i64>,
}

/// The code of a grant that the business took back.
const DISABLED: &str = "plugin-disabled";

impl Registry {
    /// Enables a plugin on a channel: checks grant and settings, links it on trial, declares its collections.
    ///
    /// # Errors
    /// [`RegistryError`] says what to grant, mend or install first; nothing was written.
    ///
    /// # Cancel safety
    /// One transaction.
    pub async fn enable(&self, enable: Enable<'_>) -> Result<GrantId, RegistryError> {
        let Enable { workspace, channel, plugin, scopes, settings_json, position } = enable;
        rules::check(&scopes, &plugin.manifest)?;
        let canonical = scopes.canonical();
        let settings = settings::checked(&plugin.manifest, settings_json)?;
        self.code(plugin, &scopes.capabilities).await?;
        let grant = GrantId::new();
        let now = self.inner.db.now();
        let mut transaction = self.inner.db.begin_write().await?;
        // First, so that two that are enabled at once see each other's grants.
        directory::generation_bump(&mut transaction).await?;
        flows::check_in(&mut transaction, workspace, channel, (&plugin.key, &scopes)).await?;
        let place = place_in(&mut transaction, workspace, channel, plugin).await?;
        revoke_in(&mut transaction, workspace, channel, plugin.key.as_str(), (now.millis(), "replaced")).await?;
        record::collections_declare_in(&mut transaction, workspace, &plugin.key, &plugin.manifest.collections).await?;
        let insert = sqlx::query(
            "insert into plugin_grant (workspace_id, id, channel_id, plugin_key, hash, position, scopes, fingerprint, \
             settings, state, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'enabled', $10)",
        )
        .bind(workspace.as_str())
        .bind(grant.as_str())
        .bind(channel.as_str())
        .bind(plugin.key.as_str())
        .bind(plugin.hash.as_str())
        .bind(position.unwrap_or(place))
        .bind(canonical.as_str())
        .bind(rules::fingerprint(&plugin.hash, &canonical))
        .bind(settings)
        .bind(now.millis());
        transaction.execute(insert).await?;
        let entry = Entry {
            plugin_hash: Some(plugin.hash.clone()),
            grant_id: Some(grant.clone()),
            reference: Some(Reference::from(channel)),
            ..Entry::new(workspace.clone(), Kind::Configuration, Code::of("plugin-enabled"))
        };
        audit::append(&mut transaction, now, &[entry]).await?;
        transaction.commit().await?;
        self.refresh().await?;
        Ok(grant)
    }

    /// Disables a plugin on a channel; false when it was not enabled there.
    ///
    /// # Errors
    /// [`RegistryError::Db`].
    pub async fn disable(
        &self,
        workspace: &WorkspaceId,
        channel: &ChannelId,
        plugin_key: &PluginKey,
    ) -> Result<bool, RegistryError> {
        let now = self.inner.db.now();
        let mut transaction = self.inner.db.begin_write().await?;
        let revoked =
            revoke_in(&mut transaction, workspace, channel, plugin_key.as_str(), (now.millis(), DISABLED)).await?;
        if revoked == 0 {
            return Ok(false);
        }
        let entry = Entry {
            reference: Some(Reference::from(channel)),
            ..Entry::new(workspace.clone(), Kind::Configuration, Code::of(DISABLED))
        };
        audit::append(&mut transaction, now, &[entry]).await?;
        directory::generation_bump(&mut transaction).await?;
        transaction.commit().await?;
        self.refresh().await?;
        Ok(true)
    }
}

/// Where the plugin stands on the channel, or the place behind all others. Also the check that the channel is there.
async fn place_in(
    transaction: &mut WriteTransaction,
    workspace: &WorkspaceId,
    channel: &ChannelId,
    plugin: &Plugin,
) -> Result<i64, RegistryError> {
    let unreadable = |_| RegistryError::Unreadable("grant");
    let query = sqlx::query("select id from channel where workspace_id = $1 and id = $2");
    if transaction.fetch_all(query.bind(workspace.as_str()).bind(channel.as_str())).await?.is_empty() {
        return Err(RegistryError::UnknownChannel(channel.clone()));
    }
    let query = sqlx::query(
        "select plugin_key, position from plugin_grant \
         where workspace_id = $1 and channel_id = $2 and state = 'enabled' order by position, id",
    );
    let rows = transaction.fetch_all(query.bind(workspace.as_str()).bind(channel.as_str())).await?;
    let mut last = 0;
    for row in &rows {
        let key: String = row.try_get("plugin_key").map_err(unreadable)?;
        let position: i64 = row.try_get("position").map_err(unreadable)?;
        if key == plugin.key.as_str() {
            return Ok(position);
        }
        last = last.max(position);
    }
    Ok(last + 1)
}

async fn revoke_in(
    transaction: &mut WriteTransaction,
    workspace: &WorkspaceId,
    channel: &ChannelId,
    plugin_key: &str,
    (now_millis, reason): (i64, &'static str),
) -> Result<u64, RegistryError> {
    let query = sqlx::query(
        "update plugin_grant set state = 'revoked', state_reason = $1, revoked_at = $2 \
         where workspace_id = $3 and channel_id = $4 and plugin_key = $5 and state = 'enabled'",
    )
    .bind(reason)
    .bind(now_millis)
    .bind(workspace.as_str())
    .bind(channel.as_str())
    .bind(plugin_key);
    Ok(transaction.execute(query).await?)
}
