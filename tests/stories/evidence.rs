//! What Meta says of a message, in whatever order and by whatever clock it comes: a receipt before the answer, a watermark of a
//! clock beside ours, an echo that does not name its delivery.

use std::time::Duration;

use bellhop_simulator::{Customer, GraphError, Outcome, Trouble};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::support::{PATIENCE, SETTLED, TestApp, story};

/// An item that says that messages of the Page arrived or were seen.
fn receipt(app: &TestApp, customer: &Customer, kind: &str, what: &Value) -> Value {
    json!({ "sender": { "id": customer.person_id }, "recipient": { "id": app.business.page_id }, "timestamp": 1, kind: what })
}

/// Meta's id of the newest message of the Page.
pub(crate) fn newest(app: &TestApp) -> String {
    let ledger = app.control.ledger();
    match ledger.accepted().last().map(|send| send.outcome.clone()) {
        Some(Outcome::Accepted { message_id, .. }) => message_id,
        other => panic!("{other:?}"),
    }
}

impl TestApp {
    /// Nothing comes back from Meta by itself.
    pub(crate) fn silence(&self) {
        self.control.set_echoes(false);
        self.control.set_deliveries(false);
    }

    /// Somebody writes, is answered, and Meta's answer to that does not come yet.
    pub(crate) async fn answer_held(&self, customer: &Customer) -> JoinHandle<()> {
        self.control.next_sends(1, Trouble::Hold);
        customer.says("hello").unwrap();
        self.arrive().await;
        self.advance(SETTLED);
        self.app.dispatch.run_once().await.unwrap();
        let n_before = self.control.ledger().n_accepted;
        let outbox = self.app.outbox.clone();
        let sending = tokio::spawn(async move {
            outbox.run_once().await.unwrap();
        });
        self.control.wait_for_sends(n_before + 1, PATIENCE).await.unwrap();
        sending
    }

    /// These items come, and are applied.
    async fn hears(&self, items: &[Value]) {
        assert_eq!(self.post_items(items).await, 200);
        while self.app.dispatch.control_once().await.unwrap() > 0 {}
    }

    async fn modes(&self) -> Vec<String> {
        let select = sqlx::query("select mode from conversation order by id");
        let rows = self.app.stores.db.fetch_all(select).await.unwrap();
        rows.iter().map(|row| sqlx::Row::get(row, 0)).collect()
    }
}

story!(a_receipt_that_beats_the_answer_counts_once_the_answer_comes, |app| {
    app.enable(&app.business, "hello", "{}").await;
    app.silence();
    let ana = app.customer("Ana");
    let sending = app.answer_held(&ana).await;
    let mid = newest(&app);
    // Named by its id, twice, and never more than it is.
    let arrived = receipt(&app, &ana, "delivery", &json!({ "mids": [mid, "m_of-nobody"], "watermark": 1 }));
    app.hears(std::slice::from_ref(&arrived)).await;
    app.hears(&[arrived]).await;
    assert_eq!(app.delivery_states().await, ["sending"]);
    app.control.release_replies();
    sending.await.unwrap();
    assert_eq!(app.delivery_states().await, ["delivered"]);
});

story!(a_watermark_that_beats_the_answer_counts_for_what_went_before_it, |app| {
    app.enable(&app.business, "hello", "{}").await;
    app.silence();
    let ana = app.customer("Ana");
    for (seconds, state) in [(0, "read"), (1, "sent")] {
        let sending = app.answer_held(&ana).await;
        // Of this moment, or of one before the message was sent.
        let now = app.control.clock().now_ms() - seconds * 1_000;
        app.hears(&[receipt(&app, &ana, "read", &json!({ "watermark": now }))]).await;
        app.control.release_replies();
        sending.await.unwrap();
        assert_eq!(app.delivery_states().await.pop().unwrap(), state, "{seconds}");
    }
});

story!(a_receipt_that_beats_the_echo_counts_once_the_echo_comes, |app| {
    app.enable(&app.business, "hello", "{}").await;
    app.control.set_deliveries(false);
    app.control.hold_echoes();
    let ana = app.customer("Ana");
    app.control.next_sends(1, Trouble::DropAfter);
    ana.says("hello").unwrap();
    app.rest().await;
    assert_eq!(app.delivery_states().await, ["unknown"]);
    app.hears(&[receipt(&app, &ana, "read", &json!({ "mid": newest(&app) }))]).await;
    assert_eq!(app.delivery_states().await, ["unknown"]);
    app.control.release_echoes();
    app.calm().await;
    assert_eq!(app.delivery_states().await, ["read"]);
});

