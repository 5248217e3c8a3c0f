//! Plugins that mean no good: core WebAssembly text becomes a plugin file of the real contract, and is installed and enabled
//! the way any other is.

use std::path::Path;

use bellhop::registry::{Enable, Plugin, RegistryError, Scopes, TextScope};
use bellhop_sandbox::with_manifest;
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

use super::{Business, TestApp};

/// The import of log lines.
pub(crate) const LOG: &str = r#"(import "bellhop:plugin/log@0.1.0" "write" (func $log (param i32 i32 i32)))"#;

/// The import of the contact's fields; what it answers lands at 2048.
pub(crate) const CONTACT: &str = r#"(import "bellhop:plugin/contact@0.1.0" "field" (func $field (param i32 i32 i32)))"#;

/// A guest's ways to answer: `$pass`, `$propose n` (n effects that stand at 8192), `$say text bytes`.
const ANSWERS: &str = r#"
    (memory (export "memory") 2)
    (global $free (mut i32) (i32.const 65536))
    (func (export "cabi_realloc") (param i32 i32 i32) (param $bytes i32) (result i32)
        (local $at i32)
        (local.set $at (i32.and (i32.add (global.get $free) (i32.const 15)) (i32.const -16)))
        (global.set $free (i32.add (local.get $at) (local.get $bytes)))
        (local.get $at))
    (func $pass (result i32) (i32.const 512))
    (func $propose (param $count i32) (result i32)
        (i32.store (i32.const 1028) (i32.const 1))
        (i32.store (i32.const 1032) (i32.const 8192))
        (i32.store (i32.const 1036) (local.get $count))
        (i32.const 1024))
    (func $say (param $text i32) (param $bytes i32) (result i32)
        (i32.store (i32.const 8200) (local.get $text))
        (i32.store (i32.const 8204) (local.get $bytes))
        (call $propose (i32.const 1)))
"#;

/// What a hostile plugin is made of.
pub(crate) struct Guest<'a> {
    /// Imports, in core text.
    pub(crate) imports: &'a str,
    /// Data and functions.
    pub(crate) items: &'a str,
    /// What `handle` does; it leaves the address of an answer, by `$pass` or `$propose`.
    pub(crate) body: &'a str,
    /// Added to its manifest.
    pub(crate) manifest: &'a str,
}

/// Does as the body says, imports nothing, asks for nothing.
pub(crate) fn guest(body: &str) -> Guest<'_> {
    Guest { imports: "", items: "", body, manifest: "" }
}

/// The component of a guest, without a manifest.
pub(crate) fn component(guest: &Guest<'_>) -> Vec<u8> {
    let module = format!(
        "(module {} {ANSWERS} {}
            (func (export \"bellhop:plugin/handler@0.1.0#handle\") (param i32) (result i32) (local $count i32) {}))",
        guest.imports, guest.items, guest.body
    );
    let mut resolve = Resolve::default();
    let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let (package, _) = resolve.push_dir(&contract).unwrap();
    let world = resolve.select_world(&[package], Some("plugin")).unwrap();
    let mut wasm = wat::parse_str(module).unwrap();
    wit_component::embed_component_metadata(&mut wasm, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().validate(true).module(&wasm).unwrap().encode().unwrap()
}

impl TestApp {
    /// Installs a hostile plugin; its id is "hostile".
    ///
    /// # Errors
    /// What the registry says of it.
    pub(crate) async fn install_hostile(&self, guest: &Guest<'_>) -> Result<Plugin, RegistryError> {
        let manifest = format!(
            "id = \"hostile\"\nversion = \"0.1.0\"\nname.en = \"Hostile\"\ndescription.en = \"Means no good.\"\n\
             [scopes]\neffects = [\"say\"]\ntriggers = [\"messages\"]\n{}",
            guest.manifest
        );
        let file = with_manifest(&component(guest), &manifest);
        Ok(self.app.stores.registry.install(&file).await?.plugin)
    }

    /// Installs a hostile plugin and enables it as the channel's next one.
    pub(crate) async fn enable_hostile(&self, business: &Business, guest: &Guest<'_>) {
        self.enable_hostile_that_sees(business, guest, TextScope::Clear).await;
    }

    /// The same, and how much of texts it sees.
    pub(crate) async fn enable_hostile_that_sees(&self, business: &Business, guest: &Guest<'_>, text: TextScope) {
        let plugin = self.install_hostile(guest).await.unwrap();
        let mut scopes = Scopes::asked(&plugin.manifest, text);
        // A business that says no to everything it may say no to.
        scopes.capabilities = plugin.manifest.required();
        scopes.contact_fields.clear();
        scopes.flows = bellhop_domain::flow::possible(&scopes);
        let enable = Enable {
            workspace: &business.workspace,
            channel: &business.channel,
            plugin: &plugin,
            scopes,
            settings_json: "{}",
            position: None,
        };
        self.app.stores.registry.enable(enable).await.unwrap();
    }
}
