//! One row that cannot be read, one door that is leaned on: it fails alone, and nobody else notices.

use std::time::Duration;

use reqwest::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::hostile::guest;
use crate::support::post::{SIGNATURE, client, sign};
use crate::support::{PATIENCE, SETTLED, TestApp, story};

/// Longer than the longest wait between two attempts.
const NEXT_ATTEMPT: Duration = Duration::from_secs(25 * 60);

impl TestApp {
    /// Runs a statement on the store, as a broken disk or a careless hand would.
    async fn tamper(&self, sql: &'static str) {
        assert!(self.app.stores.db.execute(sqlx::query(sql)).await.unwrap() > 0, "{sql}");
    }

    /// Rows of the audit log that say that a message's text was read.
    async fn reads(&self) -> i64 {
        let select = sqlx::query("select count(*) from audit where code = 'message-text'");
        let row = self.app.stores.db.fetch_optional(select).await.unwrap().unwrap();
        sqlx::Row::get(&row, 0)
    }
}

story!(a_contact_that_cannot_be_opened_stops_nobody_elses_turn, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("hello").unwrap();
    app.rest().await;
    app.tamper("update contact set profile = cast('broken' as blob)").await;
    let ben = app.customer("Ben");
    ana.says("hello?").unwrap();
    ben.says("hello").unwrap();
    app.rest().await;
    assert_eq!((app.received(&ana).len(), app.received(&ben).len()), (1, 1));
    // What cannot be opened is tried a few times and then put aside; it does not come up for ever.
    for _ in 0..6 {
        app.advance(NEXT_ATTEMPT);
        app.calm().await;
    }
    assert_eq!(app.events_that("message parked").await, 1);
    assert_eq!(app.events_that("message open").await, 0);
});

story!(a_message_that_cannot_be_opened_holds_nobody_elses_back, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let (ana, ben) = (app.customer("Ana"), app.customer("Ben"));
    ana.says("hello").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    app.app.dispatch.run_once().await.unwrap();
    app.tamper("update message set sealed = cast('broken' as blob) where author = 'plugin'").await;
    ben.says("hello").unwrap();
    app.rest().await;
    assert_eq!((app.received(&ana).len(), app.received(&ben).len()), (0, 1));
    for _ in 0..12 {
        app.advance(NEXT_ATTEMPT);
        app.calm().await;
    }
    assert_eq!(app.delivery_states().await, ["held", "delivered"], "nothing left this host: it waits for a person");
    assert_eq!(app.deliveries().await[0].reason.as_deref(), Some("unprepared"));
});

story!(somebody_whose_key_is_gone_may_say_stop_and_so_may_everybody_else, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let (ana, ben) = (app.customer("Ana"), app.customer("Ben"));
    ana.says("hello").unwrap();
    app.rest().await;
    let stores = &app.app.stores;
    let row = stores.db.fetch_optional(sqlx::query("select id from contact")).await.unwrap().unwrap();
    let contact = bellhop_domain::id::ContactId::parse(sqlx::Row::get(&row, 0)).unwrap();
    assert!(stores.vault.destroy_contact_key(&app.business.workspace, &contact).await.unwrap());
    ana.says("STOP").unwrap();
    ben.says("STOP").unwrap();
    app.rest().await;
    assert_eq!(app.count("suppression").await, 2);
    assert_eq!(app.events_that("message open").await, 0);
});

story!(a_control_event_that_cannot_be_applied_stops_no_other, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("hello").unwrap();
    app.rest().await;
    app.tamper("update contact set profile = cast('broken' as blob)").await;
    let ben = app.customer("Ben");
    ana.says("STOP").unwrap();
    ben.says("STOP").unwrap();
    app.rest().await;
    assert_eq!(app.count("suppression").await, 1, "Ben's");
    assert_eq!(app.events_that("message parked").await, 1, "Ana's waits for a person");
});

story!(what_a_discarded_turn_has_read_is_on_record_too, |app| {
    // It reads the message and then computes until it is stopped: time enough for a control event.
    app.enable_hostile(&app.business, &guest("(loop $on (br $on)) (unreachable)")).await;
    let ana = app.customer("Ana");
    ana.says("hello").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    let dispatch = app.app.dispatch.clone();
    let turn = tokio::spawn(async move { dispatch.run_once().await });
    let bump = "update conversation set revision = revision + 1 where owner is not null";
    while app.app.stores.db.execute(sqlx::query(bump)).await.unwrap() == 0 {
        tokio::task::yield_now().await;
    }
    turn.await.unwrap().unwrap();
    assert_eq!(app.turns().await.len(), 0, "it was overtaken");
    assert_eq!(app.reads().await, 1);
    app.calm().await;
    assert_eq!((app.turns().await.len(), app.reads().await), (1, 2));
});

story!(a_dead_token_is_not_tried_for_ever, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    app.control.kill_token(&app.business.page_token, 460).unwrap();
    ana.says("hello").unwrap();
    app.rest().await;
    for _ in 0..30 {
        app.advance(Duration::from_secs(3_600));
        app.calm().await;
    }
    assert_eq!(app.delivery_states().await, ["dropped"], "the window is closed, so nobody waits for it any more");
});

story!(a_name_that_is_no_app_costs_no_look_into_the_store, |app| {
    let origin = app.webhook_url();
    let origin = origin.strip_suffix(app.app_id.as_str()).unwrap();
    let unknown = bellhop_domain::id::AppId::new();
    let signature = sign(&app.app_secret, b"{}");
    // Nothing of the body is read for it: the answer comes although the body never does.
    let mut stream = TcpStream::connect(app.webhook_url().split('/').nth(2).unwrap()).await.unwrap();
    let head = format!(
        "POST /webhook/{unknown} HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n{SIGNATURE}: {signature}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0_u8; 12];
    tokio::time::timeout(PATIENCE, stream.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"HTTP/1.1 404");
    let asked = [("hub.mode", "subscribe"), ("hub.verify_token", "x"), ("hub.challenge", "1")];
    let status = client().get(format!("{origin}{unknown}")).query(&asked).send().await.unwrap().status();
    assert_eq!(status, StatusCode::FORBIDDEN);
});
