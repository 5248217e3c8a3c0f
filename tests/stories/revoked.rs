//! A plugin is disabled while what it said waits: it is not said any more, staff answer instead, and nothing else is lost.

use crate::support::{SETTLED, TestApp, story};

const HELLO: &str = "Hello! How can we help?";

/// The business takes the grant back.
async fn disable(app: &TestApp) {
    let registry = &app.app.stores.registry;
    let plugin = registry.plugin_find("hello").await.unwrap();
    let (workspace, channel) = (&app.business.workspace, &app.business.channel);
    assert!(registry.disable(workspace, channel, &plugin.key).await.unwrap());
}

story!(what_a_plugin_said_is_not_sent_once_its_grant_is_revoked, |app| {
    app.enable(&app.business, "hello", "{}").await;
    app.customer("Ana").says("hello").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    app.app.dispatch.run_once().await.unwrap();
    assert_eq!(app.delivery_states().await, ["staged"]);
    disable(&app).await;
    app.calm().await;
    assert_eq!(app.control.ledger().n_sends, 0);
    let deliveries = app.deliveries().await;
    assert_eq!((deliveries[0].state.as_str(), deliveries[0].reason.as_deref()), ("dropped", Some("grant-revoked")));
    let tasks = app.tasks().await;
    let [task] = tasks.as_slice() else { panic!("{tasks:?}") };
    assert_eq!((task.kind.as_str(), task.reason.as_str()), ("undelivered", "grant-revoked"));
    assert_eq!(task.note.as_deref(), Some(HELLO));
});

story!(what_the_business_says_itself_needs_no_grant, |app| {
    app.set_fallback(&app.business, "Somebody will answer you soon.").await;
    app.enable(&app.business, "hello", "{}").await;
    disable(&app).await;
    let ana = app.customer("Ana");
    ana.says("hello").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana), ["Somebody will answer you soon."]);
});

story!(a_grant_that_takes_the_place_of_another_revokes_nothing, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("hello").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    app.app.dispatch.run_once().await.unwrap();
    app.enable(&app.business, "hello", "{\"en\": \"Hi!\"}").await;
    app.calm().await;
    assert_eq!(app.received(&ana), [HELLO]);
});

story!(a_host_that_has_not_heard_of_a_grant_yet_drops_nothing_for_it, |app| {
    let other = app.another_host().await;
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("hello").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    app.app.dispatch.run_once().await.unwrap();
    let plugins = other.stores.registry.plugins_for(&app.business.workspace, &app.business.channel);
    assert!(plugins.is_empty(), "it has not looked since");
    assert_eq!(other.outbox.run_once().await.unwrap(), 1);
    assert_eq!(app.received(&ana), [HELLO]);
    other.shutdown().await;
});
