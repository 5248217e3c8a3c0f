//! What one call may use. Data only: `meter` counts, `call` stops.

use std::time::Duration;

/// Linear memory of one component, all its memories together, as the pool lays out its slots. A plan may give less,
/// never more. A Python plugin starts with 12 MiB, a Rust one with 1.
pub const MEMORY_BYTES_MAX: usize = 64 << 20;

/// Most memories in one component: a JavaScript engine with its adapters has 3.
pub(crate) const MEMORIES_MAX: usize = 4;

/// Most tables in one component: a JavaScript engine with its adapters has 3.
pub(crate) const TABLES_MAX: usize = 8;

/// Most elements in one table: a Python plugin was seen with 5,672.
pub(crate) const TABLE_ELEMENTS_MAX: usize = 20_000;

/// Most core instances in one component: a Python plugin was seen with 38.
pub(crate) const CORE_INSTANCES_MAX: usize = 64;

/// What a single crossing from the plugin to the host may copy. Each import and the answer are lifted under it, before
/// any other limit can look: a list that claims 2^31 items ends here and never becomes memory of the host.
pub(crate) const CROSSING_BYTES_MAX: usize = 1 << 20;

/// The limits of one call. Each ends the call with a [`StopReason`](crate::StopReason) of its own; log lines over theirs
/// are dropped and counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Instructions of the plugin, about one unit each. The same input costs the same fuel on every machine.
    pub fuel: u64,
    /// From the start of the call to its end, waiting for the host included.
    pub wall: Duration,
    /// Linear memory, all memories together.
    pub memory_bytes: usize,
    /// Calls of imports; log lines are not counted here.
    pub host_calls: u32,
    /// What the host hands to the plugin in replies, all calls together.
    pub bytes_in: usize,
    /// What the plugin hands to the host: arguments of all calls and the answer.
    pub bytes_out: usize,
    /// Log lines that are kept.
    pub log_lines: usize,
    /// Bytes of all kept log lines together.
    pub log_bytes: usize,
    /// Proposals in an answer.
    pub effects: usize,
    /// Bytes of one text in an answer.
    pub text_bytes: usize,
    /// Items of one list in an effect: choices, cards, media, parameters.
    pub list_items: usize,
    /// Bytes of the body of one `call` effect.
    pub body_bytes: usize,
    /// Bytes of the session that a plugin leaves behind.
    pub session_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // A trivial Rust plugin uses about 8,000 and a JavaScript one 42,000; this is about 0.2 s of one core.
            fuel: 200_000_000,
            // A language model may think for 20 s; longer than this and the customer has gone.
            wall: Duration::from_secs(30),
            // Enough for a Python interpreter (12 MiB at the start); the pool allows twice as much.
            memory_bytes: 32 << 20,
            // A booking dialogue looks at a few dozen records; hundreds of reads are a loop.
            host_calls: 256,
            // 256 replies of 16 kB.
            bytes_in: 4 << 20,
            // A quarter of it: a plugin asks for more than it says.
            bytes_out: 1 << 20,
            // What a person reads of one call.
            log_lines: 64,
            log_bytes: 16 << 10,
            // More than a conversation can bear; Meta's own windows allow far fewer messages.
            effects: 32,
            // WhatsApp takes 4,096 characters of up to 4 bytes.
            text_bytes: 16 << 10,
            // The longest list that any channel shows is 13 quick replies; a template has at most 10 parameters.
            list_items: 32,
            // Meta's own webhooks rarely exceed it, and a shop's order is far smaller.
            body_bytes: 64 << 10,
            // It is read and written with every turn of the conversation; settings have the same cap.
            session_bytes: 16 << 10,
        }
    }
}
