//! The bundled plugins as bytes: each a component with its manifest inside. `build.rs` makes them; nothing here runs or
//! trusts them, they pass through the same door as everybody's.

/// One bundled plugin.
#[derive(Debug, Clone, Copy)]
pub struct Bundled {
    /// The manifest's id.
    pub id: &'static str,
    /// The whole `.wasm` file: component, then manifest section.
    pub bytes: &'static [u8],
}

/// Every plugin that ships with the host, sorted by id.
pub const BUNDLED: &[Bundled] = &[
    Bundled { id: "faq", bytes: include_bytes!(concat!(env!("OUT_DIR"), "/faq.wasm")) },
    Bundled { id: "hello", bytes: include_bytes!(concat!(env!("OUT_DIR"), "/hello.wasm")) },
];

#[cfg(test)]
mod tests;
