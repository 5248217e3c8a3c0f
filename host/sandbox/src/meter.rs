//! What a call has used so far, and the checks that end it. One per call; lives in the store beside the host.

use bellhop_domain::host_call::LogLevel;
use wasmtime::ResourceLimiter;

use crate::limits::{self, Limits};
use crate::stop::{StopReason, shorten};

/// Counts of one call.
pub(crate) struct Meter {
    limits: Limits,
    memory_bytes: usize,
    table_elements: usize,
    bytes_in: usize,
    bytes_out: usize,
    log_bytes: usize,
    pub(crate) host_calls: u32,
    pub(crate) logs: Vec<(LogLevel, String)>,
    pub(crate) logs_dropped: u32,
}

impl Meter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            limits: *limits,
            memory_bytes: 0,
            table_elements: 0,
            bytes_in: 0,
            bytes_out: 0,
            log_bytes: 0,
            host_calls: 0,
            logs: Vec::new(),
            logs_dropped: 0,
        }
    }

    /// Linear memory of all memories together; it never shrinks during a call, so this is the peak.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    /// Counts one host call and the bytes of its arguments.
    pub(crate) fn enter(&mut self, bytes: usize) -> Result<(), StopReason> {
        if self.host_calls >= self.limits.host_calls {
            return Err(StopReason::HostCalls { limit: self.limits.host_calls });
        }
        self.host_calls += 1;
        self.take_out(bytes)
    }

    /// Counts bytes that the plugin hands over.
    pub(crate) fn take_out(&mut self, bytes: usize) -> Result<(), StopReason> {
        self.bytes_out = self.bytes_out.saturating_add(bytes);
        let limit_bytes = self.limits.bytes_out;
        if self.bytes_out > limit_bytes { Err(StopReason::BytesOut { limit_bytes }) } else { Ok(()) }
    }

    /// Counts bytes that the host hands over.
    pub(crate) fn take_in(&mut self, bytes: usize) -> Result<(), StopReason> {
        self.bytes_in = self.bytes_in.saturating_add(bytes);
        let limit_bytes = self.limits.bytes_in;
        if self.bytes_in > limit_bytes { Err(StopReason::BytesIn { limit_bytes }) } else { Ok(()) }
    }

    /// Keeps a log line, or counts it as dropped. The line that crosses the cap on bytes is cut and kept.
    pub(crate) fn log(&mut self, level: LogLevel, message: &str) {
        let room = self.limits.log_bytes.saturating_sub(self.log_bytes);
        if self.logs.len() >= self.limits.log_lines || (room == 0 && !message.is_empty()) {
            self.logs_dropped = self.logs_dropped.saturating_add(1);
            return;
        }
        let kept = shorten(message, room);
        self.log_bytes = self.log_bytes.saturating_add(kept.len());
        self.logs.push((level, kept));
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let wanted_bytes = self.memory_bytes.saturating_add(desired.saturating_sub(current));
        let limit_bytes = self.limits.memory_bytes.min(limits::MEMORY_BYTES_MAX);
        if wanted_bytes > limit_bytes {
            return Err(StopReason::Memory { wanted_bytes, limit_bytes }.into());
        }
        // Beyond the module's own maximum the growth fails by itself and nothing is taken.
        if maximum.is_none_or(|maximum| desired <= maximum) {
            self.memory_bytes = wanted_bytes;
        }
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let wanted = self.table_elements.saturating_add(desired.saturating_sub(current));
        if wanted > limits::TABLE_ELEMENTS_MAX {
            return Ok(false);
        }
        self.table_elements = wanted;
        Ok(true)
    }

    fn instances(&self) -> usize {
        limits::CORE_INSTANCES_MAX
    }

    fn tables(&self) -> usize {
        limits::TABLES_MAX
    }

    fn memories(&self) -> usize {
        limits::MEMORIES_MAX
    }
}
