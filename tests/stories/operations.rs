//! What an operator sees: health, metrics, an API for those who hold a token, and logs of nothing personal.

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use reqwest::StatusCode;
use serde_json::Value;
use std::sync::OnceLock;

use bellhop::api::{self, Api, token_issue, token_revoke};
use bellhop::app::{Listening, listen};

use crate::support::post::client;
use crate::support::{TestApp, story};

/// One recorder counts for all stories of this process.
fn recorder() -> PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER.get_or_init(|| PrometheusBuilder::new().install_recorder().unwrap()).clone()
}

async fn private_door(app: &TestApp) -> Listening {
    let api = Api { metrics: Some(recorder()), ..app.app.api() };
    listen(([127, 0, 0, 1], 0).into(), api::router(api), app.app.stop_token()).await.unwrap()
}

async fn get(door: &Listening, path: &str, token: Option<&str>) -> (StatusCode, String) {
    let mut request = client().get(format!("http://{}{path}", door.address));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let answer = request.send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

story!(health_says_whether_the_store_answers, |app| {
    let door = private_door(&app).await;
    let (status, text) = get(&door, "/health", None).await;
    assert_eq!((status, text.as_str()), (StatusCode::OK, "{\"status\":\"ok\"}"));
    app.app.stores.db.close().await;
    let (status, text) = get(&door, "/health", None).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(text.contains("store"), "{text}");
});

story!(a_webhook_that_cannot_be_stored_is_not_acknowledged, |app| {
    let page = app.business.page_id.clone();
    let one = crate::support::post::message(&page, "7", "m_1", "hello", crate::support::START);
    app.app.stores.db.close().await;
    assert_eq!(app.post_items(&[one]).await, 503, "so that Meta sends it again");
});

story!(metrics_count_what_happens, |app| {
    let door = private_door(&app).await;
    app.enable(&app.business, "hello", "{}").await;
    app.customer("Ana").says("hello").unwrap();
    app.rest().await;
    assert_eq!(app.post_with("{}", &[]).await, 401);
    let (status, text) = get(&door, "/metrics", None).await;
    assert_eq!(status, StatusCode::OK);
    for counter in [
        "bellhop_webhook_bodies_total{outcome=\"accepted\"}",
        "bellhop_webhook_bodies_total{outcome=\"unsigned\"}",
        "bellhop_webhook_events_total{outcome=\"new\"}",
        "bellhop_turns_total{outcome=\"answered\"}",
        "bellhop_send_attempts_total{outcome=\"accepted\",state=\"sent\"}",
    ] {
        assert!(text.contains(counter), "{counter} is not in\n{text}");
    }
});

story!(the_api_is_for_those_who_hold_a_living_token, |app| {
    let door = private_door(&app).await;
    app.enable(&app.business, "hello", "{}").await;
    app.customer("Ana").says("my private question").unwrap();
    app.rest().await;
    let path = format!("/api/v1/workspaces/{}/turns", app.business.workspace);
    for token in [None, Some(""), Some("bellhop_0000"), Some("Bearer")] {
        let (status, text) = get(&door, &path, token).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{token:?}");
        assert!(!text.contains("private question"));
    }
    let db = &app.app.stores.db;
    let token = token_issue(db, "demo").await.unwrap();
    let (status, text) = get(&door, &path, Some(&token)).await;
    assert_eq!(status, StatusCode::OK);
    let turns: Value = serde_json::from_str(&text).unwrap();
    assert!(text.contains("my private question"), "{turns}");
    assert_eq!(turns[0]["outcome"], "answered");
    assert_eq!(turns[0]["deliveries"][0]["state"], "delivered");
    let unknown = format!("/api/v1/workspaces/{}/turns", bellhop_domain::id::WorkspaceId::new());
    assert_eq!(get(&door, &unknown, Some(&token)).await.0, StatusCode::NOT_FOUND);
    assert_eq!(token_revoke(db, "demo").await.unwrap(), 1);
    assert_eq!(get(&door, &path, Some(&token)).await.0, StatusCode::UNAUTHORIZED);
});

story!(nothing_that_a_person_said_stands_readable_on_disk, |app| {
    use sqlx::Row;
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("cardamom is my secret").unwrap();
    app.rest().await;
    let db = &app.app.stores.db;
    for (table, column) in [
        ("inbox_event", "sealed"),
        ("message", "sealed"),
        ("turn", "sealed"),
        ("contact", "profile"),
        ("secret", "sealed"),
    ] {
        let sql = format!("select {column} from {table}");
        for row in db.fetch_all(sqlx::query(sqlx::AssertSqlSafe(sql))).await.unwrap() {
            let sealed: Vec<u8> = row.get(0);
            for word in ["cardamom", ana.person_id.as_str(), app.business.page_token.as_str(), app.app_secret.as_str()]
            {
                assert!(!sealed.windows(word.len()).any(|part| part == word.as_bytes()), "{table} holds {word}");
            }
        }
        assert!(app.count(table).await > 0, "{table} is looked at");
    }
});

story!(the_audit_log_has_a_row_for_what_left_and_for_what_was_read, |app| {
    use sqlx::Row;
    app.enable(&app.business, "hello", "{}").await;
    app.customer("Ana").says("hello").unwrap();
    app.rest().await;
    let select = sqlx::query("select kind, code from audit order by id");
    let rows = app.app.stores.db.fetch_all(select).await.unwrap();
    let rows: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let has = |code: &str| rows.iter().any(|(_, known)| known == code);
    assert!(has("attempt") && has("message-masked") && has("plugin-enabled"), "{rows:?}");
    app.app.jobs.fast().await.unwrap();
    let open = "select count(*) from audit where seq is null";
    let row = app.app.stores.db.fetch_optional(sqlx::query(open)).await.unwrap().unwrap();
    assert_eq!(row.get::<i64, _>(0), 0, "all are sealed");
});

story!(what_a_mark_is_called_stands_sealed_and_is_found_again, |app| {
    use bellhop::conversation::{Mark, marks_find, marks_write_in};
    use bellhop_domain::id::ContactId;
    use sqlx::Row;
    let (stores, workspace) = (&app.app.stores, &app.business.workspace);
    let contacts = [ContactId::new(), ContactId::new()];
    let ids: Vec<_> = contacts.iter().map(|contact| (workspace.clone(), contact.clone())).collect();
    let keys = stores.vault.contact_keys(&ids).await.unwrap();
    let index = stores.vault.index(workspace).await.unwrap();
    let mark = |n: usize, kind, name: &str, value: &str| Mark {
        workspace: workspace.clone(),
        contact: contacts[n].clone(),
        kind,
        name: name.to_owned(),
        value: value.to_owned(),
        key: std::sync::Arc::clone(&keys[n]),
        index: std::sync::Arc::clone(&index),
    };
    let write = async |marks: &[Mark]| {
        let mut transaction = stores.db.begin_write().await.unwrap();
        marks_write_in(&mut transaction, marks, stores.db.now()).await.unwrap();
        transaction.commit().await.unwrap();
    };
    write(&[
        mark(0, "tag", "hivpositive", ""),
        mark(1, "tag", "hivpositive", ""),
        mark(0, "attribute", "allergies", "nuts"),
    ])
    .await;
    write(&[mark(0, "attribute", "allergies", "nuts and milk")]).await;
    let rows = stores.db.fetch_all(sqlx::query("select kind, name, sealed from contact_mark")).await.unwrap();
    assert_eq!(rows.len(), 3, "the same name replaces");
    for row in &rows {
        let (name, sealed): (Vec<u8>, Vec<u8>) = (row.get(1), row.get(2));
        for word in ["hivpositive", "allergies", "nuts"] {
            let holds = |bytes: &[u8]| bytes.windows(word.len()).any(|part| part == word.as_bytes());
            assert!(!holds(&name) && !holds(&sealed), "{word}");
        }
        assert_eq!(name.len(), 32);
    }
    let found = marks_find(&stores.db, &stores.vault, workspace, &contacts[0]).await.unwrap();
    let found: Vec<_> = found.iter().map(|m| (m.kind.as_str(), m.name.as_str(), m.value.as_str())).collect();
    assert_eq!(found, [("attribute", "allergies", "nuts and milk"), ("tag", "hivpositive", "")]);
    stores.vault.destroy_contact_key(workspace, &contacts[1]).await.unwrap();
    assert_eq!(marks_find(&stores.db, &stores.vault, workspace, &contacts[1]).await.unwrap(), [], "erased");
});
