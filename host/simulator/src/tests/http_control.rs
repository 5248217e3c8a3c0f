//! The control over HTTP, the phone's files and its live events.

use super::*;

impl Stage {
    async fn command(&self, verb: &str, fields: &Value) -> (u16, Value) {
        answered(self.client.post(format!("{}/_control/{verb}", self.simulator.url())).json(fields)).await.unwrap()
    }
}

#[tokio::test]
async fn commands_do_what_the_methods_do() {
    let stage = Stage::new().await;
    let mut fields = json!({ "page": stage.page.id, "person": stage.ana.person_id, "text": "over HTTP" });
    let (status, answer) = stage.command("says", &fields).await;
    assert_eq!(status, 200);
    let item = stage.callback.next().await.item();
    assert_eq!((&item["message"]["text"], &item["message"]["mid"]), (&json!("over HTTP"), &answer["id"]));
    fields["person"] = "1".into();
    assert_eq!(stage.command("says", &fields).await.0, 404);
    assert_eq!(stage.command("advance", &json!({ "by_ms": 500 })).await.0, 200);
    assert_eq!(stage.control.clock().now_ms(), START + 500);
    let trouble = json!({ "n": 1, "trouble": { "refuse": { "status": 400, "code": 4, "message": "slow down" } } });
    assert_eq!(stage.command("next-sends", &trouble).await.0, 200);
    is_error(&stage.send(&stage.text_to_ana("hi")).await, 400, 4, None);
    assert_eq!(stage.command("next-sends", &json!({ "n": 1, "trouble": "drop-after" })).await.0, 200);
}

#[tokio::test]
async fn a_whole_stage_can_be_set_over_http() {
    let stage = Stage::new().await;
    let app = stage.command("add-app", &json!({ "name": "Second" })).await.1;
    let page = stage.command("add-page", &json!({ "app": app["id"], "name": "Salon" })).await.1;
    let person = stage.command("add-person", &json!({ "page": page["id"], "name": "Minh" })).await.1;
    assert!(
        stage.control.page(page["id"].as_str().unwrap()).unwrap().people.contains_key(person["id"].as_str().unwrap())
    );
    let callback = json!({ "app": app["id"], "url": stage.callback.url, "verify_token": "wrong" });
    assert_eq!(stage.command("configure-webhook", &callback).await.0, 502);
}

#[tokio::test]
async fn nonsense_is_refused_with_a_reason() {
    let stage = Stage::new().await;
    let (status, answer) = stage.command("dance", &json!({})).await;
    assert_eq!(status, 400);
    assert!(answer["error"].as_str().unwrap().contains("dance"), "{answer}");
    let (status, answer) = stage.command("says", &json!({ "page": stage.page.id, "person": "1" })).await;
    assert_eq!(status, 400);
    assert!(answer["error"].as_str().unwrap().contains("text"), "{answer}");
}

#[tokio::test]
async fn only_json_is_taken_so_that_no_foreign_page_can_post() {
    let stage = Stage::new().await;
    let url = format!("{}/_control/advance", stage.simulator.url());
    let request = stage.client.post(url).header("content-type", "text/plain").body(r#"{"by_ms":500}"#);
    assert_eq!(request.send().await.unwrap().status().as_u16(), 415);
    assert_eq!(stage.control.clock().now_ms(), START);
}

#[tokio::test]
async fn the_books_can_be_read() {
    let stage = Stage::greeted().await;
    stage.send(&stage.text_to_ana("hi")).await;
    let url = format!("{}/_control/ledger", stage.simulator.url());
    let books = answered(stage.client.get(url)).await.unwrap().1;
    assert_eq!((&books["n_accepted"], &books["n_webhooks"]), (&json!(1), &json!(1)));
    assert_eq!(books["sends"][0]["body"]["message"]["text"], "hi");
    assert!(books["webhooks"][0]["body"].as_str().unwrap().starts_with(r#"{"object":"page""#));
    assert!(!books.to_string().contains(&stage.page.token));
}

#[tokio::test]
async fn a_phone_sees_its_threads_and_what_happens() {
    let stage = Stage::greeted().await;
    let base = stage.simulator.url();
    let page = &stage.page.id;
    for name in ["Zoe", "Bo"] {
        stage.control.add_person(page, name).unwrap();
    }
    let mut events = stage.client.get(format!("{base}/_control/events?page={page}")).send().await.unwrap();
    let shown = answered(stage.client.get(format!("{base}/_control/phone?page={page}"))).await.unwrap().1;
    assert_eq!(shown["page"]["name"], "Lantern Bakery");
    assert_eq!(shown["people"][0]["messages"][0]["text"], "hello");
    assert_eq!((&shown["people"][1]["name"], &shown["people"][2]["name"]), (&json!("Zoe"), &json!("Bo")), "{shown}");
    stage.send(&stage.text_to_ana("hi Ana")).await;
    let mut seen = String::new();
    while !seen.contains("hi Ana") {
        let chunk = tokio::time::timeout(PATIENCE, events.chunk()).await.expect("no event came").unwrap().unwrap();
        seen.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    assert!(seen.contains(r#""kind":"message""#) && seen.contains(r#""author":"page""#), "{seen}");
    assert_eq!(answered(stage.client.get(format!("{base}/_control/phone?page=1"))).await.unwrap().0, 404);
}

#[tokio::test]
async fn the_chat_page_and_its_parts_are_served() {
    let stage = Stage::new().await;
    for (path, media_type) in [
        ("/", "text/html"),
        ("/chat", "text/html"),
        ("/_phone/phone.css", "text/css"),
        ("/_phone/phone.js", "text/javascript"),
    ] {
        let response = stage.client.get(format!("{}{path}", stage.simulator.url())).send().await.unwrap();
        assert_eq!(response.status().as_u16(), 200, "{path}");
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with(media_type), "{path}");
        assert!(!response.text().await.unwrap().is_empty(), "{path}");
    }
}
