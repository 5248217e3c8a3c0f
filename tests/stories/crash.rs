//! A host dies between two steps and another opens the same store: nothing is lost and nothing is said twice.

use std::time::Duration;

use bellhop_simulator::Trouble;

use crate::support::{PATIENCE, SETTLED, TestApp, story};

/// Longer than the lease of a conversation or of a send.
const LEASES_OVER: Duration = Duration::from_secs(25);

/// A message that is stored and settled, and nothing done about it yet.
async fn one_message(app: &TestApp) -> bellhop_simulator::Customer {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("hello").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    ana
}

story!(what_was_acknowledged_is_answered_by_the_next_host, |mut app| {
    let ana = one_message(&app).await;
    app.reopen(|_| {}).await;
    app.calm().await;
    assert_eq!(app.received(&ana).len(), 1);
});

story!(what_was_committed_goes_out_once_and_no_plugin_is_asked_again, |mut app| {
    let ana = one_message(&app).await;
    app.app.dispatch.run_once().await.unwrap();
    app.reopen(|_| {}).await;
    app.calm().await;
    assert_eq!(app.received(&ana).len(), 1);
    app.reopen(|_| {}).await;
    app.calm().await;
    assert_eq!(app.received(&ana).len(), 1);
    assert_eq!(app.turns().await.len(), 1);
});

story!(a_conversation_that_died_with_its_host_comes_up_again_once_its_lease_is_over, |mut app| {
    let ana = one_message(&app).await;
    let claim = bellhop::inbox::Claim::new(bellhop_domain::id::HostId::new(), 1);
    let claimed = bellhop::inbox::claim(&app.app.stores.db, &claim).await.unwrap();
    assert_eq!(claimed.len(), 1);
    app.reopen(|_| {}).await;
    app.calm().await;
    assert_eq!(app.turns().await.len(), 0, "somebody may still be at work on it");
    app.advance(Duration::from_secs(6));
    app.calm().await;
    assert_eq!((app.turns().await.len(), app.received(&ana).len()), (1, 1));
});

story!(a_host_that_comes_back_late_finds_its_claim_gone, |mut app| {
    let ana = one_message(&app).await;
    let claim = bellhop::inbox::Claim::new(bellhop_domain::id::HostId::new(), 1);
    let stale = bellhop::inbox::claim(&app.app.stores.db, &claim).await.unwrap().remove(0);
    app.advance(Duration::from_secs(6));
    app.calm().await;
    assert_eq!(app.received(&ana).len(), 1);
    app.reopen(|_| {}).await;
    // The fence lets nothing of it through.
    let finish = bellhop::inbox::Finish {
        contact: bellhop_domain::id::ContactId::new(),
        mode: "paused".to_owned(),
        mode_until: None,
        floor: None,
        last_contact_event_at: None,
        last_answered_at: None,
        took_all: true,
        claimed: stale,
    };
    let mut transaction = app.app.stores.db.begin_write().await.unwrap();
    let ours = bellhop::inbox::finish_in(&mut transaction, &[finish]).await.unwrap();
    assert!(ours.is_empty());
    transaction.commit().await.unwrap();
    ana.says("hello again").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana).len(), 2);
});

story!(a_send_that_died_with_its_host_is_settled_by_its_echo, |mut app| {
    let ana = one_message(&app).await;
    app.app.dispatch.run_once().await.unwrap();
    app.control.next_sends(1, Trouble::Hold);
    app.control.hold_webhooks();
    let outbox = app.app.outbox.clone();
    let sending = tokio::spawn(async move { outbox.run_once().await });
    app.control.wait_for_sends(1, PATIENCE).await.unwrap();
    sending.abort();
    drop(sending.await);
    app.reopen(|_| {}).await;
    app.calm().await;
    assert_eq!(app.delivery_states().await, ["sending"]);
    app.advance(LEASES_OVER);
    app.calm().await;
    assert_eq!(app.delivery_states().await, ["unknown"]);
    app.control.release_webhooks(&bellhop_simulator::Release::InOrder);
    app.calm().await;
    assert_eq!(app.delivery_states().await, ["delivered"]);
    app.advance(Duration::from_secs(3_600));
    app.calm().await;
    assert_eq!(app.received(&ana).len(), 1);
});

story!(two_hosts_on_one_store_share_the_work_and_do_it_once, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let other = app.another_host().await;
    let customers: Vec<_> = (0..12).map(|n| app.customer(&format!("Customer {n}"))).collect();
    for customer in &customers {
        customer.says("hello").unwrap();
    }
    app.arrive().await;
    app.advance(SETTLED);
    // A claim that collides is tried again, as the loop would.
    for _ in 0..4 {
        let _both = tokio::join!(app.app.run_until_idle(), other.run_until_idle());
    }
    app.calm().await;
    for customer in &customers {
        assert_eq!(app.received(customer).len(), 1);
    }
    assert_eq!(app.count("turn").await, 12);
});

story!(a_host_that_shuts_down_finishes_what_it_began, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    app.control.next_sends(1, Trouble::Hold);
    ana.taps("Hello", "x").unwrap();
    app.arrive().await;
    app.app.start();
    app.control.wait_for_sends(1, PATIENCE).await.unwrap();
    let stopping = tokio::spawn(app.app.clone().shutdown());
    app.control.release_replies();
    tokio::time::timeout(PATIENCE, stopping).await.unwrap().unwrap();
    assert_eq!(app.received(&ana).len(), 1);
});
