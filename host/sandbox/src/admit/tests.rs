//! Files that are refused, each for its reason, and files that were damaged on the way.

use bellhop_domain::capability::{Capability, CapabilitySet};
use proptest::prelude::*;

use super::{
    FILE_BYTES_MAX, MANIFEST_BYTES_MAX, Refusal, Signature, admit, signature_of, with_manifest, with_signature,
};
use crate::fixture::{CONTACT, RECORDS, component, file, module};

const KEY: [u8; 32] = [7; 32];
const MAC: [u8; 64] = [9; 64];

fn text(wat: &str) -> Vec<u8> {
    with_manifest(&wat::parse_str(wat).unwrap(), "")
}

fn refusal(bytes: &[u8]) -> Refusal {
    admit(bytes).unwrap_err()
}

#[test]
fn a_plugin_is_admitted_with_what_it_asks_for() {
    let asks = "(call $field (i32.const 0) (i32.const 0) (i32.const 2048)) (call $pass)";
    let admitted = admit(&file(CONTACT, "", asks)).unwrap();
    assert_eq!(admitted.imports, CapabilitySet::from([Capability::Contact]));
    assert_eq!(admitted.manifest, "id = \"guest\"");
    assert_eq!((admitted.signature, admitted.hash.as_str().len()), (None, 64));
}

#[test]
fn what_is_imported_is_what_is_asked_even_when_it_is_never_called() {
    let admitted = admit(&file(RECORDS, "", "(call $pass)")).unwrap();
    assert_eq!(admitted.imports, CapabilitySet::from([Capability::Records]));
}

#[test]
fn the_hash_covers_everything_but_the_signature() {
    let plain = file("", "", "(call $pass)");
    let signed = with_signature(&plain, &KEY, &MAC);
    let admitted = admit(&signed).unwrap();
    assert_eq!(admitted.hash, admit(&plain).unwrap().hash);
    assert_eq!(&admitted.component[..], plain.as_slice());
    assert_eq!(admitted.signature, Some(Signature { public_key: KEY, signature: MAC }));
    assert_eq!(signature_of(&signed), admitted.signature);
    assert_eq!(signature_of(&plain), None);
    let other = with_manifest(&component(&module("", "", "(call $pass)")), "id = \"other\"");
    assert_ne!(admit(&other).unwrap().hash, admitted.hash);
}

#[test]
fn a_signature_is_the_last_section_and_the_only_one() {
    let plain = file("", "", "(call $pass)");
    let twice = with_signature(&with_signature(&plain, &KEY, &MAC), &KEY, &MAC);
    assert_eq!(refusal(&twice), Refusal::SignatureMisplaced);
    let early = with_manifest(&with_signature(&component(&module("", "", "(call $pass)")), &KEY, &MAC), "");
    assert_eq!(refusal(&early), Refusal::SignatureMisplaced);
    assert_eq!(signature_of(&early), None);
    let mut short = plain;
    short.extend([0, 19, 17]);
    short.extend(b"bellhop:signature");
    short.push(1);
    assert_eq!(refusal(&short), Refusal::SignatureMalformed { bytes: 1, expected: 96 });
}

#[test]
fn a_manifest_stands_once_at_the_top() {
    let bare = component(&module("", "", "(call $pass)"));
    assert_eq!(refusal(&bare), Refusal::NoManifest);
    let twice = with_manifest(&with_manifest(&bare, "a"), "b");
    assert_eq!(refusal(&twice), Refusal::SeveralManifests { count: 2 });
    let nested = component(&module("", "(@custom \"bellhop:manifest\" \"inner\")", "(call $pass)"));
    assert_eq!(refusal(&nested), Refusal::NestedSection { section: "bellhop:manifest" });
    assert_eq!(refusal(&with_manifest(&nested, "outer")), Refusal::NestedSection { section: "bellhop:manifest" });
}

