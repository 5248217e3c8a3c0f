//! What a process has used so far, read from `/proc`: processor time and memory. Linux only, like the figures.

use std::fs;

use anyhow::Context;

/// Clock ticks a second in `/proc/<pid>/stat`: 100 on every Linux that is not built by hand for something else.
const TICKS_PER_SECOND: f64 = 100.0;

/// User and system time of a process, all its threads together, in seconds. Steps of 10 ms.
pub(crate) fn cpu_seconds(pid: u32) -> anyhow::Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("this benchmark needs Linux's /proc")?;
    cpu_ticks(&stat).map(|ticks| ticks as f64 / TICKS_PER_SECOND).context("/proc/<pid>/stat has another shape")
}

/// The name in brackets may hold spaces and brackets; user and system time are the 12th and 13th field behind it.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Memory of a process in MB (10^6 bytes).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// Resident now.
    pub(crate) resident_mb: f64,
    /// Resident at its highest.
    pub(crate) peak_mb: f64,
}

/// What a process holds in memory.
pub(crate) fn memory(pid: u32) -> anyhow::Result<Memory> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("this benchmark needs Linux's /proc")?;
    let field = |name| field_mb(&status, name).with_context(|| format!("/proc/<pid>/status has no {name}"));
    Ok(Memory { resident_mb: field("VmRSS:")?, peak_mb: field("VmHWM:")? })
}

fn field_mb(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024.0 / 1_000_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_found_behind_a_name_with_brackets() {
        let stat = "42 (a (b) c) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 7 7 20 0 4 0 100 1 1";
        assert_eq!(cpu_ticks(stat), Some(300));
        assert_eq!(cpu_ticks("nonsense"), None);
    }

    #[test]
    fn memory_is_read_in_megabytes() {
        let status = "Name:\tbench\nVmHWM:\t    2000 kB\nVmRSS:\t    1000 kB\n";
        assert_eq!(field_mb(status, "VmRSS:"), Some(1.024));
        assert_eq!(field_mb(status, "VmSwap:"), None);
    }
}
