//! The words and rules of Bellhop. Pure: nothing here waits, and nothing fails for a reason outside its arguments.
//!
//! Top to bottom: ids and time, the channels and what each can carry, what a plugin sees and wants (`plugin`, `effect`,
//! `host_call`, `capability`), what Meta sends (`kind`, `cut`, `event`) and when it becomes a turn (`settle`), what a plugin
//! declares (`manifest`), what a business gives it (`grant`) and where that lets data go (`flow`), in which words it is asked (`consent`) and what a new version may
//! not add (`danger`), what may happen and in what form (`policy`, `words`, `mask`, `render`), when a plugin is switched off (`suspension`), and how what it says is sent (`retry`,
//! `allowance`, `graph_error`, `delivery`) and what shows that it was (`evidence`, `lookup`).

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
pub mod grant;
pub mod flow;
pub mod consent;
pub mod danger;
pub mod policy;
pub mod words;
pub mod mask;
pub mod render;
pub mod retry;
pub mod suspension;
pub mod allowance;
pub mod graph_error;
pub mod delivery;
pub mod evidence;
pub mod lookup;
