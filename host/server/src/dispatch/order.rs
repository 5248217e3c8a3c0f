//! In which order plugins are asked: whose button was tapped, who keeps the floor, then the business's order.

use std::sync::Arc;

use bellhop_domain::id::PluginKey;

use crate::registry::EnabledPlugin;

/// The plugins in the order of this turn. `tapped` and `floor` are plugin keys.
pub(super) fn order(
    enabled: &[Arc<EnabledPlugin>],
    tapped: Option<&PluginKey>,
    floor: Option<&str>,
) -> Vec<Arc<EnabledPlugin>> {
    let mut ordered = enabled.to_vec();
    ordered.sort_by_key(|plugin| {
        let key = plugin.plugin_key.as_str();
        (tapped != Some(&plugin.plugin_key), floor != Some(key), plugin.position)
    });
    ordered
}
