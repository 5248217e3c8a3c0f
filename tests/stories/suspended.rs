//! A plugin that keeps failing is switched off where it fails, and nowhere else; it comes back by hand, or by a try that goes well.

use std::time::Duration;

use bellhop_domain::suspension::{FAILURES_IN_A_ROW, pause_after};
use bellhop_simulator::Customer;

use crate::support::hostile::guest;
use crate::support::{Business, TestApp, story};

const HELLO: &str = "Hello! How can we help?";

/// Passes when somewhere in what it is shown stands "calm", and crashes otherwise.
const CRASHES: &str = "(local.set $count (i32.const 65536))
    (loop $on
        (if (i32.eq (i32.load (local.get $count)) (i32.const 0x6d6c6163)) (then (return (call $pass))))
        (local.set $count (i32.add (local.get $count) (i32.const 1)))
        (br_if $on (i32.lt_u (local.get $count) (i32.const 70000))))
    (unreachable)";

/// How the hostile plugin's part of the last turn ended; `None` when it was not even thought of.
async fn last(app: &TestApp) -> Option<String> {
    app.last_plugins().await.into_iter().find(|line| line.plugin == "hostile").map(|line| line.outcome)
}

/// The customer says what makes it crash, so many times.
async fn says(app: &TestApp, customer: &Customer, n_times: u32) {
    for _ in 0..n_times {
        customer.says("hello").unwrap();
        app.rest().await;
    }
}

/// The customer says what it can bear.
async fn says_calmly(app: &TestApp, customer: &Customer) {
    customer.says("hello, calm").unwrap();
    app.rest().await;
}

/// A channel with a plugin that always crashes, and one behind it that answers.
async fn with_a_crashing_plugin(app: &TestApp, business: &Business) {
    app.enable_hostile(business, &guest(CRASHES)).await;
    app.enable(business, "hello", "{}").await;
}

async fn codes(app: &TestApp, like: &'static str) -> i64 {
    let select = sqlx::query("select count(*) from audit where code = $1").bind(like);
    sqlx::Row::get(&app.app.stores.db.fetch_optional(select).await.unwrap().unwrap(), 0)
}

story!(a_plugin_that_keeps_failing_is_switched_off_and_staff_are_told_once, |app| {
    with_a_crashing_plugin(&app, &app.business).await;
    let ana = app.customer("Ana");
    says(&app, &ana, FAILURES_IN_A_ROW - 1).await;
    assert_eq!(app.tasks().await.len(), 0);
    says(&app, &ana, 1).await;
    assert_eq!(last(&app).await.as_deref(), Some("stopped: trap"));
    for _ in 0..2 {
        says(&app, &ana, 1).await;
        assert_eq!(last(&app).await.as_deref(), Some("suspended"));
    }
    let tasks = app.tasks().await;
    let [task] = tasks.as_slice() else { panic!("{tasks:?}") };
    assert_eq!((task.kind.as_str(), task.reason.as_str()), ("plugin-suspended", "trap"));
    let note = task.note.as_deref().unwrap();
    assert!(note.contains("hostile") && note.contains("the plugin crashed"), "{note}");
    assert_eq!(app.received(&ana), vec![HELLO; 7], "customers are answered all the same");
    assert_eq!(codes(&app, "plugin-suspended").await, 1);
    let place = ["--workspace", app.business.workspace.as_str(), "--channel", app.business.channel.as_str()];
    let listed = app.told(&[["plugin", "list"].as_slice(), &place].concat()).await;
    assert!(listed.contains("switched off since 2026-11-20T12:00") && listed.contains("crashed"), "{listed}");
});

story!(customers_who_fail_together_count_together, |app| {
    with_a_crashing_plugin(&app, &app.business).await;
    for n in 0..FAILURES_IN_A_ROW {
        app.customer(&format!("Customer {n}")).says("hello").unwrap();
    }
    app.rest().await;
    says(&app, &app.customer("Ana"), 1).await;
    assert_eq!(last(&app).await.as_deref(), Some("suspended"));
    assert_eq!(app.told_to_staff().await, ["trap"]);
});

