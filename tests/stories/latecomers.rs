//! A host that comes late: its attempt is over for everybody else, and another one may be on its way. It sends nothing any more, it
//! undoes nothing, and what Meta told it counts all the same.

use std::time::Duration;

use bellhop_simulator::Customer;
use serde_json::json;
use tokio::task::JoinHandle;

use crate::evidence::newest;
use crate::support::{SETTLED, TestApp, postgres, story};

/// A sender's lease.
const LEASE: Duration = Duration::from_secs(20);

/// Somebody is answered by a host that hears nothing of it from Meta until its lease is over.
async fn answered_late(app: &TestApp) -> (Customer, JoinHandle<()>) {
    app.enable(&app.business, "hello", "{}").await;
    app.silence();
    app.control.set_threads_lag(Duration::from_secs(86_400));
    let ana = app.customer("Ana");
    let sending = app.answer_held(&ana).await;
    app.advance(LEASE);
    app.another_host().await.outbox.run_once().await.unwrap();
    assert_eq!(app.delivery_states().await, ["unknown"]);
    (ana, sending)
}

story!(an_answer_that_comes_after_the_lease_still_counts, |app| {
    let (ana, sending) = answered_late(&app).await;
    app.control.release_replies();
    sending.await.unwrap();
    assert_eq!(app.delivery_states().await, ["sent"]);
    // By Meta's id.
    let seen = json!({ "sender": { "id": ana.person_id }, "recipient": { "id": app.business.page_id }, "timestamp": 1,
                       "read": { "mid": newest(&app) } });
    assert_eq!(app.post_items(&[seen]).await, 200);
    app.calm().await;
    assert_eq!(app.delivery_states().await, ["read"]);
    app.advance(Duration::from_secs(3_600));
    app.calm().await;
    assert_eq!((app.received(&ana).len(), app.tasks().await.len()), (1, 0));
});

story!(an_answer_that_comes_after_all_waiting_closes_the_task, |app| {
    let (ana, sending) = answered_late(&app).await;
    ana.says("anybody?").unwrap();
    app.rest().await;
    app.advance(Duration::from_secs(30));
    app.calm().await;
    assert_eq!((app.delivery_states().await, app.tasks().await.len()), (vec!["held".into(), "sent".into()], 1));
    app.control.release_replies();
    sending.await.unwrap();
    assert_eq!((app.delivery_states().await, app.tasks().await.len()), (vec!["sent".into(), "sent".into()], 0));
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_past_the_end_of_the_lease_sends_nothing() {
    let Some(url) = postgres::database().await else { return };
    let app = TestApp::start_on(Some(url)).await;
    app.enable(&app.business, "hello", "{}").await;
    app.customer("Ana").says("hello").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    app.app.dispatch.run_once().await.unwrap();
    // What is to be said cannot be read for a while.
    let other = app.another_host().await;
    let mut stall = other.stores.db.begin_write().await.unwrap();
    stall.execute(sqlx::query("lock table message in access exclusive mode")).await.unwrap();
    let outbox = app.app.outbox.clone();
    let sending = tokio::spawn(async move { outbox.run_once().await.map(drop).unwrap() });
    while app.delivery_states().await != ["sending"] {
        tokio::task::yield_now().await;
    }
    app.advance(LEASE);
    other.outbox.run_once().await.unwrap();
    assert_eq!(app.delivery_states().await, ["unknown"]);
    stall.commit().await.unwrap();
    sending.await.unwrap();
    assert_eq!((app.control.ledger().n_sends, app.delivery_states().await), (0, vec!["unknown".to_owned()]));
}
