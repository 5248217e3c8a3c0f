//! What happened to each message, put together from both sides: the host's turns, tasks and deliveries, and the simulator's
//! books of webhooks and calls. Reads only; shows made-up people, never a real customer.

mod join;
mod seen;

use std::collections::HashMap;

use bellhop_domain::id::ConversationId;
use bellhop_domain::time::Timestamp;
use bellhop_simulator::Control;
use serde::Serialize;

use crate::api::{Api, TurnView, turns_view};
use crate::command::demo::sample::Business;
use crate::config::SettleConfig;
use crate::conversation;
use crate::registry::{EnabledPlugin, Registry, TextScope};

use seen::{CallView, WebhookView};

/// Turns that are shown; older ones stay in the store.
const MAX_TURNS: u32 = 30;

/// Where everything is read from.
pub(super) struct Sources<'a> {
    pub(super) api: &'a Api,
    pub(super) registry: &'a Registry,
    pub(super) control: &'a Control,
    pub(super) business: &'a Business,
    pub(super) handed_back: &'a HashMap<ConversationId, Timestamp>,
}

/// All that the page shows.
#[derive(Debug, Serialize)]
pub(super) struct StateView<'a> {
    now: Timestamp,
    business: &'static str,
    /// Quiet time after which a question is whole.
    settle_ms: u64,
    plugins: Vec<PluginView>,
    /// Titles of the business's entries, by id.
    entries: &'a HashMap<String, String>,
    /// Newest first.
    stories: Vec<StoryView>,
}

/// A plugin and what the business granted it.
#[derive(Debug, Serialize)]
struct PluginView {
    id: String,
    name: String,
    version: String,
    hash: String,
    /// Capabilities that are linked.
    granted: Vec<&'static str>,
    /// What the business reads when it grants them, by capability.
    reasons: HashMap<&'static str, String>,
    /// Kinds of effects that are performed.
    effects: Vec<String>,
    /// How it is shown what customers write: "clear", "masked" or "none".
    text: TextScope,
}

/// One or more messages that were dealt with together.
#[derive(Debug, Serialize)]
struct StoryView {
    /// Stays the same from the first sign of the message to its end.
    id: String,
    person: Option<PersonView>,
    said: Vec<SaidView>,
    webhooks: Vec<WebhookView>,
    /// How far it is.
    stage: Stage,
    /// What was recognised beside the queue: "opt-out", "opt-in", "human-request".
    signal: Option<&'static str>,
    turn: Option<TurnView>,
    /// Calls of the Graph API, by delivery.
    calls: HashMap<String, Vec<CallView>>,
    tasks: Vec<TaskView>,
    /// The conversation that a person holds since this story; it can be given back.
    held: Option<ConversationId>,
}

/// How far a story is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Stage {
    /// Stored or about to be; its turn has not been committed.
    Waiting,
    /// Its turn is committed.
    Turn,
    /// Applied at once, beside the turns.
    Control,
}

/// Who wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct PersonView {
    id: String,
    name: String,
}

/// One message of a story.
#[derive(Debug, Clone, Serialize)]
struct SaidView {
    text: Option<String>,
    at: i64,
}

/// Something that waits for a person.
#[derive(Debug, Clone, Serialize)]
struct TaskView {
    kind: String,
    reason: String,
    note: Option<String>,
    at: Timestamp,
}

/// Everything, as it stands.
pub(super) async fn state<'a>(
    sources: &Sources<'a>,
) -> Result<StateView<'a>, Box<dyn std::error::Error + Send + Sync>> {
    let (api, workspace) = (sources.api, &sources.business.workspace);
    // The messages first: whatever comes meanwhile is still waiting, never missing.
    let messages = seen::messages(&sources.control.page(&sources.business.page_id)?);
    let ledger = sources.control.ledger();
    let turns = turns_view(api, workspace, MAX_TURNS).await?;
    let tasks = conversation::tasks_open(&api.db, &api.vault, workspace).await?;
    let joined = join::Joined {
        messages: &messages,
        webhooks: &seen::webhooks(&ledger),
        calls: &seen::calls(&ledger),
        tasks: &tasks,
        handed_back: sources.handed_back,
    };
    let plugins = sources.registry.plugins_for(workspace, &sources.business.channel);
    Ok(StateView {
        now: api.db.now(),
        business: sources.business.name,
        // The demo runs with the defaults.
        settle_ms: SettleConfig::default().quiet_ms,
        plugins: plugins.iter().map(|plugin| plugin_view(plugin)).collect(),
        entries: &sources.business.entries,
        stories: joined.stories(turns),
    })
}

fn plugin_view(enabled: &EnabledPlugin) -> PluginView {
    let manifest = &enabled.plugin.manifest;
    let reasons = manifest.capabilities.iter();
    PluginView {
        id: enabled.plugin_id.clone(),
        name: manifest.name.pick("en").to_owned(),
        version: manifest.version.to_string(),
        hash: enabled.hash.to_string(),
        granted: enabled.scopes.capabilities.iter().map(|capability| capability.as_str()).collect(),
        reasons: reasons
            .map(|(capability, request)| (capability.as_str(), request.reason.pick("en").to_owned()))
            .collect(),
        effects: enabled.scopes.effects.iter().cloned().collect(),
        text: enabled.scopes.text,
    }
}