#[test]
fn a_manifest_is_text_of_bounded_size() {
    let bare = component(&module("", "", "(call $pass)"));
    assert!(admit(&with_manifest(&bare, &"x".repeat(MANIFEST_BYTES_MAX))).is_ok());
    let over = refusal(&with_manifest(&bare, &"x".repeat(MANIFEST_BYTES_MAX + 1)));
    assert_eq!(over, Refusal::ManifestTooLarge { bytes: MANIFEST_BYTES_MAX + 1, limit: MANIFEST_BYTES_MAX });
    let mut latin = with_manifest(&bare, "name = \"Jose\"");
    let end = latin.len() - 2;
    latin[end] = 0xe9;
    assert_eq!(refusal(&latin), Refusal::ManifestNotText);
}

#[test]
fn a_file_has_a_size_cap_that_is_checked_first() {
    let bytes = FILE_BYTES_MAX + 1;
    assert_eq!(refusal(&vec![0; bytes]), Refusal::FileTooLarge { bytes, limit: FILE_BYTES_MAX });
    assert_eq!(refusal(&vec![0; FILE_BYTES_MAX]), Refusal::NotWasm);
}

#[test]
fn what_is_no_component_is_told_apart() {
    assert_eq!(refusal(b"#!/bin/sh"), Refusal::NotWasm);
    assert_eq!(refusal(b""), Refusal::NotWasm);
    assert_eq!(refusal(&text("(module)")), Refusal::CoreModule);
}

