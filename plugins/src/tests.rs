//! Tests of the bytes: what each component imports, and that its manifest stands where the host looks for it.

use std::collections::BTreeSet;

use bellhop_domain::capability::Capability;
use bellhop_domain::manifest::Manifest;
use wasmparser::{ComponentTypeRef, Parser, Payload};

use super::*;

/// Largest bundled plugin: a fresh instance per message costs what it weighs.
const MAX_BYTES: usize = 300_000;

/// What lies at the top level of a component, nested modules left aside.
struct TopLevel {
    imports: BTreeSet<String>,
    exports: Vec<String>,
    manifests: Vec<String>,
}

fn top_level(bytes: &[u8]) -> TopLevel {
    let mut found = TopLevel { imports: BTreeSet::new(), exports: Vec::new(), manifests: Vec::new() };
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.unwrap() {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    let import = import.unwrap();
                    assert!(matches!(import.ty, ComponentTypeRef::Instance(_)), "{:?}", import.name);
                    found.imports.insert(import.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                found.exports.extend(section.into_iter().map(|export| export.unwrap().name.name.to_owned()));
            }
            Payload::CustomSection(section) if depth == 0 && section.name() == "bellhop:manifest" => {
                found.manifests.push(String::from_utf8(section.data().to_vec()).unwrap());
            }
            _ => {}
        }
    }
    found
}

fn imports_of(id: &str) -> Vec<String> {
    let plugin = BUNDLED.iter().find(|plugin| plugin.id == id).unwrap();
    let short = |name: &String| name.replace("bellhop:plugin/", "").replace("@0.1.0", "");
    top_level(plugin.bytes).imports.iter().map(short).collect()
}

#[test]
fn a_component_imports_only_what_its_plugin_calls() {
    assert_eq!(imports_of("hello"), ["effects", "log", "types"]);
    assert_eq!(imports_of("faq"), ["effects", "log", "records", "types"]);
}

#[test]
fn every_component_exports_the_handler_and_carries_one_manifest_of_its_own() {
    for plugin in BUNDLED {
        let found = top_level(plugin.bytes);
        assert_eq!(found.exports, ["bellhop:plugin/handler@0.1.0"], "{}", plugin.id);
        let [manifest] = found.manifests.as_slice() else {
            panic!("{}: {} manifests", plugin.id, found.manifests.len())
        };
        let manifest = Manifest::parse(manifest).unwrap();
        assert_eq!(manifest.id, plugin.id);
        let asked: Vec<&str> = manifest.asked().iter().map(|capability| capability.as_str()).collect();
        let imports = imports_of(plugin.id);
        let capabilities: Vec<&str> =
            imports.iter().map(String::as_str).filter(|name| Capability::parse(name).is_some()).collect();
        assert_eq!(asked, capabilities, "{}: the manifest asks for what is imported", plugin.id);
    }
}

#[test]
fn a_bundled_plugin_stays_small() {
    for plugin in BUNDLED {
        assert!(plugin.bytes.len() < MAX_BYTES, "{} has {} bytes", plugin.id, plugin.bytes.len());
    }
}

#[test]
fn no_path_of_the_building_machine_is_in_the_bytes() {
    let folders = [env!("CARGO_MANIFEST_DIR"), ".cargo/registry"];
    for plugin in BUNDLED {
        for folder in folders {
            let found = plugin.bytes.windows(folder.len()).any(|window| window == folder.as_bytes());
            assert!(!found, "{} holds `{folder}`", plugin.id);
        }
    }
}
