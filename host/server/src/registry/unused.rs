//! What was granted and is not used: for a business that wants to give no more than is needed. Judges by what the audit log has,
//! which is what plugins read of people; effects, and a business's own records, leave no such row.

use std::collections::BTreeSet;
use std::time::Duration;

use bellhop_domain::capability::Capability;
use bellhop_domain::id::{ChannelId, GrantId, WorkspaceId};
use bellhop_domain::manifest::Owner;
use bellhop_domain::time::Timestamp;
use sqlx::Row;

use super::{EnabledPlugin, Registry, RegistryError, TextScope};
use crate::audit;

/// Unused for so long, a grant is worth a question: a month has every kind of day in it.
pub const UNUSED_AFTER: Duration = Duration::from_secs(30 * 86_400);

/// A grant of which something is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unused {
    /// The plugin's id.
    pub plugin: String,
    /// The grant.
    pub grant: GrantId,
    /// Since when it stands.
    pub since: Timestamp,
    /// What of it is not used, in the words of the grant.
    pub parts: Vec<String>,
}

impl Registry {
    /// What the plugins of a channel may read and have not read for a month; grants that are younger are left out. Walks the
    /// workspace's audit log.
    ///
    /// # Errors
    /// [`RegistryError::Db`].
    pub async fn unused(&self, workspace: &WorkspaceId, channel: &ChannelId) -> Result<Vec<Unused>, RegistryError> {
        let db = &self.inner.db;
        let before = db.now() - UNUSED_AFTER;
        let reads = audit::reads_since(db, workspace, before).await?;
        let mut unused = Vec::new();
        for plugin in self.plugins_for(workspace, channel).iter() {
            let Some(since) = self.granted_at(plugin).await?.filter(|since| *since <= before) else { continue };
            let read = |code: &str| reads.contains(&(plugin.grant_id.clone(), code.to_owned()));
            let parts = parts(plugin).into_iter().filter(|(_, code)| !code.as_deref().is_some_and(read));
            let parts: Vec<String> = parts.map(|(part, _)| part).collect();
            if !parts.is_empty() {
                let (plugin, grant) = (plugin.plugin_id.clone(), plugin.grant_id.clone());
                unused.push(Unused { plugin, grant, since, parts });
            }
        }
        Ok(unused)
    }

    async fn granted_at(&self, plugin: &EnabledPlugin) -> Result<Option<Timestamp>, RegistryError> {
        let select = sqlx::query("select created_at from plugin_grant where workspace_id = $1 and id = $2");
        let select = select.bind(plugin.workspace.as_str()).bind(plugin.grant_id.as_str());
        let row = self.inner.db.fetch_optional(select).await?;
        let at = row.map(|row| row.try_get(0)).transpose().map_err(|_| RegistryError::Unreadable("grant"))?;
        Ok(at.map(Timestamp::from_millis))
    }
}

/// The parts of a grant that leave a row when they are used, with its code; none for what this version never serves.
fn parts(plugin: &EnabledPlugin) -> BTreeSet<(String, Option<String>)> {
    let scopes = &plugin.scopes;
    let mut parts = BTreeSet::new();
    let mut add = |part: &str, code: Option<&str>| {
        parts.insert((part.to_owned(), code.map(str::to_owned)));
    };
    match scopes.text {
        TextScope::None => {}
        TextScope::Masked => add("text", Some("message-masked")),
        TextScope::Clear => add("text", Some("message-text")),
    }
    if scopes.attachments {
        add("attachments", Some("message-attachments"));
    }
    let mut collections = plugin.plugin.manifest.collections.iter();
    let of_contacts = collections.any(|one| one.owner == Owner::Contacts && scopes.collections.contains(&one.name));
    for capability in &scopes.capabilities {
        match capability {
            Capability::Contact => {
                let fields = scopes.contact_fields.iter();
                fields.for_each(|field| add(&format!("contact: {field}"), Some(&format!("contact-{field}"))));
            }
            Capability::Records if of_contacts => add("records of contacts", Some("contact-records")),
            Capability::Records => {}
            Capability::History => add("history", Some("history")),
            Capability::LanguageModel | Capability::Http | Capability::Media => add(capability.as_str(), None),
        }
    }
    parts
}
