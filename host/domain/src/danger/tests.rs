//! Adding anything enlarges a danger set; removing never does.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::capability::Capability;
use crate::grant::Flow;

/// A plugin with two collections, and whose they are.
fn manifest(owner: &str, shared: &str) -> Manifest {
    let text = format!(
        "id = \"shop\"\nversion = \"1.0.0\"\nname.en = \"Shop\"\ndescription.en = \"Sells.\"\n\
         [capabilities.records]\nreason.en = \"To sell.\"\n\
         [[collections]]\nname = \"orders\"\nowner = \"{owner}\"\n{shared}\n\
         schema = {{ type = \"object\", properties = {{ start = {{}}, status = {{}} }} }}\n\
         [[collections]]\nname = \"products\"\nowner = \"business\"\nschema = {{ type = \"object\" }}\n"
    );
    Manifest::parse(&text).unwrap()
}

fn names() -> impl Strategy<Value = BTreeSet<String>> {
    proptest::collection::btree_set("[a-c:]{1,3}", 0..4)
}

prop_compose! {
    fn grants()(
        capabilities in proptest::sample::subsequence(Capability::ALL.to_vec(), 0..=6),
        lists in proptest::collection::vec(names(), 7),
        collections in proptest::sample::subsequence(vec!["orders".to_owned(), "products".to_owned()], 0..=2),
        text in prop_oneof![Just(TextScope::None), Just(TextScope::Masked), Just(TextScope::Clear)],
        attachments in any::<bool>(),
        history_lines in 0_u32..4,
        flows in proptest::sample::subsequence(
            ["clear-text:links", "session:http"].map(|text| Flow::parse(text).unwrap()).to_vec(), 0..=2),
    ) -> Scopes {
        let [effects, triggers, contact_fields, model_profiles, endpoints, link_hosts, attributes] =
            <[_; 7]>::try_from(lists).unwrap();
        Scopes {
            capabilities: capabilities.into_iter().collect(),
            collections: collections.into_iter().collect(),
            effects, triggers, contact_fields, model_profiles, endpoints, link_hosts, attributes,
            text, attachments, history_lines,
            flows: flows.into_iter().collect(),
        }
    }
}

/// Every single way to give more than a grant gives.
fn wider(scopes: &Scopes) -> Vec<Scopes> {
    let full = json!({
        "capabilities": ["records", "contact", "history", "language-model", "http", "media"],
        "effects": ["new"], "triggers": ["new"], "text": "clear", "attachments": true,
        "collections": ["orders", "products"], "contact-fields": ["new"],
        "history-lines": scopes.history_lines + 1, "model-profiles": ["new"], "endpoints": ["new"],
        "link-hosts": ["new"], "attributes": ["new"], "flows": ["attribute/new:links"],
    });
    let given = serde_json::to_value(scopes).unwrap();
    let mut all = Vec::new();
    for (member, more) in full.as_object().unwrap() {
        let values = more.as_array().cloned().unwrap_or_else(|| vec![more.clone()]);
        for value in values {
            let mut wider = given.clone();
            match &mut wider[member] {
                Value::Array(list) => list.push(value),
                other => *other = value,
            }
            all.push(serde_json::from_value(wider).unwrap());
        }
    }
    all.retain(|one| one != scopes);
    all
}

proptest! {
    #[test]
    fn check_13_adding_anything_enlarges_and_removing_never_does(scopes in grants()) {
        let manifest = manifest("contacts", "shared = [\"start\"]");
        let set = DangerSet::of(&manifest, &scopes);
        prop_assert!(!set.is_larger_than(&set));
        for wider in wider(&scopes) {
            let wider = DangerSet::of(&manifest, &wider);
            prop_assert!(wider.is_larger_than(&set), "{:?} {:?}", wider, set);
            prop_assert!(!set.is_larger_than(&wider));
            prop_assert_ne!(wider.canonical(), set.canonical());
        }
    }

    #[test]
    fn check_12_equal_texts_are_equal_sets(one in grants(), other in grants()) {
        let manifest = manifest("contacts", "shared = [\"start\"]");
        let (one, other) = (DangerSet::of(&manifest, &one), DangerSet::of(&manifest, &other));
        prop_assert_eq!(one == other, one.canonical() == other.canonical());
        prop_assert_eq!(one == other, !one.is_larger_than(&other) && !other.is_larger_than(&one));
    }
}

#[test]
fn every_member_of_a_grant_is_widened_above() {
    let members = serde_json::to_value(Scopes::default()).unwrap();
    let n_capabilities_and_collections = 6 + 2;
    assert_eq!(
        wider(&Scopes::default()).len(),
        members.as_object().unwrap().len() - 2 + n_capabilities_and_collections
    );
}

#[test]
fn whose_records_and_which_fields_others_read_count() {
    let scopes = Scopes { collections: ["orders".to_owned()].into(), ..Scopes::default() };
    let set = |owner, shared| DangerSet::of(&manifest(owner, shared), &scopes);
    let own = set("contacts", "");
    let shared = set("contacts", "shared = [\"start\"]");
    assert_eq!(shared.beyond(&own), ["shared-field:orders:start"]);
    assert!(!own.is_larger_than(&shared));
    assert_eq!(set("business", "").beyond(&own), ["collection:orders:business"]);
    assert_eq!(own.beyond(&set("business", "")), ["collection:orders:contacts"]);
}
