//! What policy says.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::{ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::*;
use crate::channel::ChannelKind;
use crate::effect::{Attribute, Call, Card, Choice, CustomEffect, Handoff, Say, SetTimer, Template};
use crate::time::Timestamp;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn granted(link_hosts: &[&str]) -> Granted {
    let names =
        ["say", "comment-reply", "private-reply", "hide-comment", "handoff", "set-attribute", "add-tag", "note"];
    let later = ["set-timer", "cancel-timer", "send-template", "call", "custom"];
    Granted::Plugin {
        effects: names.into_iter().chain(later).map(str::to_owned).collect(),
        attributes: BTreeSet::from(["size".to_owned()]),
        link_hosts: link_hosts.iter().map(|host| (*host).to_owned()).collect(),
    }
}

fn open() -> Facts {
    Facts {
        channel_kind: ChannelKind::Messenger,
        mode: Mode::Automated,
        moment: Moment::Commit,
        last_contact_event_at: Some(NOW - Duration::from_secs(60)),
        now: NOW,
        is_opted_out: false,
        is_erased: false,
        is_standby: false,
        is_channel_paused: false,
        granted: granted(&["example.com", "*.shop.example"]),
    }
}

fn say(text: &str) -> Effect {
    Effect::Say(Say { text: text.to_owned(), ..Say::default() })
}

fn with_choice(title: &str, payload: &str) -> Effect {
    let choices = vec![Choice { title: title.to_owned(), payload: payload.to_owned() }];
    Effect::Say(Say { text: "Which?".to_owned(), choices, ..Say::default() })
}

/// The code of the reason; "allow" without one.
fn judged(effect: &Effect, facts: &Facts) -> &'static str {
    judge(effect, facts).reason().map_or("allow", Reason::code)
}

fn every_effect() -> Vec<Effect> {
    vec![
        say("hi"),
        Effect::CommentReply("hi".to_owned()),
        Effect::PrivateReply("hi".to_owned()),
        Effect::HideComment,
        Effect::Handoff(Handoff { reason: "asked".to_owned(), summary: None }),
        Effect::SetAttribute(Attribute { name: "size".to_owned(), value: "L".to_owned() }),
        Effect::AddTag("vip".to_owned()),
        Effect::Note("called".to_owned()),
        Effect::SetTimer(SetTimer { key: "k".to_owned(), at: NOW, payload: String::new() }),
        Effect::CancelTimer("k".to_owned()),
        Effect::SendTemplate(Template { name: "t".to_owned(), language: "en_US".to_owned(), parameters: vec![] }),
        Effect::Call(Call {
            key: "k".to_owned(),
            endpoint: "crm".to_owned(),
            method: "POST".to_owned(),
            path: "/".to_owned(),
            content_type: "text/plain".to_owned(),
            body: vec![],
        }),
        Effect::Custom(CustomEffect { kind: "dance".to_owned(), version: 1, json: "{}".to_owned() }),
    ]
}

#[test]
fn a_token_is_found_in_every_part_of_a_link() {
    let in_link = [
        "https://example.com/?p=⟦phone:k7f3q2⟧",
        "see https://⟦phone:k7f3q2⟧.example.com now",
        "example.com/⟦email:k7f3q2⟧",
        "(https://example.com/#⟦phone: mangled⟧)",
        "https://⟦email:k7f3q2⟧",
    ];
    for text in in_link {
        assert!(link::has_token_in_link(text), "{text}");
    }
    for text in
        ["call ⟦phone:k7f3q2⟧ or see https://example.com", "⟦email:k7f3q2⟧, ⟦phone:k7f3q2⟧.", "example.com ⟦menu⟧"]
    {
        assert!(!link::has_token_in_link(text), "{text}");
    }
}

#[test]
fn nothing_of_a_plugin_leaves_after_its_grant_was_revoked() {
    let revoked = Facts { moment: Moment::Send { is_revision_unchanged: true }, granted: Granted::Revoked, ..open() };
    assert_eq!(judged(&say("hi"), &revoked), "grant-revoked");
    assert_eq!(judged(&say("hi"), &Facts { granted: Granted::Host, ..revoked }), "allow");
    assert_eq!(judged(&say("hi"), &Facts { is_opted_out: true, ..revoked }), "opted-out", "silence is due anyway");
}

