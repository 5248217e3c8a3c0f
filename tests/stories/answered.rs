//! A question is answered: from the customer's phone through everything and back.

use serde_json::json;

use crate::support::hostile::{Guest, guest};
use crate::support::{TestApp, story};

const HELLO: &str = "Hello! How can we help?";

/// Entries of a hairdresser.
fn entries() -> serde_json::Value {
    json!([
        {
            "questions": ["When are you open?", "What are your opening hours?"],
            "answer": "We are open Tuesday to Saturday, 9 to 18 o'clock.",
            "language": "en",
            "buttons": [{ "title": "Where are you?", "question": "Where are you located?" }],
        },
        {
            "questions": ["Where are you located?", "What is your address?"],
            "answer": "You find us at 12 Harbour Street.",
            "language": "en",
        },
        {
            "questions": ["Wann habt ihr geöffnet?", "Was sind eure Öffnungszeiten?"],
            "answer": "Dienstag bis Samstag von 9 bis 18 Uhr.",
            "language": "de",
        },
    ])
}

async fn with_faq(app: &TestApp) {
    app.enable(&app.business, "faq", "{}").await;
    app.import_faq(&app.business, entries()).await;
}

story!(a_greeting_is_answered_once, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    ana.says("hello there").unwrap();
    app.settle(1).await;
    assert_eq!(app.received(&ana).len(), 1, "{:?}", app.received(&ana));
});

story!(a_question_is_answered_from_the_businesss_own_entries, |app| {
    with_faq(&app).await;
    let ana = app.customer("Ana");
    ana.says("What are your opening hours?").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana), ["We are open Tuesday to Saturday, 9 to 18 o'clock."]);
    ana.says("Wann habt ihr geöffnet?").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana).last().unwrap(), "Dienstag bis Samstag von 9 bis 18 Uhr.");
});

story!(a_call_carries_the_proof_and_our_own_name_for_the_message, |app| {
    app.enable(&app.business, "hello", "{}").await;
    app.customer("Ana").says("hello").unwrap();
    app.rest().await;
    let sends = app.control.accepted();
    let [send] = sends.as_slice() else { panic!("{sends:?}") };
    let turns = app.turns().await;
    assert!(send.has_proof);
    assert_eq!(send.metadata(), Some(turns[0].deliveries[0].delivery.id.as_str()));
    assert_eq!(send.body["messaging_type"], "RESPONSE");
});

story!(a_choice_can_be_tapped_and_is_answered_at_once, |app| {
    with_faq(&app).await;
    let ana = app.customer("Ana");
    ana.says("When are you open?").unwrap();
    app.rest().await;
    let offered = app.control.accepted().pop().unwrap();
    assert_eq!(offered.quick_replies(), ["Where are you?"]);
    let payload = offered.body["message"]["quick_replies"][0]["payload"].as_str().unwrap().to_owned();
    ana.answers("Where are you?", &payload).unwrap();
    // The clock stands: nobody waits for the settle window.
    app.calm().await;
    assert_eq!(app.received(&ana).last().unwrap(), "You find us at 12 Harbour Street.");
});

story!(a_payload_that_no_plugin_of_ours_set_is_shown_to_none, |app| {
    with_faq(&app).await;
    let ana = app.customer("Ana");
    ana.answers("Where are you located?", "human").unwrap();
    app.calm().await;
    // Read as its own, the payload would call a person.
    assert_eq!(app.received(&ana), ["You find us at 12 Harbour Street."]);
    assert_eq!(app.tasks().await.len(), 0);
});

story!(several_quick_messages_get_one_answer, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    for part in ["hi", "I want", "a haircut"] {
        ana.says(part).unwrap();
        app.arrive().await;
        app.advance(std::time::Duration::from_secs(1));
        app.app.run_until_idle().await.unwrap();
    }
    assert_eq!(app.received(&ana).len(), 0, "the window is open while she writes");
    app.rest().await;
    let turns = app.turns().await;
    let [turn] = turns.as_slice() else { panic!("{turns:?}") };
    let events = &turn.turn.outline.as_ref().unwrap().events;
    let said: Vec<_> = events.iter().map(|event| turn.said[event.message.as_ref().unwrap()].as_str()).collect();
    assert_eq!(said, ["hi", "I want", "a haircut"]);
    assert_eq!(app.received(&ana), [HELLO]);
});

story!(somebody_who_never_stops_writing_is_answered_all_the_same, |app| {
    app.enable(&app.business, "hello", "{}").await;
    let ana = app.customer("Ana");
    for n in 0..7 {
        ana.says(&format!("and another thing {n}")).unwrap();
        app.arrive().await;
        app.advance(std::time::Duration::from_secs(1));
        app.app.run_until_idle().await.unwrap();
    }
    assert_eq!(app.received(&ana), [HELLO]);
});

story!(two_customers_side_by_side_each_get_their_own_answer, |app| {
    with_faq(&app).await;
    let (ana, ben) = (app.customer("Ana"), app.customer("Ben"));
    ana.says("When are you open?").unwrap();
    ben.says("What is your address?").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana), ["We are open Tuesday to Saturday, 9 to 18 o'clock."]);
    assert_eq!(app.received(&ben), ["You find us at 12 Harbour Street."]);
    assert_eq!(app.turns().await.len(), 2);
});

