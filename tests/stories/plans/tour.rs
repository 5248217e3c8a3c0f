//! A tour of the house for the sake of its statements: everything that a running host does of itself, and what its commands do.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bellhop::api::turns_view;
use bellhop::{audit, conversation, inbox, outbox, status};
use bellhop_domain::mask;
use bellhop_simulator::{GraphError, Trouble};
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::support::{SETTLED, TestApp};

const DAY: Duration = Duration::from_secs(86_400);

/// Every statement that sqlx runs in this process.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<BTreeSet<String>>>);

impl<S: tracing::Subscriber> Layer<S> for Collector {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "sqlx::query" {
            let mut words = Words::default();
            event.record(&mut words);
            let whole = if words.statement.trim().is_empty() { words.summary } else { words.statement };
            self.0.lock().unwrap().insert(whole.trim().to_owned());
        }
    }
}

/// sqlx gives the first words of a statement, and the statement where that is longer.
#[derive(Default)]
struct Words {
    summary: String,
    statement: String,
}

impl Visit for Words {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.summary),
            "db.statement" => value.clone_into(&mut self.statement),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

/// Takes the tour on SQLite and hands over the store and what ran on it.
pub(super) fn collected<F: Future<Output = ()>>(look: impl FnOnce(TestApp, BTreeSet<String>) -> F) {
    let collector = Collector::default();
    tracing_subscriber::registry().with(collector.clone()).init();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut app = TestApp::start().await;
        // Migrations and set-up ran until here: they look at everything, once.
        app.reopen(|_| {}).await;
        collector.0.lock().unwrap().clear();
        talk(&app).await;
        send_badly(&app).await;
        put_aside(&app).await;
        ask(&app).await;
        let statements = std::mem::take(&mut *collector.0.lock().unwrap());
        look(app, statements).await;
    });
}

/// Customers are answered, refused, given to a person; they say stop, and start again.
async fn talk(app: &TestApp) {
    app.enable(&app.business, "hello", "{}").await;
    app.enable(&app.business, "faq", "{}").await;
    app.import_faq(
        &app.business,
        json!([{"questions": ["When do you open?"], "answer": "At nine.", "language": "en"}]),
    )
    .await;
    let [ana, ben, cleo] = ["Ana", "Ben", "Cleo"].map(|name| app.customer(name));
    for _ in 0..2 {
        ana.says("When do you open?").unwrap();
        ana.says("and at weekends? My number is +43 660 1234567").unwrap();
        ben.says("hello").unwrap();
        cleo.says("STOP").unwrap();
        app.rest().await;
        cleo.says("START").unwrap();
        ana.reads().unwrap();
        app.rest().await;
    }
    let said = ben.says("I want to talk to a person").unwrap();
    ben.unsends(&said).unwrap();
    app.rest().await;
    ben.staff_says("Here I am.").unwrap();
    ben.says("hello").unwrap();
    app.rest().await;
}

/// Meta refuses, is silent, drops, slows down, and closes the door.
async fn send_badly(app: &TestApp) {
    let dora = app.customer("Dora");
    let refused = |code| Trouble::Refuse(GraphError::new(code, None));
    for trouble in [refused(100), refused(613), Trouble::DropBefore, refused(551), refused(190)] {
        app.control.next_sends(1, trouble);
        dora.says("hello").unwrap();
        app.rest().await;
        app.advance(Duration::from_secs(120));
        app.calm().await;
    }
}

/// Events are parked and brought back, hosts die, years pass.
async fn put_aside(app: &TestApp) {
    let db = &app.app.stores.db;
    app.post_signed("[]").await;
    app.customer("Emma").says("hello").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    let claim = inbox::Claim::new(bellhop_domain::id::HostId::new(), 8);
    let claimed = inbox::claim(db, &claim).await.unwrap();
    let held: Vec<_> = claimed.iter().map(|c| (c.workspace.clone(), c.conversation.clone(), c.epoch)).collect();
    inbox::renew(db, &held).await.unwrap();
    for claimed in &claimed {
        inbox::park_all(db, claimed, "unopenable").await.unwrap();
    }
    inbox::events_parked(db, &app.business.workspace, None, 10).await.unwrap();
    inbox::events_parked(db, &app.business.workspace, Some(&bellhop_domain::id::EventId::new()), 10).await.unwrap();
    inbox::workspaces_with_parked(db).await.unwrap();
    inbox::event_replay(db, &app.business.workspace, &bellhop_domain::id::EventId::new()).await.unwrap();
    inbox::events_replay_all(db, &app.business.workspace).await.unwrap();
    inbox::quarantine_list(db, 10).await.unwrap();
    inbox::quarantine_drop(db, Some("no such body")).await.unwrap();
    app.rest().await;
    for _ in 0..3 {
        app.app.jobs.fast().await.unwrap();
        app.app.jobs.slow().await.unwrap();
        app.app.jobs.tidy().await.unwrap();
        app.advance(40 * DAY);
    }
}

/// People look, and do what is theirs to do. What has to look at everything is left out: totals, the check of the audit log and
/// what it says of a month, a backup, a restore.
async fn ask(app: &TestApp) {
    let stores = &app.app.stores;
    let workspace = &app.business.workspace;
    status::status(&stores.db).await.unwrap();
    turns_view(&app.app.api(), workspace, 10).await.unwrap();
    app.app.api().health.reasons().await;
    let nobody = bellhop_domain::id::ContactId::new();
    conversation::marks_find(&stores.db, &stores.vault, workspace, &nobody).await.unwrap();
    audit::reads_of(&stores.db, (workspace, &[0; 32]), None, 10).await.unwrap();
    let token = mask::Token::new(mask::Kind::Phone, &[0; 32]);
    conversation::masked_find(&stores.db, &stores.vault, (workspace, &nobody), &[token].into()).await.unwrap();
    for task in app.tasks().await {
        conversation::task_close(&stores.db, workspace, &task.id).await.unwrap();
    }
    for delivery in outbox::deliveries_put_aside(&stores.db, workspace, 10).await.unwrap() {
        outbox::delivery_retry(&stores.db, workspace, &delivery.id).await.unwrap();
        outbox::delivery_give_up(&stores.db, workspace, &delivery.id).await.unwrap();
    }
    app.calm().await;
}
