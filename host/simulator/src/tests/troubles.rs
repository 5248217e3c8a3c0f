//! What goes wrong on purpose.

use super::*;

#[tokio::test]
async fn the_next_sends_fail_as_told_and_then_no_more() {
    let stage = Stage::greeted().await;
    stage.control.next_sends(1, Trouble::Refuse(GraphError::new(613, None)));
    stage.control.next_sends(1, Trouble::Refuse(GraphError::new(10, Some(1_893_063)).with_status(200)));
    let typing = json!({ "recipient": { "id": stage.ana.person_id }, "sender_action": "typing_on" });
    assert_eq!(stage.send(&typing).await.0, 200, "typing does not use up what is meant for messages");
    stage.send_fails(&stage.text_to_ana("one"), 400, 613, None).await;
    stage.send_fails(&stage.text_to_ana("two"), 200, 10, Some(1_893_063)).await;
    assert_eq!(stage.send(&stage.text_to_ana("three")).await.0, 200);
}

#[tokio::test]
async fn every_call_can_fail_until_it_is_over() {
    let stage = Stage::greeted().await;
    stage.control.every_call(Some(Trouble::Refuse(GraphError::new(2, None))));
    is_error(&stage.get("me").await, 503, 2, None);
    stage.send_fails(&stage.text_to_ana("hi"), 503, 2, None).await;
    stage.control.every_call(None);
    assert_eq!(stage.get("me").await.0, 200);
}

#[tokio::test]
async fn a_message_can_be_sent_and_the_answer_lost() {
    let stage = Stage::greeted().await;
    stage.control.next_sends(1, Trouble::DropAfter);
    let url = format!("{}/v25.0/me/messages", stage.simulator.url());
    let send = || stage.client.post(&url).bearer_auth(&stage.page.token).json(&stage.text_to_ana("hi"));
    let error = answered(send()).await.unwrap_err();
    assert!(!error.is_timeout() && !error.is_connect() && error.status().is_none(), "{error:?}");
    let sends = stage.control.accepted();
    assert_eq!(sends.len(), 1);
    assert!(sends[0].answer_lost);
    assert_eq!(stage.control.thread(&stage.page.id, &stage.ana.person_id).unwrap().len(), 2);
    assert_eq!(answered(send()).await.unwrap().0, 200, "the next connection is sound");
}

#[tokio::test]
async fn a_connection_can_be_cut_with_nothing_done() {
    let stage = Stage::greeted().await;
    stage.control.next_sends(1, Trouble::DropBefore);
    let url = format!("{}/v25.0/me/messages", stage.simulator.url());
    let request = stage.client.post(&url).bearer_auth(&stage.page.token).json(&stage.text_to_ana("hi"));
    assert!(answered(request).await.is_err());
    assert_eq!(stage.control.accepted().len(), 0);
    assert_eq!(stage.control.ledger().sends[0].outcome, Outcome::Lost);
    assert_eq!(stage.control.thread(&stage.page.id, &stage.ana.person_id).unwrap().len(), 1);
}

#[tokio::test]
async fn a_router_inside_another_server_loses_answers_too() {
    let stage = Stage::greeted().await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/v25.0/me/messages", listener.local_addr().unwrap());
    let routes = Router::new().route("/", get(|| async { "our own page" })).merge(stage.simulator.router());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    stage.control.next_sends(1, Trouble::DropAfter);
    let send = || stage.client.post(&url).bearer_auth(&stage.page.token).json(&stage.text_to_ana("hi"));
    assert!(answered(send()).await.is_err());
    assert_eq!(stage.control.accepted().len(), 1);
    assert_eq!(answered(send()).await.unwrap().0, 200);
}

#[tokio::test]
async fn a_delayed_answer_comes_when_the_clock_says_so() {
    let stage = Stage::greeted().await;
    stage.control.next_sends(1, Trouble::Delay(Duration::from_secs(15)));
    let body = stage.text_to_ana("slow");
    let mut sending = Box::pin(stage.send(&body));
    tokio::select! {
        _ = &mut sending => panic!("answered before its time"),
        sent = stage.control.wait_for_sends(1, PATIENCE) => { sent.unwrap(); }
    }
    stage.control.advance(Duration::from_secs(15));
    assert_eq!(sending.await.0, 200);
}

#[tokio::test]
async fn held_answers_come_when_released() {
    let stage = Stage::greeted().await;
    stage.control.next_sends(1, Trouble::Hold);
    let body = stage.text_to_ana("held");
    let mut sending = Box::pin(stage.send(&body));
    tokio::select! {
        _ = &mut sending => panic!("answered before it was released"),
        sent = stage.control.wait_for_sends(1, PATIENCE) => { sent.unwrap(); }
    }
    stage.control.release_replies();
    assert_eq!(sending.await.0, 200);
}

#[tokio::test]
async fn waiting_in_vain_says_what_there_was() {
    let stage = Stage::greeted().await;
    stage.control.wait_for_webhooks(1, PATIENCE).await.unwrap();
    let error = stage.control.wait_for_sends(1, Duration::from_millis(1)).await.unwrap_err();
    assert_eq!(error.to_string(), "timed out with 0 messages accepted of 0 sends, 1 of 1 webhooks settled");
}

#[tokio::test]
async fn stopping_ends_held_answers_and_open_pages() {
    let stage = Stage::greeted().await;
    let events = stage.client.get(format!("{}/_control/events", stage.simulator.url())).send().await.unwrap();
    stage.control.next_sends(1, Trouble::Hold);
    let url = format!("{}/v25.0/me/messages", stage.simulator.url());
    let request = stage.client.post(url).bearer_auth(&stage.page.token).json(&stage.text_to_ana("held"));
    let sending = tokio::spawn(answered(request));
    stage.control.wait_for_sends(1, PATIENCE).await.unwrap();
    tokio::time::timeout(PATIENCE, stage.simulator.shutdown()).await.expect("the simulator did not stop");
    assert_eq!(sending.await.unwrap().unwrap().0, 200);
    assert!(events.text().await.is_ok());
}
