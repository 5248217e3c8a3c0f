//! Whatever Meta has ever sent is taken, and whatever anybody could send breaks nothing.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::post::{body, message};
use crate::support::{START, TestApp, story};

/// The bodies of the corpus, in the order of their names; none without the variable.
fn corpus() -> Vec<(PathBuf, Vec<u8>)> {
    let Some(folder) = std::env::var_os("BELLHOP_WEBHOOK_CORPUS") else {
        println!("skipped: BELLHOP_WEBHOOK_CORPUS names no folder");
        return Vec::new();
    };
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files: Vec<_> = std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    assert!(!files.is_empty(), "the corpus is empty");
    files.into_iter().map(|file| (file.clone(), std::fs::read(file).unwrap())).collect()
}

/// The same events addressed to our own Page, so that they are stored and acted on and not only counted.
fn readdressed(text: &[u8], page_id: &str) -> Option<Vec<u8>> {
    let read: Value = serde_json::from_slice(text).ok()?;
    let mut text = String::from_utf8(text.to_vec()).ok()?;
    for entry in read.get("entry")?.as_array()? {
        if let Some(id) = entry.get("id").and_then(Value::as_str).filter(|id| id.len() > 3) {
            text = text.replace(id, page_id);
        }
    }
    Some(text.into_bytes())
}

story!(corpus_is_accepted, |app| {
    app.enable(&app.business, "hello", "{}").await;
    for (file, bytes) in corpus() {
        for round in ["first", "second"] {
            assert_eq!(app.post_signed(bytes.clone()).await, 200, "{} the {round} time", file.display());
        }
        if let Some(ours) = readdressed(&bytes, &app.business.page_id) {
            assert_eq!(app.post_signed(ours.clone()).await, 200, "{} to our page", file.display());
            assert_eq!(app.post_signed(ours).await, 200, "{} to our page again", file.display());
        }
    }
    app.rest().await;
    let events = app.events().await;
    assert!(events.keys().all(|kind| !kind.ends_with("open")), "{events:?}");
    assert_eq!(app.count("quarantine").await, 0, "everything that Meta sends can be cut");
});

