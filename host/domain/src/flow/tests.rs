//! Each source reaches each sink by its pair alone, and the label stays on what was kept.

use proptest::prelude::*;

use super::*;

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn links() -> Scopes {
    Scopes { link_hosts: set(["a.example"]), ..Scopes::default() }
}

fn flows(missing: &BTreeSet<Missing>) -> Vec<String> {
    missing.iter().map(|one| format!("{} {}", one.plugin, one.flow)).collect()
}

fn now<'a>(plugin: &'a str, scopes: &'a Scopes) -> Held<'a> {
    Held { plugin, scopes, is_current: true }
}

fn once<'a>(plugin: &'a str, scopes: &'a Scopes) -> Held<'a> {
    Held { plugin, scopes, is_current: false }
}

/// Takes something of a grant away.
type Change = fn(&mut Scopes);

/// A grant that opens every way out.
fn all_sinks() -> Scopes {
    Scopes {
        capabilities: [Capability::Http, Capability::LanguageModel].into(),
        effects: set(["call", "comment-reply"]),
        endpoints: set(["shop"]),
        model_profiles: set(["small"]),
        ..links()
    }
}

#[test]
fn clear_data_needs_a_pair_for_each_way_out_and_masked_data_none() {
    let masked = Scopes { text: TextScope::Masked, ..all_sinks() };
    assert_eq!(missing(&[now("p", &masked)]), BTreeSet::new());
    let clear = Scopes { text: TextScope::Clear, ..all_sinks() };
    let needed = missing(&[now("p", &clear)]);
    let expected: BTreeSet<String> = ["clear-text", "session"]
        .iter()
        .flat_map(|source| Sink::ALL.map(|sink| format!("p {source}:{}", sink.as_str())))
        .collect();
    assert_eq!(flows(&needed).into_iter().collect::<BTreeSet<_>>(), expected);
    // Named, they are granted: these and no others.
    let mut granted = clear;
    granted.flows = needed.into_iter().map(|one| one.flow).collect();
    assert_eq!(missing(&[now("p", &granted)]), BTreeSet::new());
    let taken = granted.flows.pop_first().unwrap();
    assert_eq!(missing(&[now("p", &granted)]), BTreeSet::from([Missing { plugin: "p".to_owned(), flow: taken }]));
}

#[test]
fn each_sink_counts_only_when_it_is_open() {
    let clear = Scopes { text: TextScope::Clear, ..all_sinks() };
    let close: [(Sink, Change); 5] = [
        (Sink::Http, |scopes| scopes.capabilities.retain(|one| *one != Capability::Http)),
        (Sink::LanguageModel, |scopes| scopes.model_profiles.clear()),
        (Sink::Call, |scopes| scopes.effects.retain(|one| one != "call")),
        (Sink::Links, |scopes| scopes.link_hosts.clear()),
        (Sink::PublicReplies, |scopes| scopes.effects.retain(|one| one != "comment-reply")),
    ];
    for (sink, close) in close {
        let mut scopes = clear.clone();
        close(&mut scopes);
        let open: BTreeSet<Sink> = missing(&[now("p", &scopes)]).into_iter().map(|one| one.flow.sink).collect();
        assert_eq!(open, Sink::ALL.into_iter().filter(|one| *one != sink).collect(), "{sink:?}");
    }
}

#[test]
fn what_a_plugin_kept_carries_the_label_for_good() {
    let capabilities = [Capability::Records].into();
    let kept = Scopes { capabilities, collections: set(["orders"]), ..links() };
    assert_eq!(missing(&[now("p", &kept)]), BTreeSet::new());
    let clear = Scopes { text: TextScope::Clear, ..Scopes::default() };
    assert_eq!(
        flows(&missing(&[once("p", &clear), now("p", &kept)])),
        ["p collection/orders:links", "p session:links"]
    );
    assert_eq!(missing(&[once("another", &clear), now("p", &kept)]), BTreeSet::new(), "collections are not shared");
}