#[test]
fn an_unknown_import_is_named() {
    for name in [
        "wasi:cli/environment@0.2.6",
        "bellhop:plugin/vault@0.1.0",
        "bellhop:plugin/records@0.2.0",
        "bellhop:plugin/records@0.1.01",
        "bellhop:plugin/records@0.1.0-rc1",
        "bellhop:plugin/records",
        "evil:plugin/records@0.1.0",
    ] {
        let wat = format!(r#"(component (import "{name}" (instance (export "f" (func)))))"#);
        match wat::parse_str(&wat).map(|wasm| refusal(&with_manifest(&wasm, ""))) {
            Ok(Refusal::UnknownImport { name: named }) => assert_eq!(named, name),
            // The validator refuses the name itself.
            Ok(Refusal::Invalid { .. }) | Err(_) => assert!(name.contains("0.1.01"), "{name}"),
            Ok(other) => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn what_is_imported_must_be_an_interface() {
    for wat in [
        r#"(component (import "f" (func)))"#,
        r#"(component (import "m" (core module)))"#,
        r#"(component (import "c" (component)))"#,
        r#"(component (import "t" (type (sub resource))))"#,
    ] {
        assert!(matches!(refusal(&text(wat)), Refusal::NotAnInterface { .. }), "{wat}");
    }
}

#[test]
fn types_alone_ask_for_nothing_and_resources_are_no_types() {
    let types =
        r#"(component (import "bellhop:plugin/types@0.1.3" (instance (type (list u8)) (export "b" (type (eq 0))))))"#;
    assert_eq!(refusal(&text(types)), Refusal::NoHandler);
    let resource = r#"(component (import "bellhop:plugin/types@0.1.0" (instance (export "r" (type (sub resource))))))"#;
    assert!(matches!(refusal(&text(resource)), Refusal::UnknownImport { .. }));
    let foreign = r#"(component (import "wasi:io/poll@0.2.6" (instance)))"#;
    assert!(matches!(refusal(&text(foreign)), Refusal::UnknownImport { .. }));
}

#[test]
fn a_handler_is_exported_and_nothing_else() {
    assert_eq!(refusal(&text("(component)")), Refusal::NoHandler);
    let init = r#"(component (import "bellhop:plugin/log@0.1.0" (instance $log))
        (export "bellhop:plugin/handler@0.1.0" (instance $log)) (export "init" (instance $log)))"#;
    assert_eq!(refusal(&text(init)), Refusal::UnknownExport { name: "init".to_owned() });
}

#[test]
fn features_that_are_switched_off_are_refused() {
    for core in [
        "(memory i64 1)",
        "(memory 1 2 shared)",
        "(func $f (return_call $f))",
        "(tag)",
        "(func (param v128) (result v128) (f32x4.relaxed_madd (local.get 0) (local.get 0) (local.get 0)))",
        "(type (struct))",
        "(func (param externref))",
        "(type $f (func)) (func (param (ref $f)))",
    ] {
        let refused = refusal(&text(&format!("(component (core module {core}))")));
        assert!(matches!(refused, Refusal::Invalid { .. }), "{core}: {refused:?}");
    }
}

#[test]
fn demands_over_a_place_in_the_pool_are_refused_with_numbers() {
    // The guest's own memory is the first one.
    let demanding = |items: &str| admit(&file("", items, "(call $pass)"));
    for (items, what, needed, limit) in [
        ("(memory $m 1025)", "bytes of memory at its start", 1_025 * 65_536, 64 << 20),
        ("(table $t 20001 funcref)", "elements in a table at its start", 20_001, 20_000),
        ("(memory 1) (memory 1) (memory 1) (memory 1)", "memories", 5, 4),
    ] {
        assert_eq!(demanding(items).unwrap_err(), Refusal::TooDemanding { what, needed, limit });
    }
    let most = "(memory 1) (memory 1) (memory $m 1024) (table $t 20000 funcref)";
    assert!(demanding(most).is_ok());
}

#[test]
fn deep_nesting_is_refused_without_recursion() {
    let mut nested = wat::parse_str("(component)").unwrap();
    for _ in 0..1_000 {
        let mut outer = wat::parse_str("(component)").unwrap();
        outer.push(4);
        let mut length = nested.len();
        while length > 127 {
            outer.push((length & 127) as u8 | 128);
            length >>= 7;
        }
        outer.push(length as u8);
        outer.extend(nested);
        nested = outer;
    }
    assert!(admit(&with_manifest(&nested, "")).is_err());
}

#[test]
fn messages_tell_what_to_do_and_repeat_no_control_characters() {
    let long = format!(r#"(component (import "a:b/{}" (instance)))"#, "c".repeat(5_000));
    let message = refusal(&text(&long)).to_string();
    assert!(message.len() < 400 && message.contains("wasm32-unknown-unknown"), "{message}");
    assert_eq!(super::refusal::shown("a\u{1b}[31mb\n"), "a[31mb");
}

fn sample() -> &'static [u8] {
    static SAMPLE: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    SAMPLE.get_or_init(|| with_signature(&file(CONTACT, "", "(call $pass)"), &KEY, &MAC))
}

proptest! {
    #[test]
    fn damaged_files_are_judged_without_a_panic(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        keep in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let mut bytes = sample().to_vec();
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if cut {
            bytes.truncate(keep.index(bytes.len()));
        }
        if let Ok(admitted) = admit(&bytes) {
            prop_assert!(bytes.starts_with(&admitted.component));
            prop_assert_eq!(signature_of(&bytes), admitted.signature);
        }
    }

    #[test]
    fn noise_behind_a_true_head_is_judged_without_a_panic(noise in prop::collection::vec(any::<u8>(), 0..512)) {
        let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
        bytes.extend(noise);
        prop_assert!(admit(&bytes).is_err());
    }

    #[test]
    fn only_known_interfaces_pass_by_name(interface in "[a-z]{1,12}", patch in 0_u32..100_000) {
        let wat = format!(
            r#"(component (import "bellhop:plugin/{interface}@0.1.{patch}" (instance (export "f" (func)))))"#
        );
        let known = Capability::parse(&interface).is_some() || interface == "log";
        let expected_to_pass = known && patch <= u32::from(u16::MAX);
        prop_assert_eq!(refusal(&text(&wat)) == Refusal::NoHandler, expected_to_pass);
    }
}
