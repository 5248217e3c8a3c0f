//! Plugins for tests: core WebAssembly text becomes a component of the real contract. A guest is what it imports and what its
//! `handle` does; memory, allocator and canned answers are here.

use std::path::Path;

use bellhop_domain::capability::CapabilitySet;
use bellhop_domain::plugin::{Context, PluginEvent, Timer};
use bellhop_domain::time::Timestamp;
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

use crate::admit::{Admitted, admit, with_manifest};
use crate::host::HostCalls;
use crate::{CallReport, Limits, NoHost, Prepared, Sandbox, SandboxOptions};

/// Imports that guests use, by their canonical names and flattened types.
pub(crate) const LOG: &str = r#"(import "bellhop:plugin/log@0.1.0" "write" (func $log (param i32 i32 i32)))"#;
pub(crate) const CONTACT: &str = r#"(import "bellhop:plugin/contact@0.1.0" "field" (func $field (param i32 i32 i32)))"#;
pub(crate) const RECORDS: &str =
    r#"(import "bellhop:plugin/records@0.1.0" "get" (func $get (param i32 i32 i32 i32 i32)))"#;
pub(crate) const MEDIA: &str =
    r#"(import "bellhop:plugin/media@0.1.0" "read" (func $read (param i32 i32 i64 i32 i32)))"#;
pub(crate) const HTTP: &str = r#"(import "bellhop:plugin/http@0.1.0" "send"
    (func $send (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))"#;

/// Where a result of an import lands.
pub(crate) const REPLY: i32 = 2048;

/// The start of memory that nothing writes to but the guest's own code; multiple of 8.
pub(crate) const FREE: i32 = 8192;

/// Answers: `$pass`; `$effects n` proposes n empty replies; `$note` proposes one note; `$session` leaves a session; `$fault`.
const PRELUDE: &str = r#"
    (memory (export "memory") 1)
    (global $heap (mut i32) (i32.const 16384))
    (func (export "cabi_realloc") (param i32 i32 i32) (param $size i32) (result i32)
        (local $at i32)
        (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
        (global.set $heap (i32.add (local.get $at) (local.get $size)))
        (block $enough (loop $more
            (br_if $enough (i32.le_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536))))
            (drop (memory.grow (i32.const 1)))
            (br $more)))
        (local.get $at))
    (func $pass (result i32) (i32.const 512))
    (func $effects (param $count i32) (result i32)
        (i32.store (i32.const 1028) (i32.const 1))
        (i32.store (i32.const 1032) (i32.const 8192))
        (i32.store (i32.const 1036) (local.get $count))
        (i32.const 1024))
    (func $note (param $text i32) (param $bytes i32) (result i32)
        (i32.store (i32.const 8192) (i32.const 7))
        (i32.store (i32.const 8200) (local.get $text))
        (i32.store (i32.const 8204) (local.get $bytes))
        (call $effects (i32.const 1)))
    (func $session (param $text i32) (param $bytes i32) (result i32)
        (i32.store (i32.const 1040) (i32.const 1))
        (i32.store (i32.const 1044) (local.get $text))
        (i32.store (i32.const 1048) (local.get $bytes))
        (call $effects (i32.const 0)))
    (func $fault (param $code i32) (param $bytes i32) (result i32)
        (i32.store (i32.const 1024) (i32.const 1))
        (i32.store (i32.const 1028) (local.get $code))
        (i32.store (i32.const 1032) (local.get $bytes))
        (i32.const 1024))
"#;

/// A guest's core module: imports first, then other items, then the body of `handle`, which leaves an address.
pub(crate) fn module(imports: &str, items: &str, body: &str) -> String {
    format!(
        "(module {imports} {PRELUDE} {items}
            (func (export \"bellhop:plugin/handler@0.1.0#handle\") (param $input i32) (result i32)
                (local $count i32) {body}))"
    )
}

/// A component of the world `plugin` around a core module.
pub(crate) fn component(module: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let (package, _) = resolve.push_dir(&wit).unwrap();
    let world = resolve.select_world(&[package], Some("plugin")).unwrap();
    let mut wasm = wat::parse_str(module).unwrap();
    wit_component::embed_component_metadata(&mut wasm, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().validate(true).module(&wasm).unwrap().encode().unwrap()
}

/// A whole plugin file.
pub(crate) fn file(imports: &str, items: &str, body: &str) -> Vec<u8> {
    with_manifest(&component(&module(imports, items, body)), "id = \"guest\"")
}

/// An admitted guest.
pub(crate) fn guest(imports: &str, items: &str, body: &str) -> Admitted {
    admit(&file(imports, items, body)).unwrap()
}

/// A sandbox with a small pool and no code folder.
pub(crate) fn sandbox(calls_at_once: u32) -> Sandbox {
    Sandbox::new(SandboxOptions { calls_at_once, code_folder: None }).unwrap()
}

/// An event with nothing to it.
pub(crate) fn event() -> PluginEvent {
    PluginEvent::Timer(Timer { key: "reminder".to_owned(), payload: "tomorrow at nine".to_owned() })
}

/// A context with one text that tests look for.
pub(crate) fn context() -> Context {
    Context {
        turn: "turn".to_owned(),
        now: Timestamp::from_millis(1_800_000_000_000),
        seed: 7,
        channel_kind: "messenger".to_owned(),
        contact: "contact".to_owned(),
        locale: "en".to_owned(),
        time_zone: "Europe/Lisbon".to_owned(),
        reply_window_closes: None,
        settings_json: r#"{"greeting":"Olá"}"#.to_owned(),
        session_json: None,
        holds_floor: false,
        dry_run: false,
        facts: vec![("plan".to_owned(), "small".to_owned())],
    }
}

/// The guest with all that it imports granted.
pub(crate) async fn prepared(sandbox: &Sandbox, guest: &Admitted) -> std::sync::Arc<Prepared> {
    sandbox.prepare(guest, &guest.imports, &CapabilitySet::new()).await.unwrap()
}

/// One call of a guest that talks to `host`.
pub(crate) async fn call_with<H: HostCalls>(guest: &Admitted, host: H, limits: &Limits) -> CallReport<H> {
    let sandbox = sandbox(2);
    prepared(&sandbox, guest).await.call(&event(), &context(), host, limits).await
}

/// One call of a guest.
pub(crate) async fn call(guest: &Admitted, limits: &Limits) -> CallReport<NoHost> {
    call_with(guest, NoHost, limits).await
}
