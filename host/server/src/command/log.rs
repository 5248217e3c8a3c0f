//! Structured logs: text for a terminal, JSON for a machine. What a panic says is never among them: it may quote what people
//! wrote.

use std::io::IsTerminal;
use std::panic::PanicHookInfo;

use tracing_subscriber::EnvFilter;

use crate::config::{LogConfig, LogFormat};

/// Starts logging as configured. A second call changes nothing.
pub(super) fn start(config: &LogConfig) {
    let filter = EnvFilter::try_new(&config.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let is_terminal = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(is_terminal);
    let started = match config.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    drop(started);
}

/// Only what went wrong, for commands whose output a person reads.
pub(super) fn quiet() {
    drop(tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_writer(std::io::stderr).try_init());
}

/// From now on a panic of any thread is logged by its place alone. The place is enough to find the mistake; the message, which
/// the standard library would print, may carry a person's text.
pub(super) fn panics_by_place() {
    std::panic::set_hook(Box::new(|panicked: &PanicHookInfo<'_>| {
        let place = panicked.location().map(|place| format!("{}:{}:{}", place.file(), place.line(), place.column()));
        let thread = std::thread::current();
        tracing::error!(
            place = place.as_deref().unwrap_or("unknown"),
            thread = thread.name().unwrap_or("unnamed"),
            "A mistake in this program ended a piece of work"
        );
    }));
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Set in the process that panics: a hook counts for all threads, so that it would reach the other tests here.
    const INSIDE: &str = "BELLHOP_TEST_OF_PANICS";

    #[test]
    fn a_panic_is_logged_by_its_place_and_says_nothing() {
        if std::env::var_os(INSIDE).is_some() {
            start(&LogConfig::default());
            panics_by_place();
            let work = || std::panic::panic_any(format!("Ana wrote: {}", "cardamom"));
            let ended = std::thread::Builder::new().name("a turn".to_owned()).spawn(work).unwrap().join();
            assert!(ended.is_err());
            return;
        }
        let own = std::env::current_exe().unwrap();
        let name = concat!(module_path!(), "::a_panic_is_logged_by_its_place_and_says_nothing");
        let name = name.strip_prefix("bellhop::").unwrap();
        let output = Command::new(own).args(["--exact", name, "--nocapture"]).env(INSIDE, "1").output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{said}");
        assert!(said.contains("command/log.rs:") && said.contains("a turn"), "{said}");
        assert!(!said.contains("cardamom"), "{said}");
    }
}
