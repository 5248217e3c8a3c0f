//! The Graph API is down, slow, cut, throttled, or says no: a message is sent again only on evidence, never lost in silence.

use std::time::Duration;

use bellhop::directory::{self, ChannelState};
use bellhop_simulator::{GraphError, Trouble};
use zeroize::Zeroizing;

use crate::support::gate::Gate;
use crate::support::look::Delivery;
use crate::support::{PATIENCE, SETTLED, START, TestApp, story};

/// Longer than the rest that Meta's throttling costs a channel.
const RESTED: Duration = Duration::from_secs(75);

/// The rest between two messages after that.
const SLOW: Duration = Duration::from_secs(2);

async fn only_delivery(app: &TestApp) -> Delivery {
    let deliveries = app.deliveries().await;
    let [delivery] = deliveries.as_slice() else { panic!("{deliveries:?}") };
    delivery.clone()
}

fn channel_state(app: &TestApp) -> ChannelState {
    let snapshot = app.app.stores.directory.snapshot();
    snapshot.channel(&app.business.workspace, &app.business.channel).unwrap().state
}

story!(while_meta_cannot_be_reached_a_message_waits_longer_and_longer_and_then_goes_once, |mut app| {
    let mut gate = Gate::shut(app.simulator.address());
    let url = gate.url();
    app.reopen(|config| {
        config.egress.private_origins.push(url.clone());
        config.graph.base_url = url;
    })
    .await;
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("hello").unwrap();
    app.rest().await;
    let mut now = START + i64::try_from(SETTLED.as_millis()).unwrap();
    let mut last_wait = 0;
    for attempts in 1..=4 {
        let waiting = only_delivery(&app).await;
        assert_eq!((waiting.state.as_str(), waiting.attempts), ("retry", attempts));
        assert_eq!(waiting.reason.as_deref(), Some("unreachable"));
        let wait = waiting.due_at - now;
        assert!(wait > 2 * last_wait, "{wait} after {last_wait}");
        // A moment early it still waits.
        app.advance(Duration::from_millis(u64::try_from(wait).unwrap() - 1));
        app.calm().await;
        assert_eq!(only_delivery(&app).await.attempts, attempts);
        if attempts == 4 {
            gate.open();
        }
        app.advance(Duration::from_millis(1));
        app.calm().await;
        (last_wait, now) = (wait, waiting.due_at);
    }
    assert_eq!(only_delivery(&app).await.state, "delivered");
    app.advance(Duration::from_secs(3_600));
    app.calm().await;
    assert_eq!(app.control.ledger().n_sends, 1);
});

story!(a_meta_that_stays_away_is_given_up_and_said_to_be, |mut app| {
    let gate = Gate::shut(app.simulator.address());
    let url = gate.url();
    app.reopen(|config| {
        config.egress.private_origins.push(url.clone());
        config.graph.base_url = url;
    })
    .await;
    app.enable(&app.business, "hello", "{}").await;
    app.customer("Ana").says("hello").unwrap();
    app.rest().await;
    for _ in 0..12 {
        app.advance(Duration::from_secs(1_500));
        app.calm().await;
    }
    let given_up = only_delivery(&app).await;
    assert_eq!((given_up.state.as_str(), given_up.attempts), ("dead", 11), "{given_up:?}");
});

story!(a_page_that_has_used_its_allowance_rests_and_others_go_on, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let other = app.another_business("Bistro").await;
    app.enable(&other, "hello", "{}").await;
    let of_page = serde_json::json!({ "type": "messenger", "call_count": 96, "estimated_time_to_regain_access": 3 });
    app.control.set_usage(None, Some(serde_json::json!({ app.business.page_id.clone(): [of_page] })));
    app.customer("Ana").says("hello").unwrap();
    app.rest().await;
    app.control.set_usage(None, None);
    let (ben, eve) = (app.customer("Ben"), app.control.add_person(&other.page_id, "Eve").unwrap());
    ben.says("hello").unwrap();
    eve.says("hello").unwrap();
    app.rest().await;
    assert_eq!((app.received(&ben).len(), app.received(&eve).len()), (0, 1));
    let waiting = app.deliveries().await.into_iter().find(|delivery| delivery.state == "staged").unwrap();
    assert_eq!((waiting.reason.as_deref(), waiting.attempts), (None, 0), "it was not even taken in hand");
    assert_eq!(app.attempts_on_record().await, 2);
    app.advance(Duration::from_secs(180));
    app.calm().await;
    assert_eq!(app.received(&ben).len(), 1);
});

