//! Every clause has its fact, every language has every clause, and an author's words stay an author's.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn manifest(rest: &str) -> Manifest {
    let capabilities: String = Capability::ALL
        .iter()
        .map(|one| {
            let name = one.as_str();
            format!("[capabilities.{name}.reason]\nen = \"For {name}.\"\nde = \"Für {name}.\"\n")
        })
        .collect();
    let text = format!(
        "id = \"shop\"\nversion = \"1.0.0\"\nname.en = \"Shop\"\ndescription.en = \"Sells.\"\n{capabilities}{rest}\
         [[collections]]\nname = \"products\"\nowner = \"business\"\nschema = {{ type = \"object\" }}\n\
         [[collections]]\nname = \"orders\"\nowner = \"contacts\"\nshared = [\"start\"]\n\
         schema = {{ type = \"object\", properties = {{ start = {{}} }} }}\n"
    );
    Manifest::parse(&text).unwrap()
}

fn all() -> CapabilitySet {
    Capability::ALL.into_iter().collect()
}

/// A grant that gives something of everything, as it stands in the store.
fn everything() -> Value {
    json!({
        "capabilities": ["records", "contact", "history", "language-model", "http", "media"],
        "effects": ["say", "comment-reply", "set-attribute", "call"],
        "triggers": ["messages"],
        "text": "clear",
        "attachments": true,
        "collections": ["products", "orders"],
        "contact-fields": ["name"],
        "history-lines": 20,
        "model-profiles": ["small"],
        "endpoints": ["shop"],
        "link-hosts": ["shop.example"],
        "attributes": ["size"],
        "flows": ["clear-text:links"],
    })
}

fn clauses_of(imports: &CapabilitySet, scopes: &Scopes) -> Vec<Clause> {
    clauses(&Request { imports, manifest: &manifest(""), scopes })
}

fn codes(clauses: &[Clause]) -> BTreeSet<Code> {
    clauses.iter().map(|clause| clause.code).collect()
}

#[test]
fn it_says_what_a_plugin_can_and_what_it_cannot() {
    let scopes = Scopes {
        effects: ["say".to_owned()].into(),
        triggers: ["messages".to_owned()].into(),
        text: TextScope::Masked,
        link_hosts: ["shop.example".to_owned(), "*.shop.example".to_owned()].into(),
        ..Scopes::default()
    };
    let list = clauses_of(&CapabilitySet::new(), &scopes);
    let said: Vec<String> =
        list.iter().map(|clause| format!("{} [{}]", clause.text(Language::English), clause.proof)).collect();
    assert_eq!(
        said,
        [
            "is called when a customer writes or taps a button [grant:triggers]",
            "sees what customers write; phone numbers, e-mail addresses, cards and accounts only as tokens [grant:text]",
            "does not learn that a customer attached something [grant:attachments]",
            "keeps and reads no tables [not-imported:records]",
            "cannot read customers' profiles [not-imported:contact]",
            "cannot read earlier messages [not-imported:history]",
            "cannot ask a language model [not-imported:language-model]",
            "has no network of its own [not-imported:http]",
            "cannot open files that customers send [not-imported:media]",
            "may answer the customer [grant:effects]",
            "cannot answer in public [grant:effects]",
            "can call no endpoint to change something [grant:effects]",
            "may send links to: *.shop.example, shop.example [grant:link-hosts]",
        ]
    );
}

proptest! {
    /// What is imported and granted is what is said: no interface more, none less.
    #[test]
    fn check_04_the_interfaces_that_consent_names_are_those_of_the_bytes_and_the_grant(
        imports in proptest::sample::subsequence(Capability::ALL.to_vec(), 0..=6),
        granted in proptest::sample::subsequence(Capability::ALL.to_vec(), 0..=6),
    ) {
        let (imports, granted): (CapabilitySet, CapabilitySet) =
            (imports.into_iter().collect(), granted.into_iter().collect());
        let mut scopes: Scopes = serde_json::from_value(everything()).unwrap();
        scopes.capabilities = granted.clone();
        let list = clauses_of(&imports, &scopes);
        let proofs = |pick: fn(Proof) -> Option<Capability>| -> CapabilitySet {
            list.iter().filter_map(|clause| pick(clause.proof)).collect()
        };
        let linked = proofs(|proof| if let Proof::Imported(one) = proof { Some(one) } else { None });
        let absent = proofs(|proof| if let Proof::NotImported(one) = proof { Some(one) } else { None });
        let stubbed = proofs(|proof| if let Proof::NotGranted(one) = proof { Some(one) } else { None });
        prop_assert_eq!(&linked, &imports.intersection(&granted).copied().collect());
        prop_assert_eq!(&absent, &all().difference(&imports).copied().collect());
        prop_assert_eq!(&stubbed, &imports.difference(&granted).copied().collect());
        for clause in &list {
            let is_can = matches!(clause.proof, Proof::Imported(_));
            let is_cannot = matches!(clause.proof, Proof::NotImported(_) | Proof::NotGranted(_));
            if is_can || is_cannot {
                prop_assert_eq!(clause.code.is_limit(), is_cannot, "{:?}", clause);
            }
            prop_assert_eq!(clause.reason.is_some(), is_can, "{:?}", clause);
        }
    }
}

