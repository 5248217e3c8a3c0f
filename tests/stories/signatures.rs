//! Only what Meta signed gets in; what is denied leaves no trace.

use bellhop::directory;
use bellhop::vault::SecretKind;
use reqwest::StatusCode;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::support::post::{SIGNATURE, body, client, message, sign};
use crate::support::{START, TestApp, VERIFY_TOKEN, story};

/// A body that would be answered.
fn genuine(app: &TestApp) -> Vec<u8> {
    body(&app.business.page_id, &[message(&app.business.page_id, "100200300", "m_1", "hello", START)]).into_bytes()
}

async fn nothing_was_written(app: &TestApp) {
    for table in ["inbox_event", "conversation", "dedupe", "quarantine"] {
        assert_eq!(app.count(table).await, 0, "{table}");
    }
}

story!(a_body_that_meta_signed_is_taken, |app| {
    assert_eq!(app.post_signed(genuine(&app)).await, 200);
    assert_eq!(app.events_that("message open").await, 1);
});

story!(a_replaced_secret_counts_and_the_old_one_no_more, |app| {
    assert_eq!(app.post_signed(genuine(&app)).await, 200);
    let stores = &app.app.stores;
    let known = stores.directory.snapshot().app(&app.app_id).unwrap();
    let secret = Zeroizing::new(b"a fresh secret".to_vec());
    let mut transaction = stores.db.begin_write().await.unwrap();
    let replaced = (SecretKind::AppSecret, secret);
    directory::app_secret_replace(&mut transaction, &stores.vault, stores.db.now(), &known, replaced).await.unwrap();
    transaction.commit().await.unwrap();
    // As a running host does each second.
    stores.directory.refresh_if_changed().await.unwrap();
    let body = genuine(&app);
    assert_eq!(app.post_with(body.clone(), &[(SIGNATURE, &sign(&app.app_secret, &body))]).await, 401);
    assert_eq!(app.post_with(body.clone(), &[(SIGNATURE, &sign("a fresh secret", &body))]).await, 200);
});

story!(a_body_that_meta_did_not_sign_is_refused_and_leaves_nothing, |app| {
    let body = genuine(&app);
    let right = sign(&app.app_secret, &body);
    let wrong = sign("not the secret", &body);
    let other = sign(&app.app_secret, b"another body");
    let (bare, short, long) = (right.replace("sha256=", ""), &right[..right.len() - 2], format!("{right}00"));
    let upper = right.replace("sha256=", "SHA256=");
    for bad in
        [wrong.as_str(), &other, &bare, short, &long, &upper, "sha256=", "", "sha256=zz", &format!("{right}, {right}")]
    {
        assert_eq!(app.post_with(body.clone(), &[(SIGNATURE, bad)]).await, 401, "{bad:?}");
    }
    assert_eq!(app.post_with(body.clone(), &[]).await, 401, "no signature");
    assert_eq!(app.post_with(body.clone(), &[(SIGNATURE, &right), (SIGNATURE, &right)]).await, 401, "two of them");
    assert_eq!(app.post_with(body.clone(), &[(SIGNATURE, &wrong), (SIGNATURE, &right)]).await, 401, "one of each");
    let sha1 = format!("sha1={}", "ab".repeat(20));
    assert_eq!(app.post_with(body.clone(), &[("X-Hub-Signature", &sha1)]).await, 401, "SHA-1 only");
    assert_eq!(app.post_with(body, &[("X-Hub-Signature", &right)]).await, 401, "in the old header");
    nothing_was_written(&app).await;
});

story!(what_the_simulator_signs_wrongly_is_refused_too, |app| {
    use bellhop_simulator::Signature;
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    for signature in [Signature::Wrong, Signature::Missing, Signature::Sha1Only] {
        app.control.sign_next(1, signature);
        ana.says("hello").unwrap();
        let number = app.control.ledger().webhooks.back().unwrap().number;
        let refused = |ledger: &bellhop_simulator::Ledger| {
            let post = ledger.webhooks.iter().find(|post| post.number == number).unwrap();
            post.attempts.first().is_some_and(|attempt| attempt.status == Some(401))
        };
        app.control.wait_until(crate::support::PATIENCE, refused).await.unwrap();
    }
    nothing_was_written(&app).await;
});

story!(the_signature_is_over_the_bytes_and_not_over_what_they_mean, |app| {
    let meta = r#"{"object":"page","entry":[{"id":"PAGE","time":1795176000000,"messaging":[{"sender":{"id":"7"},"recipient":{"id":"PAGE"},"timestamp":1795176000000,"message":{"mid":"m_\u00e9","text":"gr\u00fc\u00df \ud83d\ude00 https:\/\/x.y\/z"}}]}]}"#
        .replace("PAGE", &app.business.page_id);
    let signature = sign(&app.app_secret, meta.as_bytes());
    let read: Value = serde_json::from_str(&meta).unwrap();
    let written_again = read.to_string();
    assert_ne!(meta, written_again);
    assert_eq!(app.post_with(written_again.clone(), &[(SIGNATURE, &signature)]).await, 401);
    assert_eq!(app.post_with(format!("{meta} "), &[(SIGNATURE, &signature)]).await, 401);
    nothing_was_written(&app).await;
    assert_eq!(app.post_with(meta, &[(SIGNATURE, &signature)]).await, 200);
    // The same event in raw emoji, with its own signature, is genuine and a duplicate.
    assert_eq!(app.post_signed(written_again).await, 200);
    assert_eq!(app.events_that("message open").await, 1);
    app.rest().await;
    let turns = app.turns().await;
    assert_eq!(turns[0].said.values().collect::<Vec<_>>(), ["grüß 😀 https://x.y/z"]);
});

