//! What a manifest asks for and what the bytes import are the same, or the file is no plugin.

use bellhop_sandbox::{admit, with_manifest};

use super::*;

/// A bundled plugin with another manifest.
pub(super) fn rewritten(id: &str, change: impl FnOnce(&str) -> String) -> Vec<u8> {
    let bytes = BUNDLED.iter().find(|plugin| plugin.id == id).unwrap().bytes;
    let manifest = admit(bytes).unwrap().manifest;
    let section = with_manifest(&[], &manifest).len();
    let component = &bytes[..bytes.len() - section];
    assert_eq!(with_manifest(component, &manifest), bytes, "the manifest is the last section");
    with_manifest(component, &change(&manifest))
}

#[tokio::test]
async fn check_04_a_manifest_that_asks_for_more_or_for_less_than_the_bytes_import_is_refused() {
    let house = House::build().await;
    let more = rewritten("hello", |manifest| format!("{manifest}\n[capabilities.http]\nreason.en = \"Why not.\"\n"));
    let refused = house.registry.install(&more).await.unwrap_err();
    assert!(
        matches!(&refused, RegistryError::AskedNotImported(names) if names.contains(&Capability::Http)),
        "{refused}"
    );

    let less = "id = \"faq\"\nversion = \"9.0.0\"\nname.en = \"F\"\ndescription.en = \"F\"\n";
    let refused = house.registry.install(&rewritten("faq", |_| less.to_owned())).await.unwrap_err();
    assert!(
        matches!(&refused, RegistryError::ImportNotAsked(names) if names.contains(&Capability::Records)),
        "{refused}"
    );

    for bundled in BUNDLED {
        let (admitted, manifest, signer) = read(bundled.bytes).unwrap();
        assert_eq!((admitted.imports, signer), (manifest.asked(), None), "{}", bundled.id);
    }
}

#[test]
fn a_key_file_is_read_as_it_was_written_and_nothing_else_is_one() {
    let key = AuthorKey::new().unwrap();
    let text = key.to_text();
    let again = AuthorKey::parse(text.trim_end().as_bytes()).unwrap();
    assert_eq!(again.fingerprint(), key.fingerprint());
    assert_ne!(AuthorKey::new().unwrap().fingerprint(), key.fingerprint());
    assert!(!format!("{key:?}").contains(&text["bellhop-plugin-key:".len()..][..8]));
    let hex = text.trim_end().strip_prefix("bellhop-plugin-key:").unwrap();
    for wrong in [hex, "", "bellhop-plugin-key:", &format!("bellhop-plugin-key:{hex}00"), "bellhop-plugin-key:zz"] {
        assert!(matches!(AuthorKey::parse(wrong.as_bytes()), Err(RegistryError::NoAuthorKey)), "{wrong}");
    }
}

#[test]
fn a_signature_lies_outside_the_hash_and_there_is_one() {
    let key = AuthorKey::new().unwrap();
    let signed = key.sign(hello()).unwrap();
    let (admitted, _, signer) = read(&signed).unwrap();
    assert_eq!(admitted.hash, admit(hello()).unwrap().hash);
    assert_eq!(signer, Some(key.fingerprint()));
    for again in [&key, &AuthorKey::new().unwrap()] {
        assert!(matches!(again.sign(&signed), Err(RegistryError::SignedAlready(by)) if by == key.fingerprint()));
    }
    let mut changed = signed;
    let at = changed.len() - with_signature(&[], &[0; 32], &[0; 64]).len() - 1;
    changed[at] ^= 1;
    assert!(matches!(
        read(&changed),
        Err(RegistryError::BadSignature | RegistryError::Refused(_) | RegistryError::Manifest(_))
    ));
}

#[tokio::test]
async fn nobody_takes_over_the_name_of_a_signed_plugin() {
    let house = House::build().await;
    let known = house.registry.plugin_find("hello").await.unwrap();
    let louder = rewritten("hello", |manifest| manifest.replace("version = \"0.1.0\"", "version = \"9.0.0\""));
    let louder = house.registry.install(&louder).await.unwrap().plugin;
    let refused = house.enable("hello", |_| ()).await.unwrap_err();
    assert!(matches!(&refused, RegistryError::SeveralMakers(id) if id == "hello"), "{refused}");
    for plugin in [&known, &louder] {
        assert_eq!(house.registry.plugin_find(plugin.hash.as_str()).await.unwrap().key, plugin.key);
    }
}