#[test]
fn check_10_an_empty_grant_gives_nothing_and_an_unknown_word_is_no_grant() {
    for imports in [CapabilitySet::new(), all()] {
        for clause in clauses_of(&imports, &Scopes::default()) {
            assert!(clause.code.is_limit(), "{clause:?}");
        }
    }
    // Interfaces that are linked without anything that they reach.
    let linked = Scopes { capabilities: all(), ..Scopes::default() };
    let can: Vec<Code> = codes(&clauses_of(&all(), &linked)).into_iter().filter(|code| !code.is_limit()).collect();
    assert_eq!(can, [Code::Media], "files have no list of their own");
    for wrong in [
        json!({ "capabilities": ["records", "sockets"] }),
        json!({ "capabilities": "records" }),
        json!({ "text": "plain" }),
        json!({ "link-host": ["a.example"] }),
    ] {
        assert!(serde_json::from_value::<Scopes>(wrong.clone()).is_err(), "{wrong}");
    }
}

#[test]
fn check_12_each_member_of_a_grant_changes_what_is_consented_to() {
    let everything = everything();
    let full: Scopes = serde_json::from_value(everything.clone()).unwrap();
    let members = serde_json::to_value(Scopes::default()).unwrap();
    let (members, given) = (members.as_object().unwrap(), everything.as_object().unwrap());
    let names = |object: &serde_json::Map<String, Value>| object.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(members), names(given), "a new member needs a value above and a clause");
    for (name, empty) in members {
        let mut changed = everything.clone();
        changed[name] = empty.clone();
        let changed: Scopes = serde_json::from_value(changed).unwrap();
        assert_ne!(clauses_of(&all(), &changed), clauses_of(&all(), &full), "{name}");
        assert_ne!(changed.canonical(), full.canonical(), "{name}");
    }
}

#[test]
fn every_language_says_every_clause() {
    for code in Code::ALL {
        let takes_names = Language::English.template(*code).contains("{names}");
        for language in Language::ALL {
            let template = language.template(*code);
            assert!(!template.trim().is_empty(), "{code:?} in {language:?}");
            assert_eq!(template.matches("{names}").count(), usize::from(takes_names), "{code:?} in {language:?}");
            let others = Language::ALL.into_iter().filter(|other| *other != language);
            for other in others {
                assert_ne!(template, other.template(*code), "{code:?} in {language:?} and {other:?}");
            }
            let twice = Code::ALL.iter().filter(|other| language.template(**other) == template).count();
            assert_eq!(twice, 1, "{code:?} in {language:?} says what another clause says");
        }
    }
    for language in Language::ALL {
        assert_eq!(language.author().matches("{names}").count(), 1);
    }
    let names: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(names.len(), Code::ALL.len());
}

#[test]
fn the_businesss_language_is_taken_or_english() {
    for (locale, language) in [
        ("de", "de"),
        ("de-AT", "de"),
        ("es_MX", "es"),
        ("FR", "fr"),
        ("vi", "vi"),
        ("ar-EG", "ar"),
        ("hy", "en"),
        ("", "en"),
    ] {
        assert_eq!(Language::of(locale).as_str(), language, "{locale}");
    }
    let scopes: Scopes = serde_json::from_value(everything()).unwrap();
    let list = clauses_of(&all(), &scopes);
    let http = list.iter().find(|clause| clause.code == Code::Network).unwrap();
    assert_eq!(http.text(Language::German), "liest von Ihren Endpunkten: shop");
    assert_eq!(http.reason(Language::German).unwrap(), "begründet vom Hersteller: „Für http.“");
    assert_eq!(http.reason(Language::Arabic).unwrap(), "يقول مؤلفها: «For http.»");
}

#[test]
fn each_effect_and_trigger_of_a_manifest_has_its_clause() {
    let effects: Vec<String> = Code::EFFECTS.iter().map(|(name, _)| format!("{name:?}")).collect();
    let triggers: Vec<String> = Code::TRIGGERS.iter().map(|(name, _)| format!("{name:?}")).collect();
    let scopes = format!(
        "[scopes]\neffects = [{}]\ntriggers = [{}]\nattributes = [\"size\"]\nendpoints = [\"shop\"]\n",
        effects.join(", "),
        triggers.join(", ")
    );
    let manifest = manifest(&scopes);
    let scopes = Scopes::asked(&manifest, TextScope::Masked);
    let said = codes(&clauses(&Request { imports: &all(), manifest: &manifest, scopes: &scopes }));
    for (name, code) in Code::EFFECTS.into_iter().chain(Code::TRIGGERS) {
        assert!(said.contains(&code), "{name}");
    }
    assert!(!said.contains(&Code::NoEffects) && !said.contains(&Code::NoPublicReply) && !said.contains(&Code::NoCall));
    // No effect is known to manifests that has no clause: the list of the refusal names all that are known.
    let refused = Manifest::parse(
        "id = \"a\"\nversion = \"1.0.0\"\nname.en = \"A\"\ndescription.en = \"A.\"\n[scopes]\neffects = [\"x\"]\n",
    );
    let refused = refused.unwrap_err().to_string();
    let known: BTreeSet<&str> = refused.rsplit_once("known are ").unwrap().1.split(", ").collect();
    assert_eq!(known, Code::EFFECTS.iter().map(|(name, _)| *name).collect());
}

#[test]
fn an_authors_words_cannot_pass_for_ours() {
    let forged = "Needed.\n  + has no network of its own\u{1b}[2J\u{202e}gro.live\u{2066}\r\u{200b}x";
    assert_eq!(quiet(forged), "Needed.   + has no network of its own [2Jgro.live x");
    assert_eq!(quiet(&"x".repeat(5_000)).chars().count(), 300);
    assert_eq!(quiet("نص فارسی می\u{200c}خواهم"), "نص فارسی می\u{200c}خواهم");
    let scopes = Scopes { link_hosts: ["a.example\u{202e}moc".to_owned()].into(), ..Scopes::default() };
    let list = clauses_of(&all(), &scopes);
    let links = list.iter().find(|clause| clause.code == Code::Links).unwrap();
    assert_eq!(links.text(Language::English), "may send links to: a.examplemoc");
}
