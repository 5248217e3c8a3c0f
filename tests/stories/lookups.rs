//! Nobody knows whether Meta took a message, and no echo comes: the thread is looked at, and only two looks that certainly do not
//! show it let it go again.

use std::time::Duration;

use bellhop_simulator::{Customer, GraphError, Trouble};
use serde_json::json;

use crate::support::{PATIENCE, SETTLED, TestApp, story};

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

impl TestApp {
    /// Somebody is answered, nobody knows whether it arrived, and Meta says nothing by itself.
    async fn answers_into_the_dark(&self, trouble: Trouble) -> Customer {
        self.enable(&self.business, "hello", "{}").await;
        self.control.set_echoes(false);
        self.control.set_deliveries(false);
        let ana = self.customer("Ana");
        self.control.next_sends(1, trouble);
        ana.says("hello").unwrap();
        self.rest().await;
        assert_eq!(self.delivery_states().await, ["unknown"]);
        ana
    }

    async fn after(&self, wait: Duration) {
        self.advance(wait);
        self.calm().await;
    }

    fn n_lookups(&self) -> usize {
        self.control.ledger().n_lookups
    }

    fn n_sends(&self) -> usize {
        self.control.ledger().n_sends
    }
}

story!(what_the_thread_shows_was_sent, |app| {
    let ana = app.answers_into_the_dark(Trouble::DropAfter).await;
    app.after(Duration::from_millis(4_999)).await;
    assert_eq!((app.n_lookups(), app.delivery_states().await), (0, vec!["unknown".to_owned()]), "too early to tell");
    app.after(Duration::from_millis(1)).await;
    assert_eq!((app.n_lookups(), app.delivery_states().await), (1, vec!["sent".to_owned()]));
    // By Meta's id and time.
    let mid = match &app.control.accepted()[0].outcome {
        bellhop_simulator::Outcome::Accepted { message_id, .. } => message_id.clone(),
        other => panic!("{other:?}"),
    };
    let seen = json!({ "sender": { "id": ana.person_id }, "recipient": { "id": app.business.page_id }, "timestamp": 1,
                       "read": { "mid": mid } });
    assert_eq!(app.post_items(&[seen]).await, 200);
    app.calm().await;
    assert_eq!(app.delivery_states().await, ["read"]);
    app.after(seconds(2 * 3_600)).await;
    assert_eq!((app.n_lookups(), app.n_sends(), app.tasks().await.len()), (1, 1, 0));
    assert_eq!(app.count("delivery_lookup").await, 1);
    app.app.jobs.slow().await.unwrap();
    assert_eq!(app.count("delivery_lookup").await, 0);
});

story!(what_two_looks_a_minute_apart_do_not_show_goes_again_once, |app| {
    let ana = app.answers_into_the_dark(Trouble::DropBefore).await;
    app.after(seconds(5)).await;
    app.after(Duration::from_millis(59_999)).await;
    assert_eq!((app.n_lookups(), app.n_sends(), app.delivery_states().await), (1, 1, vec!["unknown".to_owned()]));
    app.after(Duration::from_millis(1)).await;
    assert_eq!((app.n_lookups(), app.n_sends(), app.delivery_states().await), (2, 2, vec!["sent".to_owned()]));
    app.after(seconds(3_600)).await;
    assert_eq!((app.received(&ana).len(), app.n_sends(), app.tasks().await.len()), (1, 2, 0));
});

story!(a_thread_that_lags_behind_makes_nothing_go_twice, |app| {
    let ana = app.answers_into_the_dark(Trouble::DropAfter).await;
    app.control.set_threads_lag(seconds(40));
    app.after(seconds(5)).await;
    assert_eq!((app.n_lookups(), app.delivery_states().await), (1, vec!["unknown".to_owned()]));
    app.after(seconds(60)).await;
    assert_eq!((app.n_lookups(), app.delivery_states().await), (2, vec!["sent".to_owned()]));
    app.after(seconds(3_600)).await;
    assert_eq!((app.received(&ana).len(), app.n_sends()), (1, 1));
});

story!(what_is_waited_for_is_held_and_never_goes_again_by_itself, |app| {
    let ana = app.answers_into_the_dark(Trouble::DropBefore).await;
    ana.says("anybody?").unwrap();
    app.rest().await;
    assert_eq!(app.delivery_states().await, ["unknown", "staged"]);
    app.after(seconds(23)).await;
    assert_eq!(app.delivery_states().await, ["held", "sent"], "order is kept by giving up the repetition");
    for _ in 0..20 {
        app.after(seconds(30)).await;
    }
    assert_eq!(app.delivery_states().await, ["held", "sent"]);
    assert_eq!((app.n_sends(), app.told_to_staff().await), (2, vec!["nobody-knows".to_owned()]));
    assert_eq!(app.n_lookups(), 2, "that was certain");
});

story!(what_is_written_while_a_look_is_due_is_waited_for_no_longer, |app| {
    let ana = app.answers_into_the_dark(Trouble::DropBefore).await;
    app.after(seconds(40)).await;
    assert_eq!(app.delivery_states().await, ["unknown"]);
    ana.says("anybody?").unwrap();
    app.rest().await;
    assert_eq!(app.delivery_states().await, ["held", "sent"]);
});

