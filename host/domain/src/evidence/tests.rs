//! What an echo is taken for.

use super::*;
use crate::event::InboundAttachment;

fn echo(text: &str) -> Echo {
    Echo { mid: Some("m_1".to_owned()), text: Some(text.to_owned()), ..Echo::default() }
}

fn doubtful<'a>(texts: &[&'a str]) -> Vec<Doubtful<'a>> {
    texts.iter().map(|text| Doubtful { kind: DeliveryKind::Text, text }).collect()
}

#[test]
fn the_oldest_that_says_the_same_is_meant() {
    let waiting = doubtful(&["one", "two", "one"]);
    assert_eq!(shown_by(&echo("one"), &waiting), Some(0));
    assert_eq!(shown_by(&echo(" two\n"), &waiting), Some(1));
    assert_eq!(shown_by(&echo("one"), &waiting[1..]), Some(1));
}

#[test]
fn what_says_something_else_is_none_of_ours() {
    for text in ["One", "one two", "", " "] {
        assert_eq!(shown_by(&echo(text), &doubtful(&["one", "", " "])), None, "{text:?}");
    }
    assert_eq!(shown_by(&Echo { text: None, ..echo("") }, &doubtful(&[""])), None);
    assert_eq!(shown_by(&echo("one"), &[]), None);
}

#[test]
fn another_kind_is_another_message() {
    let of_kind = |kind| [Doubtful { kind, text: "one" }];
    for kind in DeliveryKind::all() {
        let expected = (kind == DeliveryKind::Text).then_some(0);
        assert_eq!(shown_by(&echo("one"), &of_kind(kind)), expected, "{kind:?}");
    }
    for (kind, expected) in [("image", None), ("template", None), ("fallback", Some(0))] {
        let attachment = InboundAttachment { kind: kind.to_owned(), ..InboundAttachment::default() };
        let attached = Echo { attachments: vec![attachment], ..echo("one") };
        assert_eq!(shown_by(&attached, &doubtful(&["one"])), expected, "{kind}");
    }
}
