//! A plugin answers and policy lets nothing of it pass: the customer is not left in silence unless silence is what is due.

use std::time::Duration;

use bellhop::registry::{Enable, Scopes, TextScope};

use crate::support::hostile::{Guest, guest};
use crate::support::{TestApp, story};

const FALLBACK: &str = "Somebody will answer you soon.";

/// A plugin that answers everything with a link that nobody listed.
async fn with_a_linking_plugin(app: &TestApp) {
    let text = "Look: https://evil.example/offer";
    let items = format!("(data (i32.const 16384) \"{text}\")");
    let body = format!("(call $say (i32.const 16384) (i32.const {}))", text.len());
    app.enable_hostile(&app.business, &Guest { items: &items, ..guest(&body) }).await;
}

/// Kind, reason and note of the only task.
async fn only_task(app: &TestApp) -> (String, String, String) {
    let mut tasks = app.tasks().await;
    assert_eq!(tasks.len(), 1, "{tasks:?}");
    let task = tasks.remove(0);
    (task.kind, task.reason, task.note.unwrap())
}

story!(an_answer_that_policy_refuses_becomes_the_fallback_and_a_task, |app| {
    with_a_linking_plugin(&app).await;
    app.set_fallback(&app.business, FALLBACK).await;
    let ana = app.customer("Ana");
    ana.says("any offers?").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana), [FALLBACK]);
    let (kind, reason, note) = only_task(&app).await;
    assert_eq!((kind.as_str(), reason.as_str()), ("refused", "link-not-listed"));
    assert!(note.starts_with("any offers?\n") && note.contains("hostile") && note.contains("evil.example"), "{note}");
    assert_eq!(app.turns().await[0].turn.outcome, "refused");
});

story!(an_answer_that_was_not_granted_becomes_a_task_where_no_fallback_is_set, |app| {
    let registry = &app.app.stores.registry;
    let plugin = registry.plugin_find("hello").await.unwrap();
    let mut scopes = Scopes::asked(&plugin.manifest, TextScope::Clear);
    scopes.effects.clear();
    let enable = Enable {
        workspace: &app.business.workspace,
        channel: &app.business.channel,
        plugin: &plugin,
        scopes,
        settings_json: "{}",
        position: None,
    };
    registry.enable(enable).await.unwrap();
    app.customer("Ana").says("hello").unwrap();
    app.rest().await;
    assert_eq!(app.control.ledger().n_sends, 0);
    let (kind, reason, _) = only_task(&app).await;
    assert_eq!((kind.as_str(), reason.as_str()), ("refused", "effect-not-granted"));
});

story!(through_a_closed_window_nothing_is_said_and_staff_are_told, |app| {
    app.enable(&app.business, "hello", "{}").await;
    app.set_fallback(&app.business, FALLBACK).await;
    app.control.hold_webhooks();
    app.customer("Ana").says("hello").unwrap();
    app.advance(Duration::from_secs(24 * 3_600));
    app.control.release_webhooks(&bellhop_simulator::Release::InOrder);
    app.rest().await;
    assert_eq!(app.control.ledger().n_sends, 0);
    let (kind, reason, note) = only_task(&app).await;
    assert_eq!((kind.as_str(), reason.as_str()), ("refused", "window-closed"));
    assert!(note.starts_with("hello\n"), "{note}");
});

story!(to_whom_said_stop_nothing_is_said_and_nobody_is_bothered, |app| {
    // The plugin's own fault is found first; that the customer wants silence counts all the same.
    with_a_linking_plugin(&app).await;
    app.set_fallback(&app.business, FALLBACK).await;
    let ana = app.customer("Ana");
    ana.says("STOP").unwrap();
    app.rest().await;
    ana.says("any offers?").unwrap();
    app.rest().await;
    assert_eq!(app.control.ledger().n_sends, 0);
    assert_eq!(app.tasks().await.len(), 0);
    let plugins = app.last_plugins().await;
    assert!(plugins[0].proposals[0].verdict.starts_with("deny"), "{plugins:?}");
});

story!(a_plugin_may_answer_with_silence, |app| {
    app.enable_hostile(&app.business, &guest("(call $propose (i32.const 0))")).await;
    app.set_fallback(&app.business, FALLBACK).await;
    app.customer("Ana").says("hello").unwrap();
    app.rest().await;
    assert_eq!(app.control.ledger().n_sends, 0);
    assert_eq!(app.tasks().await.len(), 0);
    assert_eq!(app.turns().await[0].turn.outcome, "answered");
});