#[test]
fn what_this_version_performs_is_allowed_and_the_rest_says_so() {
    let allowed: Vec<_> =
        every_effect().iter().filter(|effect| judged(effect, &open()) == "allow").map(Effect::name).collect();
    assert_eq!(allowed, ["say", "handoff", "set-attribute", "add-tag", "note"]);
    let other: BTreeSet<_> = every_effect().iter().map(|effect| judged(effect, &open())).collect();
    assert_eq!(other, BTreeSet::from(["allow", "not-available"]));
}

#[test]
fn without_a_grant_nothing_is_allowed() {
    let granted = Granted::Plugin { effects: BTreeSet::new(), attributes: BTreeSet::new(), link_hosts: vec![] };
    let facts = Facts { granted, ..open() };
    for effect in every_effect() {
        assert_eq!(judged(&effect, &facts), "effect-not-granted");
    }
    let attribute = Effect::SetAttribute(Attribute { name: "iban".to_owned(), value: "x".to_owned() });
    assert_eq!(judged(&attribute, &open()), "attribute-not-granted");
}

#[test]
fn the_host_speaks_without_a_grant_and_under_all_other_rules() {
    let facts = Facts { granted: Granted::Host, ..open() };
    assert_eq!(judged(&say("see evil.com"), &facts), "allow");
    assert_eq!(judged(&say("hi"), &Facts { is_opted_out: true, ..facts }), "opted-out");
}

