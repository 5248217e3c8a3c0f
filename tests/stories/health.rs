//! Health turns red with a reason, and green again; metrics show every queue.

use std::time::Duration;

use bellhop::api::{self, Api};
use bellhop::app::{Listening, listen};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::post::client;
use crate::support::{SETTLED, TestApp, story};

const MINUTE: Duration = Duration::from_secs(61);

async fn private_door(app: &TestApp) -> Listening {
    let api: Api = app.app.api();
    listen(([127, 0, 0, 1], 0).into(), api::router(api), app.app.stop_token()).await.unwrap()
}

async fn get(door: &Listening, path: &str) -> (StatusCode, String) {
    let answer = client().get(format!("http://{}{path}", door.address)).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

/// What readiness complains of; empty when it is green.
async fn complaints(door: &Listening) -> Vec<String> {
    let (status, text) = get(door, "/health/ready").await;
    let body: Value = serde_json::from_str(&text).unwrap();
    if status == StatusCode::OK {
        assert_eq!(body, json!({ "status": "ok" }));
        return Vec::new();
    }
    assert_eq!((status, &body["status"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("unavailable")));
    serde_json::from_value(body["reasons"].clone()).unwrap()
}

story!(a_store_that_takes_no_writes_is_told_from_one_that_is_gone, |app| {
    let door = private_door(&app).await;
    assert_eq!(complaints(&door).await, Vec::<String>::new());
    let db = &app.app.stores.db;
    db.execute(sqlx::query("alter table host rename to host_away")).await.unwrap();
    assert_eq!(complaints(&door).await, ["store-unwritable"]);
    db.execute(sqlx::query("alter table host_away rename to host")).await.unwrap();
    assert_eq!(complaints(&door).await, Vec::<String>::new());
    db.close().await;
    assert_eq!(complaints(&door).await, ["store-unreadable", "store-unwritable"]);
    assert_eq!(get(&door, "/health/live").await.0, StatusCode::OK, "a restart would not help");
});

story!(a_conversation_that_no_host_takes_turns_health_red, |app| {
    let door = private_door(&app).await;
    app.enable(&app.business, "hello", "{}").await;
    app.customer("Ana").says("hello").unwrap();
    app.arrive().await;
    app.advance(SETTLED + MINUTE);
    app.app.jobs.fast().await.unwrap();
    assert_eq!(complaints(&door).await, ["contact-overdue"]);
    app.calm().await;
    app.app.jobs.fast().await.unwrap();
    assert_eq!(complaints(&door).await, Vec::<String>::new());
});

story!(jobs_that_do_not_come_round_and_a_log_that_is_not_sealed_turn_health_red, |app| {
    let door = private_door(&app).await;
    app.app.jobs.fast().await.unwrap();
    app.enable(&app.business, "hello", "{}").await;
    app.advance(Duration::from_secs(31));
    assert_eq!(complaints(&door).await, ["jobs-stalled"]);
    app.advance(MINUTE);
    assert_eq!(complaints(&door).await, ["audit-unsealed", "jobs-stalled"]);
    app.app.jobs.fast().await.unwrap();
    assert_eq!(complaints(&door).await, Vec::<String>::new());
});

story!(metrics_show_every_queue_with_the_age_of_its_oldest, |app| {
    let door = private_door(&app).await;
    app.customer("Ana").says("hello").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    app.app.jobs.fast().await.unwrap();
    let (status, text) = get(&door, "/metrics").await;
    assert_eq!(status, StatusCode::OK);
    for line in [
        "# TYPE bellhop_queue_length gauge",
        "bellhop_queue_length{queue=\"contact\"} 1",
        "bellhop_queue_oldest_seconds{queue=\"contact\"} 7",
        "bellhop_queue_length{queue=\"delivery-dead\"} 0",
        "bellhop_queue_length{queue=\"audit\"} 0",
        "bellhop_hosts{state=\"alive\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    assert!(text.contains("bellhop_store_bytes{part=\"database\"}"), "{text}");
    app.app.stores.db.close().await;
    assert_eq!(get(&door, "/metrics").await.0, StatusCode::OK, "the counters are there all the same");
});