story!(receipts_of_strangers_leave_nothing, |app| {
    app.enable(&app.business, "hello", "{}").await;
    app.silence();
    let (ana, ben) = (app.customer("Ana"), app.customer("Ben"));
    ben.says("hello").unwrap();
    app.rest().await;
    let of = |who: &Customer, mid: &str| receipt(&app, who, "delivery", &json!({ "mids": [mid], "watermark": 5 }));
    app.hears(&[of(&ben, "m_1"), of(&ben, &newest(&app))]).await;
    let sending = app.answer_held(&ana).await;
    app.hears(&[of(&ben, "m_2")]).await;
    assert_eq!(app.count("early_receipt").await, 0, "nothing of Ben's is on its way");
    app.hears(&[of(&ana, "m_3")]).await;
    assert_eq!(app.count("early_receipt").await, 2, "the message and the watermark");
    app.control.release_replies();
    sending.await.unwrap();
    assert_eq!(app.delivery_states().await, ["delivered", "sent"]);
    app.advance(Duration::from_secs(2 * 3_600));
    app.app.jobs.slow().await.unwrap();
    assert_eq!(app.count("early_receipt").await, 0, "it is swept");
});

story!(what_was_looked_for_in_vain_is_still_known_by_its_words_however_often_it_is_refused, |app| {
    let ana = app.customer("Ana");
    greeted_into_the_dark(&app, &ana).await;
    // The thread shows what she said, and not yet what was answered 7 s later.
    for (wait, lag) in [(5, 10), (59, 68)] {
        app.control.set_threads_lag(Duration::from_secs(lag));
        app.advance(Duration::from_secs(wait));
        app.calm().await;
    }
    // It would go again, and Meta takes nothing at this moment.
    app.control.next_sends(1, Trouble::Refuse(GraphError::new(613, None)));
    app.advance(Duration::from_secs(1));
    app.app.outbox.run_once().await.unwrap();
    assert_eq!((app.delivery_states().await, app.control.ledger().n_sends), (vec!["retry".to_owned()], 2));
    app.hears(&[unmarked(&app, &ana, &first(&app), GREETING)]).await;
    assert_eq!(app.delivery_states().await, ["sent"]);
    assert_eq!((app.modes().await.pop().unwrap().as_str(), app.received(&ana).len()), ("automated", 1));
});

/// Meta's id of what it took first.
fn first(app: &TestApp) -> String {
    match &app.control.accepted()[0].outcome {
        Outcome::Accepted { message_id, .. } => message_id.clone(),
        other => panic!("{other:?}"),
    }
}

story!(a_watermark_is_by_metas_clock_whatever_ours_says, |app| {
    app.enable(&app.business, "hello", "{}").await;
    app.control.set_deliveries(false);
    // Meta's clock stands before ours, and then behind; with its echoes, and with nothing but its answers.
    app.clock.advance(Duration::from_secs(5));
    reads_the_first_of_two(&app, "Ana", true).await;
    reads_the_first_of_two(&app, "Ben", false).await;
    app.control.advance(Duration::from_secs(10));
    reads_the_first_of_two(&app, "Cleo", true).await;
    reads_the_first_of_two(&app, "Dan", false).await;
});

async fn reads_the_first_of_two(app: &TestApp, name: &str, with_echoes: bool) {
    app.control.set_echoes(with_echoes);
    let (customer, n_before) = (app.customer(name), app.delivery_states().await.len());
    customer.taps("Hello", "x").unwrap();
    app.calm().await;
    let read_at = app.control.clock().now_ms();
    app.advance(Duration::from_secs(3));
    customer.taps("Hello", "x").unwrap();
    app.calm().await;
    app.hears(&[receipt(app, &customer, "read", &json!({ "watermark": read_at }))]).await;
    assert_eq!(app.delivery_states().await[n_before..], ["read", "sent"], "{name}");
}

const GREETING: &str = "Good day!";

/// An echo that does not say which delivery it is, as Instagram sends it.
fn unmarked(app: &TestApp, customer: &Customer, mid: &str, text: &str) -> Value {
    let at = app.control.clock().now_ms();
    json!({ "sender": { "id": app.business.page_id }, "recipient": { "id": customer.person_id }, "timestamp": at,
            "message": { "is_echo": true, "mid": mid, "text": text } })
}