#[test]
fn an_attribute_carries_the_label_from_plugin_to_plugin() {
    let writes = |name: &str| Scopes { effects: set(["set-attribute"]), attributes: set([name]), ..Scopes::default() };
    let reads = |name: &str| Scopes {
        capabilities: [Capability::Contact].into(),
        contact_fields: set([&format!("attribute:{name}")]),
        ..Scopes::default()
    };
    let first = Scopes { text: TextScope::Clear, ..writes("size") };
    let second = Scopes {
        capabilities: reads("size").capabilities,
        contact_fields: reads("size").contact_fields,
        ..writes("copy")
    };
    let third = Scopes { link_hosts: set(["a.example"]), ..reads("copy") };
    let needed = flows(&missing(&[now("third", &third), now("second", &second), now("first", &first)]));
    assert_eq!(needed, ["third attribute/copy:links", "third session:links"]);
    assert_eq!(missing(&[now("third", &third), now("second", &second)]), BTreeSet::new());
    let unread = Scopes { contact_fields: set(["attribute:colour"]), ..third };
    assert_eq!(missing(&[now("third", &unread), now("second", &second), now("first", &first)]), BTreeSet::new());
}

#[test]
fn profile_and_files_are_clear_data() {
    let scopes = Scopes {
        capabilities: [Capability::Contact, Capability::Media].into(),
        contact_fields: set(["name"]),
        ..links()
    };
    assert_eq!(flows(&missing(&[now("p", &scopes)])), ["p contact/name:links", "p media:links", "p session:links"]);
    let unlinked = Scopes { capabilities: BTreeSet::new(), ..scopes };
    assert_eq!(missing(&[now("p", &unlinked)]), BTreeSet::new());
}

#[test]
fn a_flow_is_read_as_it_is_written() {
    for text in [
        "clear-text:http",
        "contact/name:links",
        "media:call",
        "collection/orders:language-model",
        "attribute/a:b:public-replies",
        "session:links",
    ] {
        assert_eq!(Flow::parse(text).unwrap().to_string(), text);
    }
    for wrong in [
        "",
        ":",
        "clear-text",
        "clear-text:",
        "clear:links",
        "collection/:links",
        "contact/attribute:x:links",
        "name:links",
        "session:Links",
    ] {
        assert!(Flow::parse(wrong).is_err(), "{wrong}");
    }
}

proptest! {
    /// To grant less needs no pair more, and every pair that is needed is possible.
    #[test]
    fn granting_less_needs_no_more(
        clear in any::<bool>(),
        capabilities in proptest::sample::subsequence(Capability::ALL.to_vec(), 0..=6),
        fields in proptest::sample::subsequence(vec!["name", "attribute:a", "attribute:b"], 0..=3),
        effects in proptest::sample::subsequence(vec!["call", "comment-reply", "set-attribute"], 0..=3),
    ) {
        let wide = Scopes {
            text: if clear { TextScope::Clear } else { TextScope::Masked },
            capabilities: capabilities.into_iter().collect(),
            contact_fields: fields.into_iter().map(str::to_owned).collect(),
            effects: effects.into_iter().map(str::to_owned).collect(),
            attributes: set(["a", "b"]),
            collections: set(["c"]),
            ..all_sinks()
        };
        let writer = Scopes { text: TextScope::Clear, effects: set(["set-attribute"]), attributes: set(["a"]), ..Scopes::default() };
        let needed = missing(&[now("p", &wide), now("q", &writer)]);
        let possible = possible(&wide);
        prop_assert!(needed.iter().all(|one| one.plugin == "p" && possible.contains(&one.flow)));
        let narrower = [
            Scopes { text: TextScope::None, ..wide.clone() },
            Scopes { capabilities: BTreeSet::new(), ..wide.clone() },
            Scopes { effects: BTreeSet::new(), ..wide.clone() },
            Scopes { contact_fields: BTreeSet::new(), ..wide.clone() },
            Scopes { link_hosts: BTreeSet::new(), ..wide },
        ];
        for narrow in narrower {
            prop_assert!(missing(&[now("p", &narrow), now("q", &writer)]).is_subset(&needed));
        }
    }
}
