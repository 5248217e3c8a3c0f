//! One tenant cannot act for, see or silence another, though they share a host, an app and a webhook.

use bellhop::db::Bulk;
use bellhop_simulator::Release;
use serde_json::json;

use crate::support::post::{SIGNATURE, body, message, sign};
use crate::support::{Business, SETTLED, START, TestApp, add_app, add_business, story};

fn entry(question: &str, answer: &str) -> serde_json::Value {
    json!([{ "questions": [question], "answer": answer, "language": "en" }])
}

story!(a_batch_for_several_businesses_is_sorted_by_entry, |app| {
    let (one, other) = (app.business.clone(), app.another_business("Casa Lucia").await);
    for (business, answer) in [(&one, "At Aurora's."), (&other, "At Lucia's.")] {
        app.enable(business, "faq", "{}").await;
        app.import_faq(business, entry("Where are you?", answer)).await;
    }
    let ana = app.customer("Ana");
    let ben = app.control.add_person(&other.page_id, "Ben").unwrap();
    app.control.hold_webhooks();
    ana.says("Where are you?").unwrap();
    ben.says("Where are you?").unwrap();
    app.control.release_webhooks(&Release::OneBatch);
    app.rest().await;
    let ledger = app.control.ledger();
    let first = ledger.webhooks.front().unwrap();
    assert_eq!(first.page_ids.len(), 2, "both came in one body");
    assert_eq!(app.received(&ana), ["At Aurora's."]);
    assert_eq!(app.received(&ben), ["At Lucia's."]);
    assert_eq!((app.turns_of(&one).await.len(), app.turns_of(&other).await.len()), (1, 1));
});

story!(one_bad_entry_does_not_spoil_the_others_of_its_batch, |app| {
    let page = &app.business.page_id;
    let good = json!({ "id": page, "time": START, "messaging": [message(page, "7", "m_1", "hello", START)] });
    let stranger = json!({ "id": "404", "time": START, "messaging": [message("404", "7", "m_2", "hello", START)] });
    let body = json!({ "object": "page", "entry": [7, stranger, {}, { "id": page, "messaging": "?" }, good, null] });
    assert_eq!(app.post_signed(body.to_string()).await, 200);
    assert_eq!(app.events_that("message open").await, 1);
});

story!(an_app_cannot_speak_for_another_apps_page, |app| {
    let theirs = app.control.add_app("somebody else's");
    let their_app = add_app(&app.app, &theirs.id, &theirs.secret).await;
    let their_business = add_business(&app.app, &app.control, &their_app, &theirs.id, "Elsewhere").await;
    let url = app.webhook_url().replace(app.app_id.as_str(), their_app.as_str());
    let forged = |page: &str, mid| body(page, &[message(page, "7", mid, "STOP", START)]);
    let post = async |body: String| {
        let signature = sign(&theirs.secret, body.as_bytes());
        let request = crate::support::post::client().post(&url).header(SIGNATURE, signature).body(body);
        request.send().await.unwrap().status().as_u16()
    };
    // Their own secret opens their own door, and only for their own Page.
    assert_eq!(post(forged(&app.business.page_id, "m_1")).await, 200);
    assert_eq!(app.count("inbox_event").await, 0);
    assert_eq!(app.count("conversation").await, 0);
    assert_eq!(post(forged(&their_business.page_id, "m_2")).await, 200);
    assert_eq!(app.count("inbox_event").await, 1);
    // Nor does their secret open our door.
    let body = forged(&app.business.page_id, "m_3");
    let signature = sign(&theirs.secret, body.as_bytes());
    assert_eq!(app.post_with(body, &[(SIGNATURE, &signature)]).await, 401);
});

story!(an_entry_of_one_page_cannot_carry_a_message_to_another, |app| {
    let other = app.another_business("Casa Lucia").await;
    // The entry says one Page, the item another: whichever counts, it is one of the app's own, and only one.
    let crossed = body(&app.business.page_id, &[message(&other.page_id, "7", "m_1", "hello", START)]);
    assert_eq!(app.post_signed(crossed).await, 200);
    assert_eq!(app.count("inbox_event").await, 1);
    assert_eq!(app.count("conversation").await, 1);
});

story!(the_same_person_at_two_businesses_is_two_contacts, |app| {
    let other = app.another_business("Casa Lucia").await;
    app.enable(&app.business, "hello", "{}").await;
    app.enable(&other, "hello", "{}").await;
    // One id of Meta's, and even one message id, on two Pages.
    for page in [&app.business.page_id, &other.page_id] {
        let status = app.post_signed(body(page, &[message(page, "4242", "m_same", "hello", START)])).await;
        assert_eq!(status, 200);
    }
    app.rest().await;
    assert_eq!(app.count("contact").await, 2);
    assert_eq!((app.turns().await.len(), app.turns_of(&other).await.len()), (1, 1));
    // "Stop" to the one is no "stop" to the other.
    let page = &app.business.page_id;
    assert_eq!(app.post_items(&[message(page, "4242", "m_stop", "STOP", START + 10_000)]).await, 200);
    app.rest().await;
    for page in [&app.business.page_id, &other.page_id] {
        let again = message(page, "4242", "m_again", "hello again", START + 20_000);
        assert_eq!(app.post_signed(body(page, &[again])).await, 200);
    }
    app.rest().await;
    let verdict = |turns: &[bellhop::api::TurnView]| {
        let outline = turns.last().unwrap().turn.outline.clone().unwrap();
        outline.plugins[0].proposals[0].verdict.clone()
    };
    assert!(verdict(&app.turns().await).starts_with("deny"), "{}", verdict(&app.turns().await));
    assert_eq!(verdict(&app.turns_of(&other).await), "allow");
});

