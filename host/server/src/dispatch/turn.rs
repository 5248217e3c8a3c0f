//! One turn: plugins are asked in order until one answers; everything that follows from it is gathered for the commit.

use std::sync::Arc;

use bellhop_domain::effect::{Answer, Outcome as PluginOutcome};
use bellhop_domain::event::ContactEvent;
use bellhop_domain::host_call::Author;
use bellhop_domain::mask::Value;
use bellhop_domain::policy::{self, Granted, Mode};
use bellhop_domain::time::Timestamp;
use bellhop_domain::words::{self, Signal};
use bellhop_sandbox::Outcome;

use crate::audit;
use crate::broker::{Broker, Caller, Sources};
use crate::conversation::{self, Body, NewContact, NewMessage, SessionWrite, Suppression};
use crate::directory::ChannelState;
use crate::dispatch::commit::TurnCommit;
use crate::dispatch::effects::{self, Rows};
use crate::dispatch::open::OpenTurn;
use crate::dispatch::{Dispatch, DispatchError, HUMAN_MODE_LASTS, masked, order, unsaid};
use crate::inbox::{self, Finish, SettledEvent};
use crate::permission::{self, Circumstances, Heard, HeardAttachment, Masker};
use crate::record::PreparedWrite;
use crate::registry::EnabledPlugin;
use crate::trace::{EventLine, NewTurn, Outline, PluginLine};

/// What plugins made of a turn.
#[derive(Default)]
struct Made {
    rows: Rows,
    lines: Vec<PluginLine>,
    sessions: Vec<SessionWrite>,
    records: Vec<PreparedWrite>,
    audit: Vec<audit::Entry>,
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
        let prepared = match self.registry.prepared(plugin).await {
            Ok(prepared) => prepared,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, plugin.hash = %plugin.hash, "A plugin cannot run");
                made.lines.push(failed_line(plugin, "could not be prepared"));
                return Ok(None);
            }
        };
        let index = self.vault.index(&turn.claimed.workspace).await?;
        let masker = masked::masker(turn);
        let about = circumstances(turn, plugin, now, &masker);
        let Some(view) = permission::view(plugin, &heard(turn), &about, &index) else {
            return Ok(None);
        };
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

fn heard(turn: &OpenTurn) -> Vec<Heard> {
    let heard = turn.events.iter().map(|event| Heard {
        id: event.message.clone(),
        at: event.at,
        text: event.event.text().map(str::to_owned),
        payload: event.event.payload().map(str::to_owned),
        attachments: attachment_kinds(&event.event).map(|kind| HeardAttachment { kind }).collect(),
        reply_to: None,
        late: event.is_late,
    });
    heard.collect()
}

fn attachment_kinds(event: &ContactEvent) -> impl Iterator<Item = String> {
    let attachments = match event {
        ContactEvent::Message(message) => message.attachments.as_slice(),
        ContactEvent::Postback(_) | ContactEvent::Comment(_) => &[],
    };
    attachments.iter().map(|attachment| attachment.kind.clone())
}

fn circumstances<'a>(
    turn: &'a OpenTurn,
    plugin: &EnabledPlugin,
    now: Timestamp,
    masker: &'a Masker,
) -> Circumstances<'a> {
    let last = effects::last_contact_event_at(turn);
    Circumstances {
        turn: &turn.id,
        now,
        seed: seed(turn),
        channel_kind: turn.channel.kind,
        contact: &turn.contact.id,
        locale: turn.contact.profile.locale.as_deref().unwrap_or(&turn.channel.locale),
        time_zone: &turn.workspace.time_zone,
        reply_window_closes: last.and_then(|last| policy::reply_window_closes(turn.channel.kind, last)),
        session_json: turn.sessions.get(&plugin.plugin_key).cloned(),
        holds_floor: turn.claimed.floor.as_deref() == Some(plugin.plugin_key.as_str()),
        dry_run: false,
        masker,
    }
}

/// Chance for this attempt: the random part of the turn's id.
fn seed(turn: &OpenTurn) -> u64 {
    let digits = turn.id.as_str().bytes().rev().filter(u8::is_ascii_hexdigit).take(12);
    digits.fold(0, |seed, digit| (seed << 4) | u64::from(char::from(digit).to_digit(16).unwrap_or(0)))
}

