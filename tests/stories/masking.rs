//! Personal data crosses to plugins as tokens, and comes back to the person who wrote it and to nobody else.

use bellhop::registry::TextScope;

use crate::support::hostile::{Guest, guest};
use crate::support::{TestApp, story};

/// Says back the last text it was shown. The event stands where the argument points: its list of messages at 4, 64 bytes each,
/// the text of one at 20.
const PARROT: &str = "
    (local.set $count (i32.add
        (i32.load (i32.add (local.get 0) (i32.const 4)))
        (i32.mul (i32.const 64) (i32.sub (i32.load (i32.add (local.get 0) (i32.const 8))) (i32.const 1)))))
    (call $say
        (i32.load (i32.add (local.get $count) (i32.const 20)))
        (i32.load (i32.add (local.get $count) (i32.const 24))))";

async fn parrot(app: &TestApp, text: TextScope) -> bellhop_simulator::Customer {
    app.enable_hostile_that_sees(&app.business, &guest(PARROT), text).await;
    app.customer("Ana")
}

/// What the store keeps of what a token stands for.
async fn n_kept(app: &TestApp) -> i64 {
    app.count("masked_value").await
}

story!(what_a_contact_wrote_comes_back_to_them_and_the_plugin_saw_a_token, |app| {
    let ana = parrot(&app, TextScope::Masked).await;
    ana.says("I am ana@example.org, +43 660 1234567").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana), ["I am ana@example.org, +43 660 1234567"]);
    let plugins = app.last_plugins().await;
    assert_eq!(plugins[0].saw, ["text: masked"]);
    assert_eq!(n_kept(&app).await, 2);
    // Cards never come back.
    ana.says("card 4111 1111 1111 1111").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana).pop().unwrap(), "card •••• 1111");
});

story!(a_token_of_somebody_else_or_of_nobody_goes_to_staff, |app| {
    let ana = parrot(&app, TextScope::Masked).await;
    ana.says("0660 1234567, ⟦phone:aaaaaa⟧").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana), ["0660 1234567, ⟦phone:aaaaaa⟧"], "brackets that somebody types are no token");
    let forger = Guest {
        items: "(data (i32.const 16384) \"call \\e2\\9f\\a6phone:aaaaaa\\e2\\9f\\a7\")",
        ..guest("(call $say (i32.const 16384) (i32.const 23))")
    };
    let other = app.another_business("Casa Lucia").await;
    app.enable_hostile_that_sees(&other, &forger, TextScope::Masked).await;
    let ben = app.control.add_person(&other.page_id, "Ben").unwrap();
    ben.says("my number is 0660 7654321").unwrap();
    app.rest().await;
    assert!(app.received(&ben).is_empty());
    let turns = app.turns_of(&other).await;
    assert_eq!(turns[0].turn.outcome, "refused");
    let verdict = &turns[0].turn.outline.as_ref().unwrap().plugins[0].proposals[0].verdict;
    assert!(verdict.contains("token that stands for nothing"), "{verdict}");
});

story!(nothing_of_a_number_stands_in_the_memory_of_a_plugin_that_is_shown_tokens, |app| {
    // Looks for "7654321" everywhere, without having it anywhere itself, and says "found" or "clean".
    let search = "(local.set $count (i32.const 0))
        (block $end (loop $next
            (br_if $end (i32.ge_u (local.get $count) (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 8))))
            (if (i32.and
                    (i32.eq (i32.xor (i32.load (local.get $count)) (i32.const 0x55555555)) (i32.const 0x61606362))
                    (i32.eq (i32.xor (i32.load16_u (i32.add (local.get $count) (i32.const 4))) (i32.const 0x5555)) (i32.const 0x6766)))
                (then (return (call $say (i32.const 16384) (i32.const 5)))))
            (local.set $count (i32.add (local.get $count) (i32.const 1)))
            (br $next)))
        (call $say (i32.const 16389) (i32.const 5))";
    let searcher = Guest { items: "(data (i32.const 16384) \"foundclean\")", ..guest(search) };
    let other = app.another_business("Casa Lucia").await;
    app.enable_hostile_that_sees(&app.business, &searcher, TextScope::Masked).await;
    app.enable_hostile_that_sees(&other, &searcher, TextScope::Clear).await;
    let (ana, ben) = (app.customer("Ana"), app.control.add_person(&other.page_id, "Ben").unwrap());
    for customer in [&ana, &ben] {
        customer.says("+436607654321").unwrap();
    }
    app.rest().await;
    assert_eq!(app.received(&ben), ["found"], "in clear it is there");
    assert_eq!(app.received(&ana), ["clean"]);
});

story!(a_value_never_becomes_part_of_a_link_not_even_of_a_listed_one, |app| {
    // "https://shop.example/?p=" and then the token of the customer's own number, as it was shown.
    let lure = "
        (memory.copy (i32.const 16408) (i32.load (i32.add (i32.load (i32.add (local.get 0) (i32.const 4))) (i32.const 20)))
            (i32.load (i32.add (i32.load (i32.add (local.get 0) (i32.const 4))) (i32.const 24))))
        (call $say (i32.const 16384) (i32.add (i32.const 24)
            (i32.load (i32.add (i32.load (i32.add (local.get 0) (i32.const 4))) (i32.const 24)))))";
    let leaker = Guest {
        items: "(data (i32.const 16384) \"https://shop.example/?p=\")",
        manifest: "link-hosts = [\"shop.example\"]\n",
        ..guest(lure)
    };
    app.enable_hostile_that_sees(&app.business, &leaker, TextScope::Masked).await;
    let ana = app.customer("Ana");
    ana.says("sale").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana), ["https://shop.example/?p=sale"], "the host is listed");
    ana.says("+436601234567").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana).len(), 1);
    assert!(app.tasks().await.iter().any(|task| task.reason == "value-in-link"), "{:?}", app.tasks().await);
});

story!(a_sign_that_is_tidied_away_does_not_part_a_link_from_a_value, |app| {
    // The same with a carriage return between the address and the token.
    let lure = "
        (memory.copy (i32.const 16409) (i32.load (i32.add (i32.load (i32.add (local.get 0) (i32.const 4))) (i32.const 20)))
            (i32.load (i32.add (i32.load (i32.add (local.get 0) (i32.const 4))) (i32.const 24))))
        (call $say (i32.const 16384) (i32.add (i32.const 25)
            (i32.load (i32.add (i32.load (i32.add (local.get 0) (i32.const 4))) (i32.const 24)))))";
    let leaker = Guest {
        items: "(data (i32.const 16384) \"https://shop.example/?p=\\0d\")",
        manifest: "link-hosts = [\"shop.example\"]\n",
        ..guest(lure)
    };
    app.enable_hostile_that_sees(&app.business, &leaker, TextScope::Masked).await;
    let ana = app.customer("Ana");
    ana.says("+436601234567").unwrap();
    app.rest().await;
    assert!(app.received(&ana).is_empty(), "{:?}", app.received(&ana));
});