story!(entries_of_one_business_are_never_found_for_another, |app| {
    let other = app.another_business("Casa Lucia").await;
    for business in [&app.business, &other] {
        app.enable(business, "faq", "{}").await;
    }
    app.import_faq(&app.business, entry("What is the secret of the house?", "Cardamom.")).await;
    let ben = app.control.add_person(&other.page_id, "Ben").unwrap();
    ben.says("What is the secret of the house?").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ben).len(), 0);
    assert_eq!(app.turns_of(&other).await[0].turn.outcome, "unanswered");
    let stores = &app.app.stores;
    let tasks = bellhop::conversation::tasks_open(&stores.db, &stores.vault, &other.workspace).await.unwrap();
    assert_eq!((tasks.len(), app.tasks().await.len()), (1, 0), "and its staff hear of it, nobody else's");
});

story!(one_businesss_flood_does_not_hold_up_another, |app| {
    let other = app.another_business("Casa Lucia").await;
    app.enable(&app.business, "hello", "{}").await;
    app.enable(&other, "hello", "{}").await;
    let page = &app.business.page_id;
    let flood: Vec<_> =
        (0..80).map(|n| message(page, &format!("9{n}"), &format!("m_{n}"), "hello", START + n)).collect();
    assert_eq!(app.post_items(&flood).await, 200);
    let ben = app.control.add_person(&other.page_id, "Ben").unwrap();
    ben.says("hello").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    // Ben is the last of 81 in time, and is in the first handful all the same.
    app.app.dispatch.run_once().await.unwrap();
    assert_eq!(app.turns_of(&other).await.len(), 1);
    assert!(app.turns().await.len() < 80);
    app.calm().await;
    assert_eq!(app.count("turn").await, 81);
});

story!(a_backlog_of_one_business_hides_no_other, |app| {
    let other = app.another_business("Casa Lucia").await;
    app.enable(&other, "hello", "{}").await;
    app.have_ready(&app.business, 1_500).await;
    let ben = app.control.add_person(&other.page_id, "Ben").unwrap();
    ben.says("hello").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    app.app.dispatch.run_once().await.unwrap();
    assert_eq!(app.turns_of(&other).await.len(), 1, "though 1,500 conversations have been ready for longer");
});

story!(what_one_business_has_to_say_does_not_hold_up_another, |app| {
    let other = app.another_business("Casa Lucia").await;
    app.enable(&app.business, "hello", "{}").await;
    app.enable(&other, "hello", "{}").await;
    let page = &app.business.page_id;
    let flood: Vec<_> =
        (0..80).map(|n| message(page, &format!("9{n}"), &format!("m_{n}"), "hello", START + n)).collect();
    assert_eq!(app.post_items(&flood).await, 200);
    app.advance(SETTLED);
    while app.app.dispatch.run_once().await.unwrap() > 0 {}
    let ben = app.control.add_person(&other.page_id, "Ben").unwrap();
    ben.says("hello").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    app.app.dispatch.run_once().await.unwrap();
    app.app.outbox.run_once().await.unwrap();
    assert_eq!(app.received(&ben).len(), 1, "though 80 answers have been due for longer");
    app.calm().await;
    assert_eq!(app.control.ledger().n_sends, 81);
});

impl TestApp {
    /// Conversations of a business that have been ready since long ago, with nothing in them.
    async fn have_ready(&self, business: &Business, n: u32) {
        let db = &self.app.stores.db;
        for chunk in (0..n).collect::<Vec<_>>().chunks(Bulk::MAX_ROWS) {
            let mut insert = Bulk::new(
                "insert into conversation (workspace_id, id, channel_id, thread, mode, revision, arrivals, ready_at, failures, \
                 epoch, lease_until, created_at) values ",
            );
            for nth in chunk {
                let row = insert.row().bind(business.workspace.as_str()).bind(format!("backlog-{nth}"));
                let row = row.bind(business.channel.as_str()).bind(format!("{nth:032}").into_bytes()).bind("automated");
                let row = row.bind(0_i64).bind(0_i64).bind(START - 60_000 + i64::from(*nth)).bind(0_i64);
                row.bind(0_i64).bind(0_i64).bind(START);
            }
            db.execute(insert).await.unwrap();
        }
    }
}