story!(a_look_that_shows_what_was_held_closes_its_task, |app| {
    let ana = app.answers_into_the_dark(Trouble::DropAfter).await;
    app.control.set_threads_lag(seconds(50));
    ana.says("anybody?").unwrap();
    app.rest().await;
    app.after(seconds(23)).await;
    assert_eq!(
        (app.delivery_states().await, app.told_to_staff().await.len()),
        (vec!["held".to_owned(), "sent".to_owned()], 1)
    );
    app.after(seconds(60)).await;
    assert_eq!(
        (app.delivery_states().await, app.told_to_staff().await.len()),
        (vec!["sent".to_owned(), "sent".to_owned()], 0)
    );
    assert_eq!((app.received(&ana).len(), app.n_sends()), (2, 2));
});

story!(answers_that_prove_nothing_end_with_a_person, |app| {
    app.answers_into_the_dark(Trouble::DropBefore).await;
    app.control.drop_permission(&app.business.page_id, "pages_messaging").unwrap();
    for _ in 0..30 {
        app.after(seconds(10)).await;
    }
    assert_eq!((app.n_lookups(), app.n_sends()), (6, 1));
    assert_eq!(
        (app.delivery_states().await, app.told_to_staff().await),
        (vec!["held".to_owned()], vec!["nobody-knows".to_owned()])
    );
});

story!(an_error_between_two_looks_proves_nothing_either, |app| {
    let ana = app.answers_into_the_dark(Trouble::DropBefore).await;
    app.after(seconds(5)).await;
    app.control.every_call(Some(Trouble::Refuse(GraphError::new(2, None))));
    app.after(seconds(60)).await;
    app.control.every_call(None);
    assert_eq!(app.delivery_states().await, ["unknown"]);
    app.after(seconds(20)).await;
    assert_eq!((app.n_lookups(), app.received(&ana).len()), (2, 1));
});

story!(what_somebody_else_said_meanwhile_keeps_it_from_going_again, |app| {
    let ana = app.answers_into_the_dark(Trouble::DropBefore).await;
    app.after(seconds(5)).await;
    ana.app_says("123456789", "Your parcel is on its way.").unwrap();
    app.after(seconds(60)).await;
    app.after(seconds(1)).await;
    assert_eq!((app.delivery_states().await, app.n_sends()), (vec!["held".to_owned()], 1));
});

story!(what_goes_again_is_judged_again, |app| {
    let ana = app.answers_into_the_dark(Trouble::DropBefore).await;
    ana.says("stop").unwrap();
    app.after(seconds(5)).await;
    app.after(seconds(60)).await;
    assert_eq!((app.delivery_states().await, app.n_sends()), (vec!["dropped".to_owned()], 1));
});

story!(two_hosts_look_once, |app| {
    app.answers_into_the_dark(Trouble::DropAfter).await;
    let other = app.another_host().await;
    app.advance(seconds(5));
    let _both = tokio::join!(app.app.outbox.run_once(), other.outbox.run_once());
    app.calm().await;
    assert_eq!((app.n_lookups(), app.delivery_states().await), (1, vec!["sent".to_owned()]));
});

story!(a_channel_is_asked_twice_a_second_at_most, |app| {
    app.enable(&app.business, "hello", "{}").await;
    app.control.set_echoes(false);
    app.control.set_deliveries(false);
    app.control.next_sends(3, Trouble::DropAfter);
    for name in ["Ana", "Ben", "Cleo"] {
        app.customer(name).says("hello").unwrap();
    }
    app.rest().await;
    let other = app.another_host().await;
    app.advance(seconds(5));
    for (wait, n_lookups) in [(0, 1), (499, 1), (1, 2), (500, 3), (500, 3)] {
        app.advance(Duration::from_millis(wait));
        let _both = tokio::join!(app.app.run_until_idle(), other.run_until_idle());
        app.calm().await;
        assert_eq!(app.n_lookups(), n_lookups, "{wait}");
    }
    assert_eq!(app.control.ledger().n_lookups_refused, 0);
    assert_eq!(app.delivery_states().await, ["sent", "sent", "sent"]);
});

story!(a_send_that_died_with_its_host_is_looked_up, |mut app| {
    app.enable(&app.business, "hello", "{}").await;
    app.control.set_echoes(false);
    app.control.set_deliveries(false);
    let ana = app.customer("Ana");
    app.control.next_sends(1, Trouble::Hold);
    ana.says("hello").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    app.app.dispatch.run_once().await.unwrap();
    let outbox = app.app.outbox.clone();
    let sending = tokio::spawn(async move { outbox.run_once().await });
    app.control.wait_for_sends(1, PATIENCE).await.unwrap();
    sending.abort();
    drop(sending.await);
    app.reopen(|_| {}).await;
    app.after(seconds(20)).await;
    assert_eq!((app.delivery_states().await, app.n_lookups()), (vec!["unknown".to_owned()], 0));
    app.after(seconds(5)).await;
    assert_eq!((app.delivery_states().await, app.n_lookups(), app.n_sends()), (vec!["sent".to_owned()], 1, 1));
});
