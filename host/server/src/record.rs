//! Collections and records: reads, buffered writes, import, search. Never knows a plugin by name.

pub mod search;
