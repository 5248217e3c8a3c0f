//! What another process has just connected: a host that has not seen it yet loses nothing of it.

use bellhop::app::listen;
use serde_json::json;

use crate::support::post::{SIGNATURE, body, client, message, sign};
use crate::support::{PATIENCE, SETTLED, START, TestApp, add_app, add_business, story};

/// Posts a signed body to this host; the status.
async fn post(origin: std::net::SocketAddr, app_id: &str, secret: &str, body: String) -> u16 {
    let signature = sign(secret, body.as_bytes());
    let request = client().post(format!("http://{origin}/webhook/{app_id}")).timeout(PATIENCE);
    request.header(SIGNATURE, signature).body(body).send().await.unwrap().status().as_u16()
}

fn hello_to(page: &str, mid: &str) -> String {
    body(page, &[message(page, "7", mid, "hello", START)])
}

async fn open_events(app: &TestApp) -> i64 {
    app.events_that("message open").await
}

story!(the_first_message_of_a_new_channel_is_answered_by_a_host_that_does_not_know_it_yet, |app| {
    let other = app.another_host().await;
    let business = app.another_business("Casa Lucia").await;
    app.enable(&business, "hello", "{}").await;
    let ben = app.control.add_person(&business.page_id, "Ben").unwrap();
    ben.says("hello").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    assert_eq!(other.dispatch.run_once().await.unwrap(), 1);
    assert_eq!(app.events_that("message done").await, 1, "{:?}", app.events().await);
    app.calm().await;
    assert_eq!(app.received(&ben).len(), 1);
});

story!(stop_on_a_new_channel_is_heard_by_a_host_that_does_not_know_it_yet, |app| {
    let other = app.another_host().await;
    let business = app.another_business("Casa Lucia").await;
    let ben = app.control.add_person(&business.page_id, "Ben").unwrap();
    ben.says("stop").unwrap();
    app.arrive().await;
    assert_eq!(other.dispatch.control_once().await.unwrap(), 1);
    assert_eq!(app.count("suppression").await, 1);
});

story!(a_webhook_for_a_page_that_was_just_connected_elsewhere_is_stored, |app| {
    let other = app.another_host().await;
    let door = listen(([127, 0, 0, 1], 0).into(), other.public_router(), other.stop_token()).await.unwrap();
    let business = app.another_business("Casa Lucia").await;
    let post = async |body| post(door.address, app.app_id.as_str(), &app.app_secret, body).await;
    assert_eq!(post(hello_to(&business.page_id, "m_1")).await, 200);
    assert_eq!(open_events(&app).await, 1);
    // Pages that nobody connected are many, and cost a look a second at most.
    assert_eq!(post(hello_to("404", "m_2")).await, 200);
    let third = app.another_business("Chez Marie").await;
    assert_eq!(post(hello_to(&third.page_id, "m_3")).await, 200);
    assert_eq!(open_events(&app).await, 1, "it had looked within this second");
    app.advance(std::time::Duration::from_secs(1));
    assert_eq!(post(hello_to(&third.page_id, "m_4")).await, 200);
    assert_eq!(open_events(&app).await, 2);
});

story!(an_app_that_was_just_added_elsewhere_is_known_and_strangers_cost_nobody_a_message, |app| {
    let other = app.another_host().await;
    let door = listen(([127, 0, 0, 1], 0).into(), other.public_router(), other.stop_token()).await.unwrap();
    // Somebody who knows no secret uses up the strangers' look.
    let unknown = bellhop_domain::id::AppId::new();
    assert_eq!(post(door.address, unknown.as_str(), "no secret", json!({}).to_string()).await, 404);
    let theirs = app.control.add_app("another");
    let their_app = add_app(&app.app, &theirs.id, &theirs.secret).await;
    let business = add_business(&app.app, &app.control, &their_app, &theirs.id, "Elsewhere").await;
    let hello = || hello_to(&business.page_id, "m_1");
    assert_eq!(post(door.address, their_app.as_str(), &theirs.secret, hello()).await, 404, "Meta sends it again");
    app.advance(std::time::Duration::from_secs(1));
    assert_eq!(post(door.address, their_app.as_str(), &theirs.secret, hello()).await, 200);
    assert_eq!(open_events(&app).await, 1);
    // A Page of an app that is known does not depend on strangers.
    assert_eq!(post(door.address, unknown.as_str(), "no secret", json!({}).to_string()).await, 404);
    let third = app.another_business("Chez Marie").await;
    assert_eq!(post(door.address, app.app_id.as_str(), &app.app_secret, hello_to(&third.page_id, "m_2")).await, 200);
    assert_eq!(open_events(&app).await, 2);
});
