//! Tokens, proofs, permissions: who may call.

use super::*;

fn proof(stage: &Stage) -> String {
    let signature = webhook::sign::sha256(&stage.app.secret, stage.page.token.as_bytes());
    signature.trim_start_matches("sha256=").to_owned()
}

#[tokio::test]
async fn a_dead_token_fails_with_its_subcode_whatever_the_path() {
    let stage = Stage::greeted().await;
    for subcode in [458, 460, 463, 467, 492] {
        stage.control.kill_token(&stage.page.token, subcode).unwrap();
        is_error(&stage.send(&stage.text_to_ana("hi")).await, 401, 190, Some(subcode));
        is_error(&stage.get("no/such/path").await, 401, 190, Some(subcode));
    }
    is_error(&stage.get_as("nonsense", "me").await, 401, 190, None);
    let answer = answered(stage.client.get(format!("{}/v25.0/me", stage.simulator.url()))).await.unwrap();
    is_error(&answer, 400, 2_500, None);
}

#[tokio::test]
async fn a_token_expires_on_the_simulators_clock() {
    let stage = Stage::greeted().await;
    stage.control.expire_token(&stage.page.token, Duration::from_secs(60)).unwrap();
    stage.control.advance(Duration::from_millis(59_999));
    assert_eq!(stage.get("me").await.0, 200);
    stage.control.advance(Duration::from_millis(1));
    is_error(&stage.get("me").await, 401, 190, Some(463));
    let renewed = stage.control.renew_page_token(&stage.page.id).unwrap();
    assert_eq!(stage.get_as(&renewed, "me").await.1["id"], stage.page.id);
}

#[tokio::test]
async fn a_proof_is_checked_when_given_and_asked_for_when_required() {
    let stage = Stage::new().await;
    assert_eq!(stage.get(&format!("me?appsecret_proof={}", proof(&stage))).await.0, 200);
    is_error(&stage.get("me?appsecret_proof=00ff").await, 400, 100, None);
    assert_eq!(stage.get("me").await.0, 200);
    stage.control.change_app(&stage.app.id, |app| app.requires_proof = true).unwrap();
    is_error(&stage.get("me").await, 400, 100, None);
    assert_eq!(stage.get(&format!("me?appsecret_proof={}", proof(&stage))).await.0, 200);
}

#[tokio::test]
async fn the_books_say_which_sends_carried_a_proof_and_do_not_keep_it() {
    let stage = Stage::greeted().await;
    let mut body = stage.text_to_ana("hi");
    stage.send(&body).await;
    body["appsecret_proof"] = proof(&stage).into();
    stage.send(&body).await;
    let sends = stage.control.accepted();
    assert_eq!((sends[0].has_proof, sends[1].has_proof), (false, true));
    assert_eq!(sends[0].body, sends[1].body);
}

#[tokio::test]
async fn permissions_can_be_dropped_and_restored() {
    let stage = Stage::greeted().await;
    stage.control.drop_permission(&stage.page.id, "pages_messaging").unwrap();
    stage.control.drop_permission(&stage.page.id, "pages_manage_metadata").unwrap();
    stage.send_fails(&stage.text_to_ana("hi"), 403, 10, None).await;
    let subscribe = json!({ "subscribed_fields": "messages" });
    is_error(&stage.post("me/subscribed_apps", &subscribe).await, 403, 200, None);
    stage.control.restore_permissions(&stage.page.id).unwrap();
    assert_eq!(stage.send(&stage.text_to_ana("hi")).await.0, 200);
}

#[tokio::test]
async fn the_token_of_another_page_opens_nothing_here() {
    let stage = Stage::greeted().await;
    let other = stage.control.add_page(&stage.app.id, "Corner Salon").unwrap();
    let path = format!("{}/messages", other.id);
    is_error(&stage.post(&path, &stage.text_to_ana("hi")).await, 400, 100, Some(33));
    is_error(&stage.get_as(&other.token, &stage.ana.person_id).await, 400, 100, Some(33));
}

#[tokio::test]
async fn debug_token_tells_the_app_about_its_tokens() {
    let stage = Stage::new().await;
    let app_token = format!("{}|{}", stage.app.id, stage.app.secret);
    let path = format!("debug_token?input_token={}", stage.page.token);
    let data = stage.get_as(&app_token, &path).await.1["data"].clone();
    assert_eq!((&data["type"], &data["is_valid"], &data["expires_at"]), (&json!("PAGE"), &json!(true), &json!(0)));
    assert_eq!(data["app_id"], stage.app.id);
    assert_eq!(data["granular_scopes"][0]["target_ids"], json!([stage.page.id]));
    stage.control.kill_token(&stage.page.token, 460).unwrap();
    let data = stage.get_as(&app_token, &path).await.1["data"].clone();
    assert_eq!((&data["is_valid"], &data["error"]["subcode"]), (&json!(false), &json!(460)));
    let data = stage.get_as(&app_token, "debug_token?input_token=nonsense").await.1["data"].clone();
    assert_eq!((&data["is_valid"], &data["error"]["code"]), (&json!(false), &json!(190)));
    is_error(&stage.get_as(&format!("{}|wrong", stage.app.id), &path).await, 401, 190, None);
    stage.control.renew_page_token(&stage.page.id).unwrap();
}

#[tokio::test]
async fn codes_and_short_tokens_are_exchanged() {
    let stage = Stage::new().await;
    let keys = format!("oauth/access_token?client_id={}&client_secret={}", stage.app.id, stage.app.secret);
    let code = stage.control.issue_code(&stage.app.id, "https://b.example/back").unwrap();
    let exchange = |redirect: &str| format!("{keys}&code={code}&redirect_uri={redirect}");
    is_error(&stage.get(&exchange("https://c.example")).await, 400, 100, Some(36_008));
    let (status, answer) = stage.get(&exchange("https://b.example/back")).await;
    assert_eq!((status, &answer["token_type"]), (200, &json!("bearer")));
    is_error(&stage.get(&exchange("https://b.example/back")).await, 400, 100, Some(36_009));
    let short = answer["access_token"].as_str().unwrap();
    let long = stage.get(&format!("{keys}&grant_type=fb_exchange_token&fb_exchange_token={short}")).await.1;
    assert_eq!(long["expires_in"], 5_184_000);
    assert_eq!(stage.get_as(long["access_token"].as_str().unwrap(), "me").await.0, 200);
    let wrong = format!("oauth/access_token?client_id={}&client_secret=wrong&code={code}", stage.app.id);
    is_error(&stage.get(&wrong).await, 400, 1, None);
}

#[tokio::test]
async fn codes_and_short_tokens_die_in_time() {
    let stage = Stage::new().await;
    let keys = format!("oauth/access_token?client_id={}&client_secret={}", stage.app.id, stage.app.secret);
    let code = stage.control.issue_code(&stage.app.id, "https://b.example").unwrap();
    let short = stage.control.issue_user_token(&stage.app.id).unwrap();
    stage.control.advance(Duration::from_mins(10));
    is_error(&stage.get(&format!("{keys}&code={code}&redirect_uri=https://b.example")).await, 400, 100, Some(36_007));
    stage.control.advance(Duration::from_mins(50));
    is_error(&stage.get_as(&short, "me").await, 401, 190, Some(463));
}
