//! The access ledger at the terminal: whether the log is whole, who read what of whom, what was granted and is not used.

use std::time::Duration;

use bellhop::registry::{Scopes, TextScope};
use bellhop_domain::id::ContactId;

use crate::support::{TestApp, story};

const DAY: Duration = Duration::from_secs(86_400);

/// Somebody with the database in hand.
async fn tamper(app: &TestApp, sql: &'static str) {
    assert!(app.app.stores.db.execute(sqlx::query(sql)).await.unwrap() > 0, "{sql}");
}

/// A customer was answered, the log is sealed, and its heads are written down.
async fn with_a_log(app: &TestApp) {
    app.enable(&app.business, "hello", "{}").await;
    app.customer("Ana").says("hello").unwrap();
    app.rest().await;
    app.app.jobs.fast().await.unwrap();
    app.app.jobs.slow().await.unwrap();
}

/// The only contact there is.
async fn contact(app: &TestApp) -> ContactId {
    let rows = app.app.stores.db.fetch_all(sqlx::query("select id from contact")).await.unwrap();
    assert_eq!(rows.len(), 1);
    ContactId::parse(sqlx::Row::get(&rows[0], 0)).unwrap()
}

story!(a_log_that_holds_is_said_to_hold, |app| {
    with_a_log(&app).await;
    let said = app.told(&["audit", "verify"]).await;
    let ours = said.lines().find(|line| line.starts_with(app.business.workspace.as_str())).unwrap();
    assert!(ours.contains(" batches, ") && ours.ends_with("reaches 1 anchors"), "{said}");
    assert_eq!(said.lines().count(), 2, "the business's log and the installation's: {said}");
    let only = app.told(&["audit", "verify", "--workspace", app.business.workspace.as_str()]).await;
    assert_eq!(only.lines().collect::<Vec<_>>(), [ours]);
    let refused = app.refused(&["audit", "verify", "--workspace", "nobody"]).await;
    assert!(refused.contains("no log of a workspace"), "{refused}");
    let anchors = std::fs::read_to_string(app.config().store.data_folder.join("audit-anchors.txt")).unwrap();
    assert!(anchors.lines().all(|line| line.starts_with("2026-11-20 ")), "{anchors}");
    app.advance(DAY);
    app.app.jobs.slow().await.unwrap();
    assert!(app.told(&["audit", "verify"]).await.contains("reaches 2 anchors"));
});

story!(a_row_that_was_changed_breaks_its_log_and_no_other, |app| {
    with_a_log(&app).await;
    tamper(&app, "update audit set code = 'message-text' where code = 'message-masked'").await;
    let said = app.bellhop(&["audit", "verify"]).await;
    assert!(!said.succeeded && said.err.contains("1 of 2 logs"), "{said:?}");
    let broken = format!("{}: BROKEN in or before batch 1", app.business.workspace);
    assert!(said.out.contains(&broken), "{said:?}");
});

story!(a_log_that_is_gone_as_a_whole_is_missed_by_its_anchor, |app| {
    with_a_log(&app).await;
    tamper(&app, "delete from audit").await;
    tamper(&app, "delete from audit_seal").await;
    let said = app.bellhop(&["audit", "verify"]).await;
    assert!(!said.succeeded && said.err.contains("2 of 2 logs"), "{said:?}");
    assert!(said.out.contains("DOES NOT REACH the anchor of 2026-11-20, batch "), "{said:?}");
});

