//! What Meta says of its allowance slows the Page, the app or the person that it speaks of, and nobody else.

use std::time::Duration;

use bellhop_simulator::{Customer, GraphError, Trouble};
use serde_json::json;

use crate::support::{Business, SETTLED, TestApp, story};

/// The rest between two messages of a sender that has used three quarters of its allowance.
const BETWEEN: Duration = Duration::from_secs(2);

story!(a_page_that_has_used_much_sends_one_by_one, |app| {
    app.enable(&app.business, "hello", "{}").await;
    app.use_of_page(75);
    app.greet(&app.business, 1).await;
    let customers = app.greet(&app.business, 5).await;
    assert_eq!(app.n_heard(&customers), 1);
    assert_eq!(app.attempts_on_record().await, 2, "the others were not taken in hand");
    for n in 2..=5 {
        app.advance(BETWEEN - Duration::from_millis(1));
        app.calm().await;
        assert_eq!(app.n_heard(&customers), n - 1, "a moment early");
        app.advance(Duration::from_millis(1));
        app.calm().await;
        assert_eq!(app.n_heard(&customers), n);
    }
    assert_eq!(app.attempts_on_record().await, 6);
    // Meta is content again, and after a while so are we.
    app.control.set_usage(None, None);
    app.advance(Duration::from_secs(61));
    let customers = app.greet(&app.business, 5).await;
    assert_eq!(app.n_heard(&customers), 5);
});

story!(of_a_slow_app_each_business_has_the_same_share, |app| {
    let other = app.another_business("Casa Lucia").await;
    for business in [&app.business, &other] {
        app.enable(business, "hello", "{}").await;
    }
    app.control.set_usage(Some(json!({ "call_count": 75 })), None);
    app.greet(&app.business, 1).await;
    app.control.hold_webhooks();
    let (flood, theirs) = (app.say(&app.business, 20).await, app.say(&other, 2).await);
    app.control.release_webhooks(&bellhop_simulator::Release::InOrder);
    app.rest().await;
    assert_eq!((app.n_heard(&flood), app.n_heard(&theirs)), (1, 1));
    app.advance(BETWEEN);
    app.calm().await;
    assert_eq!((app.n_heard(&flood), app.n_heard(&theirs)), (2, 2), "who sends much has used up nothing of theirs");
});

story!(an_app_that_is_slow_is_slow_on_every_host_and_after_a_restart, |app| {
    let other = app.another_business("Casa Lucia").await;
    for business in [&app.business, &other] {
        app.enable(business, "hello", "{}").await;
    }
    app.control.set_usage(Some(json!({ "call_count": 75 })), None);
    app.greet(&app.business, 1).await;
    app.control.set_usage(None, None);
    let customers = app.say(&other, 3).await;
    app.arrive().await;
    app.advance(SETTLED);
    let second = app.another_host().await;
    second.run_until_idle().await.unwrap();
    assert_eq!(app.n_heard(&customers), 1);
});

story!(an_app_that_meta_refuses_rests_with_all_its_pages, |app| {
    let other = app.another_business("Casa Lucia").await;
    for business in [&app.business, &other] {
        app.enable(business, "hello", "{}").await;
    }
    app.control.next_sends(1, Trouble::Refuse(GraphError::new(4, None)));
    let (ours, theirs) = (app.greet(&app.business, 1).await, app.greet(&other, 1).await);
    assert_eq!(app.control.ledger().n_sends, 1);
    app.advance(Duration::from_secs(75));
    app.calm().await;
    assert_eq!((app.n_heard(&ours), app.n_heard(&theirs)), (1, 1));
});

story!(a_person_who_gets_too_much_waits_and_the_page_does_not, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let too_fast = Trouble::Refuse(GraphError::new(613, Some(2_534_040)));
    app.control.next_sends(1, too_fast.clone());
    // Two people; the first of them has had too much.
    let both = app.greet(&app.business, 2).await;
    assert_eq!(app.n_heard(&both), 1);
    // A second refusal costs more than the first.
    app.control.next_sends(1, too_fast);
    app.advance(Duration::from_secs(3));
    app.calm().await;
    app.advance(Duration::from_secs(9) - Duration::from_millis(1));
    app.calm().await;
    assert_eq!((app.n_heard(&both), app.control.ledger().n_sends), (1, 3));
    app.advance(Duration::from_millis(1));
    app.calm().await;
    assert_eq!(app.n_heard(&both), 2);
});

impl TestApp {
    /// Meta says from now on that so much of the first business's allowance is used.
    fn use_of_page(&self, percent: u32) {
        let of_page = json!([{ "type": "messenger", "call_count": percent }]);
        self.control.set_usage(None, Some(json!({ self.business.page_id.clone(): of_page })));
    }

    /// New customers of a business write to it.
    async fn say(&self, business: &Business, n: usize) -> Vec<Customer> {
        let customer = |_| {
            let customer = self.control.add_person(&business.page_id, "Somebody").unwrap();
            customer.says("hello").unwrap();
            customer
        };
        (0..n).map(customer).collect()
    }

    /// The same, and everything follows that can follow by itself.
    async fn greet(&self, business: &Business, n: usize) -> Vec<Customer> {
        let customers = self.say(business, n).await;
        self.rest().await;
        customers
    }

    /// How many of them got their answer.
    fn n_heard(&self, customers: &[Customer]) -> usize {
        customers.iter().filter(|customer| !self.received(customer).is_empty()).count()
    }
}
