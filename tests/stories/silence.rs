//! When nothing may be said: another app's thread, a closed window, a customer who said "stop" or wants a person.

use std::time::Duration;

use crate::support::hostile::guest;
use crate::support::{SETTLED, story};

const DAY: Duration = Duration::from_secs(24 * 3_600);

story!(what_is_said_while_another_app_has_the_thread_is_never_answered, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.give_thread_to(Some("99887766")).unwrap();
    ana.says("hello").unwrap();
    ana.taps("Get started", "start").unwrap();
    ana.says("STOP").unwrap();
    app.rest().await;
    assert_eq!(app.control.ledger().n_sends, 0);
    assert_eq!(app.turns().await.len(), 0);
    assert_eq!(app.count("suppression").await, 0, "it was not said to us");
    assert_eq!(app.events_that("message ignored").await, 2);
    ana.give_thread_to(None).unwrap();
    ana.says("hello?").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana).len(), 1);
});

story!(a_reply_that_comes_too_late_is_dropped_with_its_reason, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("hello").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    app.app.dispatch.run_once().await.unwrap();
    app.advance(DAY - SETTLED - Duration::from_millis(1));
    assert_eq!(app.delivery_states().await, ["staged"]);
    app.advance(Duration::from_millis(1));
    app.calm().await;
    assert_eq!(app.delivery_states().await, ["dropped"]);
    assert_eq!(app.deliveries().await[0].reason.as_deref(), Some("window-closed"));
    assert_eq!(app.control.ledger().n_sends, 0, "Meta was not even asked");
});

story!(a_reply_in_the_last_moment_of_the_window_still_goes, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("hello").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    app.app.dispatch.run_once().await.unwrap();
    app.advance(DAY - SETTLED - Duration::from_millis(1));
    app.calm().await;
    assert_eq!(app.received(&ana).len(), 1);
});

story!(a_message_older_than_the_window_is_not_answered, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    app.control.hold_webhooks();
    ana.says("hello").unwrap();
    app.advance(DAY);
    app.control.release_webhooks(&bellhop_simulator::Release::InOrder);
    app.rest().await;
    assert_eq!(app.control.ledger().n_sends, 0);
    let plugins = app.last_plugins().await;
    assert!(plugins[0].proposals[0].verdict.starts_with("deny: the reply window is closed"), "{plugins:?}");
});

story!(a_window_that_meta_has_closed_ends_the_delivery, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("hello").unwrap();
    app.arrive().await;
    ana.close_window().unwrap();
    app.rest().await;
    let deliveries = app.deliveries().await;
    assert_eq!((deliveries[0].state.as_str(), deliveries[0].attempts), ("dead", 1));
    assert_eq!(deliveries[0].reason.as_deref(), Some("window-closed:10-2018278"));
});

story!(stop_is_heard_before_an_answer_that_was_on_its_way, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("hello").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    app.app.dispatch.run_once().await.unwrap();
    ana.says("stop").unwrap();
    app.calm().await;
    assert_eq!(app.control.ledger().n_sends, 0);
    assert_eq!(app.deliveries().await[0].reason.as_deref(), Some("opted-out"));
});

story!(stop_is_heard_while_a_plugin_is_still_thinking, |mut app| {
    // Enough to think for the better part of a second.
    app.reopen(|config| config.sandbox.fuel = 2_000_000_000).await;
    let think = "(local.set $count (i32.const 100000000))
        (loop $on (local.set $count (i32.sub (local.get $count) (i32.const 1))) (br_if $on (local.get $count)))
        (call $say (i32.const 16384) (i32.const 5))";
    let thinker = crate::support::hostile::Guest { items: "(data (i32.const 16384) \"aha!!\")", ..guest(think) };
    app.enable_hostile(&app.business, &thinker).await;
    let ana = app.customer("Ana");
    ana.says("a hard question").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    ana.says("stop").unwrap();
    app.arrive().await;
    let (turns, control) = tokio::join!(app.app.dispatch.run_once(), async {
        tokio::task::yield_now().await;
        app.app.dispatch.control_once().await
    });
    assert_eq!((turns.unwrap(), control.unwrap()), (1, 1));
    app.calm().await;
    assert_eq!(app.control.ledger().n_sends, 0);
    assert_eq!(app.events_that("message done").await, 2);
});

story!(a_start_from_before_the_stop_lifts_nothing, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("start").unwrap();
    app.arrive().await;
    app.advance(Duration::from_millis(500));
    ana.says("stop").unwrap();
    app.arrive().await;
    app.app.dispatch.control_once().await.unwrap();
    app.rest().await;
    ana.says("hello?").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana).len(), 0, "the later word counts");
    ana.says("start").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana).len(), 1);
});

story!(nothing_is_sent_after_stop_until_start, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("STOP!").unwrap();
    app.rest().await;
    ana.says("hello?").unwrap();
    app.rest().await;
    ana.taps("Menu", "menu").unwrap();
    app.rest().await;
    assert_eq!(app.control.ledger().n_sends, 0);
    ana.says("start").unwrap();
    app.rest().await;
    ana.says("hello").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana).len(), 2, "{:?}", app.received(&ana));
    assert_eq!(app.count("suppression").await, 0);
});

story!(the_first_word_of_all_may_be_stop, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("unsubscribe").unwrap();
    ana.says("Stop.").unwrap();
    app.rest().await;
    assert_eq!(app.count("suppression").await, 1);
    assert_eq!(app.count("contact").await, 1);
    assert_eq!(app.control.ledger().n_sends, 0);
});

story!(stop_within_a_sentence_is_no_stop, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("Does the bus stop near you?").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana).len(), 1);
});

story!(start_without_a_stop_is_a_message_like_any_other, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("start").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana).len(), 1);
});

story!(who_wants_a_person_gets_a_person, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("can I talk to a human please").unwrap();
    app.rest().await;
    assert_eq!(app.control.ledger().n_sends, 0);
    let tasks = app.tasks().await;
    let [task] = tasks.as_slice() else { panic!("{tasks:?}") };
    assert_eq!(task.kind, "human-request");
    assert_eq!(task.note.as_deref(), Some("can I talk to a human please"));
    ana.says("hello?").unwrap();
    app.rest().await;
    assert_eq!(app.control.ledger().n_sends, 0, "no plugin talks over them");
});