/// Bodies that nobody in their right mind sends.
fn nasty(page: &str) -> Vec<(String, Vec<u8>)> {
    let deep = |open: &str, close: &str, n: usize| format!("{}{}", open.repeat(n), close.repeat(n));
    let in_entry =
        |item: &str| format!(r#"{{"object":"page","entry":[{{"id":"{page}","time":1,"messaging":[{item}]}}]}}"#);
    let text = |value: &str| {
        in_entry(&format!(
            r#"{{"sender":{{"id":"7"}},"recipient":{{"id":"{page}"}},"timestamp":{START},"message":{{"mid":"m","text":{value}}}}}"#
        ))
    };
    let time = |value: &str| {
        in_entry(&format!(
            r#"{{"sender":{{"id":"7"}},"recipient":{{"id":"{page}"}},"timestamp":{value},"message":{{"mid":"m{value}","text":"x"}}}}"#
        ))
    };
    let words = [
        "",
        " ",
        "null",
        "true",
        "0",
        "[]",
        "{}",
        "\"page\"",
        "{\"object\":\"page\"}",
        "{\"entry\":[]}",
        "{\"entry\":{}}",
        "{\"object\":\"page\",\"entry\":null}",
        "{\"object\":7,\"entry\":[7]}",
        "{\"object\":\"page\",\"entry\":[null,[],{}]}",
        "{\"object\":\"page\",\"entry\":[{\"id\":null,\"time\":\"yesterday\",\"messaging\":[null,1,[],{}]}]}",
        "{\"object\":\"\\u0000\",\"entry\":[{\"id\":\"\\u0000\",\"changes\":[{\"field\":\"\\u0000\",\"value\":\"\\u0000\"}]}]}",
        "{\"object\":\"page\",\"object\":\"instagram\",\"entry\":[],\"entry\":[{}]}",
        "\u{feff}{}",
        "{\"object\":\"page\",\"entry\":[",
        "<xml/>",
        "object=page&entry=1",
        "{'object':'page'}",
        "NaN",
        "\u{0}",
    ];
    let mut bodies: Vec<(String, Vec<u8>)> =
        words.iter().map(|word| ((*word).to_owned(), word.as_bytes().to_vec())).collect();
    let mut add = |name: &str, body: String| bodies.push((name.to_owned(), body.into_bytes()));
    add("deep lists", deep("[", "]", 200_000));
    add("deep objects", format!("{}1{}", r#"{"entry":"#.repeat(100_000), "}".repeat(100_000)));
    add("a deep entry", format!(r#"{{"object":"page","entry":[{}]}}"#, deep("[", "]", 100_000)));
    add("a deep text", text(&deep("[", "]", 100_000)));
    add("a text of NUL", text(r#""a\u0000b""#));
    add("half an emoji", text(r#""\ud83d""#));
    add("the other half", text(r#""\ude00 \udfff\ud800""#));
    add("a bad escape", text(r#""\q""#));
    add("a number for a text", text("1e400"));
    add("a long text", text(&format!("{:?}", "a".repeat(1_000_000))));
    add("a text of directions", text("\"\u{202e}\u{200b}\u{feff}\u{e000}\""));
    for value in [
        "0",
        "-1",
        "1e400",
        "9223372036854775807",
        "-9223372036854775808",
        "99999999999999999999",
        "1.5",
        "\"1\"",
        "null",
    ] {
        add(&format!("the time {value}"), time(value));
    }
    for name in ["message", "postback", "read", "delivery", "reaction", "optin", "policy_enforcement", "message_edit"] {
        for value in [
            "null",
            "7",
            "[]",
            "{}",
            "\"x\"",
            r#"{"mid":7,"mids":7,"watermark":"x","is_echo":"yes","attachments":[7]}"#,
        ] {
            let item = format!(r#"{{"sender":{{"id":"7"}},"recipient":{{"id":"{page}"}},"{name}":{value}}}"#);
            add(&format!("{name} {value}"), in_entry(&item));
        }
    }
    add("no people", in_entry(r#"{"message":{"mid":"m_nobody","text":"x"}}"#));
    add(
        "a person without a name",
        in_entry(&format!(
            r#"{{"sender":{{"id":""}},"recipient":{{"id":"{page}"}},"message":{{"mid":"m_empty","text":"x"}}}}"#
        )),
    );
    add("a page that writes to itself", body(page, &[message(page, page, "m_self", "hello", START)]));
    add("a person of a megabyte", body(page, &[message(page, &"7".repeat(1_000_000), "m_long", "hello", START)]));
    bodies.push(("invalid UTF-8".to_owned(), b"{\"object\":\"page\",\"entry\":[{\"id\":\"\xff\xfe\"}]}".to_vec()));
    bodies.push(("only bytes".to_owned(), (0..=255).cycle().take(10_000).collect()));
    bodies
}

async fn breaks_nothing(app: &TestApp, name: &str, body: Vec<u8>) {
    let status = app.post_signed(body).await;
    assert!((200..500).contains(&status), "{name}: {status}");
}

story!(no_body_makes_the_host_stumble, |app| {
    app.enable(&app.business, "hello", "{}").await;
    for (name, body) in nasty(&app.business.page_id) {
        breaks_nothing(&app, &name, body.clone()).await;
        breaks_nothing(&app, &name, body).await;
    }
    app.rest().await;
    let events = app.events().await;
    // A receipt that says nothing is put aside; what a customer says never is.
    let is_stuck =
        |kind: &String| kind.ends_with("open") || ["message parked", "postback parked"].contains(&kind.as_str());
    assert!(!events.keys().any(is_stuck), "{events:?}");
    // And the door is as it was.
    let ana = app.customer("Ana");
    ana.says("hello").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana).len(), 1);
});

story!(a_body_cut_anywhere_breaks_nothing, |app| {
    let page = app.business.page_id.clone();
    let items = [
        message(&page, "7", "m_1", "grüß 😀", START),
        json!({ "sender": { "id": "7" }, "recipient": { "id": page }, "timestamp": START, "postback": { "title": "x", "payload": "y" } }),
    ];
    let whole = body(&page, &items).into_bytes();
    for end in (0..whole.len()).step_by(3) {
        breaks_nothing(&app, &format!("the first {end} bytes"), whole[..end].to_vec()).await;
    }
    assert_eq!(app.post_signed(whole).await, 200);
    app.rest().await;
    assert_eq!(app.events_that("message done").await, 1, "{:?}", app.events().await);
});

story!(a_body_of_five_thousand_events_is_stored_and_one_more_is_put_aside, |app| {
    let page = app.business.page_id.clone();
    let many = |n: i64| {
        let items: Vec<_> = (0..n).map(|at| message(&page, "7", &format!("m_{at}"), "hello", START + at)).collect();
        body(&page, &items)
    };
    assert_eq!(app.post_signed(many(5_000)).await, 200);
    assert_eq!(app.events_that("message open").await, 5_000);
    assert_eq!(app.post_signed(many(5_001)).await, 200);
    assert_eq!((app.count("inbox_event").await, app.count("quarantine").await), (5_000, 1));
});

story!(what_cannot_be_cut_is_kept_sealed_in_quarantine, |app| {
    use sqlx::Row;
    assert_eq!(app.post_signed("{\"object\":\"page\",\"secret\":\"cardamom\"}").await, 200);
    let select = sqlx::query("select sealed, reason from quarantine");
    let row = app.app.stores.db.fetch_optional(select).await.unwrap().unwrap();
    let (sealed, reason): (Vec<u8>, String) = (row.get(0), row.get(1));
    assert_eq!(reason, "the body has no list `entry`");
    assert!(!sealed.windows(8).any(|part| part == b"cardamom"), "it is sealed");
});