story!(other_channels_ask_it_all_the_same, |app| {
    let other = app.another_business("Casa Lucia").await;
    with_a_crashing_plugin(&app, &app.business).await;
    with_a_crashing_plugin(&app, &other).await;
    says(&app, &app.customer("Ana"), FAILURES_IN_A_ROW).await;
    let ben = app.control.add_person(&other.page_id, "Ben").unwrap();
    says(&app, &ben, 1).await;
    let turns = app.turns_of(&other).await;
    assert_eq!(turns[0].turn.outline.as_ref().unwrap().plugins[0].outcome, "stopped: trap");
});

story!(what_goes_well_in_between_begins_the_count_anew, |app| {
    with_a_crashing_plugin(&app, &app.business).await;
    let ana = app.customer("Ana");
    says(&app, &ana, FAILURES_IN_A_ROW - 1).await;
    says_calmly(&app, &ana).await;
    assert_eq!(last(&app).await.as_deref(), Some("pass"));
    says(&app, &ana, FAILURES_IN_A_ROW - 1).await;
    assert_eq!(last(&app).await.as_deref(), Some("stopped: trap"));
    assert_eq!(app.tasks().await.len(), 0);
    says(&app, &ana, 2).await;
    assert_eq!(last(&app).await.as_deref(), Some("suspended"));
});

story!(after_a_pause_that_grows_it_is_tried_once, |app| {
    with_a_crashing_plugin(&app, &app.business).await;
    let ana = app.customer("Ana");
    says(&app, &ana, FAILURES_IN_A_ROW).await;
    for n_probes in 0..3 {
        app.advance(pause_after(n_probes).checked_sub(Duration::from_secs(30)).unwrap());
        says(&app, &ana, 1).await;
        assert_eq!(last(&app).await.as_deref(), Some("suspended"), "try {n_probes} came too early");
        app.advance(Duration::from_secs(30));
        says(&app, &ana, 1).await;
        assert_eq!(last(&app).await.as_deref(), Some("stopped: trap"), "try {n_probes}");
        says(&app, &ana, 1).await;
        assert_eq!(last(&app).await.as_deref(), Some("suspended"));
    }
    assert_eq!(app.told_to_staff().await, ["trap"], "staff were told before");
    app.advance(pause_after(3));
    says_calmly(&app, &ana).await;
    assert_eq!(last(&app).await.as_deref(), Some("pass"));
    assert_eq!(codes(&app, "plugin-resumed").await, 1);
    says(&app, &ana, FAILURES_IN_A_ROW + 1).await;
    assert_eq!(last(&app).await.as_deref(), Some("suspended"));
    assert_eq!(app.told_to_staff().await, ["trap", "trap"], "it is news again");
});

story!(who_enables_it_again_has_it_asked_at_once, |app| {
    with_a_crashing_plugin(&app, &app.business).await;
    let ana = app.customer("Ana");
    says(&app, &ana, FAILURES_IN_A_ROW + 1).await;
    assert_eq!(last(&app).await.as_deref(), Some("suspended"));
    let place = ["--workspace", app.business.workspace.as_str(), "--channel", app.business.channel.as_str()];
    app.told(&[["plugin", "enable"].as_slice(), &place, &["--yes", "hostile"]].concat()).await;
    says(&app, &ana, 1).await;
    assert_eq!(last(&app).await.as_deref(), Some("stopped: trap"));
    app.app.jobs.slow().await.unwrap();
    assert_eq!(app.count("plugin_failure").await, 1, "of the grant that is gone nothing is kept");
});

story!(hosts_share_the_count_and_the_try, |app| {
    with_a_crashing_plugin(&app, &app.business).await;
    let other = app.another_host().await;
    let ana = app.customer("Ana");
    says(&app, &ana, FAILURES_IN_A_ROW - 1).await;
    ana.says("hello").unwrap();
    app.arrive().await;
    app.advance(crate::support::SETTLED);
    other.run_until_idle().await.unwrap();
    app.app.jobs.fast().await.unwrap();
    says(&app, &ana, 1).await;
    assert_eq!(last(&app).await.as_deref(), Some("suspended"));
    app.advance(pause_after(0));
    other.jobs.fast().await.unwrap();
    let registry = &app.app.stores.registry;
    let plugins = registry.plugins_for(&app.business.workspace, &app.business.channel);
    assert!(other.stores.registry.probe_take(&plugins[0]).await.unwrap());
    assert!(!registry.probe_take(&plugins[0]).await.unwrap(), "one try, whoever makes it");
    says(&app, &ana, 1).await;
    assert_eq!(last(&app).await.as_deref(), Some("suspended"));
    other.shutdown().await;
});
