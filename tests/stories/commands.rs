//! What an operator types: what is connected is listed and taken away, tasks say whom they are about, and a wrong id is answered
//! with what it is and where the right ones stand.

use crate::support::post::message;
use crate::support::{SETTLED, START, TestApp, story};

/// Live secrets of a channel.
async fn n_tokens(app: &TestApp) -> i64 {
    let sql = "select count(*) from secret where kind = 'channel-token' and owner_id = $1 and retired_at is null";
    let select = sqlx::query(sql).bind(app.business.channel.as_str());
    sqlx::Row::get(&app.app.stores.db.fetch_optional(select).await.unwrap().unwrap(), 0)
}

story!(apps_are_listed_and_each_is_there_once, |app| {
    let listed = app.told(&["app", "list"]).await;
    for part in [app.app_id.as_str(), &app.meta_app_id, "of the installation", &format!("/webhook/{}", app.app_id)] {
        assert!(listed.contains(part), "{part} is not in {listed}");
    }
    let (secret, token) = (app.file("secret", "a secret"), app.file("verify", "a token"));
    let files = ["--secret-file", &secret, "--verify-token-file", &token];
    let add = |rest: &[&'static str]| [&["app", "add", "--meta-app-id", rest[0]], files.as_slice()].concat();
    let again = [&["app", "add", "--meta-app-id", app.meta_app_id.as_str()], files.as_slice()].concat();
    let refused = app.refused(&again).await;
    assert!(refused.contains(app.app_id.as_str()) && refused.contains("bellhop app list"), "{refused}");
    let own = [add(&["4711"]), vec!["--workspace", app.business.workspace.as_str()]].concat();
    let id = app.told(&own).await;
    let listed = app.told(&["app", "list"]).await;
    assert!(listed.contains(&format!("/webhook/{}\n", id.trim())), "what is printed is the id and nothing else: {id}");
    assert!(listed.lines().any(|line| line.contains("4711") && line.contains("Café Aurora")), "{listed}");
});

story!(a_channel_that_was_removed_says_nothing_more_and_leaves_its_place, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let (workspace, channel) = (app.business.workspace.as_str(), app.business.channel.as_str());
    let ana = app.customer("Ana");
    ana.says("hello").unwrap();
    app.arrive().await;
    app.advance(SETTLED);
    app.app.dispatch.run_once().await.unwrap();
    assert_eq!((app.delivery_states().await, n_tokens(&app).await), (vec!["staged".to_owned()], 1));
    ana.says("are you there?").unwrap();
    app.arrive().await;

    app.told(&["channel", "remove", "--workspace", workspace, "--channel", channel]).await;
    let listed = app.told(&["channel", "list", "--workspace", workspace]).await;
    assert!(listed.contains(channel) && listed.contains("disconnected"), "{listed}");
    assert_eq!(n_tokens(&app).await, 0);
    ana.says("hello?").unwrap();
    app.rest().await;
    assert_eq!(app.control.ledger().n_sends, 0, "Meta was not even asked");
    let deliveries = app.deliveries().await;
    assert_eq!((deliveries.len(), deliveries[0].state.as_str()), (1, "dropped"), "{deliveries:?}");
    assert_eq!(deliveries[0].reason.as_deref(), Some("channel-paused"));
    assert_eq!(app.turns().await[1].turn.outcome, "silent", "what had come before asks no plugin any more");
    assert_eq!(app.events_that("message ignored").await, 1, "{:?}", app.events().await);

    // Somebody else connects the Page: from now on it is theirs, and only theirs.
    let other = app.another_business("Casa Lucia").await;
    let (page, token) = (&app.business.page_id, app.file("token", &app.business.page_token));
    let (id, app_id) = (other.workspace.as_str(), app.app_id.as_str());
    let add = ["channel", "add", "--workspace", id, "--app", app_id, "--kind", "messenger", "--asset-id", page];
    let added = app.told(&[add.as_slice(), &["--name", "Second", "--token-file", &token]].concat()).await;
    assert_eq!(app.post_items(&[message(page, "7", "m_1", "hello", START)]).await, 200);
    let select = sqlx::query("select count(*) from inbox_event where channel_id = $1").bind(added.trim());
    let row = app.app.stores.db.fetch_optional(select).await.unwrap().unwrap();
    assert_eq!(sqlx::Row::get::<i64, _>(&row, 0), 1);
    let back = ["channel", "token", "--workspace", workspace, "--channel", channel, "--token-file", &token];
    let refused = app.refused(&back).await;
    assert!(refused.contains("connected already"), "{refused}");
});

