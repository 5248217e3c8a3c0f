//! Reading: nodes, profiles, threads, subscriptions, versions.

use super::*;

#[tokio::test]
async fn a_page_and_a_profile_can_be_read() {
    let stage = Stage::new().await;
    assert_eq!(stage.get("me").await.1, json!({ "id": stage.page.id, "name": "Lantern Bakery" }));
    let profile = stage.get(&format!("{}?fields=first_name,last_name,profile_pic", stage.ana.person_id)).await.1;
    assert_eq!((&profile["first_name"], &profile["last_name"]), (&json!("Ana"), &json!("Lopes")));
    is_error(&stage.get(&format!("{}?fields=shoe_size", stage.ana.person_id)).await, 400, 100, None);
    stage.ana.hides_profile(true).unwrap();
    is_error(&stage.get(&stage.ana.person_id).await, 403, 230, None);
    is_error(&stage.get("454545").await, 400, 100, Some(33));
}

#[tokio::test]
async fn versions_and_paths_that_do_not_exist_are_refused() {
    let stage = Stage::new().await;
    is_error(&stage.get("me/no/such/edge").await, 400, 2_500, None);
    is_error(&stage.post("me/nonsense", &json!({})).await, 400, 100, Some(33));
    for (version, status) in [("v26.0", 200), ("v19.0", 200), ("v27.0", 400), ("v25", 400), ("25.0", 400)] {
        let url = format!("{}/{version}/me", stage.simulator.url());
        let answer = answered(stage.client.get(url).bearer_auth(&stage.page.token)).await.unwrap();
        assert_eq!(answer.0, status, "{version}");
    }
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_bad_parameters() {
    let stage = Stage::new().await;
    let url = format!("{}/v25.0/me/messages", stage.simulator.url());
    for (media_type, body) in [("application/json", "{"), ("application/json", "[]"), ("text/plain", "hi")] {
        let request = stage.client.post(&url).bearer_auth(&stage.page.token).header("content-type", media_type);
        is_error(&answered(request.body(body)).await.unwrap(), 400, 100, None);
    }
}

#[tokio::test]
async fn a_thread_shows_what_was_sent() {
    let stage = Stage::greeted().await;
    let mid = stage.send(&stage.text_to_ana("hi Ana")).await.1["message_id"].clone();
    let fields = "messages.limit(5){id,message,created_time,from}";
    let path =
        format!("{}/conversations?platform=messenger&user_id={}&fields={fields}", stage.page.id, stage.ana.person_id);
    let (status, answer) = stage.get(&path).await;
    assert_eq!(status, 200);
    let messages = answer["data"][0]["messages"]["data"].as_array().unwrap();
    assert_eq!(messages.len(), 2);
    assert_eq!((&messages[0]["id"], &messages[0]["message"]), (&mid, &json!("hi Ana")));
    assert_eq!(messages[0]["from"]["id"], stage.page.id);
    assert_eq!(messages[0]["created_time"], "2026-09-21T14:13:20+0000");
    assert_eq!(messages[1]["from"]["id"], stage.ana.person_id);
    let message = stage.get(&format!("{}?fields=message,from", mid.as_str().unwrap())).await.1;
    assert_eq!(message["message"], "hi Ana");
    let nobody = stage.get("me/conversations?platform=messenger&user_id=1").await.1;
    assert_eq!(nobody, json!({ "data": [] }));
}

#[tokio::test]
async fn a_thread_lags_behind_when_told_to_and_is_listed_twice_a_second() {
    let stage = Stage::greeted().await;
    stage.send(&stage.text_to_ana("hi Ana")).await;
    stage.control.set_threads_lag(Duration::from_secs(3));
    let path = format!("me/conversations?user_id={}&fields=messages.limit(1){{message}}", stage.ana.person_id);
    assert_eq!(stage.get(&path).await.1, json!({ "data": [] }));
    stage.control.advance(Duration::from_secs(3));
    let messages = stage.get(&path).await.1["data"][0]["messages"].clone();
    assert_eq!(messages["data"][0]["message"], "hi Ana");
    assert!(messages["paging"]["next"].is_string(), "there is an older one");
    let all = stage.get(&path.replace("(1)", "(2)")).await.1["data"][0]["messages"].clone();
    assert!(all["paging"].get("next").is_none() && all["paging"]["cursors"]["after"].is_string());
    is_error(&stage.get(&path).await, 400, 613, None);
    stage.control.advance(Duration::from_secs(1));
    assert_eq!(stage.get(&path).await.0, 200);
    let ledger = stage.control.ledger();
    assert_eq!((ledger.n_lookups, ledger.n_lookups_refused), (5, 1));
    stage.control.drop_permission(&stage.page.id, "pages_messaging").unwrap();
    is_error(&stage.get(&path).await, 403, 10, None);
}

#[tokio::test]
async fn only_the_twenty_newest_messages_have_details() {
    let stage = Stage::new().await;
    let oldest = stage.ana.says("first").unwrap();
    for number in 0..19 {
        stage.ana.says(&number.to_string()).unwrap();
    }
    assert_eq!(stage.get(&format!("{oldest}?fields=message")).await.0, 200);
    stage.ana.says("one too many").unwrap();
    is_error(&stage.get(&format!("{oldest}?fields=message")).await, 400, 9_000_001, None);
    let listed = stage.get("me/conversations?fields=messages.limit(30){id,message}").await.1;
    let messages = listed["data"][0]["messages"]["data"].as_array().unwrap();
    assert_eq!(messages.len(), 21);
    assert!(messages[19].get("message").is_some() && messages[20].get("message").is_none());
}

#[tokio::test]
async fn a_subscription_is_replaced_listed_and_ended() {
    let stage = Stage::new().await;
    let subscribe = json!({ "subscribed_fields": "messages,messaging_optins" });
    assert_eq!(stage.post("me/subscribed_apps", &subscribe).await, (200, json!({ "success": true })));
    let listed = stage.get("me/subscribed_apps").await.1;
    assert_eq!(listed["data"][0]["id"], stage.app.id);
    assert_eq!(listed["data"][0]["subscribed_fields"], json!(["messages", "messaging_optins"]));
    stage.ana.taps("Start", "START").unwrap();
    stage.ana.says("hello").unwrap();
    assert!(stage.callback.next().await.item().get("message").is_some(), "a field not subscribed was sent");
    let url = format!("{}/v25.0/me/subscribed_apps", stage.simulator.url());
    let ended = answered(stage.client.delete(url).bearer_auth(&stage.page.token)).await.unwrap();
    assert_eq!(ended, (200, json!({ "success": true })));
    assert_eq!(stage.get("me/subscribed_apps").await.1, json!({ "data": [] }));
    stage.ana.says("anyone?").unwrap();
    assert_eq!(stage.control.ledger().n_webhooks, 1);
    let unknown = json!({ "subscribed_fields": "messages,gossip" });
    is_error(&stage.post("me/subscribed_apps", &unknown).await, 400, 100, None);
}

#[tokio::test]
async fn usage_headers_are_on_every_answer_when_set() {
    let stage = Stage::new().await;
    let business = json!({ stage.page.id.clone(): [{ "type": "messenger", "call_count": 97 }] });
    stage.control.set_usage(Some(json!({ "call_count": 28 })), Some(business.clone()));
    for token in [stage.page.token.as_str(), "nonsense"] {
        let url = format!("{}/v25.0/me", stage.simulator.url());
        let response = stage.client.get(url).bearer_auth(token).send().await.unwrap();
        let header = |name: &str| response.headers().get(name).unwrap().to_str().unwrap().to_owned();
        assert_eq!(header("x-app-usage"), r#"{"call_count":28}"#);
        assert_eq!(header("x-business-use-case-usage"), business.to_string());
        assert_eq!(header("facebook-api-version"), "v25.0");
    }
}
