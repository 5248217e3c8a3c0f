//! Whose fault it is when a plugin's part of a turn fails, and whether a plugin that kept failing is asked. Counts nothing itself.

use std::sync::Arc;

use bellhop_domain::plugin::Fault;
use bellhop_domain::time::Timestamp;
use bellhop_sandbox::Outcome;

use crate::dispatch::Dispatch;
use crate::registry::{Called, EnabledPlugin, Failure};
use crate::trace::PluginLine;

/// How a plugin stands before it is asked.
pub(super) enum Standing {
    /// It never failed, as far as this host knows.
    Well,
    /// It has failed lately.
    Watched,
    /// It is switched off and has rested: it is asked once.
    Probe,
    /// It is switched off and not asked; what the trace says of it.
    Resting(Box<PluginLine>),
}

impl Dispatch {
    /// Asks no database.
    pub(super) fn standing(&self, plugin: &Arc<EnabledPlugin>, now: Timestamp) -> Standing {
        let Some(failing) = self.registry.failing(&plugin.grant_id) else { return Standing::Well };
        match failing.suspended {
            None => Standing::Watched,
            Some(suspended) if suspended.probe_at <= now => Standing::Probe,
            Some(_) => Standing::Resting(Box::new(unasked(plugin, "suspended", failing.reason))),
        }
    }
}

impl Standing {
    pub(super) const fn is_probe(&self) -> bool {
        matches!(self, Self::Probe)
    }

    /// A call as it counts: failures always, what went well where there is something to take back. What the host did wrong, and
    /// what a plugin cannot help, counts for neither.
    pub(super) fn counted(&self, plugin: &EnabledPlugin, outcome: &Outcome, host_stumbled: bool) -> Option<Called> {
        let failure = match outcome {
            Outcome::Answered(_) if matches!(self, Self::Well) => return None,
            Outcome::Answered(_) => None,
            _ => Some(failure(outcome).filter(|_| !host_stumbled)?),
        };
        Some(Called {
            workspace: plugin.workspace.clone(),
            channel: plugin.channel.clone(),
            grant: plugin.grant_id.clone(),
            hash: plugin.hash.clone(),
            plugin: plugin.plugin_id.clone(),
            is_probe: self.is_probe(),
            failure,
        })
    }
}

/// What the plugin is to blame for. Its own words are free text and stay in the sealed trace.
fn failure(outcome: &Outcome) -> Option<Failure> {
    match outcome {
        Outcome::Stopped(reason) if reason.is_plugins_fault() => {
            Some(Failure { code: reason.as_code(), words: reason.to_string() })
        }
        Outcome::Faulted(fault) if fault.code == Fault::INTERNAL => {
            Some(Failure { code: "fault", words: "the plugin says that it failed itself".to_owned() })
        }
        Outcome::Answered(_) | Outcome::Faulted(_) | Outcome::Stopped(_) => None,
    }
}

/// What the trace says of a plugin that did not run.
pub(super) fn unasked(plugin: &EnabledPlugin, outcome: &str, detail: String) -> PluginLine {
    PluginLine {
        plugin: plugin.plugin_id.clone(),
        saw: Vec::new(),
        outcome: outcome.to_owned(),
        detail: Some(detail),
        micros: 0,
        fuel: 0,
        host_calls: 0,
        proposals: Vec::new(),
        logs: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use bellhop_domain::effect::Answer;
    use bellhop_sandbox::StopReason;

    use super::*;

    #[test]
    fn only_what_a_plugin_did_itself_is_held_against_it() {
        let own = [
            Outcome::Stopped(StopReason::OutOfFuel { fuel: 1 }),
            Outcome::Stopped(StopReason::WallTime { millis: 1 }),
            Outcome::Stopped(StopReason::InvalidAnswer { what: "its length".to_owned() }),
            Outcome::Faulted(Fault::new(Fault::INTERNAL, "oh")),
        ];
        assert!(own.iter().all(|outcome| failure(outcome).is_some()));
        let others = [
            Outcome::Answered(Answer::Pass),
            Outcome::Stopped(StopReason::Busy),
            Outcome::Stopped(StopReason::HostPanic),
            Outcome::Stopped(StopReason::Unavailable),
            Outcome::Faulted(Fault::denied("history")),
            Outcome::Faulted(Fault::new("unavailable", "the model is silent")),
        ];
        assert!(others.iter().all(|outcome| failure(outcome).is_none()));
    }

    #[test]
    fn what_a_plugin_says_of_itself_is_not_repeated_in_the_clear() {
        let fault = Outcome::Faulted(Fault::new(Fault::INTERNAL, "Ana's number is +43 660 1234567"));
        assert!(!failure(&fault).unwrap().words.contains("Ana"));
    }
}
