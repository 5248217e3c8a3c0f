//! A plugin that answers with what it was asked, all texts of the turn in order, so that an answer names its questions. Written
//! as core WebAssembly, made a component of the real contract; imports nothing and remembers nothing.

use std::path::Path;

use anyhow::Context;
use bellhop_sandbox::with_manifest;
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

const MANIFEST: &str = r#"
id = "echo"
version = "0.1.0"
name.en = "Echo"
description.en = "Says what it hears."
[scopes]
effects = ["say"]
triggers = ["messages"]
"#;

/// `handle` gets the address of event and context. A message takes 64 bytes: the address of its text stands at 20, the length
/// at 24, and at 16 whether there is one. The answer is built at 1024, its one proposal at 8192, its text from 16384 on.
const MODULE: &str = r#"(module
    (memory (export "memory") 4)
    (global $free (mut i32) (i32.const 65536))
    (func (export "cabi_realloc") (param i32 i32 i32) (param $bytes i32) (result i32)
        (local $at i32)
        (local.set $at (i32.and (i32.add (global.get $free) (i32.const 15)) (i32.const -16)))
        (global.set $free (i32.add (local.get $at) (local.get $bytes)))
        (local.get $at))
    (func (export "bellhop:plugin/handler@0.1.0#handle") (param $event i32) (result i32)
        (local $message i32) (local $end i32) (local $to i32)
        (if (i32.load8_u (local.get $event)) (then (return (i32.const 512))))
        (local.set $message (i32.load offset=4 (local.get $event)))
        (local.set $end (i32.add (local.get $message) (i32.shl (i32.load offset=8 (local.get $event)) (i32.const 6))))
        (local.set $to (i32.const 16384))
        (loop $next
            (if (i32.load8_u offset=16 (local.get $message)) (then
                (memory.copy (local.get $to) (i32.load offset=20 (local.get $message)) (i32.load offset=24 (local.get $message)))
                (local.set $to (i32.add (local.get $to) (i32.load offset=24 (local.get $message))))
                (i32.store8 (local.get $to) (i32.const 32))
                (local.set $to (i32.add (local.get $to) (i32.const 1)))))
            (local.set $message (i32.add (local.get $message) (i32.const 64)))
            (br_if $next (i32.lt_u (local.get $message) (local.get $end))))
        (i32.store (i32.const 8200) (i32.const 16384))
        (i32.store (i32.const 8204) (i32.sub (local.get $to) (i32.const 16384)))
        (i32.store (i32.const 1028) (i32.const 1))
        (i32.store (i32.const 1032) (i32.const 8192))
        (i32.store (i32.const 1036) (i32.const 1))
        (i32.const 1024)))"#;

/// The plugin's file, unsigned.
pub(crate) fn file() -> anyhow::Result<Vec<u8>> {
    let mut resolve = Resolve::default();
    let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let (package, _) = resolve.push_dir(&contract).context("the contract with plugins cannot be read")?;
    let world = resolve.select_world(&[package], Some("plugin"))?;
    let mut wasm = wat::parse_str(MODULE)?;
    wit_component::embed_component_metadata(&mut wasm, &resolve, world, StringEncoding::UTF8)?;
    let component = ComponentEncoder::default().validate(true).module(&wasm)?.encode()?;
    Ok(with_manifest(&component, MANIFEST))
}
