//! Write a Bellhop plugin in Rust. A plugin is a pure function: an event and what the host knows go in, proposals come
//! out; it never acts by itself and reaches nothing but the interfaces it calls.
//!
//! ```
//! use bellhop_sdk::{Answer, Fault, Plugin, Turn};
//!
//! struct Echo;
//!
//! impl Plugin for Echo {
//!     type Settings = ();
//!     type Session = ();
//!
//!     fn handle(turn: Turn<Self>) -> Result<Answer, Fault> {
//!         Ok(Answer::say(turn.text()).because("an echo repeats"))
//!     }
//! }
//!
//! bellhop_sdk::export!(Echo);
//! ```
//!
//! The crate is a `cdylib` (the component) and an `rlib` (the tests). On `wasm32-unknown-unknown` the modules named after
//! capabilities call the host; elsewhere they call the fake host of `testing`, so `cargo test` runs a plugin natively.
//! A component imports exactly the capabilities whose functions it uses.

#[doc(hidden)]
pub mod bindings;

mod answer;
mod fault;
mod plugin;
mod turn;

pub mod contact;
pub mod history;
pub mod http;
pub mod language_model;
pub mod log;
pub mod media;
pub mod records;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
pub mod text;

pub use answer::Answer;
pub use bindings::bellhop::plugin::effects::{
    Attribute, Call, Card, Choice, CustomEffect, Effect, Handoff, Outcome, Proposal, Say, SetTimer, Template,
};
pub use bindings::bellhop::plugin::types::{
    Attachment, Comment, Context, CustomEvent, Event, Fault, Message, Response, Timer,
};
pub use plugin::{Plugin, run};
pub use turn::Turn;
