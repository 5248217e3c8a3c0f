//! One turn: plugins are asked in order until one answers; everything that follows from it is gathered for the commit.

mod blame;
mod left;
mod shown;

use std::sync::Arc;

use bellhop_domain::effect::{Answer, Outcome as PluginOutcome};
use bellhop_domain::mask::Value;
use bellhop_domain::policy::{Granted, Mode};
use bellhop_domain::time::Timestamp;
use bellhop_domain::words::{self, Signal};
use bellhop_sandbox::Outcome;

use crate::audit;
use crate::broker::{Broker, Caller, Sources};
use crate::conversation::{self, SessionWrite, Suppression};
use crate::directory::ChannelState;
use crate::dispatch::commit::TurnCommit;
use crate::dispatch::effects::{self, Rows};
use crate::dispatch::open::OpenTurn;
use crate::dispatch::turn::blame::Standing;
use crate::dispatch::turn::left::commit;
use crate::dispatch::turn::shown::{circumstances, heard};
use crate::dispatch::{Dispatch, DispatchError, masked, order, unsaid};
use crate::inbox;
use crate::permission;
use crate::record::PreparedWrite;
use crate::registry::{Called, EnabledPlugin};
use crate::trace::PluginLine;

/// What plugins made of a turn.
#[derive(Default)]
struct Made {
    rows: Rows,
    lines: Vec<PluginLine>,
    sessions: Vec<SessionWrite>,
    records: Vec<PreparedWrite>,
    audit: Vec<audit::Entry>,
    /// Calls that count for switching plugins off, or back on.
    calls: Vec<Called>,
    /// What the tokens stand for that plugins were shown.
    masked: Vec<Value>,
    floor: Option<String>,
    outcome: &'static str,
}

impl Dispatch {
    /// Runs a turn up to its commit.
    pub(super) async fn turn(&self, mut turn: OpenTurn) -> Result<TurnCommit, DispatchError> {
        let now = self.db.now();
        let unsuppress = self.reachable_again(&turn).await?;
        if unsuppress.is_some() {
            turn.suppressed = None;
        }
        let mode = mode(&turn, now);
        let made = match mode {
            // Taken away while its messages waited: no plugin is asked there any more.
            _ if turn.channel.state == ChannelState::Disconnected => Made { outcome: "silent", ..Made::default() },
            Mode::Automated => self.ask_plugins(&turn, now).await?,
            Mode::Human | Mode::Paused => Made { outcome: "silent", ..Made::default() },
        };
        Ok(TurnCommit { unsuppress, ..commit(&turn, mode, made) })
    }

    /// Somebody who said "stop" says "start", or somebody whom Meta could not reach writes again.
    async fn reachable_again(&self, turn: &OpenTurn) -> Result<Option<Suppression>, DispatchError> {
        let Some(suppressed) = &turn.suppressed else { return Ok(None) };
        let is_lifted = match suppressed.reason.as_str() {
            // A "start" from before the "stop" waited for its turn, or was brought back: the later word counts.
            conversation::OPT_OUT => {
                let mut later = turn.events.iter().filter(|event| event.at > suppressed.since);
                later.any(|event| event.event.text().and_then(words::recognise) == Some(Signal::OptIn))
            }
            _unreachable => !turn.events.is_empty(),
        };
        if !is_lifted {
            return Ok(None);
        }
        let index = self.vault.index(&turn.claimed.workspace).await?;
        Ok(Some(Suppression {
            workspace: turn.claimed.workspace.clone(),
            channel: turn.claimed.channel.clone(),
            person: inbox::thread_key(&index, &turn.claimed.channel, &turn.contact.profile.person),
            reason: "reachable",
            at: turn.opened_at,
        }))
    }

    /// A turn that failed too often: its events are parked with their reason, and staff are told.
    pub(super) fn parked(&self, turn: &OpenTurn) -> TurnCommit {
        let mut rows = Rows::default();
        rows.task(turn, "failed-turn", "turn-failed", "A message could not be processed; please answer it.".to_owned());
        let mode = mode(turn, self.db.now());
        let mut commit = commit(turn, mode, Made { rows, outcome: "parked", ..Made::default() });
        for event in &mut commit.events {
            event.state = "parked";
            event.reason = Some("turn-failed");
        }
        commit
    }

    async fn ask_plugins(&self, turn: &OpenTurn, now: Timestamp) -> Result<Made, DispatchError> {
        let mut made = Made { outcome: "unanswered", ..Made::default() };
        if turn.events.is_empty() {
            made.outcome = "empty";
            return Ok(made);
        }
        let enabled = self.registry.plugins_for(&turn.claimed.workspace, &turn.claimed.channel);
        let payloads = turn.events.iter().rev().filter_map(|event| event.event.payload());
        let tapped = payloads.into_iter().find_map(|payload| permission::payload_owner(&enabled, payload));
        for plugin in order::order(&enabled, tapped, turn.claimed.floor.as_deref()) {
            if let Some(outcome) = self.ask(turn, &plugin, now, &mut made).await? {
                self.take(turn, &plugin, outcome, now, &mut made).await?;
                break;
            }
        }
        if made.outcome == "unanswered" {
            unsaid::unanswered(turn, now, &mut made.rows);
        }
        Ok(made)
    }