#[test]
fn a_plugin_never_sends_as_a_person() {
    for (kind, json) in [
        ("human-agent", "{}"),
        ("send", r#"{"tag":"HUMAN_AGENT"}"#),
        ("message_tag", ""),
        ("x", r#"{"a":"MESSAGE_TAG"}"#),
    ] {
        let effect = Effect::Custom(CustomEffect { kind: kind.to_owned(), version: 1, json: json.to_owned() });
        assert_eq!(judged(&effect, &open()), "tag-from-plugin");
    }
}

#[test]
fn the_reply_window_is_open_until_its_last_millisecond() {
    let after = |elapsed: Duration| Facts { last_contact_event_at: Some(NOW - elapsed), ..open() };
    assert_eq!(judged(&say("hi"), &after(REPLY_WINDOW - Duration::from_millis(1))), "allow");
    assert_eq!(judged(&say("hi"), &after(REPLY_WINDOW)), "window-closed");
    assert_eq!(judged(&say("hi"), &Facts { last_contact_event_at: None, ..open() }), "window-never-opened");
    let comments = Facts { channel_kind: ChannelKind::PageComments, ..open() };
    assert_eq!(judged(&say("hi"), &comments), "no-conversation");
}

#[test]
fn silence_has_many_reasons() {
    let cases = [
        (Facts { is_erased: true, ..open() }, "erased"),
        (Facts { is_opted_out: true, ..open() }, "opted-out"),
        (Facts { is_standby: true, ..open() }, "standby"),
        (Facts { is_channel_paused: true, ..open() }, "channel-paused"),
        (Facts { mode: Mode::Human, ..open() }, "human-mode"),
        (Facts { mode: Mode::Paused, ..open() }, "paused-mode"),
    ];
    for (facts, code) in cases {
        assert_eq!(judged(&say("hi"), &facts), code);
        let note = judged(&Effect::Note("for staff".to_owned()), &facts);
        assert_eq!(note, if code == "erased" { "erased" } else { "allow" });
    }
}

#[test]
fn a_reason_says_what_is_left_to_do_for_a_contact_who_hears_nothing() {
    let left = |effect: &Effect, facts: &Facts| judge(effect, facts).reason().unwrap().remedy();
    let facts = open();
    // What was proposed cannot be said; something else can.
    let linked = say("https://evil.example");
    let long = say(&"x".repeat(8_001));
    let template = &every_effect()[10];
    for effect in [&say(" "), &linked, &long, template] {
        assert_eq!(left(effect, &facts), Remedy::FallbackAndTask, "{effect:?}");
    }
    let ungranted = Facts {
        granted: Granted::Plugin { effects: BTreeSet::new(), attributes: BTreeSet::new(), link_hosts: vec![] },
        ..open()
    };
    assert_eq!(left(&say("hi"), &ungranted), Remedy::FallbackAndTask);
    // Nobody may speak, and the contact waits.
    let paused = Facts { is_channel_paused: true, ..open() };
    let closed = Facts { last_contact_event_at: Some(NOW - REPLY_WINDOW), ..open() };
    let never = Facts { last_contact_event_at: None, ..open() };
    for facts in [paused, closed, never] {
        assert_eq!(left(&say("hi"), &facts), Remedy::Task, "{facts:?}");
    }
    // Silence is wanted, or somebody else is there.
    let erased = Facts { is_erased: true, ..open() };
    let opted_out = Facts { is_opted_out: true, ..open() };
    let standby = Facts { is_standby: true, ..open() };
    let human = Facts { mode: Mode::Human, ..open() };
    let stopped = Facts { mode: Mode::Paused, ..open() };
    for facts in [erased, opted_out, standby, human, stopped] {
        assert_eq!(left(&say("hi"), &facts), Remedy::Nothing, "{facts:?}");
    }
    assert!(Remedy::Nothing < Remedy::Task && Remedy::Task < Remedy::FallbackAndTask, "the least counts");
}

#[test]
fn a_turn_that_hands_off_may_still_say_so_unless_somebody_came_between() {
    let at =
        |is_revision_unchanged| Facts { mode: Mode::Human, moment: Moment::Send { is_revision_unchanged }, ..open() };
    assert_eq!(judged(&say("a colleague will answer"), &at(true)), "allow");
    assert_eq!(judged(&say("a colleague will answer"), &at(false)), "human-mode");
    assert_eq!(judged(&say("x"), &Facts { is_opted_out: true, ..at(true) }), "opted-out");
}

#[test]
fn nothing_is_said_in_many_ways() {
    for text in ["", "  \n", "\u{200b}\u{feff}", "\u{0}"] {
        assert_eq!(judged(&say(text), &open()), "empty", "{text:?}");
    }
    assert_eq!(judged(&with_choice(" ", "x"), &open()), "empty");
    let media = Effect::Say(Say { media: vec!["m1".to_owned()], ..Say::default() });
    assert_eq!(judged(&media, &open()), "not-available");
    assert_eq!(judged(&Effect::AddTag(" ".to_owned()), &open()), "empty");
}

#[test]
fn texts_are_bounded_just_there() {
    let most = text::MAX_SAY_CHARACTERS;
    assert_eq!(judged(&say(&"ä".repeat(most)), &open()), "allow");
    assert_eq!(judged(&say(&"ä".repeat(most + 1)), &open()), "too-long");
    assert_eq!(judged(&with_choice("Yes", &"x".repeat(1_000)), &open()), "allow");
    assert_eq!(judged(&with_choice("Yes", &"x".repeat(1_001)), &open()), "too-long");
    assert_eq!(judged(&Effect::Note("n".repeat(text::MAX_NOTE_CHARACTERS)), &open()), "allow");
    assert_eq!(judged(&Effect::Note("n".repeat(text::MAX_NOTE_CHARACTERS + 1)), &open()), "too-long");
    let many = |n: usize| {
        let choices = vec![Choice { title: "a".to_owned(), payload: "a".to_owned() }; n];
        Effect::Say(Say { text: "t".to_owned(), choices, ..Say::default() })
    };
    assert_eq!(judged(&many(text::MAX_CHOICES), &open()), "allow");
    assert_eq!(judged(&many(text::MAX_CHOICES + 1), &open()), "too-many");
}

#[test]
fn what_shows_nothing_is_taken_out() {
    let verdict = judge(&say("a\u{0}b\nc\u{1b}"), &open());
    assert_eq!(verdict, Verdict::Rewrite(say("ab\nc"), Reason::ControlCharacters));
    let media = Effect::Say(Say { text: "see".to_owned(), media: vec!["m1".to_owned()], ..Say::default() });
    assert_eq!(judge(&media, &open()), Verdict::Rewrite(say("see"), Reason::MediaLeftOut));
}

#[test]
fn links_go_only_to_listed_hosts() {
    let listed = [
        "see https://example.com/menu.pdf",
        "see EXAMPLE.com, or www.example.com!",
        "book at book.shop.example/x?y=1",
        "https://a.b.shop.example:8443/",
        "(https://example.com)",
        "write to info@elsewhere.com",
        "👉\u{fe0f}example.com",
        "_example.com_",
    ];
    for text in listed {
        assert_eq!(judged(&say(text), &open()), "allow", "{text}");
    }
    let foreign = [
        "http://evil.com",
        "evil.com",
        "EVIL.COM",
        "evil。com",
        "evil.com.",
        "go to evil.com/a?b=secret",
        "www.evil.anything",
        "evil.unknownending/path",
        "https://example.com@evil.com/",
        "https://evil.com\\@example.com/",
        "https://example.com.evil.com",
        "https://example.community",
        "http://10.0.0.1/x",
        "10.0.0.1/x",
        "http://localhost",
        "info@evil.com/x",
        "xхttps://evil.com",
        "пример.рф",
        "https://xn--e1afmkfd.xn--p1ai",
        "https://example.com/),evil.com",
        "https://example.com/?next=https://evil.com",
        "https://shop.example",
        "a:evil.com",
        "…evil.com…",
        "[menu](evil.com)",
        "evil\u{0}.com",
        "evil\u{301}example.com",
        "evil\u{200d}example.com",
        "evil_example.com",
        "evil.com\u{200b}",
        "evil.com_",
        "!://x,https://evil.unknownending",
    ];
    for text in foreign {
        assert_eq!(judged(&say(text), &open()), "link-not-listed", "{text}");
    }
}

#[test]
fn ordinary_writing_is_no_link() {
    let texts = [
        "We open at 9.30 a.m. and close at 18.00.",
        "It costs 12.50, i.e. 10.00 plus tax (e.g. VAT).",
        "Done.Then we call you...ok?",
        "Version 1.2.3.4 of node.js and menu.pdf",
        "Мы открыты.Спасибо",
        "Prof. Dr. Müller, No.1 in town; 24/7",
        "and/or, he/she, 3:30pm",
    ];
    for text in texts {
        assert_eq!(judged(&say(text), &open()), "allow", "{text}");
    }
}

#[test]
fn titles_and_pictures_are_searched_for_links_too() {
    assert_eq!(judged(&with_choice("evil.com", "x"), &open()), "link-not-listed");
    let card = |image: &str| {
        let card = Card { title: "T".to_owned(), subtitle: None, image: Some(image.to_owned()), choices: vec![] };
        Effect::Say(Say { cards: vec![card], ..Say::default() })
    };
    assert_eq!(judged(&card("https://evil.com/a.png"), &open()), "link-not-listed");
    assert_eq!(judged(&card("https://example.com/a.png"), &open()), "allow");
    assert_eq!(judged(&card("media-handle-1"), &open()), "allow");
}

fn effects() -> impl Strategy<Value = Effect> {
    let texts = "[a-z.:/ \u{0}ä😀]{0,40}";
    prop_oneof![
        texts.prop_map(|text| say(&text)),
        (texts, texts).prop_map(|(title, payload)| with_choice(&title, &payload)),
        (0..13_usize).prop_map(|at| every_effect().swap_remove(at)),
        texts.prop_map(Effect::Note),
        (texts, texts).prop_map(|(kind, json)| Effect::Custom(CustomEffect { kind, version: 1, json })),
    ]
}

fn facts() -> impl Strategy<Value = Facts> {
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (flags, 0..3_usize, 0..5_usize, proptest::option::of(0..200_000_u64), any::<bool>()).prop_map(
        |((is_opted_out, is_erased, is_standby, is_channel_paused), mode, kind, seconds, is_host)| Facts {
            channel_kind: ChannelKind::ALL[kind],
            mode: Mode::ALL[mode],
            last_contact_event_at: seconds.map(|seconds| NOW - Duration::from_secs(seconds)),
            is_opted_out,
            is_erased,
            is_standby,
            is_channel_paused,
            granted: if is_host { Granted::Host } else { granted(&[]) },
            ..open()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_verdict_never_invents_a_kind_and_judging_again_changes_nothing(effect in effects(), facts in facts()) {
        if let Some(left) = judge(&effect, &facts).into_effect(effect.clone()) {
            prop_assert_eq!(left.name(), effect.name());
            prop_assert_eq!(judge(&left, &facts), Verdict::Allow);
        }
    }

    #[test]
    fn nothing_is_said_through_a_closed_window_or_against_a_will(effect in effects(), facts in facts()) {
        let is_open = facts.last_contact_event_at.is_some_and(|last| NOW.since(last) < REPLY_WINDOW);
        let is_free = !facts.is_erased && !facts.is_opted_out && !facts.is_standby && facts.mode == Mode::Automated;
        if matches!(effect, Effect::Say(_)) && !(is_open && is_free) {
            prop_assert!(matches!(judge(&effect, &facts), Verdict::Deny(_)));
        }
    }

    #[test]
    fn no_text_panics_the_search_for_links(text in "\\PC{0,80}") {
        for host in link::hosts_in(&text) {
            prop_assert!(!host.is_empty());
        }
    }
}
