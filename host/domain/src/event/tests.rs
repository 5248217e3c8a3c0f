//! What slices are read into.

use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};

use super::*;
use crate::cut;
use crate::kind::Lane;

fn events(items: &str) -> Vec<Event> {
    let body = format!(r#"{{"object":"page","entry":[{{"id":"P","messaging":[{items}]}}]}}"#);
    let slices = cut::cut(body.as_bytes()).unwrap();
    slices.iter().map(|slice| parse(&slice.origin(), slice.raw)).collect()
}

fn event(body: &str) -> Event {
    events(&format!(r#"{{"sender":{{"id":"7"}},"recipient":{{"id":"P"}},{body}}}"#)).remove(0)
}

fn message(body: &str) -> InboundMessage {
    match event(&format!(r#""message":{body}"#)) {
        Event::Contact(ContactEvent::Message(message)) => message,
        other => panic!("{other:?}"),
    }
}

fn control(body: &str) -> ControlEvent {
    match event(body) {
        Event::Control(control) => control,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_text_is_read_with_what_it_answers() {
    let read = message(r#"{"mid":"m","text":"caf\u00e9 \ud83d\ude00","reply_to":{"mid":"m_0"}}"#);
    assert_eq!((read.mid.as_deref(), read.text.as_deref()), (Some("m"), Some("café 😀")));
    assert_eq!(read.reply_to.as_deref(), Some("m_0"));
    assert!(!ContactEvent::Message(read).is_tap());
}

#[test]
fn taps_carry_their_payload() {
    let quick = ContactEvent::Message(message(r#"{"mid":"m","text":"Yes","quick_reply":{"payload":"YES"}}"#));
    assert_eq!((quick.text(), quick.payload(), quick.is_tap()), (Some("Yes"), Some("YES"), true));
    let Event::Contact(tap) = event(r#""postback":{"mid":"m","title":"Start","payload":"START"}"#) else { panic!() };
    assert_eq!((tap.text(), tap.payload(), tap.is_tap()), (Some("Start"), Some("START"), true));
}

#[test]
fn a_sticker_counts_once_in_all_its_spellings() {
    let image = r#"{"type":"image","payload":{"url":"u","sticker_id":369239263222822}}"#;
    let sticker = r#"{"type":"sticker","payload":{"url":"u","sticker_id":"369239263222822"}}"#;
    for body in [
        format!(r#"{{"attachments":[{image}]}}"#),
        format!(r#"{{"attachments":[{sticker}]}}"#),
        format!(r#"{{"attachments":[{image},{sticker}]}}"#),
        format!(r#"{{"sticker_id":369239263222822,"attachments":[{image}]}}"#),
        r#"{"sticker_id":369239263222822}"#.to_owned(),
    ] {
        let read = message(&body);
        assert_eq!(read.attachments.len(), 1, "{body}");
        assert_eq!(
            (read.attachments[0].kind.as_str(), read.attachments[0].sticker.as_deref()),
            ("sticker", Some("369239263222822"))
        );
    }
}

#[test]
fn loose_payloads_do_not_lose_the_message() {
    let read = message(
        r#"{"text":"x","attachments":[{"type":"fallback","payload":null,"url":"https://e.x"},{"type":"file","payload":"s"},7,
           {"type":"location","title":"Here","payload":{"coordinates":{"lat":12.5,"long":"43.25"}}}]}"#,
    );
    assert_eq!(read.attachments.len(), 3);
    assert_eq!(read.attachments[2].location, Some(Location { latitude: 12.5, longitude: 43.25 }));
}

#[test]
fn an_echo_names_its_sender_and_our_mark() {
    let ControlEvent::Echo(echo) =
        control(r#""message":{"mid":"m","is_echo":true,"app_id":1517776481860111,"metadata":"d1","text":"hi"}"#)
    else {
        panic!()
    };
    assert_eq!((echo.app_id.as_deref(), echo.metadata.as_deref()), (Some("1517776481860111"), Some("d1")));
}

#[test]
fn receipts_name_messages_or_a_watermark() {
    let watermark = Timestamp::from_meta(1_458_668_856_253);
    assert_eq!(
        control(r#""delivery":{"mids":["a","b"],"watermark":1458668856253}"#),
        ControlEvent::Delivered(Receipt { mids: vec!["a".to_owned(), "b".to_owned()], watermark })
    );
    assert_eq!(
        control(r#""read":{"watermark":"1458668856253"}"#),
        ControlEvent::Read(Receipt { mids: vec![], watermark })
    );
    assert_eq!(
        control(r#""read":{"mid":"a"}"#),
        ControlEvent::Read(Receipt { mids: vec!["a".to_owned()], watermark: None })
    );
}

#[test]
fn reactions_come_and_go() {
    let reaction = |body: &str| match control(&format!(r#""reaction":{body}"#)) {
        ControlEvent::Reaction(reaction) => reaction.emoji,
        other => panic!("{other:?}"),
    };
    assert_eq!(reaction(r#"{"mid":"m","action":"react","emoji":"❤","reaction":"love"}"#).as_deref(), Some("❤"));
    assert_eq!(reaction(r#"{"mid":"m","action":"unreact","emoji":"❤"}"#), None);
}

#[test]
fn the_other_controls_are_read() {
    let cases = [
        (r#""message":{"mid":"m","is_deleted":true}"#, ControlEvent::Unsent("m".to_owned())),
        (
            r#""message_edit":{"mid":"m","text":"t","num_edit":"37"}"#,
            ControlEvent::Edited(Edited { mid: Some("m".to_owned()), text: Some("t".to_owned()), number: Some(37) }),
        ),
        (r#""policy-enforcement":{"action":"block"}"#, ControlEvent::Policy(Policy::Blocked)),
        (
            r#""pass_thread_control":{"new_owner_app_id":123,"metadata":"x"}"#,
            ControlEvent::Thread(ThreadControl::Passed(Some("123".to_owned()))),
        ),
        (
            r#""optin":{"type":"notification_messages","notification_messages_status":"STOP NOTIFICATIONS"}"#,
            ControlEvent::Optin(Optin::Stopped),
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(control(body), expected);
    }
}

#[test]
fn what_is_not_as_promised_is_ignored() {
    for body in
        [r#""message":"hello""#, r#""message":null"#, r#""postback":[]"#, r#""policy_enforcement":{"action":"dance"}"#]
    {
        assert!(matches!(event(body), Event::Ignored(_)), "{body}");
    }
    let origin = Origin { object: Object::Page, place: Place::Standby, kind: EventKind::Message };
    assert_eq!(parse(&origin, r#"{"message":{"text":"hi"}}"#), Event::Ignored(EventKind::Message));
}

#[test]
fn a_comment_under_the_post_has_no_parent() {
    let comment = |value: &str| {
        let origin = Origin { object: Object::Page, place: Place::Change("feed".to_owned()), kind: EventKind::Comment };
        match parse(&origin, &format!(r#"{{"field":"feed","value":{value}}}"#)) {
            Event::Contact(ContactEvent::Comment(comment)) => comment,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(comment(r#"{"comment_id":"c","post_id":"p","parent_id":"p","message":"hi"}"#).parent, None);
    assert_eq!(comment(r#"{"comment_id":"c","post_id":"p","parent_id":"c0"}"#).parent.as_deref(), Some("c0"));
}

/// Real bodies, where a folder of them is at hand.
#[test]
fn every_body_of_the_corpus_cuts_and_reads() {
    let Some(folder) = std::env::var_os("BELLHOP_WEBHOOK_CORPUS") else { return };
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let body = std::fs::read(&path).unwrap();
        let slices = cut::cut(&body).unwrap();
        assert!(!slices.is_empty(), "{}", path.display());
        // A body may hold what is ignored; what waits for a turn must be read.
        for slice in slices.iter().filter(|slice| slice.lane() == Lane::Contact) {
            assert!(matches!(parse(&slice.origin(), slice.raw), Event::Contact(_)), "{}", path.display());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_damage_to_a_slice_makes_another_kind_of_it(at in 0..400_usize, byte in any::<u8>()) {
        let whole = r#"{"sender":{"id":"7"},"message":{"mid":"m","text":"hi","attachments":[{"type":"image","payload":{"url":"u"}}]}}"#;
        let mut bytes = whole.as_bytes().to_vec();
        let at = at % bytes.len();
        bytes[at] = byte;
        let raw = String::from_utf8_lossy(&bytes);
        let origin = Origin { object: Object::Page, place: Place::Messaging, kind: EventKind::Message };
        let event = parse(&origin, &raw);
        prop_assert!(matches!(event, Event::Contact(ContactEvent::Message(_)) | Event::Ignored(EventKind::Message)));
    }
}
