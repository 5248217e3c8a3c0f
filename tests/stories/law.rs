//! The law of the house as tests: rooms import only rooms above them, files stay small, every file says what it is for.

use std::fs;
use std::path::{Path, PathBuf};

/// Longest file; over it there is a second idea that wants a name.
const MAX_LINES: usize = 400;

/// Files that may be longer, with the reason. This list may only shrink.
const LONG_FILES: &[&str] = &[];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if name != "target" && !name.starts_with('.') {
                    open.push(path);
                }
            } else if name.ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn rooms() -> Vec<String> {
    let text = fs::read_to_string(root().join("host/server/src/lib.rs")).unwrap();
    let rooms: Vec<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ").or_else(|| line.strip_prefix("mod ")))
        .filter_map(|rest| rest.strip_suffix(';'))
        .map(str::to_owned)
        .collect();
    assert!(rooms.len() > 10, "lib.rs lists the rooms, one `pub mod` each");
    rooms
}

/// The rooms that a line of code reaches through `crate::`.
fn reached(line: &str) -> impl Iterator<Item = &str> {
    line.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        &rest[..end]
    })
}

#[test]
fn a_room_imports_only_rooms_above_it() {
    let rooms = rooms();
    let source = root().join("host/server/src");
    let mut offences = Vec::new();
    for file in files(&source, ".rs") {
        let relative = file.strip_prefix(&source).unwrap();
        let own = relative.components().next().unwrap().as_os_str().to_string_lossy().replace(".rs", "");
        let Some(own_place) = rooms.iter().position(|room| *room == own) else { continue };
        for (n, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            assert!(!line.contains("use crate::{"), "{}:{}: name one room per `use`", relative.display(), n + 1);
            for room in reached(line) {
                if rooms.iter().position(|other| other == room).is_some_and(|place| place > own_place) {
                    offences.push(format!("{}:{}: {own} reaches down to {room}", relative.display(), n + 1));
                }
            }
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

/// Only a crash test may arrange a host's death; the shipped binary cannot, whatever it is configured to.
#[test]
fn nothing_that_is_shipped_watches_moments() {
    let watchers = files(&root().join("host"), ".rs").into_iter().filter(|file| {
        let text = fs::read_to_string(file).unwrap();
        text.contains("watch_moments(")
    });
    let watchers: Vec<PathBuf> = watchers.collect();
    assert_eq!(watchers, [root().join("host/server/src/db/moment.rs")]);
}

/// The files of the host that name something, tests left out.
fn naming(what: &str) -> Vec<String> {
    let source = root().join("host/server/src");
    let code = files(&source, ".rs").into_iter().filter(|file| {
        let is_test = file.ends_with("tests.rs") || file.components().any(|part| part.as_os_str() == "tests");
        !is_test && fs::read_to_string(file).unwrap().contains(what)
    });
    code.map(|file| file.strip_prefix(&source).unwrap().display().to_string()).collect()
}

/// What ships with the host is installed like any other file: nothing else knows which plugins those are.
#[test]
fn check_14_bundled_plugins_have_no_way_of_their_own() {
    assert_eq!(naming("BUNDLED"), ["registry/install.rs"]);
    assert_eq!(naming("bellhop_plugins"), ["registry/install.rs"]);
    assert_eq!(naming("install_bundled("), ["app.rs", "registry/install.rs"]);
    // Whose key signed a plugin is told to people and compared with another signer, and nobody decides anything by it.
    assert_eq!(
        naming("own_fingerprint("),
        ["command/plugin/enable.rs", "command/plugin/inspect.rs", "registry/install.rs"]
    );
}

/// A grant comes from a person's command, or moves to a version that adds nothing. No plugin's call leads there.
#[test]
fn check_15_grants_are_made_by_commands_and_by_nothing_else() {
    assert_eq!(naming("insert into plugin_grant"), ["registry/grant.rs", "registry/update.rs"]);
    assert_eq!(naming("registry.enable("), ["command/demo/sample.rs", "command/plugin/enable.rs"]);
    assert_eq!(naming("Enable {"), ["command/demo/sample.rs", "command/plugin/enable.rs", "registry/grant.rs"]);
    assert_eq!(naming("set scopes"), Vec::<String>::new());
}

#[test]
fn the_law_sees_an_offence() {
    assert_eq!(reached("use crate::outbox::{self, Outbox}; crate::db::Db").collect::<Vec<_>>(), ["outbox", "db"]);
}

#[test]
fn files_are_small_and_say_what_they_are_for() {
    let mut offences = Vec::new();
    for file in ["host", "sdk", "plugins", "tests"].iter().flat_map(|folder| files(&root().join(folder), ".rs")) {
        let name = file.strip_prefix(root()).unwrap().display().to_string();
        let text = fs::read_to_string(&file).unwrap();
        if text.lines().count() > MAX_LINES && !LONG_FILES.contains(&name.as_str()) {
            offences.push(format!("{name}: {} lines", text.lines().count()));
        }
        if !text.starts_with("//!") {
            offences.push(format!("{name}: starts without `//!`"));
        }
        let unfinished = ["TO", "DO"].concat();
        if text.contains(&unfinished) {
            offences.push(format!("{name}: unfinished work without an issue"));
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    for manifest in files(&root(), "Cargo.toml") {
        let text = fs::read_to_string(&manifest).unwrap();
        if manifest != root().join("Cargo.toml") {
            assert!(text.contains("[lints]\nworkspace = true"), "{}", manifest.display());
        }
    }
}

#[test]
fn crates_name_only_what_their_layer_may() {
    let dependencies = |manifest: &str| {
        let text = fs::read_to_string(root().join(manifest)).unwrap();
        let start = text.find("[dependencies]").unwrap();
        text[start..].split("\n[").next().unwrap().to_owned()
    };
    let domain = dependencies("host/domain/Cargo.toml");
    for outside in ["tokio", "sqlx", "axum", "wasmtime", "reqwest"] {
        assert!(!domain.contains(outside), "domain is pure and must not name {outside}");
    }
    for manifest in ["host/domain", "host/simulator", "host/server"] {
        let named = dependencies(&format!("{manifest}/Cargo.toml"));
        assert!(!named.contains("wasmtime"), "only the sandbox names wasmtime, not {manifest}");
    }
    let sandbox = dependencies("host/sandbox/Cargo.toml");
    for outside in ["sqlx", "axum", "reqwest"] {
        assert!(!sandbox.contains(outside), "the sandbox runs wasm and must not name {outside}");
    }
}