story!(a_new_secret_counts_beside_the_old_one_while_meta_turns_over, |app| {
    use bellhop::vault::SecretKind;
    use zeroize::Zeroizing;
    let stores = &app.app.stores;
    let mut transaction = stores.db.begin_write().await.unwrap();
    let (workspace, secret) = (bellhop::vault::installation(), Zeroizing::new(b"the next secret".to_vec()));
    let owner = app.app_id.as_str();
    stores.vault.secret_put(&mut transaction, &workspace, SecretKind::AppSecret, owner, secret).await.unwrap();
    transaction.commit().await.unwrap();
    stores.vault.secrets_forget();
    let body = genuine(&app);
    let new = sign("the next secret", &body);
    assert_eq!(app.post_with(body.clone(), &[(SIGNATURE, &new)]).await, 200);
    assert_eq!(app.post_signed(body).await, 200);
});

story!(an_unknown_app_is_told_nothing, |app| {
    let body = genuine(&app);
    let signature = sign(&app.app_secret, &body);
    let origin = app.webhook_url();
    let origin = origin.strip_suffix(app.app_id.as_str()).unwrap();
    let unknown = bellhop_domain::id::AppId::new();
    for name in [unknown.as_str(), "nonsense", "%00", "..%2f..%2fetc", &"x".repeat(5_000)] {
        let request = client().post(format!("{origin}{name}")).header(SIGNATURE, &signature).body(body.clone());
        let status = request.send().await.unwrap().status();
        assert!(status.is_client_error(), "{name}: {status}");
    }
    nothing_was_written(&app).await;
});

async fn handshake(app: &TestApp, query: &[(&str, &str)]) -> (StatusCode, String) {
    let answer = client().get(app.webhook_url()).query(query).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

story!(the_handshake_gives_the_challenge_back_to_whoever_knows_the_token, |app| {
    let asked = |mode, token| [("hub.mode", mode), ("hub.verify_token", token), ("hub.challenge", "1158201444")];
    let right = handshake(&app, &asked("subscribe", VERIFY_TOKEN)).await;
    assert_eq!(right, (StatusCode::OK, "1158201444".to_owned()));
    for (mode, token) in
        [("subscribe", "another token"), ("subscribe", ""), ("unsubscribe", VERIFY_TOKEN), ("", VERIFY_TOKEN)]
    {
        let (status, text) = handshake(&app, &asked(mode, token)).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{mode} {token}");
        assert!(!text.contains("1158201444"));
    }
    assert!(handshake(&app, &[]).await.0.is_client_error());
    assert!(handshake(&app, &[("hub.mode", "subscribe"), ("hub.challenge", "1")]).await.0.is_client_error());
    let twice = [("hub.verify_token", VERIFY_TOKEN), ("hub.verify_token", "x"), ("hub.mode", "subscribe")];
    assert!(handshake(&app, &twice).await.0.is_client_error());
    // A challenge is given back as plain text, so that nobody makes a page of ours out of it.
    let script = [("hub.mode", "subscribe"), ("hub.verify_token", VERIFY_TOKEN), ("hub.challenge", "<b>")];
    let answer = client().get(app.webhook_url()).query(&script).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/plain");
});

/// The status line that comes back for a request that is written by hand.
async fn status_line(app: &TestApp, head: &str, body: &[u8]) -> String {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    let url: reqwest::Url = app.webhook_url().parse().unwrap();
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", url.port().unwrap())).await.unwrap();
    let request = format!("POST {} HTTP/1.1\r\nhost: localhost\r\n{head}\r\n\r\n", url.path());
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).await.unwrap();
    line
}

story!(a_body_over_the_limit_is_refused_whether_it_says_so_or_not, |app| {
    let large = vec![b' '; 3_500_001];
    let signed = format!("{SIGNATURE}: {}\r\n", sign(&app.app_secret, &large));
    // Announced: refused before any of it is read.
    let announced = status_line(&app, &format!("{signed}content-length: 3500001"), b"").await;
    assert!(announced.starts_with("HTTP/1.1 413"), "{announced}");
    let mut chunk = format!("{:x}\r\n", large.len()).into_bytes();
    chunk.extend(large);
    let streamed = status_line(&app, &format!("{signed}transfer-encoding: chunked"), &chunk).await;
    assert!(streamed.starts_with("HTTP/1.1 413"), "{streamed}");
    nothing_was_written(&app).await;
    let mut exact = genuine(&app);
    exact.resize(3_500_000, b' ');
    assert_eq!(app.post_signed(exact).await, 200, "the largest that may come");
    assert_eq!(app.events_that("message open").await, 1);
});

story!(only_the_door_for_webhooks_stands_open, |app| {
    let origin = app.webhook_url();
    let origin = origin.split("/webhook").next().unwrap();
    for path in ["/", "/health", "/metrics", "/api/v1/workspaces/x/turns", "/webhook", "/webhook/"] {
        let status = client().get(format!("{origin}{path}")).send().await.unwrap().status();
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
    }
    let status = client().put(app.webhook_url()).send().await.unwrap().status();
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
});
