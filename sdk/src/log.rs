//! Lines for the developer: always linked, asks for nothing. Never put a customer's words into them.

pub use crate::bindings::bellhop::plugin::log::Level;

/// Writes a line. The host caps size and number and counts what it drops.
pub fn write(level: Level, message: &str) {
    #[cfg(target_arch = "wasm32")]
    crate::bindings::bellhop::plugin::log::write(level, message);
    #[cfg(not(target_arch = "wasm32"))]
    crate::testing::note_line(level, message);
}

/// For the developer at work.
pub fn debug(message: &str) {
    write(Level::Debug, message);
}

/// Worth knowing.
pub fn info(message: &str) {
    write(Level::Info, message);
}

/// Something is off and was handled.
pub fn warn(message: &str) {
    write(Level::Warn, message);
}

/// Something failed.
pub fn error(message: &str) {
    write(Level::Error, message);
}
