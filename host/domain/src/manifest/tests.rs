//! Tests of the manifest: one that is read, and one refusal for each rule.

use super::*;

const GOOD: &str = r#"
id = "faq"
version = "1.2.0"

[name]
en = "Questions"
de = "Fragen"

[description]
en = "Answers questions."

[capabilities.records]
reason = { en = "To find entries." }

[capabilities.contact]
reason = { en = "To greet by name." }
optional = true

[scopes]
effects = ["say", "handoff"]
triggers = ["messages"]
contact-fields = ["name"]

[[collections]]
name = "faq"
owner = "business"
search = ["questions"]
language = "language"
schema = '{"type": "object", "properties": {"questions": {"type": "array"}, "language": {"type": "string"}}}'

[[collections]]
name = "asked"
owner = "contacts"
shared = ["count"]

[collections.schema]
type = "object"
properties = { count = { type = "integer" } }

[settings]
type = "object"
"#;

/// The refusal of the good manifest with one thing changed.
fn refused(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "the test changes nothing: {from}");
    Manifest::parse(&GOOD.replacen(from, to, 1)).unwrap_err().to_string()
}

fn assert_refused(from: &str, to: &str, says: &str) {
    let said = refused(from, to);
    assert!(said.contains(says), "{said}");
}

#[test]
fn a_manifest_is_read_whole() {
    let manifest = Manifest::parse(GOOD).unwrap();
    assert_eq!((manifest.id.as_str(), manifest.version.to_string().as_str()), ("faq", "1.2.0"));
    assert_eq!(manifest.name.pick("de-DE"), "Fragen");
    assert_eq!(manifest.asked(), CapabilitySet::from([Capability::Records, Capability::Contact]));
    assert_eq!(manifest.required(), CapabilitySet::from([Capability::Records]));
    assert_eq!(manifest.scopes.effects, ["say", "handoff"]);
    let faq = manifest.collection("faq").unwrap();
    assert_eq!(
        (faq.owner, faq.search.as_slice(), faq.language.as_deref()),
        (Owner::Business, &["questions".to_owned()][..], Some("language"))
    );
    assert_eq!(manifest.collection("asked").unwrap().owner, Owner::Contacts);
    assert!(manifest.collection("other").is_none());
    assert_eq!(manifest.settings.unwrap()["type"], "object");
}

#[test]
fn the_least_manifest_asks_for_nothing() {
    let manifest =
        Manifest::parse("id = 'a'\nversion = '0.0.1'\nname = { en = 'A' }\ndescription = { en = 'Does a.' }").unwrap();
    assert!(manifest.asked().is_empty());
    assert_eq!(manifest.scopes, Scopes::default());
    assert_eq!(manifest.settings, None);
}

#[test]
fn an_id_is_short_and_plain() {
    for id in ["", "FAQ", "a_b", "ф", &"a".repeat(65)] {
        assert_refused("id = \"faq\"", &format!("id = \"{id}\""), "1 to 64 of a-z, 0-9 and hyphen");
    }
    assert!(Manifest::parse(&GOOD.replacen("id = \"faq\"", &format!("id = \"{}\"", "a".repeat(64)), 1)).is_ok());
}

#[test]
fn unknown_fields_and_wrong_types_are_refused_with_their_place() {
    assert_refused("optional = true", "optinal = true", "optinal");
    assert_refused("version = \"1.2.0\"", "version = \"1.2\"", "three numbers");
    assert_refused("version = \"1.2.0\"", "version = \"1.2.0\"\nauthor = \"x\"", "author");
    assert_refused("owner = \"business\"", "owner = \"everyone\"", "everyone");
    assert_refused("de = \"Fragen\"", "deutsch = \"Fragen\"", "is no locale");
}

#[test]
fn a_capability_is_known_and_has_a_reason() {
    assert_refused("[capabilities.contact]", "[capabilities.camera]", "`camera` is no capability");
    assert_refused("{ en = \"To greet by name.\" }", "{}", "capabilities.contact.reason");
    assert_refused(
        "{ en = \"To greet by name.\" }",
        "{ en = \"To greet.\", de = \" \" }",
        "capabilities.contact.reason",
    );
    assert_refused("reason = { en = \"To greet by name.\" }\n", "", "reason");
}

