//! The host server. Rooms stand top to bottom; a room imports only rooms above it (`tests/stories/law.rs` holds it).

pub mod config;
pub mod db;
pub mod vault;
pub mod audit;
pub mod egress;
pub mod directory;
pub mod graph;
pub mod inbox;
pub mod conversation;
pub mod trace;
