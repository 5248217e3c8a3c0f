//! The host server. Rooms stand top to bottom; a room imports only rooms above it (`tests/stories/law.rs` holds it).

pub mod config;
pub mod db;
pub mod host;
pub mod vault;
pub mod audit;
pub mod egress;
pub mod directory;
pub mod graph;
pub mod inbox;
pub mod conversation;
pub mod record;
pub mod registry;
pub mod trace;
pub mod outbox;
pub mod permission;
pub mod broker;
pub mod dispatch;
pub mod jobs;
pub mod status;
pub mod backup;
pub mod webhook;
pub mod api;
pub mod app;
pub mod command;
