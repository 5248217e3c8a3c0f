//! Webhooks come twice, late and in any order; a message is answered once.

use std::time::Duration;

use bellhop_simulator::Release;

use crate::support::post::{body, message};
use crate::support::{START, story};

const DAY: Duration = Duration::from_secs(86_400);

story!(a_webhook_that_comes_twice_is_answered_once, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    app.control.duplicate_webhooks(1);
    ana.says("hello").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana).len(), 1);
    // And once more after the answer.
    let first = app.control.ledger().webhooks.front().unwrap().number;
    app.control.redeliver(first).unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana).len(), 1);
    assert_eq!(app.events_that("message done").await, 1);
});

story!(a_message_that_stands_twice_in_one_body_is_one_message, |app| {
    let page = app.business.page_id.clone();
    let one = message(&page, "7", "m_1", "hello", START);
    assert_eq!(app.post_items(&[one.clone(), one.clone(), one]).await, 200);
    assert_eq!(app.events_that("message open").await, 1);
});

story!(metas_other_batches_of_the_same_messages_bring_nothing_new, |app| {
    let page = app.business.page_id.clone();
    let all: Vec<_> = (0..4).map(|n| message(&page, "7", &format!("m_{n}"), "hello", START + n)).collect();
    assert_eq!(app.post_items(&all[..2]).await, 200);
    assert_eq!(app.post_items(&all[1..]).await, 200);
    let reversed: Vec<_> = all.iter().rev().cloned().collect();
    assert_eq!(app.post_items(&reversed).await, 200);
    assert_eq!(app.events_that("message open").await, 4);
});

story!(copies_that_arrive_at_the_same_instant_are_stored_once, |app| {
    let page = app.business.page_id.clone();
    let bodies = (0..24).map(|n| {
        let first = message(&page, "7", "m_same", "hello", START);
        let own = message(&page, &format!("8{n}"), &format!("m_{n}"), "hello", START);
        // Each in another order: hosts that lock rows in the order of arrival would deadlock here.
        body(&page, &if n % 2 == 0 { [first, own] } else { [own, first] })
    });
    let posts: Vec<_> = bodies.map(|body| app.post_signed(body)).collect();
    let statuses = futures_util::future::join_all(posts).await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!(app.events_that("message open").await, 25);
    assert_eq!(app.count("conversation").await, 25);
});

story!(a_message_that_was_overtaken_is_told_in_the_order_in_which_it_was_said, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    app.control.hold_webhooks();
    for part in ["one", "two", "three"] {
        ana.says(part).unwrap();
        app.advance(Duration::from_millis(100));
    }
    app.control.release_webhooks(&Release::Reversed);
    app.rest().await;
    let turns = app.turns().await;
    let [turn] = turns.as_slice() else { panic!("{turns:?}") };
    let events = &turn.turn.outline.as_ref().unwrap().events;
    let said: Vec<_> = events.iter().map(|event| turn.said[event.message.as_ref().unwrap()].as_str()).collect();
    assert_eq!(said, ["one", "two", "three"]);
});

story!(a_message_that_comes_after_a_later_one_was_answered_is_marked_late, |app| {
    use crate::support::hostile::{Guest, guest};
    // The event's list of messages stands at 4, and in a message `late` at 60.
    let body = "(local.set $count (i32.load offset=4 (local.get 0)))
        (if (result i32) (i32.load8_u offset=60 (local.get $count))
            (then (call $say (i32.const 16384) (i32.const 4)))
            (else (call $say (i32.const 16388) (i32.const 7))))";
    let items = "(data (i32.const 16384) \"lateon time\")";
    app.enable_hostile(&app.business, &Guest { items, ..guest(body) }).await;
    let ana = app.customer("Ana");
    app.control.hold_webhooks();
    ana.says("the first").unwrap();
    app.advance(Duration::from_secs(1));
    ana.says("the second").unwrap();
    app.control.release_webhooks(&Release::Places(vec![1]));
    app.rest().await;
    assert_eq!(app.received(&ana), ["on time"]);
    let page = app.business.page_id.clone();
    assert_eq!(app.post_items(&[message(&page, &ana.person_id, "m_first", "the first", START)]).await, 200);
    app.rest().await;
    assert_eq!(app.received(&ana), ["on time", "late"]);
});

story!(what_meta_sends_again_after_a_week_is_still_known, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("hello").unwrap();
    app.rest().await;
    let first = app.control.ledger().webhooks.front().unwrap().number;
    app.advance(7 * DAY);
    app.app.jobs.slow().await.unwrap();
    app.control.redeliver(first).unwrap();
    app.rest().await;
    assert_eq!(app.events_that("message done").await, 1, "{:?}", app.events().await);
    assert_eq!(app.received(&ana).len(), 1);
    // Beyond the horizon the key is gone; the message is too old for anybody to act on it.
    app.advance(2 * DAY);
    app.app.jobs.slow().await.unwrap();
    app.control.redeliver(first).unwrap();
    app.rest().await;
    assert_eq!(app.events_that("message ignored").await, 1, "{:?}", app.events().await);
    assert_eq!(app.received(&ana).len(), 1);
});

story!(an_old_message_is_kept_and_runs_no_plugin, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let (page, limit) = (app.business.page_id.clone(), Duration::from_secs(7 * 86_400 + 43_200));
    let limit = i64::try_from(limit.as_millis()).unwrap();
    let old = message(&page, "7", "m_old", "hello", START - limit - 1);
    let young = message(&page, "8", "m_young", "hello", START - limit);
    assert_eq!(app.post_items(&[old, young]).await, 200);
    app.rest().await;
    assert_eq!((app.events_that("message ignored").await, app.events_that("message done").await), (1, 1));
    assert_eq!(app.turns().await.len(), 1);
});

story!(every_event_ends_and_the_counts_add_up, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let (ana, ben) = (app.customer("Ana"), app.customer("Ben"));
    app.control.duplicate_webhooks(3);
    let first = ana.says("hello").unwrap();
    ben.taps("Get started", "start").unwrap();
    ana.sends_attachment("image", "https://example.com/cat.jpg").unwrap();
    app.rest().await;
    ana.reacts(&first, Some("❤")).unwrap();
    ana.comments("Nice cat").unwrap();
    ben.reads().unwrap();
    ana.unsends(&first).unwrap();
    ben.says("STOP").unwrap();
    app.rest().await;
    let events = app.events().await;
    assert!(events.keys().all(|kind| !kind.ends_with("open")), "{events:?}");
    assert_eq!(events.values().sum::<i64>(), app.count("dedupe").await, "one key for each event");
    assert_eq!(events["message done"] + events["postback done"], 4, "{events:?}");
    assert_eq!(events["comment ignored"], 1, "no channel of comments is served yet");
    let n_sent = i64::try_from(app.control.accepted().len()).unwrap();
    assert_eq!(events["echo done"], n_sent, "each send came back once");
});

story!(people_who_write_very_much_at_once_are_answered_all_the_same, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let customers: Vec<_> = (0..6).map(|n| app.customer(&format!("Customer {n}"))).collect();
    for _ in 0..60 {
        for customer in &customers {
            customer.says("hello").unwrap();
        }
    }
    app.rest().await;
    app.rest().await;
    assert_eq!(app.events_that("message done").await, 360, "{:?}", app.events().await);
});
