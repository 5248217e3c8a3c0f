//! The flow rules at the moment a business enables a plugin: over all that it ever granted, in the transaction that grants.

use std::collections::BTreeSet;

use bellhop_domain::flow::{self, Held, Missing};
use bellhop_domain::grant::{Flow, Scopes};
use bellhop_domain::id::{ChannelId, PluginKey, WorkspaceId};
use sqlx::Row;

use super::RegistryError;
use crate::db::WriteTransaction;

/// A grant that stands beside the new one, or stood before it.
struct Other {
    plugin: String,
    scopes: Scopes,
    is_current: bool,
}

/// Refuses a grant that lacks a pair, and one that would make another plugin's grant lack one. What others lacked before is
/// no reason: it was granted before the rule.
pub(super) async fn check_in(
    transaction: &mut WriteTransaction,
    workspace: &WorkspaceId,
    channel: &ChannelId,
    (plugin, scopes): (&PluginKey, &Scopes),
) -> Result<(), RegistryError> {
    let others = others_in(transaction, workspace, channel, plugin).await?;
    let new = Held { plugin: plugin.as_str(), scopes, is_current: true };
    let mut alone = held(&others, |_| false);
    alone.push(new.clone());
    let own: Vec<Flow> = flow::missing(&alone).into_iter().map(|one| one.flow).collect();
    if !own.is_empty() {
        return Err(RegistryError::FlowsMissing(own));
    }
    let mut after = held(&others, |other| other.is_current);
    let before = flow::missing(&after);
    after.push(new);
    let elsewhere: BTreeSet<Missing> = flow::missing(&after).difference(&before).cloned().collect();
    match elsewhere.into_iter().find(|one| one.plugin != plugin.as_str()) {
        Some(Missing { plugin, flow }) => {
            let id = plugin.rsplit_once('/').map(|(_, id)| id.to_owned());
            Err(RegistryError::FlowElsewhere { plugin: id.unwrap_or(plugin), flow })
        }
        None => Ok(()),
    }
}

fn held(others: &[Other], is_current: fn(&Other) -> bool) -> Vec<Held<'_>> {
    let mut all = Vec::with_capacity(others.len() + 1);
    for other in others {
        all.push(Held { plugin: &other.plugin, scopes: &other.scopes, is_current: is_current(other) });
    }
    all
}

/// All grants of a business, each kind once. The one that is about to be replaced counts as one that was. A row that cannot
/// be read lets no plugin run and is left out.
async fn others_in(
    transaction: &mut WriteTransaction,
    workspace: &WorkspaceId,
    channel: &ChannelId,
    plugin: &PluginKey,
) -> Result<Vec<Other>, RegistryError> {
    let query = sqlx::query(
        "select distinct plugin_key, scopes, \
         case when state = 'enabled' and not (channel_id = $1 and plugin_key = $2) then 1 else 0 end as is_current \
         from plugin_grant where workspace_id = $3",
    );
    let query = query.bind(channel.as_str()).bind(plugin.as_str()).bind(workspace.as_str());
    let rows = transaction.fetch_all(query).await?;
    let unreadable = |_| RegistryError::Unreadable("grant");
    let mut others = Vec::with_capacity(rows.len());
    for row in &rows {
        let (plugin, scopes): (String, String) =
            (row.try_get("plugin_key").map_err(unreadable)?, row.try_get("scopes").map_err(unreadable)?);
        let is_current = row.try_get::<i64, _>("is_current").map_err(unreadable)? == 1;
        if let Ok(scopes) = serde_json::from_str(&scopes) {
            others.push(Other { plugin, scopes, is_current });
        }
    }
    Ok(others)
}
