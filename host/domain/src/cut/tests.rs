//! What a body is cut into.

use proptest::prelude::{ProptestConfig, any, prop, prop_assert, proptest};

use super::*;

fn cut_all(body: &str) -> Vec<Slice<'_>> {
    cut(body.as_bytes()).unwrap()
}

fn only(body: &str) -> Slice<'_> {
    let mut slices = cut_all(body);
    assert_eq!(slices.len(), 1, "{body}");
    slices.remove(0)
}

fn messaging(item: &str) -> String {
    format!(r#"{{"object":"page","entry":[{{"id":"PAGE","time":1458692752478,"messaging":[{item}]}}]}}"#)
}

const TEXT: &str =
    r#"{"sender":{"id":7},"recipient":{"id":"PAGE"},"timestamp":1458692752000,"message":{"mid":"m_1","text":"hi"}}"#;

#[test]
fn a_message_is_routed_by_its_entry_and_named_by_its_sender() {
    let body = messaging(TEXT);
    let slice = only(&body);
    assert_eq!((slice.asset.as_str(), slice.person.as_deref()), ("PAGE", Some("7")));
    assert_eq!((slice.kind, slice.lane()), (EventKind::Message, Lane::Contact));
    assert_eq!(slice.at, Some(Timestamp::from_millis(1_458_692_752_000)));
    assert_eq!(slice.raw, TEXT);
}

#[test]
fn an_echo_belongs_to_its_recipient_and_never_to_a_turn() {
    for spelling in ["is_echo", "isEcho"] {
        let body = messaging(&format!(
            r#"{{"sender":{{"id":"PAGE"}},"recipient":{{"id":"7"}},"message":{{"mid":"m","{spelling}":true}}}}"#
        ));
        let slice = only(&body);
        assert_eq!((slice.kind, slice.lane()), (EventKind::Echo, Lane::Control));
        assert_eq!(slice.person.as_deref(), Some("7"));
    }
}

#[test]
fn each_entry_of_a_batch_keeps_its_own_asset_and_position() {
    let body = r#"{"object":"page","entry":[
        {"id":"A","messaging":[{"sender":{"id":"1"},"message":{"mid":"a"}},{"sender":{"id":"2"},"message":{"mid":"b"}}]},
        {"id":"B","messaging":[{"sender":{"id":"1"},"message":{"mid":"c"}}]}]}"#;
    let slices = cut_all(body);
    let seen: Vec<_> = slices.iter().map(|slice| (slice.asset.as_str(), slice.position)).collect();
    assert_eq!(seen, [("A", 0), ("A", 1), ("B", 2)]);
}

#[test]
fn standby_is_stored_and_never_acted_on() {
    let body = messaging(TEXT).replace("\"messaging\"", "\"standby\"");
    let slice = only(&body);
    assert_eq!((slice.kind, slice.lane()), (EventKind::Message, Lane::Stored));
}

#[test]
fn instagram_is_routed_by_the_end_that_is_ours() {
    let docs = r#"{"object":"instagram","entry":[{"id":"other","messaging":[{"sender":{"id":"S"},"recipient":{"id":"OURS"},"message":{"mid":"m"}}]}]}"#;
    let slice = only(docs);
    assert_eq!((slice.asset.as_str(), slice.person.as_deref()), ("OURS", Some("S")));
    let test_button = r#"{"object":"instagram","entry":[{"id":"0","changes":[{"field":"messages","value":{"sender":{"id":"S"},"recipient":{"id":"OURS"},"message":{"mid":"m"}}}]}]}"#;
    assert_eq!(only(test_button).lane(), Lane::Stored);
}

