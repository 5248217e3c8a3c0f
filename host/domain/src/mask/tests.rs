//! What is found in messages as customers write them, what becomes of it, and what comes back.

use proptest::prelude::*;

use super::*;

/// Messages as customers write them, with what is to be found in them.
const LABELLED: &str = include_str!("tests/labelled.txt");
const UNSEEN: &str = include_str!("tests/unseen.txt");

/// A MAC that tests can predict: no secret, but different for different values.
fn name(kind: Kind, normal: &str) -> [u8; 32] {
    let mut mac = [0_u8; 32];
    for (n, byte) in kind.as_str().bytes().chain(normal.bytes()).enumerate() {
        mac[n % 4] = mac[n % 4].wrapping_mul(31).wrapping_add(byte).rotate_left(3);
    }
    mac
}

fn masked(text: &str) -> Masked {
    mask(text, region("de-AT", "Europe/Vienna"), name)
}

fn unmasked(text: &str, values: &[Value]) -> Result<String, Unresolved> {
    unmask(text, |token| values.iter().find(|value| value.token == *token).map(|value| value.shown.clone()))
}

/// What is to be found in a text.
type Wanted = Vec<(Kind, Range<usize>)>;

/// A line of the set: the country, the text, and the values in it.
fn labelled(line: &str) -> (Option<Region>, String, Wanted) {
    let (country, mut rest) = line.split_once(" | ").unwrap();
    let (mut text, mut values) = (String::new(), Vec::new());
    while let Some((before, after)) = rest.split_once("{{") {
        text.push_str(before);
        let (value, after) = after.split_once("}}").unwrap();
        let (kind, value) = value.split_once(':').unwrap();
        values.push((Kind::parse(kind).unwrap(), text.len()..text.len() + value.len()));
        text.push_str(value);
        rest = after;
    }
    text.push_str(rest);
    (region(&format!("xx-{country}"), ""), text, values)
}

/// How many values of a set were found, which were missed, and what was found besides.
fn scored(set: &str) -> (usize, Vec<String>, Vec<String>) {
    let (mut right, mut missed, mut wrong) = (0, Vec::new(), Vec::new());
    for line in set.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (region, text, wanted) = labelled(line);
        let found: Vec<_> = find(&text, region).into_iter().map(|found| (found.kind, found.range)).collect();
        let told = |(kind, range): &(Kind, Range<usize>)| format!("{kind:?} {:?} in {line}", &text[range.clone()]);
        right += wanted.iter().filter(|value| found.contains(value)).count();
        missed.extend(wanted.iter().filter(|value| !found.contains(value)).map(told));
        wrong.extend(found.iter().filter(|value| !wanted.contains(value)).map(told));
    }
    (right, missed, wrong)
}

#[test]
fn values_are_found_and_the_rest_stays() {
    for set in [LABELLED, UNSEEN] {
        let (right, missed, wrong) = scored(set);
        assert!(
            right > 70 && missed.is_empty() && wrong.is_empty(),
            "{right} right, missed: {missed:#?}\nwrong: {wrong:#?}"
        );
    }
}