story!(a_channel_that_was_removed_comes_back_with_a_token, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let (workspace, channel) = (app.business.workspace.as_str(), app.business.channel.as_str());
    let place = ["--workspace", workspace, "--channel", channel];
    app.told(&[&["channel", "remove"], place.as_slice()].concat()).await;
    let token = app.file("token", &app.business.page_token);
    app.told(&[&["channel", "token"], place.as_slice(), &["--token-file", &token]].concat()).await;
    let ana = app.customer("Ana");
    ana.says("hello").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana).len(), 1);
});

story!(a_task_says_where_whose_and_since_when, |app| {
    let workspace = app.business.workspace.as_str();
    app.customer("Ana").says("Is anybody\u{1b}[2J there?").unwrap();
    app.rest().await;
    let listed = app.told(&["tasks", "--workspace", workspace]).await;
    let select = sqlx::query("select id from contact");
    let contact: String = sqlx::Row::get(&app.app.stores.db.fetch_optional(select).await.unwrap().unwrap(), 0);
    let tail = format!("Café Aurora: customer …{}, since 2026-11-20T12:00:07Z", &contact[contact.len() - 4..]);
    assert!(listed.contains(&tail), "{tail} is not in {listed}");
    assert!(listed.contains("Is anybody[2J there?"), "what a customer writes does not steer a terminal: {listed:?}");
});

story!(an_id_of_the_wrong_kind_or_of_somebody_else_is_named, |app| {
    app.enable(&app.business, "faq", "{}").await;
    let other = app.another_business("Casa Lucia").await;
    let (workspace, channel) = (app.business.workspace.as_str(), app.business.channel.as_str());
    let (app_id, page) = (app.app_id.as_str(), app.business.page_id.as_str());
    let file = app.file("file", "x");

    let swapped = app.refused(&["plugin", "enable", "--workspace", channel, "--channel", workspace, "hello"]).await;
    assert!(
        swapped.contains("it is the channel Café Aurora") && swapped.contains("bellhop workspace list"),
        "{swapped}"
    );
    let theirs = ["--workspace", workspace, "--channel", other.channel.as_str()];
    let theirs = app.refused(&[&["plugin", "enable", "hello"], theirs.as_slice()].concat()).await;
    assert!(theirs.contains("it is the channel Casa Lucia of the workspace Casa Lucia"), "{theirs}");
    assert!(theirs.contains(&format!("bellhop channel list --workspace {workspace}")), "{theirs}");

    let add = |workspace, app| {
        let to = ["channel", "add", "--workspace", workspace, "--app", app, "--kind", "messenger", "--asset-id", "1"];
        [to.as_slice(), &["--name", "New", "--token-file", &file]].concat()
    };
    let swapped = app.refused(&add(app_id, workspace)).await;
    assert!(swapped.contains("it is an app of the installation"), "{swapped}");
    let metas = app.refused(&add(workspace, &app.meta_app_id)).await;
    assert!(metas.contains(&format!("it is Meta's id of the app {app_id}")), "{metas}");
    assert!(metas.contains("bellhop app list"), "{metas}");

    let import = ["records", "import", "--workspace", channel, "--plugin", "faq", "--collection", "faq", &file];
    let wrong = app.refused(&import).await;
    assert!(wrong.contains("it is the channel") && wrong.contains("bellhop workspace list"), "{wrong}");
    let import =
        ["records", "import", "--workspace", other.workspace.as_str(), "--plugin", "faq", "--collection", "faq"];
    let theirs = app.refused(&[import.as_slice(), &[&file]].concat()).await;
    assert!(theirs.contains("the workspace Casa Lucia has no collection `faq`"), "{theirs}");
    let metas = app.refused(&["channel", "remove", "--workspace", workspace, "--channel", page]).await;
    assert!(metas.contains(&format!("it is Meta's id of the channel {channel}")), "{metas}");
    let unknown = app.refused(&["tasks", "--workspace", "nonsense"]).await;
    assert!(unknown.contains("`nonsense` is no workspace; `bellhop workspace list`"), "{unknown}");
});
