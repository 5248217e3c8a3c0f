//! What replies become on their channels.

use proptest::prelude::{ProptestConfig, any, prop, prop_assert, prop_assert_eq, proptest};
use unicode_segmentation::UnicodeSegmentation;

use super::*;

fn say(text: &str, titles: &[&str]) -> Say {
    let choices =
        titles.iter().map(|title| Choice { title: (*title).to_owned(), payload: format!("p:{title}") }).collect();
    Say { text: text.to_owned(), choices, ..Say::default() }
}

fn texts(say: &Say, kind: ChannelKind) -> Vec<String> {
    fit(say, kind).into_iter().map(|message| message.text).collect()
}

fn length(text: &str, kind: ChannelKind) -> (usize, usize) {
    match kind.carries().text {
        Length::Characters(most) => (text.chars().count(), most),
        Length::Bytes(most) => (text.len(), most),
    }
}

#[test]
fn a_short_reply_is_one_message() {
    let messages = fit(&say(" Hello! ", &["Yes", "No"]), ChannelKind::Messenger);
    assert_eq!(messages.len(), 1);
    assert_eq!(
        (messages[0].text.as_str(), messages[0].layout, messages[0].choices.len()),
        ("Hello!", Layout::QuickReplies, 2)
    );
}

#[test]
fn the_limit_counts_characters_on_messenger_and_bytes_on_instagram() {
    assert_eq!(texts(&say(&"ж".repeat(2_000), &[]), ChannelKind::Messenger).len(), 1);
    assert_eq!(texts(&say(&"ж".repeat(2_001), &[]), ChannelKind::Messenger).len(), 2);
    assert_eq!(texts(&say(&"ж".repeat(500), &[]), ChannelKind::Instagram).len(), 1);
    assert_eq!(texts(&say(&"ж".repeat(501), &[]), ChannelKind::Instagram).len(), 2);
}

#[test]
fn long_texts_break_at_paragraphs_then_sentences_then_words() {
    let paragraph = format!("{}\n\n{}", "a".repeat(1_500), "b".repeat(1_500));
    assert_eq!(texts(&say(&paragraph, &[]), ChannelKind::Messenger), ["a".repeat(1_500), "b".repeat(1_500)]);
    let sentences = format!("{}. {} c", "a".repeat(1_500), "b".repeat(1_200));
    assert_eq!(texts(&say(&sentences, &[]), ChannelKind::Messenger)[0], format!("{}.", "a".repeat(1_500)));
    let words = format!("{} {}", "a".repeat(1_500), "b".repeat(1_500));
    assert_eq!(texts(&say(&words, &[]), ChannelKind::Messenger)[0], "a".repeat(1_500));
    // A border right behind what fits is a border too.
    let exact = format!("{} {}", "a".repeat(2_000), "b");
    assert_eq!(texts(&say(&exact, &[]), ChannelKind::Messenger), ["a".repeat(2_000), "b".to_owned()]);
}

#[test]
fn no_emoji_is_torn_apart() {
    let family = "👨‍👩‍👧‍👦";
    for part in texts(&say(&family.repeat(600), &[]), ChannelKind::Messenger) {
        assert!(part.graphemes(true).all(|grapheme| grapheme == family));
    }
}

#[test]
fn choices_stand_under_the_last_message_alone() {
    let messages = fit(&say(&"word ".repeat(1_000), &["Yes"]), ChannelKind::Messenger);
    let (last, earlier) = messages.split_last().unwrap();
    assert_eq!(last.choices.len(), 1);
    assert!(earlier.iter().all(|message| message.choices.is_empty() && message.layout == Layout::Text));
    assert!(!earlier.is_empty());
}

#[test]
fn titles_are_cut_between_visible_characters() {
    let title = |title: &str| fit(&say("?", &[title]), ChannelKind::Messenger)[0].choices[0].title.clone();
    assert_eq!(title("exactly twenty chars"), "exactly twenty chars");
    assert_eq!(title("exactly twenty-1 char"), "exactly twenty-1 ch…");
    assert_eq!(title("two families 👨‍👩‍👧‍👦👨‍👩‍👧‍👦"), "two families…");
}