story!(who_read_what_of_a_contact_is_told_page_by_page, |app| {
    with_a_log(&app).await;
    app.customer("Ben").says("hello").unwrap();
    app.rest().await;
    let turns = app.turns().await;
    let rows = app.app.stores.db.fetch_all(sqlx::query(
        "select contact_id from turn t join conversation c on c.id = t.conversation_id order by t.id",
    ));
    let contact: String = sqlx::Row::get(&rows.await.unwrap()[0], 0);
    let ask = ["audit", "who-read", "--workspace", app.business.workspace.as_str(), "--contact", &contact];
    let said = app.told(&ask).await;
    assert_eq!(said.lines().count(), 2, "one row, and nothing of Ben's: {said}");
    let hello = app.app.stores.registry.plugin_find("hello").await.unwrap();
    let grant = app.app.stores.registry.plugins_for(&app.business.workspace, &app.business.channel)[0].grant_id.clone();
    let version = hello.manifest.version;
    for part in [
        format!("2026-11-20T12:00:07Z  hello {version}  message-masked  turn {}", turns[0].turn.id),
        format!("    grant {grant}  hash {}", hello.hash),
    ] {
        assert!(said.contains(&part), "{part} is not in {said}");
    }
    let page = app.bellhop(&[ask.as_slice(), &["--limit", "1"]].concat()).await;
    let before = page.err.split('`').nth(1).unwrap().split(' ').nth(1).unwrap().to_owned();
    let rest = app.told(&[ask.as_slice(), &["--before", &before]].concat()).await;
    assert_eq!(rest.trim(), "no plugin has read anything of this contact");
    let nobody = ContactId::new();
    let refused = app.refused(&[&ask[..5], &[nobody.as_str()]].concat()).await;
    assert!(refused.contains("no contact of this workspace"), "{refused}");
});

story!(of_an_erased_contact_nobody_can_ask_any_more, |app| {
    with_a_log(&app).await;
    let (workspace, contact) = (app.business.workspace.clone(), contact(&app).await);
    assert!(app.app.stores.vault.destroy_contact_key(&workspace, &contact).await.unwrap());
    let ask = ["audit", "who-read", "--workspace", workspace.as_str(), "--contact", contact.as_str()];
    let refused = app.refused(&ask).await;
    assert!(refused.contains("was erased") && refused.contains("nobody can say"), "{refused}");
    assert!(app.bellhop(&["audit", "verify"]).await.succeeded, "the log holds all the same");
});

story!(tasks_name_the_contact_that_the_ledger_is_asked_about, |app| {
    app.customer("Ana").says("I want to talk to a person").unwrap();
    app.rest().await;
    let listed = app.told(&["tasks", "--workspace", app.business.workspace.as_str()]).await;
    let contact = contact(&app).await;
    assert!(listed.contains(&format!("  contact {contact}\n")), "{listed}");
});

story!(what_was_granted_and_not_used_for_a_month_is_listed, |app| {
    app.enable(&app.business, "faq", "{}").await;
    let place = ["--workspace", app.business.workspace.as_str(), "--channel", app.business.channel.as_str()];
    let ask = [["audit", "unused"].as_slice(), &place].concat();
    app.advance(31 * DAY);
    app.app.jobs.fast().await.unwrap();
    let registry = &app.app.stores.registry;
    let (workspace, channel) = (&app.business.workspace, &app.business.channel);
    let unused = registry.unused(workspace, channel).await.unwrap();
    let plugin = registry.plugin_find("faq").await.unwrap();
    let scopes = Scopes::asked(&plugin.manifest, TextScope::Masked);
    assert!(scopes.attachments, "the FAQ plugin is shown what was attached");
    assert_eq!(unused.len(), 1);
    assert!(unused[0].parts.contains(&"attachments".to_owned()) && unused[0].parts.contains(&"text".to_owned()));
    app.customer("Ana").says("hello").unwrap();
    app.rest().await;
    let parts = registry.unused(workspace, channel).await.unwrap().remove(0).parts;
    assert!(!parts.contains(&"text".to_owned()) && parts.contains(&"attachments".to_owned()), "{parts:?}");
    app.enable(&app.business, "faq", "{}").await;
    assert!(registry.unused(workspace, channel).await.unwrap().is_empty(), "a new grant has a month's time");
    let said = app.told(&ask).await;
    assert!(said.contains("was used since"), "{said}");
});