#[test]
fn neighbours_do_not_hide_each_other() {
    let found = |text: &str| {
        let found = find(text, region("de-AT", "Europe/Vienna"));
        found.into_iter().map(|found| text[found.range].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found("0660 1234567 / 0664 7654321"), ["0660 1234567", "0664 7654321"]);
    assert_eq!(found("am 12.05.2026 0660 1234567"), ["0660 1234567"]);
    assert_eq!(found("Tisch für 2, 25.11. 0660 1234567"), ["0660 1234567"]);
    assert_eq!(found("+1 415 555 0132 4111 1111 1111 1111"), ["+1 415 555 0132", "4111 1111 1111 1111"]);
    assert_eq!(found("+99 999 4111 1111 1111 1111 0660 1234567"), ["4111 1111 1111 1111", "0660 1234567"]);
    assert_eq!(found("für 2 0660 1234567"), ["0660 1234567"]);
    assert_eq!(found("0660 1234567 - 3 Personen - 25.11.2026"), ["0660 1234567"]);
}

#[test]
fn pages_of_digits_cost_no_more_than_pages_of_text() {
    // Each of these once cost a power of its length; the test would not end.
    for pattern in ["1 ", "0 ", "+1 ", "4 ", "0660 1234567 ", "a@b.c", "AT12 ", "(", "+", "4111 1111 1111 1111 ", "0-"]
    {
        let text = pattern.repeat(16_000 / pattern.len());
        let masked = masked(&text);
        assert!(!masked.text.is_empty());
    }
    assert!(masked(&"ä".repeat(MAX_BYTES)).text.len() <= MAX_BYTES);
}

#[test]
fn a_token_stands_for_a_value_however_it_is_written() {
    let token = |text: &str| masked(text).values.remove(0).token;
    assert_eq!(token("+43 660 1234567"), token("call 0043 (660) 123-4567"));
    assert_eq!(token("tel 0660/1234567"), token("+436601234567"));
    assert_eq!(token("Ana@Example.com"), token("ana@example.com"));
    assert_ne!(token("+43 660 1234567"), token("+43 660 1234568"));
    let text = masked("It is +43 660 1234567, ok?").text;
    assert!(text.starts_with("It is ⟦phone:") && text.ends_with("⟧, ok?"), "{text}");
    assert_eq!(tokens_in(&text)[0].kind(), Some(Kind::Phone));
}

#[test]
fn of_a_card_nothing_but_the_last_digits_is_ever_shown() {
    let masked = masked("my card: 4111 1111 1111 1111 thanks");
    assert_eq!(unmasked(&masked.text, &masked.values).unwrap(), "my card: •••• 1111 thanks");
}

#[test]
fn brackets_that_somebody_typed_make_no_token() {
    let forged = "⟦phone:aaaaaa⟧ and ⟦[⟧ and ⟧⟧ and ⟦";
    let masked = masked(forged);
    assert!(tokens_in(&masked.text).is_empty(), "{}", masked.text);
    assert_eq!(unmasked(&masked.text, &masked.values).unwrap(), forged);
}

#[test]
fn a_token_that_stands_for_nothing_goes_to_a_person() {
    for text in ["⟦phone:aaaaaa⟧", "call ⟦phone: k7f3q2⟧", "⟦Phone:k7f3q2⟧", "⟦ssn:k7f3q2⟧", "⟦phone:K7F3Q2⟧"]
    {
        assert_eq!(unmasked(text, &[]), Err(Unresolved), "{text}");
    }
    // A plugin's own brackets are brackets.
    assert_eq!(unmasked("⟦menu⟧ open", &[]).unwrap(), "⟦menu⟧ open");
}

proptest! {
    #[test]
    fn what_was_masked_comes_back(text in "[ -~⟦⟧:+0-9@.a-zà-ÿ\\n]{0,120}") {
        let masked = masked(&text);
        let is_card = |value: &Value| value.token.kind() == Some(Kind::Card);
        // A card stays away, and a value written in two ways comes back in the first.
        let mut spellings = std::collections::BTreeMap::new();
        let is_spelled_once = masked.values.iter().all(|value| *spellings.entry(&value.token).or_insert(&value.shown) == &value.shown);
        prop_assume!(is_spelled_once && !masked.values.iter().any(is_card));
        prop_assert_eq!(unmasked(&masked.text, &masked.values).unwrap(), text);
    }

    #[test]
    fn numbers_in_a_masked_text_are_gone(digits in "[1-9][0-9]{7,12}", before in "[a-z ]{0,20}", after in "[a-z ]{0,20}") {
        let text = format!("{before} +{digits} {after}");
        let masked = masked(&text);
        prop_assert!(!masked.text.contains(&digits), "{}", masked.text);
        prop_assert!(find(&masked.text, None).is_empty(), "a token is no value: {}", masked.text);
    }

    #[test]
    fn any_text_is_taken(text in ".{0,200}") {
        let masked = masked(&text);
        let found = find(&text, region("en-US", ""));
        prop_assert!(found.iter().all(|found| text.get(found.range.clone()).is_some()));
        drop(unmasked(&masked.text, &masked.values));
        drop(unmasked(&text, &masked.values));
    }
}