fn failed_line(plugin: &EnabledPlugin, detail: &str) -> PluginLine {
    PluginLine {
        plugin: plugin.plugin_id.clone(),
        saw: Vec::new(),
        outcome: "stopped: not-prepared".to_owned(),
        detail: Some(detail.to_owned()),
        micros: 0,
        fuel: 0,
        host_calls: 0,
        proposals: Vec::new(),
        logs: Vec::new(),
    }
}

/// The mode now: one that has run out is over.
fn mode(turn: &OpenTurn, now: Timestamp) -> Mode {
    let is_over = turn.claimed.mode_until.is_some_and(|until| until <= now);
    if is_over { Mode::Automated } else { Mode::parse(&turn.claimed.mode).unwrap_or(Mode::Paused) }
}

fn inbound_messages(turn: &OpenTurn) -> Vec<NewMessage> {
    let events = turn.events.iter().map(|event| {
        let attachments = attachment_kinds(&event.event).collect();
        NewMessage {
            workspace: turn.claimed.workspace.clone(),
            id: event.message.clone(),
            conversation: turn.claimed.conversation.clone(),
            at: event.at,
            author: Author::Contact,
            author_ref: None,
            mid: event.mid,
            body: Body { text: event.event.text().unwrap_or_default().to_owned(), choices: Vec::new(), attachments },
            key: Arc::clone(&turn.contact.key),
        }
    });
    events.collect()
}

fn outline(turn: &OpenTurn, plugins: Vec<PluginLine>) -> Outline {
    let events = turn.events.iter().map(|event| EventLine {
        kind: event.kind.as_str().to_owned(),
        at: event.at,
        received_at: event.received_at,
        message: Some(event.message.to_string()),
    });
    Outline { events: events.collect(), plugins, claimed_at: turn.opened_at }
}

fn settled(turn: &OpenTurn) -> Vec<SettledEvent> {
    let workspace = &turn.claimed.workspace;
    let done = turn.events.iter().map(|event| SettledEvent {
        workspace: workspace.clone(),
        id: event.id.clone(),
        turn: Some(turn.id.clone()),
        state: "done",
        reason: None,
    });
    let parked = turn.parked.iter().map(|id| SettledEvent {
        workspace: workspace.clone(),
        id: id.clone(),
        turn: Some(turn.id.clone()),
        state: "parked",
        reason: Some("unreadable"),
    });
    done.chain(parked).collect()
}

fn commit(turn: &OpenTurn, mode: Mode, mut made: Made) -> TurnCommit {
    let mut messages = inbound_messages(turn);
    messages.append(&mut made.rows.messages);
    // A clock ahead of ours must not make everything after it late.
    let newest_answered = turn.events.iter().map(|event| event.at.min(turn.opened_at)).max();
    let keeps_mode = mode != Mode::Automated;
    let (mode, mode_until) = match (made.rows.hands_off, keeps_mode) {
        (true, _) => (Mode::Human, Some(turn.opened_at + HUMAN_MODE_LASTS)),
        (false, true) => (mode, turn.claimed.mode_until),
        (false, false) => (Mode::Automated, None),
    };
    TurnCommit {
        finish: Finish {
            contact: turn.contact.id.clone(),
            mode: mode.as_str().to_owned(),
            mode_until,
            floor: made.floor,
            last_contact_event_at: effects::last_contact_event_at(turn),
            last_answered_at: newest_answered.max(turn.claimed.last_answered_at),
            took_all: turn.took_all,
            claimed: turn.claimed.clone(),
        },
        events: settled(turn),
        contact: turn.is_new_contact.then(|| NewContact { contact: turn.contact.clone() }),
        messages,
        sessions: made.sessions,
        tasks: made.rows.tasks,
        marks: made.rows.marks,
        masked: masked::kept(turn, made.masked),
        deliveries: made.rows.deliveries,
        unsuppress: None,
        records: made.records,
        audit: made.audit,
        turn: NewTurn {
            workspace: turn.claimed.workspace.clone(),
            id: turn.id.clone(),
            conversation: turn.claimed.conversation.clone(),
            outcome: made.outcome,
            started_at: turn.opened_at,
            outline: outline(turn, made.lines),
            key: Arc::clone(&turn.contact.key),
        },
    }
}
