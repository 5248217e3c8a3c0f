//! The words and rules of Bellhop. Pure: nothing here waits, and nothing fails for a reason outside its arguments.
//!
//! Top to bottom: ids and time, the channels and what each can carry, what Meta sends (`cut`, `event`), what a plugin
//! sees and wants (`plugin`, `effect`, `host_call`, `capability`, `manifest`), and what may happen (`policy`, `render`, `retry`,
//! `settle`).

pub mod id;
pub mod time;
pub mod channel;
pub mod plugin;
pub mod effect;
pub mod host_call;
pub mod capability;
mod json;
pub mod kind;
pub mod cut;
pub mod event;
pub mod settle;
pub mod manifest;
