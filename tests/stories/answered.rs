//! A question is answered: from the customer's phone through everything and back.

use crate::support::{TestApp, story};

story!(a_greeting_is_answered_once, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("hello there").unwrap();
    app.settle(1).await;
    assert_eq!(app.received(&ana).len(), 1, "{:?}", app.received(&ana));
});
