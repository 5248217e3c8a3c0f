//! The one place that reads the machine's clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bellhop_domain::time::Timestamp;

/// The time of the database; in tests, a time that only the test moves. Clones share it.
#[derive(Debug, Clone)]
pub struct Clock(Arc<Source>);

#[derive(Debug)]
enum Source {
    /// The machine's clock plus what the database server's is ahead.
    Machine {
        server_offset_millis: AtomicI64,
    },
    Manual(AtomicI64),
}

impl Clock {
    /// The machine's clock.
    pub fn machine() -> Self {
        Self(Arc::new(Source::Machine { server_offset_millis: AtomicI64::new(0) }))
    }

    /// A clock that stands still until [`Clock::advance`] moves it.
    pub fn manual(start: Timestamp) -> Self {
        Self(Arc::new(Source::Manual(AtomicI64::new(start.millis()))))
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(match &*self.0 {
            Source::Machine { server_offset_millis } => machine_millis() + server_offset_millis.load(Ordering::Relaxed),
            Source::Manual(millis) => millis.load(Ordering::Relaxed),
        })
    }

    /// Moves a manual clock; a machine's clock stays as it is.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(millis) = &*self.0 {
            millis.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::Relaxed);
        }
    }

    /// True for a clock that a test moves.
    pub fn is_manual(&self) -> bool {
        matches!(&*self.0, Source::Manual(_))
    }

    pub(super) fn local_millis(&self) -> i64 {
        machine_millis()
    }

    /// What the database server's clock is ahead of this machine's, in milliseconds; 0 on SQLite.
    pub fn server_offset_millis(&self) -> i64 {
        match &*self.0 {
            Source::Machine { server_offset_millis } => server_offset_millis.load(Ordering::Relaxed),
            Source::Manual(_) => 0,
        }
    }

    pub(super) fn set_server_offset(&self, millis: i64) {
        if let Source::Machine { server_offset_millis } = &*self.0 {
            server_offset_millis.store(millis, Ordering::Relaxed);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the clock that everyone else is told to use")]
fn machine_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
