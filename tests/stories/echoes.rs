//! What comes back from Meta: our own messages, those of people and of other apps, and how far they got.

use std::time::Duration;

use bellhop_simulator::{PAGE_INBOX_APP, Trouble};
use serde_json::{Value, json};

use crate::support::{TestApp, story};

async fn mode(app: &TestApp) -> String {
    use sqlx::Row;
    let row = app.app.stores.db.fetch_optional(sqlx::query("select mode from conversation")).await.unwrap();
    row.unwrap().get(0)
}

/// An item that says that messages of the Page arrived or were seen.
fn receipt(page: &str, person: &str, kind: &str, what: &Value) -> Value {
    json!({ "sender": { "id": person }, "recipient": { "id": page }, "timestamp": 1, kind: what })
}

story!(our_own_echo_is_never_answered, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("hello").unwrap();
    app.rest().await;
    for _ in 0..3 {
        app.rest().await;
    }
    assert_eq!(app.received(&ana).len(), 1);
    assert_eq!(app.turns().await.len(), 1);
    assert_eq!(app.events_that("echo done").await, 1);
    assert_eq!(mode(&app).await, "automated", "our own voice is nobody's taking over");
});

story!(an_echo_without_its_marks_is_not_answered_either, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let page = app.business.page_id.clone();
    let echo = |mid: &str, mark: &str| {
        let mut message = json!({ "mid": mid, "text": "hello from the page" });
        message[mark] = json!(true);
        json!({ "sender": { "id": page }, "recipient": { "id": "7" }, "timestamp": 1_795_176_000_000_i64, "message": message })
    };
    assert_eq!(app.post_items(&[echo("m_1", "is_echo"), echo("m_2", "isEcho")]).await, 200);
    app.rest().await;
    assert_eq!(app.control.ledger().n_sends, 0);
    assert_eq!(app.events_that("echo done").await, 2);
    assert_eq!(app.turns().await.len(), 0);
});

story!(an_echo_settles_what_nobody_knew_and_nothing_is_said_twice, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    app.control.next_sends(1, Trouble::DropAfter);
    app.control.hold_webhooks();
    ana.says("hello").unwrap();
    app.control.release_webhooks(&bellhop_simulator::Release::InOrder);
    app.arrive().await;
    // The echo waits while the connection is cut after Meta took the message.
    app.control.hold_webhooks();
    app.rest().await;
    assert_eq!(app.delivery_states().await, ["unknown"]);
    app.rest().await;
    assert_eq!(app.control.ledger().n_sends, 1, "it is not sent again on a guess");
    app.control.release_webhooks(&bellhop_simulator::Release::InOrder);
    app.calm().await;
    assert_eq!(app.delivery_states().await, ["delivered"]);
    app.advance(Duration::from_secs(3_600));
    app.calm().await;
    assert_eq!(app.received(&ana).len(), 1);
});

story!(what_stays_unknown_is_held_and_the_rest_goes_on, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    app.control.set_echoes(false);
    app.control.set_deliveries(false);
    app.control.set_threads_lag(Duration::from_secs(3_600));
    app.control.next_sends(1, Trouble::DropAfter);
    ana.says("hello").unwrap();
    app.rest().await;
    ana.says("anybody?").unwrap();
    app.rest().await;
    assert_eq!(app.delivery_states().await, ["unknown", "staged"], "order is kept by waiting");
    app.advance(Duration::from_secs(30));
    app.calm().await;
    assert_eq!(app.delivery_states().await, ["held", "sent"]);
    assert_eq!(app.deliveries().await[0].reason.as_deref(), Some("unknown"));
    assert_eq!(app.received(&ana).len(), 2, "the first reached her once, by Meta's doing");
});

story!(an_echo_that_comes_after_all_lifts_what_was_held, |app| {
    app.enable(&app.business, "hello", "{}").await;
    app.control.set_deliveries(false);
    let ana = app.customer("Ana");
    ana.says("hello").unwrap();
    app.arrive().await;
    app.control.next_sends(1, Trouble::DropAfter);
    app.control.hold_webhooks();
    app.rest().await;
    // Nor does anybody find it by looking.
    app.control.set_threads_lag(Duration::from_secs(3_600));
    app.advance(Duration::from_secs(700));
    app.app.run_until_idle().await.unwrap();
    assert_eq!((app.delivery_states().await, app.tasks().await.len()), (vec!["held".to_owned()], 1));
    app.control.release_webhooks(&bellhop_simulator::Release::InOrder);
    app.calm().await;
    assert_eq!((app.delivery_states().await, app.tasks().await.len()), (vec!["sent".to_owned()], 0));
});

story!(a_colleague_in_metas_inbox_silences_the_plugins_for_a_day, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("hello").unwrap();
    app.rest().await;
    ana.staff_says("Hi Ana, this is Lea.").unwrap();
    app.rest().await;
    assert_eq!(mode(&app).await, "human");
    ana.says("Hi Lea!").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana).len(), 1);
    app.advance(Duration::from_secs(24 * 3_600));
    ana.says("hello again").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana).len(), 2, "the next day plugins answer again");
});

story!(a_colleague_who_is_faster_than_the_answer_stops_it, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("hello").unwrap();
    app.arrive().await;
    app.advance(crate::support::SETTLED);
    // The turn is committed and its message waits when the colleague writes.
    app.app.dispatch.run_once().await.unwrap();
    assert_eq!(app.delivery_states().await, ["staged"]);
    ana.staff_says("I have this.").unwrap();
    app.calm().await;
    assert_eq!(app.received(&ana).len(), 0);
    assert_eq!(app.deliveries().await[0].reason.as_deref(), Some("human-mode"));
    assert_eq!(app.delivery_states().await, ["dropped"]);
});