story!(a_long_answer_arrives_in_parts_and_in_order, |app| {
    let text: String = (0..600).map(|n| format!("word{n} ")).collect();
    let items = format!("(data (i32.const 16384) \"{}\")", text.trim_end());
    let body = format!("(call $say (i32.const 16384) (i32.const {}))", text.trim_end().len());
    app.enable_hostile(&app.business, &Guest { items: &items, ..guest(&body) }).await;
    let ana = app.customer("Ana");
    ana.says("tell me everything").unwrap();
    app.rest().await;
    let parts = app.received(&ana);
    assert_eq!(parts.len(), 3, "{parts:?}");
    assert!(parts.iter().all(|part| part.chars().count() <= 2_000));
    let words: Vec<&str> = parts.iter().flat_map(|part| part.split_whitespace()).collect();
    assert_eq!(words, text.split_whitespace().collect::<Vec<_>>());
});

story!(the_trace_shows_what_was_seen_and_wanted_and_allowed, |app| {
    app.enable_hostile(&app.business, &guest("(call $pass)")).await;
    with_faq(&app).await;
    let ana = app.customer("Ana");
    ana.says("When are you open?").unwrap();
    app.rest().await;
    let turns = app.turns().await;
    let [turn] = turns.as_slice() else { panic!("{turns:?}") };
    assert_eq!(turn.turn.outcome, "answered");
    let outline = turn.turn.outline.as_ref().unwrap();
    let [passed, faq] = outline.plugins.as_slice() else { panic!("{outline:?}") };
    assert_eq!((passed.plugin.as_str(), passed.outcome.as_str()), ("hostile", "pass"));
    assert_eq!((faq.plugin.as_str(), faq.outcome.as_str()), ("faq", "done"));
    assert_eq!(faq.saw, ["text: masked"]);
    assert!(faq.fuel > 0 && faq.host_calls > 0, "{faq:?}");
    assert_eq!(faq.proposals[0].effect, "say");
    assert_eq!(faq.proposals[0].verdict, "allow");
    let [delivery] = turn.deliveries.as_slice() else { panic!("{:?}", turn.deliveries) };
    assert_eq!(delivery.delivery.state, "delivered");
    assert_eq!(delivery.text.as_deref(), Some("We are open Tuesday to Saturday, 9 to 18 o'clock."));
    assert_eq!(delivery.choices, ["Where are you?"]);
});

story!(nobody_answers_so_the_fallback_does_and_staff_are_told, |app| {
    app.enable_hostile(&app.business, &guest("(call $pass)")).await;
    app.set_fallback(&app.business, "Somebody will answer you soon.").await;
    let ana = app.customer("Ana");
    ana.says("Do you repair umbrellas?").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana), ["Somebody will answer you soon."]);
    let tasks = app.tasks().await;
    let [task] = tasks.as_slice() else { panic!("{tasks:?}") };
    assert_eq!((task.kind.as_str(), task.note.as_deref()), ("unanswered", Some("Do you repair umbrellas?")));
});

story!(without_a_fallback_staff_are_told_and_nothing_is_said, |app| {
    let ana = app.customer("Ana");
    ana.says("Is anybody there?").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana).len(), 0);
    assert_eq!(app.tasks().await.len(), 1);
});

story!(the_floor_and_the_session_last_until_the_next_message, |app| {
    app.enable(&app.business, "faq", "{}").await;
    let cut = |whose: &str, price: &str| {
        let question = format!("How much is a haircut for {whose}?");
        json!({ "questions": [question], "title": whose, "answer": price, "language": "en" })
    };
    app.import_faq(&app.business, json!([cut("women", "40 euros."), cut("men", "30 euros.")])).await;
    let ana = app.customer("Ana");
    ana.says("How much is a haircut?").unwrap();
    app.rest().await;
    let asked_back = app.control.accepted().pop().unwrap();
    let offered = asked_back.quick_replies().iter().position(|title| *title == "men").unwrap();
    // From now on another plugin is asked first, and would answer everything.
    app.enable_at(&app.business, "hello", "{}", Some(0)).await;
    ana.says(&format!("{}", offered + 1)).unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana).last().unwrap(), "30 euros.");
    ana.says("How much is a haircut for women?").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana).last().unwrap(), HELLO, "the floor was given back with the answer");
});

story!(a_plugin_hands_over_says_so_and_is_silent_from_then_on, |app| {
    app.enable(&app.business, "faq", "{}").await;
    let entry = json!({
        "questions": ["Do you do weddings?"], "answer": "We do.", "language": "en",
        "buttons": [{ "title": "Talk to us", "payload": "human" }],
    });
    app.import_faq(&app.business, json!([entry])).await;
    let ana = app.customer("Ana");
    ana.says("Do you do weddings?").unwrap();
    app.rest().await;
    let offered = app.control.accepted().pop().unwrap();
    let payload = offered.body["message"]["quick_replies"][0]["payload"].as_str().unwrap().to_owned();
    ana.answers("Talk to us", &payload).unwrap();
    app.calm().await;
    assert_eq!(app.received(&ana).len(), 2, "it still says that a person comes: {:?}", app.received(&ana));
    let tasks = app.tasks().await;
    assert_eq!(tasks.iter().map(|task| task.kind.as_str()).collect::<Vec<_>>(), ["handoff"]);
    ana.says("Do you do weddings?").unwrap();
    app.rest().await;
    assert_eq!(app.received(&ana).len(), 2, "a person has the conversation");
    assert_eq!(app.turns().await.pop().unwrap().turn.outcome, "silent");
});
