//! The bundled plugins as the benchmarks call them: the same short question, the same settings, every time.

use std::sync::Arc;

use anyhow::Context as _;
use bellhop_domain::capability::CapabilitySet;
use bellhop_domain::plugin::{Context, Message, PluginEvent};
use bellhop_domain::time::Timestamp;
use bellhop_plugins::BUNDLED;
use bellhop_sandbox::{Prepared, Sandbox, admit};

/// When the benchmarks' customers write.
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// What they ask.
pub(crate) const QUESTION: &str = "When are you open on Sunday?";

/// The file of a bundled plugin.
pub(crate) fn file(id: &str) -> anyhow::Result<&'static [u8]> {
    let found = BUNDLED.iter().find(|bundled| bundled.id == id);
    found.map(|bundled| bundled.bytes).with_context(|| format!("`{id}` is not bundled"))
}

/// A bundled plugin with all that it imports granted.
pub(crate) async fn prepared(sandbox: &Sandbox, id: &str) -> anyhow::Result<Arc<Prepared>> {
    let admitted = admit(file(id)?)?;
    Ok(sandbox.prepare(&admitted, &admitted.imports, &CapabilitySet::new()).await?)
}

/// One short text message.
pub(crate) fn event(text: &str) -> PluginEvent {
    PluginEvent::Messages(vec![Message {
        id: "019a5f00-0000-7000-8000-000000000001".to_owned(),
        at: NOW,
        text: Some(text.to_owned()),
        payload: None,
        attachments: Vec::new(),
        reply_to: None,
        late: false,
    }])
}

/// A first message: no session yet.
pub(crate) fn context() -> Context {
    Context {
        turn: "019a5f00-0000-7000-8000-000000000002".to_owned(),
        now: NOW,
        seed: 7,
        channel_kind: "messenger".to_owned(),
        contact: "c7f3q2k9".to_owned(),
        locale: "en_GB".to_owned(),
        time_zone: "Europe/Lisbon".to_owned(),
        reply_window_closes: Some(Timestamp::from_millis(NOW.millis() + 86_400_000)),
        settings_json: "{}".to_owned(),
        session_json: None,
        holds_floor: false,
        dry_run: false,
        facts: Vec::new(),
    }
}