#[test]
fn name_and_description_are_not_empty() {
    assert_refused("en = \"Answers questions.\"", "", "`description` needs a text");
    assert_refused("en = \"Questions\"", "en = \"\"", "`name` needs a text");
}

#[test]
fn scopes_name_what_exists_and_what_was_asked_for() {
    assert_refused("\"handoff\"]", "\"shout\"]", "`shout` in `effects` is unknown");
    assert_refused("triggers = [\"messages\"]", "triggers = [\"weather\"]", "`weather` in `triggers` is unknown");
    assert_refused("\"handoff\"]", "\"say\"]", "twice");
    assert_refused("contact-fields = [\"name\"]", "contact-fields = [\"na me\"]", "has spaces");
    assert_refused("contact-fields = [\"name\"]", "history-lines = 5", "needs [capabilities.history]");
    assert_refused(
        "contact-fields = [\"name\"]",
        "model-profiles = [\"small\"]",
        "needs [capabilities.language-model]",
    );
    assert_refused("contact-fields = [\"name\"]", "endpoints = [\"shop\"]", "needs [capabilities.http]");
    assert_refused("contact-fields = [\"name\"]", "attributes = [\"size\"]", "needs the effect `set-attribute`");
    assert_refused("[capabilities.contact]", "[capabilities.media]", "needs [capabilities.contact]");
}

#[test]
fn a_collection_is_consistent() {
    assert_refused("name = \"asked\"", "name = \"faq\"", "is taken");
    assert_refused("name = \"asked\"", "name = \"As ked\"", "is no id");
    assert_refused("search = [\"questions\"]", "search = [\"words\"]", "lack the field `words`");
    assert_refused("search = [\"questions\"]", "search = [\"questions\", \"questions\"]", "listed twice");
    assert_refused("language = \"language\"", "language = \"tongue\"", "lack the field `tongue`");
    assert_refused("shared = [\"count\"]", "search = [\"count\"]", "remove `search`");
    assert_refused("owner = \"contacts\"", "owner = \"business\"", "remove `shared`");
    assert_refused("[capabilities.records]", "[capabilities.media]", "needs [capabilities.records]");
}

#[test]
fn there_is_a_most_of_collections() {
    let more = |n: usize| {
        let one = |number| {
            format!("[[collections]]\nname = \"c{number}\"\nowner = \"business\"\nschema = {{ type = \"object\" }}\n")
        };
        let all: String = (0..n).map(one).collect();
        Manifest::parse(&GOOD.replacen("[settings]", &format!("{all}[settings]"), 1))
    };
    assert_eq!(more(MAX_COLLECTIONS - 2).unwrap().collections.len(), MAX_COLLECTIONS);
    assert!(more(MAX_COLLECTIONS - 1).unwrap_err().to_string().contains("at most 32"));
}

#[test]
fn a_schema_is_json_about_an_object() {
    assert_refused("[settings]\ntype = \"object\"", "[settings]\ntype = \"string\"", "has to be \"object\"");
    assert_refused("schema = '{", "schema = '{{", "collections.faq.schema");
    assert_refused("schema = '{\"type\": \"object\",", "schema = '[1]' # '", "write a table or JSON text");
}

#[test]
fn a_manifest_has_a_greatest_size() {
    let padded = |bytes: usize| format!("{GOOD}#{}", "x".repeat(bytes - GOOD.len() - 1));
    assert!(Manifest::parse(&padded(MAX_BYTES)).is_ok());
    assert!(matches!(Manifest::parse(&padded(MAX_BYTES + 1)), Err(ManifestError::TooLarge { .. })));
}

#[test]
fn every_capability_is_known_to_the_manifest() {
    for capability in Capability::ALL {
        let asked = GOOD.replacen("[capabilities.contact]", &format!("[capabilities.{}]", capability.as_str()), 1);
        let asked = asked.replacen("contact-fields = [\"name\"]", "", 1);
        let duplicate = capability == Capability::Records;
        assert_eq!(Manifest::parse(&asked).is_ok(), !duplicate, "{}", capability.as_str());
    }
}