#[test]
fn what_the_channel_cannot_carry_is_numbered() {
    let many: Vec<String> = (1..=14).map(|n| format!("Option {n}")).collect();
    let titles: Vec<&str> = many.iter().map(String::as_str).collect();
    let thirteen = fit(&say("Which?", &titles[..13]), ChannelKind::Messenger);
    assert_eq!((thirteen.len(), thirteen[0].choices.len()), (1, 13));
    let fourteen = fit(&say("Which?", &titles), ChannelKind::Messenger);
    assert_eq!(fourteen.len(), 1);
    assert!(fourteen[0].text.starts_with("Which?\n\n1. Option 1\n2. Option 2\n") && fourteen[0].choices.is_empty());
    assert_eq!(texts(&say("Which?", &["A", "B"]), ChannelKind::PageComments), ["Which?\n\n1. A\n2. B"]);
    let long = Say {
        text: "Which?".to_owned(),
        choices: vec![Choice { title: "A".to_owned(), payload: "x".repeat(1_001) }],
        ..Say::default()
    };
    assert_eq!(texts(&long, ChannelKind::Messenger), ["Which?\n\n1. A"]);
}

#[test]
fn whatsapp_has_buttons_then_a_list_then_numbers() {
    let layout =
        |titles: &[&str]| fit(&say("Which?", titles), ChannelKind::Whatsapp).last().map(|message| message.layout);
    assert_eq!(layout(&["A", "B", "C"]), Some(Layout::QuickReplies));
    assert_eq!(layout(&["A", "B", "C", "D"]), Some(Layout::List));
    assert_eq!(layout(&["A", "A"]), Some(Layout::List));
    assert_eq!(layout(&["A"; 11]), Some(Layout::Text));
    let under_buttons = fit(&say(&"a".repeat(1_025), &["A"]), ChannelKind::Whatsapp);
    assert_eq!(under_buttons.len(), 2);
    let above_a_list = fit(&say(&"a".repeat(1_025), &["A", "B", "C", "D"]), ChannelKind::Whatsapp);
    assert_eq!(above_a_list.len(), 1);
}

#[test]
fn cards_become_text_with_their_choices_below() {
    let card = |title: &str| Card {
        title: title.to_owned(),
        subtitle: Some("from 10".to_owned()),
        image: None,
        choices: vec![Choice { title: format!("Take {title}"), payload: title.to_owned() }],
    };
    let say = Say { cards: vec![card("Small"), card("Large")], ..Say::default() };
    let messages = fit(&say, ChannelKind::Messenger);
    assert_eq!(texts(&say, ChannelKind::Messenger), ["Small\nfrom 10", "Large\nfrom 10"]);
    assert_eq!(
        messages[1].choices.iter().map(|choice| choice.title.as_str()).collect::<Vec<_>>(),
        ["Take Small", "Take Large"]
    );
}

#[test]
fn choices_without_a_text_are_still_shown() {
    let messages = fit(&say(" ", &["Yes", "No"]), ChannelKind::Messenger);
    assert_eq!(messages.len(), 1);
    assert_eq!((messages[0].text.as_str(), messages[0].choices.len()), ("1. Yes\n2. No", 2));
    assert!(fit(&Say::default(), ChannelKind::Messenger).is_empty());
}

fn visible(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn nothing_is_lost_nothing_is_too_long_nothing_is_empty(
        pieces in prop::collection::vec("(\\PC{0,12}[ .\n]){0,12}", 0..20), repeat in 1..40_usize, kind in 0..5_usize,
    ) {
        let kind = ChannelKind::ALL[kind];
        let text = pieces.concat().repeat(repeat);
        let parts = texts(&say(&text, &[]), kind);
        prop_assert_eq!(visible(&parts.concat()), visible(&text));
        for part in &parts {
            let (length, most) = length(part, kind);
            prop_assert!(0 < length && length <= most);
            prop_assert!(!part.trim().is_empty());
        }
    }

    #[test]
    fn an_overlong_character_is_cut_and_nothing_lost(marks in 1_000..5_000_usize, bytes in any::<bool>()) {
        let kind = if bytes { ChannelKind::Instagram } else { ChannelKind::Messenger };
        let text = format!("e{}x", "\u{301}".repeat(marks));
        let parts = texts(&say(&text, &[]), kind);
        prop_assert_eq!(parts.concat(), text);
    }

    #[test]
    fn choices_fit_their_channel(titles in prop::collection::vec("\\PC{1,40}", 0..16), kind in 0..5_usize) {
        let kind = ChannelKind::ALL[kind];
        let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
        for message in fit(&say("Which?", &titles), kind) {
            let rows = if kind == ChannelKind::Whatsapp { 10 } else { 0 };
            prop_assert!(message.choices.len() <= kind.carries().choices.max(rows));
            for choice in &message.choices {
                prop_assert!(choice.title.chars().count() <= 24);
            }
            prop_assert_eq!(message.choices.is_empty(), message.layout == Layout::Text);
        }
    }
}
