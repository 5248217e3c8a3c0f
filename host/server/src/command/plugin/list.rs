//! `bellhop plugin list`.

use crate::app::Stores;
use crate::command::{say, setup};
use crate::registry::{Failing, Suspended};

/// All that is installed.
pub(super) async fn installed(stores: &Stores) -> anyhow::Result<()> {
    for plugin in stores.registry.plugins().await? {
        let asked: Vec<_> = plugin.manifest.asked().iter().map(|capability| capability.as_str()).collect();
        let effects = plugin.manifest.scopes.effects.join(", ");
        say(format_args!("{} {}  {}", plugin.manifest.id, plugin.manifest.version, plugin.hash));
        let reads = if asked.is_empty() { "nothing".to_owned() } else { asked.join(", ") };
        say(format_args!("    reads: {reads}; may: {effects}; signed by {}", plugin.signer().unwrap_or("nobody")));
    }
    Ok(())
}

/// What is enabled on a channel, and what waits there.
pub(super) async fn channel(stores: &Stores, workspace: &str, channel: &str) -> anyhow::Result<()> {
    let (workspace, channel) = setup::channel_ids(stores, workspace, channel)?;
    let updated = stores.registry.updated(&workspace, &channel).await?;
    let waiting = stores.registry.waiting(&workspace, &channel).await?;
    for plugin in stores.registry.plugins_for(&workspace, &channel).iter() {
        let version = &plugin.plugin.manifest.version;
        let how = if updated.contains(&plugin.grant_id) { "  updated by itself" } else { "" };
        say(format_args!("{}  {} {version}  {}{how}", plugin.position, plugin.plugin_id, plugin.hash));
        if let Some(failing) = stores.registry.failing(&plugin.grant_id) {
            say_suspended(&failing)?;
        }
        for one in waiting.iter().filter(|one| one.enabled.hash == plugin.hash) {
            let (version, hash) = (&one.newer.manifest.version, &one.newer.hash);
            say(format_args!("   {version}  {hash}  waits for consent: {}", one.why));
        }
    }
    for grant in super::unreadable(stores, &workspace, &channel) {
        let plugin = grant.plugin.map_or_else(|| "a plugin that is not installed".to_owned(), |(_, id)| id);
        say(format_args!(
            "-  {plugin}  {}  grant {} cannot be read and the plugin is not asked; enable it again",
            grant.hash, grant.id
        ));
    }
    Ok(())
}

/// What keeps a plugin from being asked, and when that ends.
fn say_suspended(failing: &Failing) -> anyhow::Result<()> {
    let Some(Suspended { since, probe_at }) = failing.suspended else { return Ok(()) };
    let [since, probe_at] = [since, probe_at].map(|at| jiff::Timestamp::from_millisecond(at.millis()));
    say(format_args!(
        "    switched off since {:.0}, because it kept failing: {}\n    it is tried again at {:.0}, and at once when you enable \
         it again",
        since?, failing.reason, probe_at?
    ));
    Ok(())
}
