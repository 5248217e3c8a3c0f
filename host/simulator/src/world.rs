//! What all parts of one simulator share: the clock, the state behind its lock, the wake-ups, the tasks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::error::ControlError;
use crate::state::{Ledger, Message, State, Status};

/// Happenings a slow phone may lag behind before it is told to look again from the start.
const HAPPENINGS_MAX: usize = 1_024;

/// How the simulator behaves unless it is told otherwise.
#[derive(Debug, Clone)]
pub(crate) struct Habits {
    /// Send `message_echoes` for every message of a Page.
    pub(crate) echoes: bool,
    /// Send `message_deliveries` for every message of a Page.
    pub(crate) deliveries: bool,
    /// Send `message_reads` for every message of a Page, as if the person looked at once.
    pub(crate) reads: bool,
}

/// Something a phone shows at once.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Happening {
    /// A message came or was sent.
    Message { page: String, person: String, message: Message },
    /// The Page types, or stopped.
    Typing { page: String, person: String, on: bool },
    /// Messages up to `until_ms` of `author` got further.
    Progress { page: String, person: String, message: Option<String>, status: Status },
    /// A reaction changed.
    Reaction { page: String, person: String, message: String, emoji: Option<String> },
    /// Somebody new.
    Person { page: String, person: String },
}

impl Happening {
    /// The Page it is about.
    pub(crate) fn page(&self) -> &str {
        match self {
            Self::Message { page, .. }
            | Self::Typing { page, .. }
            | Self::Progress { page, .. }
            | Self::Reaction { page, .. }
            | Self::Person { page, .. } => page,
        }
    }
}

/// The shared heart of a simulator.
pub(crate) struct World {
    pub(crate) clock: Clock,
    state: Mutex<State>,
    pub(crate) habits: Mutex<Habits>,
    /// Rung after every change of the state that someone may wait for.
    pub(crate) changed: Notify,
    pub(crate) happenings: broadcast::Sender<Happening>,
    pub(crate) client: reqwest::Client,
    /// Waits before the second and later attempts of a webhook.
    pub(crate) webhook_retries: Vec<Duration>,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
}

impl World {
    pub(crate) fn new(
        clock: Clock,
        habits: Habits,
        client: reqwest::Client,
        webhook_retries: Vec<Duration>,
    ) -> Arc<Self> {
        let state = Mutex::new(State::new(clock.now_ms()));
        Arc::new(Self {
            clock,
            state,
            habits: Mutex::new(habits),
            changed: Notify::new(),
            happenings: broadcast::Sender::new(HAPPENINGS_MAX),
            client,
            webhook_retries,
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        })
    }

    /// The state. A panic elsewhere does not poison it: every change is a few plain assignments.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn habits(&self) -> Habits {
        self.habits.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells the phones; nobody listening is fine.
    pub(crate) fn announce(&self, happening: Happening) {
        let _nobody_may_listen = self.happenings.send(happening);
    }

    /// Waits until `condition` holds for the books, looking after every change.
    ///
    /// # Errors
    /// [`ControlError::TimedOut`] when `timeout` of real time passed first.
    pub(crate) async fn wait_until(
        &self,
        timeout: Duration,
        mut condition: impl FnMut(&Ledger) -> bool + Send,
    ) -> Result<(), ControlError> {
        self.wait_until_state(timeout, |state| condition(&state.ledger)).await
    }

    /// The same for the whole state.
    pub(crate) async fn wait_until_state(
        &self,
        timeout: Duration,
        mut condition: impl FnMut(&State) -> bool + Send,
    ) -> Result<(), ControlError> {
        let wait = async {
            loop {
                // Registered before the look, so that a change in between still wakes.
                let mut changed = std::pin::pin!(self.changed.notified());
                changed.as_mut().enable();
                if condition(&self.lock()) {
                    return;
                }
                changed.await;
            }
        };
        tokio::time::timeout(timeout, wait).await.map_err(|_elapsed| {
            let state = self.lock();
            ControlError::TimedOut {
                n_accepted: state.ledger.n_accepted,
                n_sends: state.ledger.n_sends,
                n_webhooks: state.ledger.n_webhooks,
                n_settled: state.ledger.n_settled,
            }
        })
    }
}
