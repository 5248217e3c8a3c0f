//! What doctor found: one line each, with how bad it is.

use std::fmt;

use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Level {
    /// It holds.
    Ok,
    /// It holds, and somebody should look.
    Warning,
    /// It does not hold.
    Broken,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) level: Level,
    /// What was looked at, in a word or two.
    pub(super) what: &'static str,
    /// What holds, or what does not and what to do.
    pub(super) says: String,
}

/// Everything that was found, in the order of looking.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn ok(&mut self, what: &'static str, says: impl Into<String>) {
        self.0.push(Finding { level: Level::Ok, what, says: says.into() });
    }

    pub(super) fn warning(&mut self, what: &'static str, says: impl Into<String>) {
        self.0.push(Finding { level: Level::Warning, what, says: says.into() });
    }

    pub(super) fn broken(&mut self, what: &'static str, says: impl Into<String>) {
        self.0.push(Finding { level: Level::Broken, what, says: says.into() });
    }

    pub(super) fn count(&self, level: Level) -> usize {
        self.0.iter().filter(|finding| finding.level == level).count()
    }

    #[cfg(test)]
    pub(super) fn of(&self, what: &str) -> Vec<&Finding> {
        self.0.iter().filter(|finding| finding.what == what).collect()
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, finding) in self.0.iter().enumerate() {
            let level = match finding.level {
                Level::Ok => "OK",
                Level::Warning => "WARNING",
                Level::Broken => "BROKEN",
            };
            let end = if n == 0 { "" } else { "\n" };
            write!(f, "{end}{level:<9}{:<14}{}", finding.what, finding.says)?;
        }
        Ok(())
    }
}

/// An error with its causes, on one line.
pub(super) fn chain(what: &str, error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.fold(what.to_owned(), |line, cause| format!("{line}: {cause}"))
}
