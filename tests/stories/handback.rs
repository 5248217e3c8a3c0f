//! A conversation comes back from a person: by closing the task, or by itself after a day.

use std::time::Duration;

use bellhop::conversation;

use crate::support::story;

story!(closing_the_task_hands_the_conversation_back, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("I want to talk to a person").unwrap();
    app.rest().await;
    ana.says("hello?").unwrap();
    app.rest().await;
    assert!(app.received(&ana).is_empty(), "a person was asked for");

    let tasks = app.tasks().await;
    let [task] = tasks.as_slice() else { panic!("one task: {tasks:?}") };
    let (db, workspace) = (&app.app.stores.db, &app.business.workspace);
    let elsewhere = app.another_business("Salon").await.workspace;
    assert!(!conversation::task_close(db, &elsewhere, &task.id).await.unwrap(), "another business's task");
    assert!(conversation::task_close(db, workspace, &task.id).await.unwrap());
    assert!(!conversation::task_close(db, workspace, &task.id).await.unwrap(), "closed before");
    assert!(app.tasks().await.is_empty());

    ana.says("hello again").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana).len(), 1);
});

story!(a_day_after_a_person_was_asked_for_plugins_answer_again, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("I want to talk to a person").unwrap();
    app.rest().await;
    app.advance(Duration::from_secs(25 * 3_600));
    ana.says("hello").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana).len(), 1);
});
