//! Stores cut events once, claims a conversation, settles what a turn has done. Never decides by content.
//!
//! The conversation row is what is claimed, never a single event: one UPDATE takes owner, epoch and lease, and every
//! commit of a turn starts by updating that row `where epoch = …`. That is the fence.

mod arrive;
mod claim;
mod content;
mod control;
mod finish;
mod held;
mod wake;

pub use arrive::{Arrival, Inbox, Stored};
pub use claim::{Claim, Claimed, OpenEvent, claim, events_open, renew};
pub use content::{SliceContent, mid_key, thread_key};
pub use control::{ControlEvent, control_open, control_park, control_take_in};
pub use finish::{Finish, SettledEvent, events_settle_in, finish_in, park_all, release, release_empty};
pub use held::{events_give_up_in, events_hold_in, events_release_in};
pub use wake::Wake;

#[cfg(test)]
mod tests;
