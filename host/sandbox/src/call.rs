//! One call: a fresh store, the limits, the plugin, and a report of how it ended. Nothing of a plugin survives its call, and
//! nothing that a plugin does ends the process.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use bellhop_domain::effect::Answer;
use bellhop_domain::host_call::LogLevel;
use bellhop_domain::plugin::{Context, Fault, PluginEvent};
use futures_util::FutureExt;
use tokio::time;
use wasmtime::{Store, Trap, UpdateDeadline};

use crate::answer;
use crate::bindings::PluginPre;
use crate::convert;
use crate::granted::State;
use crate::host::HostCalls;
use crate::limits::{self, Limits};
use crate::meter::Meter;
use crate::stop::{self, StopReason};

/// Live handles of a component. The contract has none; adapters between languages use a few.
const HANDLES_MAX: usize = 256;

/// A plugin, compiled and linked for one grant. Calls share nothing but code.
pub struct Prepared {
    pre: PluginPre<State>,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The plugin answered; what it proposes is within the caps and not yet judged.
    Answered(Answer),
    /// The plugin said that its part failed. Its texts are shortened.
    Faulted(Fault),
    /// The host ended the call.
    Stopped(StopReason),
}

/// What a call did and used.
#[derive(Debug)]
pub struct CallReport<H> {
    /// How it ended.
    pub outcome: Outcome,
    /// The host as the call left it: what it read and what it was asked to write.
    pub host: H,
    /// Units of computation.
    pub fuel_used: u64,
    /// Linear memory at its highest, all memories together.
    pub peak_memory_bytes: usize,
    /// Calls of imports, log lines excepted.
    pub host_calls: u32,
    /// From start to end, waiting included.
    pub wall: Duration,
    /// What the plugin logged, oldest first.
    pub logs: Vec<(LogLevel, String)>,
    /// Lines that found no room.
    pub logs_dropped: u32,
}

impl Prepared {
    pub(crate) fn new(pre: PluginPre<State>) -> Self {
        Self { pre }
    }

    /// Calls the plugin once, in a fresh instance, and gives the host back with the report. Never fails: every way to end
    /// is an [`Outcome`]. Needs a tokio runtime with its timer.
    ///
    /// # Cancel safety
    /// Dropping the future ends the call at its current await and drops the host with it.
    pub async fn call<H: HostCalls>(
        &self,
        event: &PluginEvent,
        context: &Context,
        host: H,
        limits: &Limits,
    ) -> CallReport<H> {
        let started = Instant::now();
        let mut store = Box::new(self.store(Box::new(host), limits, started));
        // Inside `catch_unwind` the plugin's future is not only polled but dropped: a timeout drops it half-way.
        let outcome = AssertUnwindSafe(self.within(&mut store, event, context, limits)).catch_unwind().await;
        let outcome = match outcome {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(reason)) => Outcome::Stopped(reason),
            Err(_) => Outcome::Stopped(StopReason::HostPanic),
        };
        let fuel_used = limits.fuel.saturating_sub(store.get_fuel().unwrap_or(0));
        let State { host, meter } = store.into_data();
        CallReport {
            outcome,
            host: recover(host),
            fuel_used,
            peak_memory_bytes: meter.memory_bytes(),
            host_calls: meter.host_calls,
            wall: started.elapsed(),
            logs: meter.logs,
            logs_dropped: meter.logs_dropped,
        }
    }

    fn store(&self, host: Box<dyn HostCalls>, limits: &Limits, started: Instant) -> Store<State> {
        let mut store = Store::new(self.pre.engine(), State { host, meter: Meter::new(limits) });
        store.limiter(|state| &mut state.meter);
        store.set_hostcall_fuel(limits::CROSSING_BYTES_MAX);
        store.set_max_component_handles(HANDLES_MAX);
        store.set_epoch_deadline(1);
        let wall = limits.wall;
        store.epoch_deadline_callback(move |_| {
            if started.elapsed() >= wall {
                return Err(wall_time(wall).into());
            }
            Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
        });
        store
    }

    async fn within(
        &self,
        store: &mut Store<State>,
        event: &PluginEvent,
        context: &Context,
        limits: &Limits,
    ) -> Result<Outcome, StopReason> {
        match time::timeout(limits.wall, self.run(store, event, context, limits)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(wall_time(limits.wall)),
        }
    }

    async fn run(
        &self,
        store: &mut Store<State>,
        event: &PluginEvent,
        context: &Context,
        limits: &Limits,
    ) -> Result<Outcome, StopReason> {
        let fuel = limits.fuel;
        let stopped = |error| stop::classify(&error, fuel, limits::CROSSING_BYTES_MAX);
        store.set_fuel(fuel).map_err(stopped)?;
        let plugin = self.pre.instantiate_async(&mut *store).await.map_err(|error| not_started(&error, fuel))?;
        let files = convert::attachments(event);
        let messages = convert::messages(event, &files);
        let facts = convert::facts(context);
        let (event, context) = (convert::event(event, &messages), convert::context(context, &facts));
        let answer = plugin.bellhop_plugin_handler().call_handle(&mut *store, event, context).await.map_err(stopped)?;
        match answer {
            Ok(answer) => {
                let (answer, bytes) = answer::read(answer, limits)?;
                store.data_mut().meter.take_out(bytes)?;
                Ok(Outcome::Answered(answer))
            }
            Err(fault) => Ok(Outcome::Faulted(answer::read_fault(fault))),
        }
    }
}

/// An instance that could not be made, and not because of a limit or of what the plugin did at its start, is ours to answer
/// for.
fn not_started(error: &wasmtime::Error, fuel: u64) -> StopReason {
    match stop::classify(error, fuel, limits::CROSSING_BYTES_MAX) {
        StopReason::Trap { .. } if error.downcast_ref::<Trap>().is_none() => {
            tracing::error!(error = %error.root_cause(), "A plugin could not be started");
            StopReason::Unavailable
        }
        reason => reason,
    }
}

fn wall_time(wall: Duration) -> StopReason {
    StopReason::WallTime { millis: u64::try_from(wall.as_millis()).unwrap_or(u64::MAX) }
}

#[expect(clippy::expect_used, reason = "the box was made from an `H` at the start of the same call")]
fn recover<H: HostCalls>(host: Box<dyn HostCalls>) -> H {
    let host: Box<dyn Any> = host;
    *host.downcast().expect("a call gives back the host that it was given")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_before_the_plugin_runs_is_not_its_fault() {
        let ours = not_started(&wasmtime::Error::msg("no memory left"), 1);
        assert_eq!((ours.as_code(), ours.is_plugins_fault()), ("unavailable", false));
        let theirs = not_started(&Trap::UnreachableCodeReached.into(), 1);
        assert_eq!((theirs.as_code(), theirs.is_plugins_fault()), ("trap", true));
    }
}
