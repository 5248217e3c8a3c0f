//! Stores cut events once, claims a conversation, settles what a turn has done. Never decides by content.
//!
//! The conversation row is what is claimed, never a single event: one UPDATE takes owner, epoch and lease, and every
//! commit of a turn starts by updating that row `where epoch = …`. That is the fence.

mod arrive;
mod claim;
mod content;
mod control;
mod counts;
mod finish;
mod held;
mod lock;
mod quarantine;
mod replay;
mod sweep;
mod wake;

pub use arrive::{Arrival, Inbox, Stored};
pub use claim::{Claim, Claimed, MAX_LEFT_OUT, OpenEvent, claim, events_open, renew};
pub use content::{SliceContent, mid_key, thread_key};
pub use control::{ControlEvent, control_open, control_park, control_take_in};
pub use counts::{Parked, contact_queue, control_queue, leases, parked_queues, ready_since};
pub use finish::{Finish, SettledEvent, events_settle_in, finish_in, park_all, release, release_empty};
pub use held::{events_give_up_in, events_hold_in, events_refuse_erased_in, events_release_in};
pub use lock::conversations_lock_in;
pub use quarantine::{QuarantinedBody, quarantine_drop, quarantine_list, quarantine_queue};
pub use replay::{ParkedEvent, event_replay, events_parked, events_replay_all, workspaces_with_parked};
pub use sweep::{SweepBefore, Total, event_totals, events_sweep, quarantine_sweep};
pub use wake::{Pace, Wake};

#[cfg(test)]
mod tests;
