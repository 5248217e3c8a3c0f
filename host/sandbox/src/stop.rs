//! Why the host ended a call: one typed reason for every way. Never holds content, only numbers, names of traps and names
//! of the plugin's own functions.

use wasmtime::{PoolConcurrencyLimitError, Trap, WasmBacktrace};

/// Frames of a backtrace that are kept; the first ones tell.
const BACKTRACE_FRAMES_MAX: usize = 12;

/// Bytes of one frame's name; a generic Rust function easily has hundreds.
const FRAME_BYTES_MAX: usize = 160;

/// How wasmtime words the end of what a single crossing may copy. Its error type is private.
const CROSSING_MESSAGE: &str = "fuel allocated for hostcalls has been exhausted";

/// Why the host ended a call. The plugin's part of the turn has failed; nothing that it proposed happens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StopReason {
    /// It used all its instructions.
    #[error("the plugin used all of its {fuel} units of computation")]
    OutOfFuel {
        /// The limit.
        fuel: u64,
    },
    /// It took too long.
    #[error("the plugin took longer than {millis} ms")]
    WallTime {
        /// The limit.
        millis: u64,
    },
    /// It wanted more memory than it may have.
    #[error("the plugin wanted {wanted_bytes} bytes of memory and may have {limit_bytes}")]
    Memory {
        /// What all its memories would have had together.
        wanted_bytes: usize,
        /// The limit.
        limit_bytes: usize,
    },
    /// It called itself too deeply.
    #[error("the plugin called itself too deeply")]
    StackOverflow,
    /// It stopped itself: a panic, a division by zero, an access outside its memory.
    #[error("the plugin crashed: {kind}")]
    Trap {
        /// What WebAssembly calls it.
        kind: String,
        /// Names of the plugin's functions, innermost first.
        backtrace: Vec<String>,
    },
    /// It called the host too often.
    #[error("the plugin called the host more than {limit} times")]
    HostCalls {
        /// The limit.
        limit: u32,
    },
    /// It read too much.
    #[error("the plugin read more than {limit_bytes} bytes")]
    BytesIn {
        /// The limit.
        limit_bytes: usize,
    },
    /// It said too much.
    #[error("the plugin handed over more than {limit_bytes} bytes")]
    BytesOut {
        /// The limit.
        limit_bytes: usize,
    },
    /// It proposed too many effects.
    #[error("the plugin proposed {count} effects and may propose {limit}")]
    Effects {
        /// How many.
        count: usize,
        /// The limit.
        limit: usize,
    },
    /// Its answer breaks a rule.
    #[error("the plugin's answer is not valid: {what}")]
    InvalidAnswer {
        /// Which rule.
        what: String,
    },
    /// All places for running plugins are taken. The call has not begun; ask again a little later.
    #[error("all places for running plugins are taken")]
    Busy,
    /// The host failed while it served the plugin. Not the plugin's fault.
    #[error("the host failed while it served the plugin")]
    HostPanic,
    /// The host could not start the plugin. Not the plugin's fault.
    #[error("the plugin could not be started")]
    Unavailable,
}

impl StopReason {
    /// A short stable name for tables, traces and metrics.
    pub const fn as_code(&self) -> &'static str {
        match self {
            Self::OutOfFuel { .. } => "out-of-fuel",
            Self::WallTime { .. } => "wall-time",
            Self::Memory { .. } => "memory",
            Self::StackOverflow => "stack-overflow",
            Self::Trap { .. } => "trap",
            Self::HostCalls { .. } => "host-calls",
            Self::BytesIn { .. } => "bytes-in",
            Self::BytesOut { .. } => "bytes-out",
            Self::Effects { .. } => "effects",
            Self::InvalidAnswer { .. } => "invalid-answer",
            Self::Busy => "busy",
            Self::HostPanic => "host-panic",
            Self::Unavailable => "unavailable",
        }
    }

    /// True when the plugin is to blame: such stops count towards switching it off.
    pub const fn is_plugins_fault(&self) -> bool {
        !matches!(self, Self::Busy | Self::HostPanic | Self::Unavailable)
    }
}

/// Reads the reason out of what wasmtime returned. `fuel` and `crossing_bytes` are the limits that were set.
pub(crate) fn classify(error: &wasmtime::Error, fuel: u64, crossing_bytes: usize) -> StopReason {
    if let Some(reason) = error.downcast_ref::<StopReason>() {
        return reason.clone();
    }
    if error.downcast_ref::<PoolConcurrencyLimitError>().is_some() {
        return StopReason::Busy;
    }
    let trap = error.downcast_ref::<Trap>().copied();
    match trap {
        Some(Trap::OutOfFuel) => return StopReason::OutOfFuel { fuel },
        Some(Trap::StackOverflow) => return StopReason::StackOverflow,
        _ => {}
    }
    let cause = error.root_cause().to_string();
    if cause.contains(CROSSING_MESSAGE) {
        return StopReason::BytesOut { limit_bytes: crossing_bytes };
    }
    let kind = trap.map_or_else(|| shorten(&cause, FRAME_BYTES_MAX), |trap| trap.to_string());
    StopReason::Trap { kind, backtrace: frames(error) }
}

fn frames(error: &wasmtime::Error) -> Vec<String> {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else { return Vec::new() };
    let names = backtrace.frames().iter().take(BACKTRACE_FRAMES_MAX).map(|frame| match frame.func_name() {
        Some(name) => shorten(&visible(name), FRAME_BYTES_MAX),
        None => format!("function {}", frame.func_index()),
    });
    names.collect()
}

/// Control characters of a hostile name would garble a terminal or a log.
fn visible(name: &str) -> String {
    name.chars().filter(|character| !character.is_control()).collect()
}

/// The text, cut at a border of a character so that it has at most `bytes_max` bytes.
pub(crate) fn shorten(text: &str, bytes_max: usize) -> String {
    text.get(..text.floor_char_boundary(bytes_max)).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(shorten("h\u{e9}llo", 2), "h");
        assert_eq!(shorten("h\u{e9}llo", 3), "h\u{e9}");
        assert_eq!(shorten("h\u{e9}llo", 100), "h\u{e9}llo");
        assert_eq!(shorten("", 0), "");
    }

    #[test]
    fn a_reason_is_found_under_its_context() {
        let reason = StopReason::HostCalls { limit: 3 };
        let error = wasmtime::Error::from(reason.clone()).context("while it called `records.get`");
        assert_eq!(classify(&error, 1, 1), reason);
        let fuel = wasmtime::Error::from(Trap::OutOfFuel).context("in `handle`");
        assert_eq!(classify(&fuel, 9, 1), StopReason::OutOfFuel { fuel: 9 });
    }

    #[test]
    fn only_what_the_host_did_is_not_the_plugins_fault() {
        let ours = [StopReason::Busy, StopReason::HostPanic, StopReason::Unavailable];
        assert!(ours.iter().all(|reason| !reason.is_plugins_fault()));
        assert!(StopReason::StackOverflow.is_plugins_fault());
    }
}
