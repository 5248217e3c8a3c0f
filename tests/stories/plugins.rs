//! Plugins that crash, loop and flood: each fails alone, the next one answers, and the trace says what happened.

use bellhop::trace::PluginLine;

use crate::support::hostile::{CONTACT, Guest, LOG, guest};
use crate::support::{TestApp, story};

const HELLO: &str = "Hello! How can we help?";

/// The hostile plugin is asked first and the customer is answered by the next one; what the trace says of the former.
async fn survived(app: &TestApp, hostile: &Guest<'_>) -> PluginLine {
    app.enable_hostile(&app.business, hostile).await;
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("hello").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana), [HELLO], "{:?}", app.last_plugins().await);
    let plugins = app.last_plugins().await;
    let [first, second] = plugins.as_slice() else { panic!("{plugins:?}") };
    assert_eq!((first.plugin.as_str(), second.plugin.as_str()), ("hostile", "hello"));
    assert_eq!(second.outcome, "done");
    assert_eq!(app.events_that("message done").await, 1);
    first.clone()
}

story!(a_plugin_that_crashes_fails_alone, |app| {
    let line = survived(&app, &guest("(unreachable)")).await;
    assert_eq!(line.outcome, "stopped: trap");
    assert!(line.detail.unwrap().contains("crashed"));
});

story!(a_plugin_that_loops_ends_within_its_budget, |mut app| {
    app.reopen(|config| config.sandbox.fuel = 5_000_000).await;
    let line = survived(&app, &guest("(loop $on (br $on)) (unreachable)")).await;
    assert_eq!((line.outcome.as_str(), line.fuel), ("stopped: out-of-fuel", 5_000_000));
    assert_eq!(line.detail.as_deref(), Some("the plugin used all of its 5000000 units of computation"));
});

story!(a_plugin_that_loops_in_the_hosts_calls_ends_too, |app| {
    let call = "(call $field (i32.const 0) (i32.const 0) (i32.const 2048))";
    let body = format!("(loop $on {call} (br $on)) (unreachable)");
    let hostile = Guest { imports: CONTACT, manifest: OPTIONAL_CONTACT, ..guest(&body) };
    let line = survived(&app, &hostile).await;
    assert_eq!(line.outcome, "stopped: host-calls");
});

story!(a_plugin_that_eats_memory_ends_at_its_share, |app| {
    let body = "(loop $on (drop (memory.grow (i32.const 16))) (br $on)) (unreachable)";
    assert_eq!(survived(&app, &guest(body)).await.outcome, "stopped: memory");
});

story!(a_plugin_that_calls_itself_for_ever_ends, |app| {
    let items = "(func $deep (param i32) (result i32) (i32.add (call $deep (local.get 0)) (i32.const 1)))";
    let hostile = Guest { items, ..guest("(call $deep (i32.const 1))") };
    assert_eq!(survived(&app, &hostile).await.outcome, "stopped: stack-overflow");
});

story!(a_flood_of_effects_does_nothing_at_all, |app| {
    let line = survived(&app, &guest("(call $propose (i32.const 33))")).await;
    assert_eq!(line.outcome, "stopped: effects");
    assert_eq!(line.detail.as_deref(), Some("the plugin proposed 33 effects and may propose 32"));
    assert_eq!(app.count("delivery").await, 1, "only the other's answer");
});

story!(a_text_beyond_all_bounds_is_no_answer, |app| {
    let body = "(memory.fill (i32.const 65536) (i32.const 97) (i32.const 60000))
        (call $say (i32.const 65536) (i32.const 60000))";
    let line = survived(&app, &guest(body)).await;
    assert_eq!(line.outcome, "stopped: invalid-answer");
});

story!(a_text_that_is_none_is_the_plugins_crash, |app| {
    let hostile =
        Guest { items: r#"(data (i32.const 16384) "\ff\fe")"#, ..guest("(call $say (i32.const 16384) (i32.const 2))") };
    assert_eq!(survived(&app, &hostile).await.outcome, "stopped: trap");
});

story!(a_flood_of_log_lines_is_cut_and_harms_nobody, |app| {
    let body = "(loop $on
            (call $log (i32.const 3) (i32.const 16384) (i32.const 4))
            (local.set $count (i32.add (local.get $count) (i32.const 1)))
            (br_if $on (i32.lt_u (local.get $count) (i32.const 10000))))
        (call $pass)";
    let items = r#"(data (i32.const 16384) "spam")"#;
    let line = survived(&app, &Guest { imports: LOG, items, ..guest(body) }).await;
    assert_eq!(line.outcome, "pass");
    assert_eq!(line.logs.len(), 64);
    assert!(line.logs[0].contains("spam"));
});

