//! After each step: nothing was sent that should not have been, nothing went backwards, and each attempt stood in the audit log.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use bellhop::db::Db;
use bellhop_simulator::Outcome;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::world::World;

/// A delivery's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Delivery {
    conversation: String,
    pub(super) state: String,
    pub(super) reason: String,
}

impl Delivery {
    /// Nothing more is sent of it by itself.
    fn is_over(&self) -> bool {
        rank(&self.state) > 0 || is_end(&self.state)
    }
}

/// What the last look has shown.
#[derive(Debug, Default)]
pub(super) struct Watch {
    pub(super) deliveries: BTreeMap<String, Delivery>,
    /// Epoch and revision of each conversation.
    conversations: BTreeMap<String, (i64, i64)>,
    /// Events that wait.
    n_open: i64,
    /// Deliveries that were ever held: staff were told of each.
    pub(super) were_held: BTreeSet<String>,
    /// Deliveries that Meta accepted.
    pub(super) accepted: BTreeSet<String>,
    n_sends: usize,
}

impl Watch {
    /// Nothing happens by itself any more.
    pub(super) fn is_settled(&self) -> bool {
        self.n_open == 0 && self.deliveries.values().all(Delivery::is_over)
    }
}

/// How far Meta got with a delivery.
pub(super) fn rank(state: &str) -> usize {
    ["sent", "delivered", "read"].iter().position(|known| *known == state).map_or(0, |place| place + 1)
}

/// Nothing is sent any more unless a person says so.
pub(super) fn is_end(state: &str) -> bool {
    matches!(state, "held" | "dead" | "dropped")
}

impl World {
    /// Looks at the phones, then at the store.
    pub(super) async fn look(&mut self) -> Result<()> {
        let sent = self.look_at_sends().await?;
        let deliveries = deliveries(&self.app.app.stores.db).await?;
        for id in &sent {
            in_order(id, &deliveries)?;
        }
        for (id, now) in &deliveries {
            if let Some(before) = self.watch.deliveries.get(id) {
                may_become(before, now, self.watch.accepted.contains(id)).with_context(|| format!("delivery {id}"))?;
            }
            if now.state == "held" {
                self.watch.were_held.insert(id.clone());
            }
        }
        ensure!(self.watch.deliveries.keys().all(|id| deliveries.contains_key(id)), "a delivery is gone");
        self.watch.deliveries = deliveries;
        self.look_at_conversations().await
    }

    /// What Meta received since the last look: the deliveries.
    async fn look_at_sends(&mut self) -> Result<Vec<String>> {
        let sends = self.app.control.ledger().sends;
        let mut sent = Vec::new();
        if sends.len() == self.watch.n_sends {
            return Ok(sent);
        }
        let attempts = attempts(&self.app.app.stores.db).await?;
        for send in sends.iter().skip(self.watch.n_sends) {
            let (delivery, text) = (send.metadata().context("metadata")?, send.text().context("text")?);
            let who = self.customers.iter().find(|(_, customer)| Some(customer.person_id.as_str()) == send.recipient());
            let (who, _) = who.context("a recipient")?;
            match send.outcome {
                Outcome::Accepted { .. } => {
                    self.model.accepted(*who, send.at_ms, delivery, text)?;
                    self.watch.accepted.insert(delivery.to_owned());
                }
                Outcome::Refused { code: 551, .. } => {
                    self.model.people.entry(*who).or_default().was_unreachable = true;
                }
                Outcome::Refused { .. } | Outcome::Lost | Outcome::Action => {}
            }
            let n_sent = sends.iter().filter(|other| other.metadata() == Some(delivery)).count();
            let n_audited = attempts.get(delivery).copied().unwrap_or(0);
            ensure!(
                n_audited >= n_sent,
                "{n_sent} attempts of {delivery} reached Meta and {n_audited} are in the audit log"
            );
            sent.push(delivery.to_owned());
        }
        self.watch.n_sends = sends.len();
        Ok(sent)
    }

    async fn look_at_conversations(&mut self) -> Result<()> {
        let sql = "select id, epoch, revision from conversation";
        for row in self.app.app.stores.db.fetch_all(sqlx::query(sql)).await? {
            let (id, now): (String, (i64, i64)) = (row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?));
            if let Some(before) = self.watch.conversations.get(&id) {
                ensure!(now.0 >= before.0 && now.1 >= before.1, "epoch and revision were {before:?} and are {now:?}");
            }
            self.watch.conversations.insert(id, now);
        }
        let sql = "select count(*) from inbox_event where state = 'open'";
        let row = self.app.app.stores.db.fetch_optional(sqlx::query(sql)).await?.context("a count")?;
        self.watch.n_open = row.try_get(0)?;
        Ok(())
    }
}

/// What was sent had nothing before it in its conversation that may still go: order is kept by waiting.
fn in_order(sent: &str, deliveries: &BTreeMap<String, Delivery>) -> Result<()> {
    let conversation = &deliveries.get(sent).context("a delivery for what was sent")?.conversation;
    for (id, earlier) in deliveries.range(..sent.to_owned()) {
        ensure!(
            earlier.is_over() || earlier.conversation != *conversation,
            "{sent} was sent while {id} was {}",
            earlier.state
        );
    }
    Ok(())
}

/// Whether a delivery may change so, by itself and in one step.
fn may_become(before: &Delivery, now: &Delivery, is_accepted: bool) -> Result<()> {
    let (from, to) = (before.state.as_str(), now.state.as_str());
    ensure!(rank(to) >= rank(from), "it was {from} and is {to}");
    if from == to {
        return Ok(());
    }
    if rank(to) > 0 {
        ensure!(is_accepted, "it was {from} and is {to}, and Meta never accepted it");
        ensure!(from != "dead", "it was dead and is {to}");
        return Ok(());
    }
    ensure!(!is_end(from), "it was {from} ({}) and is {to} by itself", before.reason);
    ensure!(to != "staged", "it was {from} and is {to}");
    // Whoever concludes that Meta does not have it, and sends again, must be right.
    ensure!(
        !is_accepted || matches!(to, "sending" | "unknown" | "held"),
        "Meta accepted it; it was {from} and is {to}"
    );
    Ok(())
}

async fn deliveries(db: &Db) -> Result<BTreeMap<String, Delivery>> {
    let sql = "select id, conversation_id, state, coalesce(reason, '') from delivery";
    let rows = db.fetch_all(sqlx::query(sql)).await?;
    let read = |row: &AnyRow| {
        let delivery = Delivery { conversation: row.try_get(1)?, state: row.try_get(2)?, reason: row.try_get(3)? };
        Ok((row.try_get(0)?, delivery))
    };
    rows.iter().map(read).collect()
}

/// Attempts in the audit log, by delivery.
async fn attempts(db: &Db) -> Result<BTreeMap<String, usize>> {
    let sql = "select ref, count(*) from audit where kind = 'message' and code = 'attempt' group by ref";
    let rows = db.fetch_all(sqlx::query(sql)).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, usize::try_from(row.try_get::<i64, _>(1)?)?))).collect()
}
