//! The plugins that ship with the host pass through the same door as everybody's.

use bellhop_domain::capability::CapabilitySet;
use bellhop_domain::plugin::{Context, Message, PluginEvent};
use bellhop_domain::time::Timestamp;

use crate::fixture::{context, sandbox};
use crate::{Limits, NoHost, Outcome, admit};

fn greeting() -> PluginEvent {
    PluginEvent::Messages(vec![Message {
        id: "message".to_owned(),
        at: Timestamp::from_millis(1_800_000_000_000),
        text: Some("Hello, when do you open?".to_owned()),
        payload: None,
        attachments: Vec::new(),
        reply_to: None,
        late: false,
    }])
}

#[tokio::test]
async fn every_bundled_plugin_runs_well_within_its_limits() {
    let sandbox = sandbox(1);
    let limits = Limits::default();
    let context = Context { settings_json: "{}".to_owned(), ..context() };
    for bundled in bellhop_plugins::BUNDLED {
        let admitted = admit(bundled.bytes).unwrap();
        assert!(admitted.manifest.contains(bundled.id));
        sandbox.install(&admitted).await.unwrap();
        let prepared = sandbox.prepare(&admitted, &admitted.imports, &CapabilitySet::new()).await.unwrap();
        let report = prepared.call(&greeting(), &context, NoHost, &limits).await;
        // A host that denies everything is no reason to crash.
        assert!(!matches!(report.outcome, Outcome::Stopped(_)), "{}: {:?}", bundled.id, report.outcome);
        assert!(report.fuel_used < limits.fuel / 10, "{}: {}", bundled.id, report.fuel_used);
        assert!(report.peak_memory_bytes <= limits.memory_bytes / 4, "{}", bundled.id);
    }
}