    /// Asks one plugin; `None` when it passed or its part failed.
    async fn ask(
        &self,
        turn: &OpenTurn,
        plugin: &Arc<EnabledPlugin>,
        now: Timestamp,
        made: &mut Made,
    ) -> Result<Option<PluginOutcome>, DispatchError> {
        let standing = self.standing(plugin, now);
        if let Standing::Resting(line) = standing {
            made.lines.push(*line);
            return Ok(None);
        }
        let prepared = match self.registry.prepared(plugin).await {
            Ok(prepared) => prepared,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, plugin.hash = %plugin.hash, "A plugin cannot run");
                made.lines.push(blame::unasked(plugin, "stopped: not-prepared", "could not be prepared".to_owned()));
                return Ok(None);
            }
        };
        let index = self.vault.index(&turn.claimed.workspace).await?;
        let masker = masked::masker(turn);
        let about = circumstances(turn, plugin, now, &masker);
        let Some(view) = permission::view(plugin, &heard(turn), &about, &index) else {
            return Ok(None);
        };
        // Another host may be trying it at this moment.
        if standing.is_probe() && !self.registry.probe_take(plugin).await? {
            return Ok(None);
        }
        let sources = Sources { db: self.db.clone(), vault: self.vault.clone(), records: self.records.clone() };
        let caller = Caller {
            plugin: Arc::clone(plugin),
            turn: turn.id.clone(),
            conversation: turn.claimed.conversation.clone(),
            contact: turn.contact.id.clone(),
            subject: Some(*turn.contact.key.subject()),
            shown: view.reads,
            masker,
            masked: view.masked,
        };
        let report = prepared.call(&view.event, &view.context, Broker::new(sources, caller), &self.limits).await;
        let mut line = PluginLine {
            plugin: plugin.plugin_id.clone(),
            saw: view.saw,
            outcome: String::new(),
            detail: None,
            micros: u64::try_from(report.wall.as_micros()).unwrap_or(u64::MAX),
            fuel: report.fuel_used,
            host_calls: report.host_calls,
            proposals: Vec::new(),
            logs: report.logs.iter().map(|(level, text)| format!("{level:?}: {text}")).collect(),
        };
        let ledger = report.host.finish();
        made.audit.extend(ledger.audit);
        made.masked.extend(ledger.masked);
        made.calls.extend(standing.counted(plugin, &report.outcome, ledger.has_stumbled));
        let answered = match report.outcome {
            Outcome::Answered(Answer::Done(outcome)) => {
                line.outcome = "done".to_owned();
                made.records = self.records.prepare(ledger.writes).await?;
                Some(outcome)
            }
            Outcome::Answered(Answer::Pass) => {
                line.outcome = "pass".to_owned();
                None
            }
            Outcome::Faulted(fault) => {
                line.outcome = format!("fault: {}", fault.code);
                line.detail = Some(fault.message);
                None
            }
            // Overload and mistakes of ours say nothing of the plugin: the turn is run again.
            Outcome::Stopped(reason) if !reason.is_plugins_fault() => {
                return Err(DispatchError::Unavailable(reason.as_code()));
            }
            Outcome::Stopped(reason) => {
                line.outcome = format!("stopped: {}", reason.as_code());
                line.detail = Some(reason.to_string());
                None
            }
        };
        made.lines.push(line);
        Ok(answered)
    }

    /// Takes over what the plugin that answered wants.
    async fn take(
        &self,
        turn: &OpenTurn,
        plugin: &EnabledPlugin,
        outcome: PluginOutcome,
        now: Timestamp,
        made: &mut Made,
    ) -> Result<(), DispatchError> {
        let index = self.vault.index(&turn.claimed.workspace).await?;
        let granted: Granted = permission::granted(plugin);
        let facts = effects::facts(turn, Mode::Automated, now, granted);
        let known = self.resolver(turn, &outcome, &made.masked).await?;
        let mut rows = effects::perform((turn, plugin), &outcome, &facts, (&index, &known));
        if let Some(line) = made.lines.last_mut() {
            line.proposals = std::mem::take(&mut rows.lines);
        }
        let is_refused = unsaid::refused(turn, &plugin.plugin_id, now, &mut rows);
        made.rows = rows;
        made.outcome = if is_refused { "refused" } else { "answered" };
        made.floor = outcome.hold.then(|| plugin.plugin_key.to_string());
        if outcome.session_json.is_some() || turn.sessions.contains_key(&plugin.plugin_key) {
            made.sessions.push(SessionWrite {
                workspace: turn.claimed.workspace.clone(),
                conversation: turn.claimed.conversation.clone(),
                plugin: plugin.plugin_key.clone(),
                json: outcome.session_json,
                key: Arc::clone(&turn.contact.key),
            });
        }
        Ok(())
    }
}

/// The mode now: one that has run out is over.
fn mode(turn: &OpenTurn, now: Timestamp) -> Mode {
    let is_over = turn.claimed.mode_until.is_some_and(|until| until <= now);
    if is_over { Mode::Automated } else { Mode::parse(&turn.claimed.mode).unwrap_or(Mode::Paused) }
}
