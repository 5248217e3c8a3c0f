//! The hosts that serve this store: each has a row and says every second that it lives. For people to look at, and to know
//! whether anybody is there to hear of work; nothing else is decided by it, because leases say who may work on what.

use std::time::Duration;

use bellhop_domain::id::HostId;
use bellhop_domain::time::Timestamp;
use serde::Serialize;
use sqlx::Row;

use crate::db::{Db, DbError, Engine};

/// A host that was not seen for this long is taken for dead: its leases are over by then (5 s), and another host has what it
/// held.
pub const DEAD_AFTER: Duration = Duration::from_secs(10);

/// How long the row of a host that died stands, so that somebody can see that it did.
const KEPT: Duration = Duration::from_secs(86_400);

/// This process as the others see it. Clones are the same host.
#[derive(Debug, Clone)]
pub struct Host {
    db: Db,
    id: HostId,
    started_at: Timestamp,
}

/// A host as its row tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HostRow {
    /// The host.
    pub id: HostId,
    /// The version of its binary.
    pub version: String,
    /// When it started.
    pub started_at: Timestamp,
    /// When it last said that it lives.
    pub seen_at: Timestamp,
    /// It was seen within [`DEAD_AFTER`].
    pub is_alive: bool,
}

impl Host {
    /// A host that starts now; nothing is written before the first [`Host::beat`].
    pub fn new(db: Db, id: HostId) -> Self {
        let started_at = db.now();
        Self { db, id, started_at }
    }

    /// When it started.
    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// Says that this host lives; makes its row when there is none, or when others took it for dead and swept it.
    ///
    /// # Errors
    /// [`DbError`]: the store cannot be written.
    pub async fn beat(&self) -> Result<(), DbError> {
        let upsert = sqlx::query(
            "insert into host (id, version, started_at, seen_at) values ($1, $2, $3, $4) \
             on conflict (id) do update set seen_at = excluded.seen_at",
        );
        let upsert = upsert.bind(self.id.as_str()).bind(env!("CARGO_PKG_VERSION")).bind(self.started_at.millis());
        self.db.execute(upsert.bind(self.db.now().millis())).await.map(drop)
    }

    /// Looks whether others live, who want to hear of work. Embedded there are none.
    ///
    /// # Errors
    /// [`DbError`]: it stands as it did.
    pub async fn look_around(&self) -> Result<(), DbError> {
        let others = match self.db.engine() {
            Engine::Sqlite => false,
            Engine::Postgres => hosts(&self.db).await?.iter().any(|host| host.is_alive && host.id != self.id),
        };
        self.db.set_company(others);
        Ok(())
    }

    /// Takes the row away: this host ends as it should.
    ///
    /// # Errors
    /// [`DbError`]; the row stays, and looks like that of a host which died.
    pub async fn leave(&self) -> Result<(), DbError> {
        self.db.execute(sqlx::query("delete from host where id = $1").bind(self.id.as_str())).await.map(drop)
    }
}

/// All hosts that are known, in the order in which they started.
///
/// # Errors
/// [`DbError`].
pub async fn hosts(db: &Db) -> Result<Vec<HostRow>, DbError> {
    let now = db.now();
    let rows = db.fetch_all(sqlx::query("select id, version, started_at, seen_at from host order by started_at, id"));
    let read = |row: &sqlx::any::AnyRow| {
        let seen_at = Timestamp::from_millis(row.try_get(3)?);
        Ok(HostRow {
            id: HostId::parse(row.try_get(0)?).map_err(|_| DbError::Unreadable("host.id"))?,
            version: row.try_get(1)?,
            started_at: Timestamp::from_millis(row.try_get(2)?),
            seen_at,
            is_alive: now.since(seen_at) < DEAD_AFTER,
        })
    };
    rows.await?.iter().map(read).collect()
}

/// Removes the rows of hosts that nobody has seen for a day; how many there were.
///
/// # Errors
/// [`DbError`].
pub async fn sweep(db: &Db) -> Result<u64, DbError> {
    let before = db.now() - KEPT;
    db.execute(sqlx::query("delete from host where seen_at < $1").bind(before.millis())).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::fresh;

    #[tokio::test]
    async fn a_host_lives_while_it_says_so_and_is_gone_when_it_leaves() {
        let (_folder, clock, db) = fresh().await;
        let (first, second) = (Host::new(db.clone(), HostId::new()), Host::new(db.clone(), HostId::new()));
        first.beat().await.unwrap();
        second.beat().await.unwrap();
        clock.advance(DEAD_AFTER);
        second.beat().await.unwrap();
        let alive: Vec<bool> = hosts(&db).await.unwrap().iter().map(|host| host.is_alive).collect();
        assert_eq!(alive.iter().filter(|alive| **alive).count(), 1, "one was not seen for too long");
        second.leave().await.unwrap();
        let left = hosts(&db).await.unwrap();
        assert_eq!(left.iter().map(|host| &host.id).collect::<Vec<_>>(), [&first.id]);
        assert_eq!(left[0].version, env!("CARGO_PKG_VERSION"));
    }

    #[tokio::test]
    async fn a_host_that_died_is_shown_for_a_day() {
        let (_folder, clock, db) = fresh().await;
        let host = Host::new(db.clone(), HostId::new());
        host.beat().await.unwrap();
        clock.advance(KEPT);
        assert_eq!(sweep(&db).await.unwrap(), 0);
        clock.advance(Duration::from_millis(1));
        assert_eq!(sweep(&db).await.unwrap(), 1);
        host.beat().await.unwrap();
        let again = hosts(&db).await.unwrap();
        assert!(again[0].is_alive && again[0].started_at == host.started_at(), "whoever comes back is there again");
    }
}
