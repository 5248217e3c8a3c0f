//! Hosts of one PostgreSQL tell each other what is ready: the other one looks at once, and not only when its poll comes round.
//! No loop runs here but the exchange itself, and whoever waits would wait for an hour.

use std::time::Duration;

use bellhop::app::{App, Stores};
use bellhop::directory::{self, ChannelState};
use bellhop::inbox::Wake;
use tokio_util::sync::CancellationToken;

use crate::support::{PATIENCE, TestApp, postgres};

const HOUR: Duration = Duration::from_secs(3_600);

/// Two hosts that know of each other and exchange signals; `None` without a PostgreSQL.
async fn two_hosts() -> Option<(TestApp, App)> {
    let app = TestApp::start_on(Some(postgres::database().await?)).await;
    app.enable(&app.business, "hello", "{}").await;
    let other = app.another_host().await;
    for host in [&app.app, &other] {
        host.jobs.host.beat().await.unwrap();
    }
    for host in [&app.app, &other] {
        host.jobs.host.look_around().await.unwrap();
        tokio::spawn(host.exchange_signals());
    }
    // From here on it listens.
    look_everywhere(&other).await;
    Some((app, other))
}

/// Takes the wake-ups that a host gives itself when it begins to listen: it may have missed something before.
async fn look_everywhere(host: &App) {
    for wake in [&host.dispatch.contact_wake, &host.dispatch.control_wake, &host.outbox.wake, &host.jobs.wake] {
        woken(wake).await;
    }
}

async fn woken(wake: &Wake) {
    let never = CancellationToken::new();
    tokio::time::timeout(PATIENCE, wake.wait(HOUR, &never)).await.expect("nobody woke it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_host_stores_another_answers_at_once() {
    let Some((app, other)) = two_hosts().await else { return };
    let ana = app.customer("Ana");
    ana.taps("Hello", "x").unwrap();
    woken(&other.dispatch.contact_wake).await;
    other.dispatch.run_once().await.unwrap();
    assert_eq!(app.turns().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_host_knows_when_a_settle_window_closes() {
    let Some((app, other)) = two_hosts().await else { return };
    app.customer("Ana").says("hello").unwrap();
    let quiet = app.config().settle.quiet();
    // A host that had to connect anew is woken once for nothing.
    let due = loop {
        woken(&other.dispatch.contact_wake).await;
        let due = other.dispatch.contact_wake.until_due(other.stores.db.now(), HOUR);
        if due < HOUR {
            break due;
        }
    };
    assert!(due >= quiet && due < quiet + Duration::from_millis(50), "{due:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_host_wants_to_say_another_sends_at_once() {
    let Some((app, other)) = two_hosts().await else { return };
    let ana = app.customer("Ana");
    ana.taps("Hello", "x").unwrap();
    app.arrive().await;
    app.app.dispatch.run_once().await.unwrap();
    woken(&other.outbox.wake).await;
    other.outbox.run_once().await.unwrap();
    assert_eq!(app.received(&ana).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stop_reaches_another_host_at_once() {
    let Some((app, other)) = two_hosts().await else { return };
    app.customer("Ana").says("stop").unwrap();
    woken(&other.dispatch.control_wake).await;
    assert_eq!(other.dispatch.control_once().await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_command_changes_hosts_hear_at_once() {
    let Some((app, other)) = two_hosts().await else { return };
    let command = Stores::open(app.config(), app.clock.clone()).await.unwrap();
    let mut transaction = command.db.begin_write().await.unwrap();
    let channel = (&app.business.workspace, &app.business.channel);
    let (now, state) = (command.db.now(), ChannelState::Paused);
    directory::channel_state_set(&mut transaction, now, channel, state, None).await.unwrap();
    transaction.commit().await.unwrap();
    woken(&other.jobs.wake).await;
    other.jobs.fast().await.unwrap();
    let channel = other.stores.directory.snapshot().channel(channel.0, channel.1).unwrap().state;
    assert_eq!(channel, ChannelState::Paused);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_whose_connection_was_cut_listens_again_and_looks() {
    let Some((app, other)) = two_hosts().await else { return };
    let cut = "select count(*) from pg_stat_activity where datname = current_database() and query like 'LISTEN%' \
               and pg_terminate_backend(pid)";
    assert!(!app.app.stores.db.fetch_all(sqlx::query(cut)).await.unwrap().is_empty());
    look_everywhere(&other).await;
    app.customer("Ana").taps("Hello", "x").unwrap();
    woken(&other.dispatch.contact_wake).await;
}