#[test]
fn whatsapp_people_are_known_by_user_id_before_number() {
    let body = |contacts: &str, message: &str| {
        format!(
            r#"{{"object":"whatsapp_business_account","entry":[{{"id":"WABA","changes":[{{"field":"messages","value":{{"metadata":{{"phone_number_id":"PN"}},"contacts":[{contacts}],"messages":[{message}]}}}}]}}]}}"#
        )
    };
    let cases = [
        (r#"{"wa_id":"49","user_id":"DE.1"}"#, r#"{"from":"49","id":"w","type":"text"}"#, Some("DE.1")),
        (r#"{"user_id":"DE.1"}"#, r#"{"id":"w","type":"text"}"#, Some("DE.1")),
        (r#"{"wa_id":"50"}"#, r#"{"from":"49","id":"w","type":"text"}"#, Some("49")),
        ("", r#"{"id":"w","type":"text"}"#, None),
    ];
    for (contacts, message, person) in cases {
        let body = body(contacts, message);
        let slice = only(&body);
        assert_eq!((slice.asset.as_str(), slice.person.as_deref()), ("PN", person));
    }
}

#[test]
fn what_is_unknown_is_stored() {
    let bodies = [
        r#"{"object":"page","entry":[{"id":"1"}]}"#,
        r#"{"object":"page","entry":[{"id":"1","changed_fields":["feed"]}]}"#,
        r#"{"object":"page","entry":[7]}"#,
        r#"{"object":"page","entry":[{"id":"1","messaging":[null]}]}"#,
        r#"{"object":"page","entry":[{"id":"1","messaging":[{"sender":{"id":"2"},"telepathy":{}}]}]}"#,
        r#"{"object":"page","entry":[{"id":"1","changes":[{"field":"parking"}]}]}"#,
        r#"{"object":"moon","entry":[{"id":"1","changes":[{"field":"tides","value":3}]}]}"#,
        r#"{"entry":[{}]}"#,
    ];
    for body in bodies {
        let slice = only(body);
        assert_eq!((slice.kind, slice.lane()), (EventKind::Unknown, Lane::Stored), "{body}");
    }
}

#[test]
fn what_has_no_entries_is_not_cuttable() {
    for body in ["", "null", "[]", "hello", r#"{"object":"page"#, "\u{0}"] {
        assert_eq!(cut(body.as_bytes()), Err(NotCuttable::NotAnObject), "{body}");
    }
    for body in [r#"{"object":"page"}"#, r#"{"entry":{}}"#, r#"{"entry":null}"#] {
        assert_eq!(cut(body.as_bytes()), Err(NotCuttable::NoEntries), "{body}");
    }
    assert_eq!(cut(b"{\"entry\":[\"\xff\"]}"), Err(NotCuttable::NotAnObject));
}

#[test]
fn the_number_of_slices_is_bounded() {
    let body = |n: usize| format!(r#"{{"object":"page","entry":[{}]}}"#, vec!["{}"; n].join(","));
    assert_eq!(cut_all(&body(MAX_SLICES)).len(), MAX_SLICES);
    assert_eq!(cut(body(MAX_SLICES + 1).as_bytes()), Err(NotCuttable::TooMany));
}

#[test]
fn copies_share_a_key_however_they_are_batched() {
    let alone = messaging(TEXT);
    let batched = messaging(&format!(r#"{{"sender":{{"id":"8"}},"message":{{"mid":"m_0"}}}},{TEXT}"#));
    assert_eq!(only(&alone).dedupe_bytes(), cut_all(&batched)[1].dedupe_bytes());
}

#[test]
fn different_events_have_different_keys() {
    let item = |body: &str| {
        messaging(&format!(r#"{{"sender":{{"id":"7"}},"recipient":{{"id":"PAGE"}},"timestamp":1458692752000,{body}}}"#))
    };
    let bodies = [
        item(r#""message":{"mid":"m_1"}"#),
        item(r#""message":{"mid":"m_2"}"#),
        item(r#""message":{"mid":"m_1","is_deleted":true}"#),
        item(r#""message_edit":{"mid":"m_1","num_edit":1}"#),
        item(r#""message_edit":{"mid":"m_1","num_edit":2}"#),
        item(r#""reaction":{"mid":"m_1","action":"react","emoji":"x"}"#),
        item(r#""reaction":{"mid":"m_1","action":"unreact"}"#),
        item(r#""postback":{"payload":"A"}"#),
        item(r#""postback":{"payload":"B"}"#),
        item(r#""delivery":{"watermark":1}"#),
        item(r#""delivery":{"watermark":2}"#),
        item(r#""message":{"mid":"m_1"}"#).replace("PAGE", "OTHER"),
        item(r#""message":{"mid":"m_1"}"#).replace("\"messaging\"", "\"standby\""),
    ];
    let keys: std::collections::BTreeSet<_> = bodies.iter().map(|body| only(body).dedupe_bytes()).collect();
    assert_eq!(keys.len(), bodies.len());
}

#[test]
fn our_own_comment_is_no_comment_of_a_customer() {
    let comment = |from: &str| {
        format!(
            r#"{{"object":"page","entry":[{{"id":"1","changes":[{{"field":"feed","value":{{"item":"comment","verb":"add","comment_id":"c","created_time":1449135003,"from":{{"id":"{from}"}}}}}}]}}]}}"#
        )
    };
    assert_eq!(only(&comment("1")).kind, EventKind::OwnComment);
    assert_eq!(only(&comment("2")).kind, EventKind::Comment);
}

#[test]
fn names_of_places_and_objects_round_trip() {
    for place in [Place::Messaging, Place::Standby, Place::Change("feed".to_owned()), Place::Entry] {
        assert_eq!(Place::parse(&place.name()), place);
    }
    for object in [Object::Page, Object::Instagram, Object::Whatsapp, Object::Other("user".to_owned())] {
        assert_eq!(Object::parse(object.as_str()), object);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        // Chance does not spell a list of entries.
        let braced = [b"{".as_slice(), &body, b"}"].concat();
        prop_assert!(cut(&body).is_err());
        prop_assert!(cut(&braced).is_err());
    }

    #[test]
    fn no_damage_to_a_body_panics(at in 0..400_usize, byte in any::<u8>()) {
        let mut body = messaging(TEXT).into_bytes();
        let at = at % body.len();
        body[at] = byte;
        if let Ok(slices) = cut(&body) {
            for slice in slices {
                prop_assert!(!slice.dedupe_bytes().is_empty());
            }
        }
    }
}
