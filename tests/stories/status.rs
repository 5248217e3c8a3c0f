//! What an operator sees of a running installation: hosts, what they hold, what waits and since when.

use std::time::Duration;

use bellhop::app::App;
use bellhop::host::DEAD_AFTER;
use bellhop::inbox::{self, Claim};
use bellhop::status::{Status, status};
use bellhop_domain::id::HostId;

use crate::support::{SETTLED, TestApp, story};

const DAY: Duration = Duration::from_secs(86_400);

async fn look(app: &TestApp) -> Status {
    status(&app.app.stores.db).await.unwrap()
}

/// Length and age in seconds of a queue.
fn queue(status: &Status, name: &str) -> (i64, Option<u64>) {
    let line = status.queues.iter().find(|line| line.name == name).unwrap();
    (line.queue.length, line.queue.oldest_at.map(|oldest| status.at.since(oldest).as_secs()))
}

/// Which hosts are there, and which of them live.
async fn alive(app: &TestApp) -> Vec<bool> {
    look(app).await.hosts.iter().map(|line| line.host.is_alive).collect()
}

async fn beat(host: &App) {
    host.jobs.fast().await.unwrap();
}

story!(hosts_come_with_their_first_beat_and_go_when_they_end, |app| {
    assert!(alive(&app).await.is_empty());
    beat(&app.app).await;
    let other = app.another_host().await;
    beat(&other).await;
    assert_eq!(alive(&app).await, [true, true]);
    other.shutdown().await;
    assert_eq!(alive(&app).await, [true]);
});

story!(a_host_that_dies_is_dead_after_ten_seconds_and_forgotten_after_a_day, |app| {
    let other = app.another_host().await;
    beat(&other).await;
    other.stop_token().cancel();
    app.advance(Duration::from_millis(1));
    let first = app.another_host().await;
    app.advance(DEAD_AFTER);
    beat(&first).await;
    assert_eq!(alive(&app).await, [false, true]);
    app.advance(DAY);
    beat(&first).await;
    first.jobs.slow().await.unwrap();
    assert_eq!(alive(&app).await, [true]);
});

story!(what_waits_is_counted_with_the_age_of_the_oldest, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("hello").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    let status = look(&app).await;
    assert_eq!(queue(&status, "contact"), (1, Some(SETTLED.as_secs())));
    assert_eq!(queue(&status, "delivery-staged"), (0, None));
    app.app.dispatch.run_once().await.unwrap();
    app.advance(Duration::from_secs(2));
    let status = look(&app).await;
    assert_eq!(queue(&status, "contact"), (0, None));
    assert_eq!(queue(&status, "delivery-staged"), (1, Some(2)));
    app.app.outbox.run_once().await.unwrap();
    app.arrive().await;
    let status = look(&app).await;
    assert_eq!(queue(&status, "delivery-staged"), (0, None));
    assert!(queue(&status, "control").0 > 0, "the echo came back: {status:?}");
    assert!(queue(&status, "audit").0 > 0, "nothing is sealed yet");
    beat(&app.app).await;
    app.calm().await;
    beat(&app.app).await;
    let status = look(&app).await;
    assert!(status.queues.iter().all(|line| line.queue.length == 0), "{status:?}");
    assert!(status.store.bytes > 0);
});

story!(what_a_host_holds_stands_beside_it, |app| {
    app.enable(&app.business, "hello", "{}").await;
    app.customer("Ana").says("hello").unwrap();
    app.customer("Ben").says("hello").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    let db = &app.app.stores.db;
    let id = HostId::new();
    bellhop::host::Host::new(db.clone(), id.clone()).beat().await.unwrap();
    let claimed = inbox::claim(db, &Claim::new(id.clone(), 8)).await.unwrap();
    assert_eq!(claimed.len(), 2);
    let held =
        |status: &Status| status.hosts.iter().map(|line| (line.conversations, line.deliveries)).collect::<Vec<_>>();
    assert_eq!(held(&look(&app).await), [(2, 0)]);
    app.advance(Duration::from_secs(6));
    assert_eq!(held(&look(&app).await), [(0, 0)], "a lease that is over holds nothing");
});

story!(parked_events_are_counted_by_their_reason, |app| {
    app.customer("Ana").says("hello").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    let db = &app.app.stores.db;
    let claimed = inbox::claim(db, &Claim::new(HostId::new(), 1)).await.unwrap();
    inbox::park_all(db, &claimed[0], "unusable").await.unwrap();
    let status = look(&app).await;
    assert_eq!((queue(&status, "contact"), queue(&status, "parked").0), ((0, None), 1));
    let reasons: Vec<_> = status.parked.iter().map(|line| (line.reason.as_str(), line.queue.length)).collect();
    assert_eq!(reasons, [("unusable", 1)]);
});

story!(machines_read_the_same_numbers, |app| {
    beat(&app.app).await;
    let json = serde_json::to_value(look(&app).await).unwrap();
    assert_eq!(json["hosts"][0]["is_alive"], true);
    assert_eq!(json["hosts"][0]["conversations"], 0);
    assert_eq!(json["queues"][0]["name"], "contact");
    assert_eq!(json["queues"][0]["length"], 0);
    assert!(json["store"]["bytes"].as_i64().unwrap() > 0);
});