/// The same, from our app.
fn of_our_app(app: &TestApp, customer: &Customer, mid: &str, text: &str) -> Value {
    let mut item = unmarked(app, customer, mid, text);
    item["message"]["app_id"] = app.meta_app_id.parse::<u64>().unwrap().into();
    item
}

/// Somebody is greeted, and nobody knows whether it arrived.
async fn greeted_into_the_dark(app: &TestApp, customer: &Customer) {
    app.enable(&app.business, "hello", &json!({ "en": GREETING }).to_string()).await;
    app.silence();
    app.control.next_sends(1, Trouble::DropAfter);
    customer.says("hello").unwrap();
    app.rest().await;
    assert_eq!(app.delivery_states().await.pop().unwrap(), "unknown");
}

story!(an_echo_that_does_not_name_its_delivery_settles_the_one_that_says_the_same, |app| {
    for (name, echo) in [("Ana", unmarked as fn(&TestApp, &Customer, &str, &str) -> Value), ("Ben", of_our_app)] {
        let customer = app.customer(name);
        greeted_into_the_dark(&app, &customer).await;
        let n_messages = app.count("message").await;
        app.hears(&[echo(&app, &customer, &newest(&app), "Good day! ")]).await;
        assert_eq!(app.delivery_states().await.pop().unwrap(), "sent", "{name}");
        assert_eq!((app.modes().await.pop().unwrap().as_str(), app.count("message").await), ("automated", n_messages));
        // Its id is known now.
        app.hears(&[receipt(&app, &customer, "read", &json!({ "mid": newest(&app) }))]).await;
        assert_eq!(app.delivery_states().await.pop().unwrap(), "read");
    }
});

story!(an_echo_that_beats_the_answer_is_no_colleague, |app| {
    app.enable(&app.business, "hello", &json!({ "en": GREETING }).to_string()).await;
    app.silence();
    let ana = app.customer("Ana");
    let sending = app.answer_held(&ana).await;
    let echo = unmarked(&app, &ana, &newest(&app), GREETING);
    app.hears(std::slice::from_ref(&echo)).await;
    app.control.release_replies();
    sending.await.unwrap();
    assert_eq!(app.delivery_states().await, ["sent"]);
    // And one that comes after it.
    let ben = app.customer("Ben");
    ben.says("hello").unwrap();
    app.rest().await;
    let n_messages = app.count("message").await;
    app.hears(&[unmarked(&app, &ben, &newest(&app), "whatever Meta made of it")]).await;
    assert_eq!((app.events_that("echo done").await, app.count("message").await), (2, n_messages));
    assert_eq!(app.modes().await, ["automated", "automated"]);
});

story!(of_those_that_say_the_same_the_oldest_is_meant, |app| {
    let ana = app.customer("Ana");
    // Nobody looks it up in time.
    app.control.set_threads_lag(Duration::from_secs(3_600));
    greeted_into_the_dark(&app, &ana).await;
    let first = newest(&app);
    // The second waits behind the first, which is held for that; then nobody knows of it either.
    ana.says("hello?").unwrap();
    app.rest().await;
    app.control.next_sends(1, Trouble::DropAfter);
    app.advance(Duration::from_secs(30));
    app.calm().await;
    assert_eq!(app.delivery_states().await, ["held", "unknown"]);
    app.hears(&[unmarked(&app, &ana, &first, GREETING)]).await;
    assert_eq!(app.delivery_states().await, ["sent", "unknown"]);
    assert_eq!(app.tasks().await.len(), 0, "nobody needs to look after it any more");
    let echoes = [unmarked(&app, &ana, &newest(&app), GREETING), unmarked(&app, &ana, "m_colleague", GREETING)];
    app.hears(&echoes).await;
    assert_eq!(app.delivery_states().await, ["sent", "sent"]);
    assert_eq!(app.modes().await, ["human"], "a third one is nobody's of ours");
});

story!(a_colleague_who_says_something_else_is_a_colleague, |app| {
    let ana = app.customer("Ana");
    greeted_into_the_dark(&app, &ana).await;
    let mut picture = unmarked(&app, &ana, "m_picture", GREETING);
    picture["message"]["attachments"] = json!([{ "type": "image", "payload": { "url": "https://example.com/a.png" } }]);
    app.hears(&[picture]).await;
    assert_eq!(
        (app.delivery_states().await, app.modes().await),
        (vec!["unknown".to_owned()], vec!["human".to_owned()])
    );
    app.hears(&[unmarked(&app, &ana, "m_other", "Hi, this is Lea.")]).await;
    assert_eq!(app.delivery_states().await, ["unknown"]);
});
