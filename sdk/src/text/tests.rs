//! Tests of folding, words and likeness, script by script.

use super::*;

#[test]
fn what_is_left_out_in_typing_is_folded_away() {
    let pairs = [
        ("Mấy giờ mở cửa", "may gio mo cua"),
        ("¿Cuándo abrís mañana", "¿cuando abris manana"),
        ("Straße", "strasse"),
        ("ещё", "еще"),
        ("أين الموقف", "اين الموقف"),
        ("مَوْقِف", "موقف"),
        ("Ｗｉ-Ｆｉ", "wi-fi"),
        ("٢٤", "24"),
        ("Ի՞նչ", "ինչ"),
        ("cafe\u{301}", "café"),
        ("don’t", "dont"),
    ];
    for (left, right) in pairs {
        assert_eq!(fold(left), fold(right), "{left}");
    }
}

#[test]
fn letters_that_make_another_word_are_kept() {
    assert_ne!(fold("мир"), fold("мор"));
    assert_ne!(fold("ข้าว"), fold("ข่าว"));
    assert_ne!(fold("カード"), fold("かーど"));
}

#[test]
fn words_split_at_spaces_and_pairs_where_there_are_none() {
    assert_eq!(terms("What's up, Doc? 24/7"), ["what", "s", "up", "doc", "24", "7"]);
    assert_eq!(terms("駐車場ですか"), ["駐車", "車場", "場で", "です", "すか"]);
    assert_eq!(terms("wifiある"), ["wifi", "ある"]);
    assert_eq!(terms("猫"), ["猫"]);
    assert!(terms("😀 … !").is_empty());
}

#[test]
fn likeness_forgives_a_typo_in_a_long_word_and_nothing_in_a_short_one() {
    let alike = |left: &str, right: &str| Word::new(left).likeness(&Word::new(right));
    assert!(alike("parking", "parkng") > 0.7);
    assert!(alike("delivery", "delivary") > 0.7);
    assert!(alike("доставка", "доставляете") > 0.5);
    assert!(alike("open", "open") >= 1.0);
    for (left, right) in [("parking", "payment"), ("delivery", "discovery"), ("pay", "say"), ("", "open")] {
        assert!(alike(left, right) <= 0.0, "{left} {right}");
    }
}
