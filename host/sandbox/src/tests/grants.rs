//! A guest reaches what it was granted, and nothing else.

use std::sync::Arc;

use bellhop_domain::capability::{Capability, CapabilitySet};
use bellhop_domain::effect::Answer;

use crate::fixture::{CONTACT, HTTP, MEDIA, RECORDS, REPLY, call, context, event, guest, sandbox};
use crate::{Limits, NoHost, Outcome, PrepareError};

fn set(capabilities: &[Capability]) -> CapabilitySet {
    capabilities.iter().copied().collect()
}

/// Asks for a field and crashes unless the reply is a fault whose code is "denied".
fn expects_denial() -> String {
    format!(
        "(call $field (i32.const 0) (i32.const 0) (i32.const {REPLY}))
        (if (i32.ne (i32.load8_u (i32.const {REPLY})) (i32.const 1)) (then unreachable))
        (if (i32.ne (i32.load offset=8 (i32.const {REPLY})) (i32.const 6)) (then unreachable))
        (if (i32.ne (i32.load (i32.load offset=4 (i32.const {REPLY}))) (i32.const 0x696e6564)) (then unreachable))
        (call $pass)"
    )
}

#[tokio::test]
async fn a_missing_grant_is_named() {
    let plugin = guest(
        &format!("{CONTACT} {RECORDS}"),
        "",
        "(call $field (i32.const 0) (i32.const 0) (i32.const 2048))
        (call $get (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 2048)) (call $pass)",
    );
    assert_eq!(plugin.imports, set(&[Capability::Contact, Capability::Records]));
    let sandbox = sandbox(1);
    let granted = set(&[Capability::Contact]);
    let refused = sandbox.prepare(&plugin, &granted, &CapabilitySet::new()).await.err().unwrap();
    let message = refused.to_string();
    assert!(message.contains("`records`") && !message.contains("`contact`"), "{message}");
    let PrepareError::NotGranted { missing } = refused else { panic!("{refused:?}") };
    assert_eq!(missing, set(&[Capability::Records]));
}

#[tokio::test]
async fn an_empty_grant_is_nothing() {
    let plugin = guest(CONTACT, "", &expects_denial());
    let refused = sandbox(1).prepare(&plugin, &CapabilitySet::new(), &CapabilitySet::new()).await;
    assert!(matches!(refused, Err(PrepareError::NotGranted { .. })));
}

#[tokio::test]
async fn an_optional_import_without_a_grant_answers_denied() {
    let plugin = guest(CONTACT, "", &expects_denial());
    let sandbox = sandbox(1);
    let optional = set(&[Capability::Contact]);
    let prepared = sandbox.prepare(&plugin, &CapabilitySet::new(), &optional).await.unwrap();
    let report = prepared.call(&event(), &context(), NoHost, &Limits::default()).await;
    assert_eq!(report.outcome, Outcome::Answered(Answer::Pass));
    assert_eq!(report.host_calls, 1);
}

#[tokio::test]
async fn a_stub_counts_its_calls() {
    let body = "(loop $again (call $field (i32.const 0) (i32.const 0) (i32.const 2048)) (br $again)) (unreachable)";
    let plugin = guest(CONTACT, "", body);
    let sandbox = sandbox(1);
    let prepared = sandbox.prepare(&plugin, &CapabilitySet::new(), &set(&[Capability::Contact])).await.unwrap();
    let report = prepared.call(&event(), &context(), NoHost, &Limits::default()).await;
    assert!(matches!(&report.outcome, Outcome::Stopped(reason) if reason.as_code() == "host-calls"));
}

#[tokio::test]
async fn a_host_without_an_interface_denies_it() {
    let report = call(&guest(CONTACT, "", &expects_denial()), &Limits::default()).await;
    assert_eq!(report.outcome, Outcome::Answered(Answer::Pass));
}

#[tokio::test]
async fn a_plugin_is_made_once_for_each_grant() {
    let plugin = guest(CONTACT, "", &expects_denial());
    let sandbox = sandbox(1);
    let contact = set(&[Capability::Contact]);
    let more = set(&[Capability::Contact, Capability::Http]);
    let first = sandbox.prepare(&plugin, &contact, &CapabilitySet::new()).await.unwrap();
    let wider = sandbox.prepare(&plugin, &more, &contact).await.unwrap();
    assert!(Arc::ptr_eq(&first, &wider), "what it does not import is no part of its grant");
    let stubbed = sandbox.prepare(&plugin, &CapabilitySet::new(), &contact).await.unwrap();
    assert!(!Arc::ptr_eq(&first, &stubbed));
    sandbox.forget(&plugin.hash);
    let again = sandbox.prepare(&plugin, &contact, &CapabilitySet::new()).await.unwrap();
    assert!(!Arc::ptr_eq(&first, &again));
}

#[tokio::test]
async fn every_capability_can_be_granted_and_stubbed() {
    let imports = [
        (Capability::Contact, CONTACT, "(call $field (i32.const 0) (i32.const 0) (i32.const 2048))"),
        (Capability::Records, RECORDS, "(call $get (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 2048))"),
        (Capability::Media, MEDIA, "(call $read (i32.const 0) (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 2048))"),
        (Capability::Http, HTTP, HTTP_CALL),
        (
            Capability::History,
            r#"(import "bellhop:plugin/history@0.1.0" "recent" (func $recent (param i32 i32)))"#,
            "(call $recent (i32.const 1) (i32.const 2048))",
        ),
        (
            Capability::LanguageModel,
            r#"(import "bellhop:plugin/language-model@0.1.0" "complete"
                (func $complete (param i32 i32 i32 i32 i32 i32 i32 i32 i32)))"#,
            "(call $complete (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
                (i32.const 0) (i32.const 2048))",
        ),
    ];
    assert_eq!(imports.iter().map(|(capability, ..)| *capability).collect::<CapabilitySet>(), set(&Capability::ALL));
    let sandbox = sandbox(1);
    for (capability, import, ask) in imports {
        let denied = "(if (i32.ne (i32.load8_u (i32.const 2048)) (i32.const 1)) (then unreachable)) (call $pass)";
        let plugin = guest(import, "", &format!("{ask} {denied}"));
        assert_eq!(plugin.imports, set(&[capability]));
        let one = set(&[capability]);
        for (granted, optional) in [(&one, &CapabilitySet::new()), (&CapabilitySet::new(), &one)] {
            let prepared = sandbox.prepare(&plugin, granted, optional).await.unwrap();
            let report = prepared.call(&event(), &context(), NoHost, &Limits::default()).await;
            assert_eq!(report.outcome, Outcome::Answered(Answer::Pass), "{capability:?}");
        }
    }
}

const HTTP_CALL: &str = "(call $send (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
    (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 2048))";
