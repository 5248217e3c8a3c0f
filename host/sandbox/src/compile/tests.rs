//! The folder of compiled code under attack, and components that do not fit.

use std::fs;
use std::path::{Path, PathBuf};

use super::cache::CodeCache;
use super::{CodeFolder, CompileError};
use crate::admit::Admitted;
use crate::fixture::{guest, prepared, sandbox};
use crate::{PrepareError, Sandbox, SandboxOptions, engine};

fn folder(path: &Path, key: u8) -> CodeFolder {
    CodeFolder { path: path.join("code"), key: [key; 32] }
}

fn with_folder(path: &Path, key: u8) -> Sandbox {
    Sandbox::new(SandboxOptions { calls_at_once: 1, code_folder: Some(folder(path, key)) }).unwrap()
}

fn only_file(path: &Path) -> PathBuf {
    let mut files = fs::read_dir(path.join("code")).unwrap();
    let file = files.next().unwrap().unwrap().path();
    assert!(files.next().is_none(), "one plugin, one file, no draft left behind");
    file
}

fn harmless() -> Admitted {
    guest("", "", "(call $pass)")
}

#[tokio::test]
async fn compiled_code_is_found_again() {
    let (home, plugin) = (tempfile::tempdir().unwrap(), harmless());
    with_folder(home.path(), 1).install(&plugin).await.unwrap();
    let written = fs::read(only_file(home.path())).unwrap();
    let engine = engine::start(1).unwrap();
    let found = CodeCache::new(folder(home.path(), 1), &engine).load(&plugin).unwrap();
    assert_eq!(found.as_slice(), &written[32..]);
    assert!(only_file(home.path()).file_name().unwrap().to_str().unwrap().starts_with(plugin.hash.as_str()));
}

#[tokio::test]
async fn one_flipped_bit_anywhere_makes_it_compile_again() {
    let (home, plugin) = (tempfile::tempdir().unwrap(), harmless());
    with_folder(home.path(), 1).install(&plugin).await.unwrap();
    let path = only_file(home.path());
    let whole = fs::read(&path).unwrap();
    for at in [0, 31, 32, whole.len() / 2, whole.len() - 1] {
        let mut altered = whole.clone();
        altered[at] ^= 1;
        fs::write(&path, &altered).unwrap();
        let sandbox = with_folder(home.path(), 1);
        prepared(&sandbox, &plugin).await;
        assert_ne!(fs::read(&path).unwrap(), altered, "byte {at}");
    }
}

#[tokio::test]
async fn a_file_that_was_cut_or_emptied_is_no_file() {
    let (home, plugin) = (tempfile::tempdir().unwrap(), harmless());
    with_folder(home.path(), 1).install(&plugin).await.unwrap();
    let path = only_file(home.path());
    let whole = fs::read(&path).unwrap();
    let engine = engine::start(1).unwrap();
    let cache = CodeCache::new(folder(home.path(), 1), &engine);
    for bytes in [0, 31, 32, whole.len() - 1] {
        fs::write(&path, &whole[..bytes]).unwrap();
        assert_eq!(cache.load(&plugin), None, "{bytes} bytes");
    }
}

#[tokio::test]
async fn code_of_another_installation_or_another_plugin_is_not_taken() {
    let (home, plugin) = (tempfile::tempdir().unwrap(), harmless());
    let other = guest("", "", "(unreachable)");
    with_folder(home.path(), 1).install(&plugin).await.unwrap();
    let engine = engine::start(1).unwrap();
    assert_eq!(CodeCache::new(folder(home.path(), 2), &engine).load(&plugin), None);
    let path = only_file(home.path());
    let name = path.file_name().unwrap().to_str().unwrap().replace(plugin.hash.as_str(), other.hash.as_str());
    fs::rename(&path, path.with_file_name(name)).unwrap();
    assert_eq!(CodeCache::new(folder(home.path(), 1), &engine).load(&other), None);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_costs_only_time() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("code"), "a file where the folder should be").unwrap();
    with_folder(home.path(), 1).install(&harmless()).await.unwrap();
}

#[tokio::test]
async fn more_instances_than_a_place_has_do_not_fit() {
    let core = |times: usize| {
        let instances = "(core instance (instantiate $m))".repeat(times);
        let wat = format!("(component (core module $m (memory 1)) {instances} {HANDLER})");
        crate::admit(&crate::with_manifest(&wat::parse_str(wat).unwrap(), "")).unwrap()
    };
    let fits = sandbox(1).install(&core(3)).await.unwrap_err();
    assert!(matches!(fits, PrepareError::Mismatch(_)), "{fits:?}");
    let refused = sandbox(1).install(&core(5)).await.unwrap_err();
    assert!(matches!(refused, PrepareError::Compile(CompileError::DoesNotFit(_))), "{refused:?}");
}

/// A handler of the right name and the wrong type.
const HANDLER: &str = r#"(core module $h (func (export "f")))
    (core instance $i (instantiate $h))
    (func $f (canon lift (core func $i "f")))
    (instance $handler (export "handle" (func $f)))
    (export "bellhop:plugin/handler@0.1.0" (instance $handler))"#;

#[tokio::test]
async fn a_component_of_another_contract_is_a_mismatch() {
    let import = r#"(import "bellhop:plugin/contact@0.1.0" (instance (export "field" (func (param "name" u32)))))"#;
    for items in [HANDLER.to_owned(), format!("{import} {HANDLER}")] {
        let wasm = wat::parse_str(format!("(component {items})")).unwrap();
        let refused = sandbox(1).install(&crate::admit(&crate::with_manifest(&wasm, "")).unwrap()).await.unwrap_err();
        assert!(matches!(refused, PrepareError::Mismatch(_)), "{refused:?}");
    }
}

#[tokio::test]
async fn two_who_want_the_same_plugin_share_one_compilation() {
    let (sandbox, plugin) = (sandbox(1), harmless());
    let (first, second) = futures_util::future::join(prepared(&sandbox, &plugin), prepared(&sandbox, &plugin)).await;
    assert!(std::sync::Arc::ptr_eq(&first, &second));
}
