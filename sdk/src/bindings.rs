//! What `wit-bindgen` makes of `wit/`: the types of the contract and the raw imports. Never called by a plugin directly:
//! the imports exist only inside a component, the modules beside this one know what to do elsewhere.

#![allow(unsafe_code, missing_docs, unreachable_pub, unused_qualifications, clippy::all, clippy::pedantic)]
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, clippy::expect_used)]

wit_bindgen::generate!({
    path: "../wit",
    world: "plugin",
    pub_export_macro: true,
    export_macro_name: "export_component",
    default_bindings_module: "bellhop_sdk::bindings",
    additional_derives: [PartialEq],
});