/// Asks for the contact and can do without.
const OPTIONAL_CONTACT: &str =
    "contact-fields = [\"phone\"]\n[capabilities.contact]\noptional = true\nreason.en = \"To know everything.\"";

story!(what_was_not_granted_answers_denied_and_nothing_else, |app| {
    // Crashes unless the answer is the fault "denied".
    let body = "(call $field (i32.const 16384) (i32.const 5) (i32.const 2048))
        (if (i32.ne (i32.load8_u (i32.const 2048)) (i32.const 1)) (then unreachable))
        (if (i32.ne (i32.load (i32.load offset=4 (i32.const 2048))) (i32.const 0x696e6564)) (then unreachable))
        (call $pass)";
    let hostile = Guest {
        imports: CONTACT,
        items: "(data (i32.const 16384) \"phone\")",
        manifest: OPTIONAL_CONTACT,
        ..guest(body)
    };
    let line = survived(&app, &hostile).await;
    assert_eq!((line.outcome.as_str(), line.host_calls), ("pass", 1));
});

story!(an_effect_that_was_not_granted_does_nothing, |app| {
    // Case 5 is an attribute: neither asked for nor granted.
    let body = "(i32.store8 (i32.const 8192) (i32.const 5))
        (i32.store (i32.const 8200) (i32.const 16384)) (i32.store (i32.const 8204) (i32.const 3))
        (i32.store (i32.const 8208) (i32.const 16384)) (i32.store (i32.const 8212) (i32.const 3))
        (call $propose (i32.const 1))";
    app.enable_hostile(&app.business, &Guest { items: "(data (i32.const 16384) \"vip\")", ..guest(body) }).await;
    app.customer("Ana").says("hello").unwrap();
    app.rest().await;
    let plugins = app.last_plugins().await;
    assert_eq!(plugins[0].proposals[0].effect, "set-attribute");
    assert!(plugins[0].proposals[0].verdict.starts_with("deny: `set-attribute` is not granted"), "{plugins:?}");
    assert_eq!(app.count("contact_mark").await, 0);
});

story!(a_link_to_a_host_that_was_not_listed_never_leaves, |app| {
    let text = "Look: https://evil.example/?q=secret";
    let items = format!("(data (i32.const 16384) \"{text}\")");
    let body = format!("(call $say (i32.const 16384) (i32.const {}))", text.len());
    app.enable_hostile(&app.business, &Guest { items: &items, ..guest(&body) }).await;
    app.customer("Ana").says("hello").unwrap();
    app.rest().await;
    assert_eq!(app.control.ledger().n_sends, 0);
    let plugins = app.last_plugins().await;
    assert!(plugins[0].proposals[0].verdict.contains("evil.example"), "{plugins:?}");
});

story!(when_the_only_plugin_fails_staff_are_told, |app| {
    app.enable_hostile(&app.business, &guest("(unreachable)")).await;
    app.customer("Ana").says("please help me").unwrap();
    app.rest().await;
    let tasks = app.tasks().await;
    let [task] = tasks.as_slice() else { panic!("{tasks:?}") };
    assert_eq!((task.kind.as_str(), task.note.as_deref()), ("unanswered", Some("please help me")));
    assert_eq!(app.turns().await[0].turn.outcome, "unanswered");
});

story!(a_plugin_that_asks_for_more_than_its_manifest_says_is_not_installed, |app| {
    let body = "(call $field (i32.const 0) (i32.const 0) (i32.const 2048)) (call $pass)";
    let refused = app.install_hostile(&Guest { imports: CONTACT, ..guest(body) }).await;
    assert!(refused.unwrap_err().to_string().contains("contact"));
});

story!(a_sleeping_partner_is_not_asked_once_it_is_switched_off, |app| {
    app.enable_hostile(&app.business, &guest("(unreachable)")).await;
    app.enable(&app.business, "hello", "{}").await;
    let registry = &app.app.stores.registry;
    let hostile = registry.plugin_find("hostile").await.unwrap();
    let (workspace, channel) = (&app.business.workspace, &app.business.channel);
    assert!(registry.disable(workspace, channel, &hostile.key).await.unwrap());
    app.customer("Ana").says("hello").unwrap();
    app.rest().await;
    let plugins = app.last_plugins().await;
    assert_eq!(plugins.iter().map(|line| line.plugin.as_str()).collect::<Vec<_>>(), ["hello"]);
});
