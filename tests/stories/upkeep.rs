//! What ended long ago is swept, and the counts still add up.

use std::collections::BTreeMap;
use std::time::Duration;

use bellhop::inbox::{self, Claim, Total};
use bellhop::outbox;
use bellhop_domain::id::HostId;

use crate::support::{SETTLED, TestApp, story};

const DAY: Duration = Duration::from_secs(86_400);

/// Parks what waits in the first conversation, as the conductor does when it cannot open one.
async fn park(app: &TestApp) {
    let db = &app.app.stores.db;
    let claimed = inbox::claim(db, &Claim { host: HostId::new(), limit: 1, per_workspace: 1 }).await.unwrap();
    inbox::release(db, &claimed, true, db.now()).await.unwrap();
    let mut claimed = inbox::claim(db, &Claim { host: HostId::new(), limit: 1, per_workspace: 1 }).await.unwrap();
    inbox::park_all(db, &claimed.remove(0), "unopenable").await.unwrap();
}

/// Rows kept and rows swept, by state and reason.
fn by_state(totals: &[Total]) -> BTreeMap<String, (i64, i64)> {
    totals.iter().map(|total| (format!("{} {}", total.state, total.reason), (total.kept, total.swept))).collect()
}

async fn event_totals(app: &TestApp) -> BTreeMap<String, (i64, i64)> {
    by_state(&inbox::event_totals(&app.app.stores.db).await.unwrap())
}

async fn delivery_totals(app: &TestApp) -> BTreeMap<String, (i64, i64)> {
    by_state(&outbox::delivery_totals(&app.app.stores.db).await.unwrap())
}

async fn days_pass(app: &TestApp, n_days: u32) {
    app.advance(n_days * DAY);
    app.app.jobs.slow().await.unwrap();
}

story!(settled_rows_are_swept_and_the_counts_add_up, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let (ana, ben) = (app.customer("Ana"), app.customer("Ben"));
    ana.says("hello").unwrap();
    ana.comments("Nice cat").unwrap();
    app.rest().await;
    ben.says("hello").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    park(&app).await;
    app.calm().await;
    let (events, deliveries) = (event_totals(&app).await, delivery_totals(&app).await);
    assert_eq!(events["parked unopenable"], (1, 0));
    days_pass(&app, 13).await;
    assert_eq!(event_totals(&app).await, events, "too young");
    days_pass(&app, 2).await;
    let swept = |before: &BTreeMap<String, (i64, i64)>, stays: &str| {
        let end =
            |(state, n): (&String, &(i64, i64))| (state.clone(), if state.starts_with(stays) { *n } else { (0, n.0) });
        before.iter().map(end).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(event_totals(&app).await, swept(&events, "parked"));
    assert_eq!(delivery_totals(&app).await, deliveries, "the outline of their turn still shows them");
    // What comes later is counted beside what was swept.
    ana.says("hello again").unwrap();
    app.rest().await;
    let done = event_totals(&app).await["done "];
    assert!(done.0 > 0, "{done:?}");
    assert_eq!(done.1, events["done "].0);
    days_pass(&app, 16).await;
    assert_eq!(event_totals(&app).await["parked unopenable"], (0, 1));
    assert_eq!(
        delivery_totals(&app).await.values().map(|(_, swept)| swept).sum::<i64>(),
        deliveries.values().map(|(kept, _)| kept).sum::<i64>()
    );
});

story!(what_is_open_or_waits_for_a_person_is_not_swept, |app| {
    app.enable(&app.business, "hello", "{}").await;
    app.customer("Ana").says("hello").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    app.app.dispatch.run_once().await.unwrap();
    app.customer("Ben").says("hello").unwrap();
    app.arrive().await;
    days_pass(&app, 20).await;
    assert_eq!(app.events_that("message open").await, 1);
    assert_eq!(app.delivery_states().await, ["staged"]);
});

story!(two_hosts_that_sweep_at_once_count_each_row_once, |app| {
    app.enable(&app.business, "hello", "{}").await;
    for n in 0..20 {
        app.customer(&format!("Person {n}")).says("hello").unwrap();
    }
    app.rest().await;
    let before = event_totals(&app).await;
    let other = app.another_host().await;
    app.advance(20 * DAY);
    let (one, two) = tokio::join!(app.app.jobs.slow(), other.jobs.slow());
    one.unwrap();
    two.unwrap();
    let after = event_totals(&app).await;
    assert!(after.values().all(|(kept, _)| *kept == 0), "{after:?}");
    let sum = |totals: &BTreeMap<String, (i64, i64)>| totals.values().map(|(kept, swept)| kept + swept).sum::<i64>();
    assert_eq!(sum(&after), sum(&before));
});