story!(a_slow_answer_holds_up_no_other_conversation, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let (ana, ben) = (app.customer("Ana"), app.customer("Ben"));
    app.control.next_sends(1, Trouble::Hold);
    ana.says("hello").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    app.app.dispatch.run_once().await.unwrap();
    let outbox = app.app.outbox.clone();
    let held = tokio::spawn(async move { outbox.run_once().await });
    app.control.wait_for_sends(1, PATIENCE).await.unwrap();
    // The answer to Ana's send is not there yet.
    ben.says("hello").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ben).len(), 1);
    assert!(!held.is_finished());
    app.control.release_replies();
    held.await.unwrap().unwrap();
    app.calm().await;
    assert_eq!(app.delivery_states().await, ["delivered", "delivered"]);
    assert_eq!(app.received(&ana).len(), 1);
});

story!(the_loops_answer_others_while_one_waits_for_meta, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let (ana, ben) = (app.customer("Ana"), app.customer("Ben"));
    app.control.next_sends(1, Trouble::Hold);
    ana.taps("Hello", "x").unwrap();
    app.arrive().await;
    app.app.start();
    app.control.wait_for_sends(1, PATIENCE).await.unwrap();
    ben.taps("Hello", "x").unwrap();
    app.control.wait_for_sends(2, PATIENCE).await.unwrap();
    app.control.release_replies();
    assert_eq!((app.received(&ana).len(), app.received(&ben).len()), (1, 1));
    app.app.clone().shutdown().await;
});

story!(a_send_that_was_cut_before_meta_took_it_is_not_sent_again_on_a_guess, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    app.control.next_sends(1, Trouble::DropBefore);
    ana.says("hello").unwrap();
    app.rest().await;
    assert_eq!(only_delivery(&app).await.state, "unknown");
    app.advance(Duration::from_secs(31));
    app.calm().await;
    assert_eq!(only_delivery(&app).await.state, "unknown");
    assert_eq!(app.control.ledger().n_sends, 1);
    // A minute later is evidence.
    app.advance(Duration::from_secs(60));
    app.calm().await;
    assert_eq!((only_delivery(&app).await.state.as_str(), app.control.ledger().n_sends), ("delivered", 2));
    assert_eq!(app.received(&ana).len(), 1);
});

story!(metas_unknown_error_may_mean_success_and_is_not_repeated, |app| {
    app.enable(&app.business, "hello", "{}").await;
    app.control.next_sends(1, Trouble::Refuse(GraphError::new(1, None)));
    app.customer("Ana").says("hello").unwrap();
    app.rest().await;
    assert_eq!(only_delivery(&app).await.state, "unknown");
    app.advance(Duration::from_secs(3_600));
    app.calm().await;
    assert_eq!(app.control.ledger().n_sends, 1);
});

story!(a_dead_token_stops_the_channel_and_a_new_one_sends_what_waited, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let (ana, ben) = (app.customer("Ana"), app.customer("Ben"));
    app.control.kill_token(&app.business.page_token, 460).unwrap();
    ana.says("hello").unwrap();
    app.rest().await;
    assert_eq!(channel_state(&app), ChannelState::Reauthorise);
    let waiting = only_delivery(&app).await;
    assert_eq!((waiting.state.as_str(), waiting.reason.as_deref()), ("retry", Some("reauthorise:190-460")));
    // What comes meanwhile waits too, and nobody knocks at Meta's door in vain.
    ben.says("hello").unwrap();
    app.rest().await;
    app.advance(Duration::from_secs(600));
    app.calm().await;
    assert_eq!(app.control.ledger().n_sends, 1);
    let token = app.control.renew_page_token(&app.business.page_id).unwrap();
    app.replace_token(&app.business, &token).await;
    app.advance(Duration::from_secs(60));
    app.calm().await;
    assert_eq!(channel_state(&app), ChannelState::Active);
    assert_eq!((app.received(&ana).len(), app.received(&ben).len()), (1, 1));
    assert_eq!(app.delivery_states().await, ["delivered", "delivered"]);
});

story!(what_waited_too_long_for_a_token_is_not_said_any_more, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    app.control.kill_token(&app.business.page_token, 463).unwrap();
    ana.says("hello").unwrap();
    app.rest().await;
    app.advance(Duration::from_secs(86_400));
    app.calm().await;
    let token = app.control.renew_page_token(&app.business.page_id).unwrap();
    app.replace_token(&app.business, &token).await;
    app.advance(RESTED);
    app.calm().await;
    let dropped = only_delivery(&app).await;
    assert_eq!((dropped.state.as_str(), dropped.reason.as_deref()), ("dropped", Some("window-closed")));
});

story!(a_permission_that_was_taken_away_stops_the_channel, |app| {
    app.enable(&app.business, "hello", "{}").await;
    app.control.drop_permission(&app.business.page_id, "pages_messaging").unwrap();
    app.customer("Ana").says("hello").unwrap();
    app.rest().await;
    assert_eq!(channel_state(&app), ChannelState::Reauthorise);
    assert_eq!(only_delivery(&app).await.state, "retry");
});

