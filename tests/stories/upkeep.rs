//! What is put aside can be seen and brought back; what ended long ago is swept, and the counts still add up.

use std::collections::BTreeMap;
use std::time::Duration;

use bellhop::inbox::{self, Claim, Total};
use bellhop::outbox;
use bellhop_domain::id::{EventId, HostId};

use crate::support::{SETTLED, TestApp, story};

const DAY: Duration = Duration::from_secs(86_400);

/// Parks what waits in the first conversation, as the conductor does when it cannot open one.
async fn park(app: &TestApp) {
    let db = &app.app.stores.db;
    let claimed = inbox::claim(db, &Claim::new(HostId::new(), 1)).await.unwrap();
    inbox::release(db, &claimed, true, db.now()).await.unwrap();
    let mut claimed = inbox::claim(db, &Claim::new(HostId::new(), 1)).await.unwrap();
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

story!(a_parked_message_is_answered_once_it_is_brought_back, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("hello").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    park(&app).await;
    app.rest().await;
    assert!(app.received(&ana).is_empty());
    let (db, workspace) = (&app.app.stores.db, &app.business.workspace);
    let parked = inbox::events_parked(db, workspace, None, 10).await.unwrap();
    let [event] = parked.as_slice() else { panic!("{parked:?}") };
    assert_eq!((event.lane.as_str(), event.kind.as_str(), event.reason.as_str()), ("contact", "message", "unopenable"));
    assert!(!inbox::event_replay(db, workspace, &EventId::new()).await.unwrap(), "there is no such event");
    assert!(
        !inbox::event_replay(db, &bellhop_domain::id::WorkspaceId::new(), &event.id).await.unwrap(),
        "nor elsewhere"
    );
    assert!(inbox::event_replay(db, workspace, &event.id).await.unwrap());
    assert!(!inbox::event_replay(db, workspace, &event.id).await.unwrap(), "it is not parked any more");
    app.rest().await;
    assert_eq!(app.received(&ana).len(), 1);
    assert_eq!(app.events_that("message done").await, 1);
    assert!(inbox::workspaces_with_parked(db).await.unwrap().is_empty());
});

story!(what_comes_back_while_a_turn_runs_is_left_to_the_next_one, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("the first").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    park(&app).await;
    ana.says("the second").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    let db = &app.app.stores.db;
    let claimed = inbox::claim(db, &Claim::new(HostId::new(), 1)).await.unwrap();
    assert_eq!(inbox::events_replay_all(db, &app.business.workspace).await.unwrap(), 1);
    let finish = inbox::Finish {
        contact: bellhop_domain::id::ContactId::new(),
        mode: "automated".to_owned(),
        mode_until: None,
        floor: None,
        last_contact_event_at: None,
        last_answered_at: None,
        took_all: true,
        claimed: claimed[0].clone(),
    };
    let mut transaction = db.begin_write().await.unwrap();
    assert_eq!(inbox::finish_in(&mut transaction, &[finish]).await.unwrap().len(), 1);
    transaction.commit().await.unwrap();
    let claimed = inbox::claim(db, &Claim::new(HostId::new(), 1)).await.unwrap();
    assert_eq!(claimed.len(), 1, "the conversation is ready again");
});

story!(what_comes_after_a_parked_message_starts_with_a_clean_slate, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("the first").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    park(&app).await;
    ana.says("the second").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    let claim = Claim::new(HostId::new(), 1);
    let claimed = inbox::claim(&app.app.stores.db, &claim).await.unwrap();
    assert_eq!(claimed[0].failures, 0, "failures of what was put aside count against nobody else");
});

story!(a_parked_control_event_is_applied_once_it_is_brought_back, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("STOP").unwrap();
    app.arrive().await;
    let (db, workspace) = (&app.app.stores.db, &app.business.workspace);
    for event in inbox::control_open(db, 10).await.unwrap() {
        inbox::control_park(db, &event, "unopenable").await.unwrap();
    }
    app.rest().await;
    assert_eq!(app.count("suppression").await, 0);
    assert_eq!(inbox::events_replay_all(db, workspace).await.unwrap(), 1);
    app.rest().await;
    assert_eq!(app.count("suppression").await, 1);
});

story!(bodies_in_quarantine_are_listed_dropped_and_still_counted, |app| {
    assert_eq!(app.post_signed("[]").await, 200);
    assert_eq!(app.post_signed("{\"object\":\"page\"}").await, 200);
    let db = &app.app.stores.db;
    let bodies = inbox::quarantine_list(db, 10).await.unwrap();
    assert_eq!(bodies.len(), 2);
    assert_eq!(bodies[0].app, app.app_id.as_str());
    assert_eq!(inbox::quarantine_drop(db, Some("no-such-body")).await.unwrap(), 0);
    assert_eq!(inbox::quarantine_drop(db, Some(&bodies[0].id)).await.unwrap(), 1);
    assert_eq!(inbox::quarantine_list(db, 10).await.unwrap(), bodies[1..]);
    assert_eq!(inbox::quarantine_drop(db, None).await.unwrap(), 1);
    let quarantined =
        event_totals(&app).await.into_values().fold((0, 0), |sum, (kept, swept)| (sum.0 + kept, sum.1 + swept));
    assert_eq!(quarantined, (0, 2));
});

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
