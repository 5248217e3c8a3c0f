//! The connection over which a host tells its signals and hears those of others. PostgreSQL only, one for each host. It may fail
//! and come back: meanwhile the poll finds the work.

use std::collections::BTreeSet;
use std::time::Duration;

use sqlx::postgres::PgListener;
use sqlx::{AssertSqlSafe, Executor};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::signal::{CHANNEL, notify};
use super::{Db, DbError, Engine, Signal};

/// The least time between two transactions that tell something: what comes in between goes with the next.
const TELL_EVERY: Duration = Duration::from_millis(50);

/// How long a connection waits that could not be had, or broke.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// A connection that says nothing for this long is asked whether it still stands, and how long it may take to answer.
const PING_AFTER: Duration = Duration::from_secs(30);
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

impl Db {
    /// Tells the hosts of this store what is signalled here, and hears what they signal, until `stop`. On SQLite there are no
    /// others, and nothing happens. `url` is what the store was opened with.
    ///
    /// After each time without a connection everything is heard once: something may have been missed.
    pub async fn exchange_signals(self, url: String, hear: impl Fn(Signal), stop: CancellationToken) {
        if self.engine == Engine::Sqlite {
            return;
        }
        let mut is_told = false;
        while !stop.is_cancelled() {
            let broken = tokio::select! {
                () = stop.cancelled() => return,
                broken = self.exchange(&url, &hear) => broken,
            };
            // Once for an outage; the poll carries on, so nobody has to act.
            if let Err(error) = &broken
                && !std::mem::replace(&mut is_told, true)
            {
                warn!(error = error as &dyn std::error::Error, "Other hosts cannot be heard at once; trying again");
            }
            is_told &= broken.is_err();
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(AGAIN_AFTER) => {}
            }
        }
    }

    /// One connection, up to its end. An error when there never was one.
    async fn exchange(&self, url: &str, hear: &impl Fn(Signal)) -> Result<(), DbError> {
        let line = Line::open(url).await.map_err(DbError::Open)?;
        Signal::NOW.into_iter().for_each(hear);
        if let Err(error) = self.exchange_over(line, hear).await {
            debug!(error = &error as &dyn std::error::Error, "The connection to other hosts broke");
        }
        Ok(())
    }

    async fn exchange_over(&self, mut line: Line, hear: &impl Fn(Signal)) -> sqlx::Result<()> {
        loop {
            tokio::select! {
                heard = line.hear() => {
                    if let Some(signal) = heard? {
                        metrics::counter!("bellhop_signals_total", "direction" => "heard").increment(1);
                        hear(signal);
                    }
                }
                told = self.outgoing.next() => {
                    metrics::counter!("bellhop_signals_total", "direction" => "told").increment(told.len() as u64);
                    line.tell(&told).await?;
                    sleep(TELL_EVERY).await;
                }
                () = sleep(PING_AFTER) => line.tell(&BTreeSet::new()).await?,
            }
        }
    }
}

/// A connection that listens.
struct Line {
    listener: PgListener,
    /// The server's process behind it: what this host told comes back as well.
    own: i32,
}

impl Line {
    async fn open(url: &str) -> sqlx::Result<Self> {
        let mut listener = PgListener::connect(url).await?;
        // A broken one is replaced, and everything looked for.
        listener.eager_reconnect(false);
        let own = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut listener).await?;
        listener.execute("set synchronous_commit = off").await?;
        listener.listen(CHANNEL).await?;
        Ok(Self { listener, own })
    }

    /// Waits for others' signals.
    ///
    /// # Cancel safety
    /// May be dropped and called again.
    async fn hear(&mut self) -> sqlx::Result<Option<Signal>> {
        let heard = self.listener.try_recv().await?.ok_or(sqlx::Error::PoolClosed)?;
        let is_own = i32::try_from(heard.process_id()) == Ok(self.own);
        Ok(if is_own { None } else { Signal::parse(heard.payload()) })
    }

    /// One transaction; an empty one shows that the connection stands.
    async fn tell(&mut self, signals: &BTreeSet<Signal>) -> sqlx::Result<()> {
        let statements = AssertSqlSafe(notify(signals));
        let told = timeout(ANSWER_WITHIN, self.listener.execute(sqlx::raw_sql(statements))).await;
        told.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::fresh;

    #[tokio::test]
    async fn an_embedded_store_has_nobody_to_listen_to() {
        let (_folder, _clock, db) = fresh().await;
        let deaf = |_| unreachable!("nobody is there");
        db.exchange_signals("nowhere".to_owned(), deaf, CancellationToken::new()).await;
    }
}
