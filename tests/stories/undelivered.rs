//! What does not reach a customer is told to staff, who try it again or give it up. Nothing of it happens by itself.

use std::time::Duration;

use bellhop::outbox::{deliveries_put_aside, delivery_give_up, delivery_retry};
use bellhop_domain::id::DeliveryId;
use bellhop_simulator::{GraphError, Trouble};

use crate::support::{TestApp, story};

/// Meta's "invalid parameter": no repetition mends it.
const NEVER: i64 = 100;

/// Longer than lookups may take.
const NOBODY_LOOKED: Duration = Duration::from_secs(700);

/// Ana writes, and what is answered does not reach her.
async fn not_reached(app: &TestApp, trouble: Trouble) -> bellhop_simulator::Customer {
    app.enable(&app.business, "hello", r#"{"en": "Good day!"}"#).await;
    app.control.set_echoes(false);
    app.control.set_deliveries(false);
    let ana = app.customer("Ana");
    app.control.next_sends(1, trouble);
    ana.says("hello").unwrap();
    app.rest().await;
    app.advance(NOBODY_LOOKED);
    app.calm().await;
    ana
}

async fn put_aside(app: &TestApp) -> Vec<DeliveryId> {
    let stores = &app.app.stores;
    let found = deliveries_put_aside(&stores.db, &app.business.workspace, 10).await.unwrap();
    found.into_iter().map(|delivery| delivery.id).collect()
}

async fn told(app: &TestApp) -> Vec<(String, String, Option<String>)> {
    app.tasks().await.into_iter().map(|task| (task.kind, task.reason, task.note)).collect()
}

fn task(reason: &str) -> (String, String, Option<String>) {
    ("undelivered".to_owned(), reason.to_owned(), Some("Good day!".to_owned()))
}

story!(what_meta_refuses_for_good_is_told_to_staff_who_may_try_it_again, |app| {
    let ana = not_reached(&app, Trouble::Refuse(GraphError::new(NEVER, None))).await;
    assert_eq!(app.delivery_states().await, ["dead"]);
    assert_eq!(told(&app).await, [task("refused-by-meta")]);
    let [delivery] = put_aside(&app).await.try_into().unwrap();
    let stores = &app.app.stores;
    assert!(delivery_retry(&stores.db, &app.business.workspace, &delivery).await.unwrap());
    app.calm().await;
    assert_eq!(app.delivery_states().await, ["sent"]);
    assert_eq!(app.received(&ana), ["Good day!"]);
    assert!(!delivery_retry(&stores.db, &app.business.workspace, &delivery).await.unwrap(), "it went out");
});

story!(what_nobody_knows_of_is_told_to_staff_and_may_be_given_up, |app| {
    not_reached(&app, Trouble::DropBefore).await;
    assert_eq!(app.delivery_states().await, ["held"]);
    assert_eq!(told(&app).await, [task("nobody-knows")]);
    let [delivery] = put_aside(&app).await.try_into().unwrap();
    let stores = &app.app.stores;
    assert!(delivery_give_up(&stores.db, &app.business.workspace, &delivery).await.unwrap());
    app.calm().await;
    let given_up = app.deliveries().await.remove(0);
    assert_eq!((given_up.state.as_str(), given_up.reason.as_deref()), ("dead", Some("given-up")));
    assert_eq!(app.control.ledger().n_sends, 1);
});

story!(a_person_who_cannot_be_reached_makes_no_work, |app| {
    // "This person isn't available right now": they blocked the Page or left.
    not_reached(&app, Trouble::Refuse(GraphError::new(551, None))).await;
    assert_eq!(app.delivery_states().await, ["dead"]);
    assert_eq!(told(&app).await, []);
});

story!(what_was_tried_again_is_judged_again, |app| {
    let ana = not_reached(&app, Trouble::Refuse(GraphError::new(NEVER, None))).await;
    ana.says("stop").unwrap();
    app.rest().await;
    let [delivery] = put_aside(&app).await.try_into().unwrap();
    delivery_retry(&app.app.stores.db, &app.business.workspace, &delivery).await.unwrap();
    app.calm().await;
    let dropped = app.deliveries().await.remove(0);
    assert_eq!((dropped.state.as_str(), dropped.reason.as_deref()), ("dropped", Some("opted-out")));
});

story!(one_that_cannot_be_read_holds_up_no_other, |app| {
    app.control.next_sends(1, Trouble::DropBefore);
    not_reached_by(&app, "Ana").await;
    app.control.next_sends(1, Trouble::DropBefore);
    not_reached_by(&app, "Ben").await;
    assert_eq!(app.delivery_states().await, ["unknown", "unknown"]);
    let spoil = "update message set sealed = $1 where id = (select min(message_id) from delivery)";
    app.app.stores.db.execute(sqlx::query(spoil).bind(vec![0_u8])).await.unwrap();
    app.advance(NOBODY_LOOKED);
    app.calm().await;
    assert_eq!(app.delivery_states().await, ["held", "held"]);
    assert_eq!(told(&app).await, [task("nobody-knows")], "of the one that can be read");
    assert_eq!(put_aside(&app).await.len(), 2);
});

/// Somebody writes, and nobody knows what became of the answer.
async fn not_reached_by(app: &TestApp, name: &str) {
    app.enable(&app.business, "hello", r#"{"en": "Good day!"}"#).await;
    app.control.set_echoes(false);
    app.control.set_deliveries(false);
    app.customer(name).says("hello").unwrap();
    app.rest().await;
}