story!(another_apps_message_is_kept_and_silences_nobody, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("hello").unwrap();
    app.rest().await;
    ana.app_says("123456789", "Your parcel is on its way.").unwrap();
    app.rest().await;
    assert_eq!(mode(&app).await, "automated");
    ana.says("thanks").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana).len(), 2);
    assert_eq!(app.count("message").await, 5, "two of hers, two of ours, one of the other app");
});

story!(another_app_cannot_settle_our_deliveries_with_our_metadata, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    app.control.set_echoes(false);
    app.control.set_deliveries(false);
    app.control.next_sends(1, Trouble::DropBefore);
    ana.says("hello").unwrap();
    app.rest().await;
    assert_eq!(app.delivery_states().await, ["unknown"]);
    let delivery = app.turns().await[0].deliveries[0].delivery.id.clone();
    for sender in ["123456789", PAGE_INBOX_APP] {
        let echo = json!({
            "sender": { "id": app.business.page_id }, "recipient": { "id": ana.person_id }, "timestamp": 1,
            "message": { "is_echo": true, "mid": format!("m_{sender}"), "app_id": sender.parse::<u64>().unwrap(),
                         "metadata": delivery.as_str(), "text": "x" },
        });
        assert_eq!(app.post_items(&[echo]).await, 200);
    }
    app.calm().await;
    assert_eq!(app.delivery_states().await, ["unknown"]);
});

story!(receipts_raise_a_delivery_and_never_lower_it, |app| {
    app.enable(&app.business, "hello", "{}").await;
    app.control.set_deliveries(false);
    let ana = app.customer("Ana");
    ana.says("hello").unwrap();
    app.rest().await;
    assert_eq!(app.delivery_states().await, ["sent"]);
    let bellhop_simulator::Outcome::Accepted { message_id, .. } = app.control.accepted()[0].outcome.clone() else {
        panic!("accepted")
    };
    let (page, person) = (app.business.page_id.clone(), ana.person_id.clone());
    let delivered = json!({ "mids": [message_id], "watermark": 1 });
    assert_eq!(app.post_items(&[receipt(&page, &person, "delivery", &delivered)]).await, 200);
    app.calm().await;
    assert_eq!(app.delivery_states().await, ["delivered"]);
    ana.reads().unwrap();
    app.calm().await;
    assert_eq!(app.delivery_states().await, ["read"]);
    let late = json!({ "mids": [message_id], "watermark": 9_000_000_000_000_i64 });
    assert_eq!(app.post_items(&[receipt(&page, &person, "delivery", &late)]).await, 200);
    app.calm().await;
    assert_eq!(app.delivery_states().await, ["read"]);
});

story!(a_watermark_counts_for_what_went_before_it_and_nothing_else, |app| {
    app.enable(&app.business, "hello", "{}").await;
    app.control.set_deliveries(false);
    let ana = app.customer("Ana");
    ana.says("hello").unwrap();
    app.rest().await;
    ana.reads().unwrap();
    app.arrive().await;
    app.advance(Duration::from_secs(10));
    ana.says("hello again").unwrap();
    app.rest().await;
    assert_eq!(app.delivery_states().await, ["read", "sent"]);
});

story!(somebody_elses_receipts_say_nothing_about_mine, |app| {
    app.enable(&app.business, "hello", "{}").await;
    app.control.set_deliveries(false);
    let (ana, ben) = (app.customer("Ana"), app.customer("Ben"));
    ana.says("hello").unwrap();
    ben.says("hello").unwrap();
    app.rest().await;
    ben.reads().unwrap();
    app.calm().await;
    let mut states = app.delivery_states().await;
    states.sort();
    assert_eq!(states, ["read", "sent"]);
    let read_of = app.turns().await;
    let of_ben = read_of.iter().find(|turn| turn.deliveries[0].delivery.state == "read").unwrap();
    assert!(of_ben.said.len() == 1);
});

story!(a_control_event_that_cannot_be_read_is_put_aside_and_not_called_done, |app| {
    let page = app.business.page_id.clone();
    let ours = |kind: &str, what: &Value| receipt(&page, "7", kind, what);
    // Of a kind that is known and a shape that is not; beside it one that is read.
    let strange = ours("policy_enforcement", &json!({ "action": "applause" }));
    assert_eq!(app.post_items(&[strange, ours("read", &json!({ "watermark": 5 }))]).await, 200);
    app.rest().await;
    assert_eq!((app.events_that("policy parked").await, app.events_that("read done").await), (1, 1));
    // Nor is one whose seal does not hold any more.
    assert_eq!(app.post_items(&[ours("delivery", &json!({ "watermark": 6 }))]).await, 200);
    let damage = sqlx::query("update inbox_event set sealed = $1 where kind = 'delivery'").bind(vec![0_u8; 64]);
    app.app.stores.db.execute(damage).await.unwrap();
    app.rest().await;
    assert_eq!(app.events_that("delivery parked").await, 1, "{:?}", app.events().await);
    let reasons = sqlx::query("select distinct reason from inbox_event where state = 'parked'");
    let reasons = app.app.stores.db.fetch_all(reasons).await.unwrap();
    let reasons: Vec<String> = reasons.iter().map(|row| sqlx::Row::get(row, 0)).collect();
    assert_eq!(reasons, ["unreadable"]);
});