story!(a_throttled_channel_rests_and_another_does_not, |app| {
    let other = app.another_business("Casa Lucia").await;
    for business in [&app.business, &other] {
        app.enable(business, "hello", "{}").await;
    }
    for (n, code) in [613, 80_006].into_iter().enumerate() {
        let (ana, late) = (app.customer(&format!("Ana {n}")), app.customer(&format!("Late {n}")));
        let ben = app.control.add_person(&other.page_id, &format!("Ben {n}")).unwrap();
        let before = app.control.ledger().n_sends;
        app.control.next_sends(1, Trouble::Refuse(GraphError::new(code, None)));
        ana.says("hello").unwrap();
        app.rest().await;
        late.says("hello").unwrap();
        app.rest().await;
        assert_eq!(app.control.ledger().n_sends, before + 1, "{code}: the channel rests");
        ben.says("hello").unwrap();
        app.rest().await;
        assert_eq!(app.received(&ben).len(), 1, "{code}: the other does not");
        app.advance(RESTED);
        app.calm().await;
        assert_eq!(app.received(&ana).len() + app.received(&late).len(), 1, "{code}: it begins slowly");
        app.advance(SLOW);
        app.calm().await;
        assert_eq!((app.received(&ana).len(), app.received(&late).len()), (1, 1), "{code}");
        assert_eq!(channel_state(&app), ChannelState::Active);
    }
});

story!(who_cannot_be_reached_is_left_alone_until_they_write_again, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("hello").unwrap();
    app.arrive().await;
    ana.blocks(true).unwrap();
    app.rest().await;
    let dead = only_delivery(&app).await;
    assert_eq!((dead.state.as_str(), dead.reason.as_deref()), ("dead", Some("suppress:551-1545041")));
    assert_eq!(app.count("suppression").await, 1);
    // Whoever writes can be reached.
    ana.blocks(false).unwrap();
    ana.says("I am back").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana).len(), 1);
    assert_eq!(app.count("suppression").await, 0);
});

story!(being_out_of_reach_does_not_undo_a_stop, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("hello").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    app.app.dispatch.run_once().await.unwrap();
    // Meta's refusal and the customer's word cross.
    ana.blocks(true).unwrap();
    app.app.outbox.run_once().await.unwrap();
    ana.blocks(false).unwrap();
    ana.says("stop").unwrap();
    app.calm().await;
    ana.says("hello?").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana).len(), 0);
});

story!(what_meta_refuses_for_good_is_dead_with_its_code_and_the_next_message_goes, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    app.control.next_sends(1, Trouble::Refuse(GraphError::new(100, None)));
    ana.says("hello").unwrap();
    app.rest().await;
    let dead = only_delivery(&app).await;
    assert_eq!((dead.state.as_str(), dead.attempts, dead.reason.as_deref()), ("dead", 1, Some("fix:100")));
    ana.says("hello again").unwrap();
    app.rest().await;
    assert_eq!(app.delivery_states().await, ["dead", "delivered"]);
    assert_eq!(app.control.ledger().n_sends, 2);
});

story!(an_error_that_comes_with_a_200_is_an_error, |app| {
    app.enable(&app.business, "hello", "{}").await;
    app.control.next_sends(1, Trouble::Refuse(GraphError::new(100, None).with_status(200)));
    app.customer("Ana").says("hello").unwrap();
    app.rest().await;
    assert_eq!(only_delivery(&app).await.state, "dead");
});

story!(a_page_that_meta_blocked_says_nothing_more, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let (ana, ben) = (app.customer("Ana"), app.customer("Ben"));
    app.control.next_sends(1, Trouble::Refuse(GraphError::new(368, None)));
    ana.says("hello").unwrap();
    app.rest().await;
    assert_eq!(channel_state(&app), ChannelState::Paused);
    ben.says("hello").unwrap();
    app.rest().await;
    assert_eq!(app.control.ledger().n_sends, 1);
});

story!(a_thread_that_another_app_took_meanwhile_is_theirs, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("hello").unwrap();
    app.arrive().await;
    ana.give_thread_to(Some("99887766")).unwrap();
    app.rest().await;
    let dead = only_delivery(&app).await;
    assert_eq!((dead.state.as_str(), dead.reason.as_deref()), ("dead", Some("not-owner:100-2018300")));
});

impl TestApp {
    /// The business connects its Page again.
    async fn replace_token(&self, business: &crate::support::Business, token: &str) {
        let stores = &self.app.stores;
        let mut transaction = stores.db.begin_write().await.unwrap();
        let channel = (&business.workspace, &business.channel);
        let (now, token) = (stores.db.now(), Zeroizing::new(token.as_bytes().to_vec()));
        directory::channel_token_replace(&mut transaction, &stores.vault, now, channel, token).await.unwrap();
        transaction.commit().await.unwrap();
        stores.vault.secrets_forget();
        stores.directory.refresh_if_changed().await.unwrap();
    }
}
