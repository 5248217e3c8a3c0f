//! At the end of a case: every event has its end and stands in one turn, every answer is on the phone once or is missing for a
//! reason that the case explains, and staff were told what they must know.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result, bail, ensure};
use bellhop::api::{TurnView, turns_view};
use bellhop::{conversation, inbox};
use sqlx::Row;

use super::expect::{Person, is_known};
use super::step::{DAY, Who};
use super::watch::{Delivery, rank};
use super::world::{FALLBACK, World};
use crate::support::Business;

/// More turns than any case has.
const ALL_TURNS: u32 = 1_000;

impl World {
    /// Judges how the case ended.
    pub(super) async fn judge(&self) -> Result<()> {
        self.judge_events().await?;
        let whose = self.conversations().await?;
        let nobody = Person::default();
        for business in [&self.app.business, &self.bistro] {
            let turns = turns_view(&self.app.app.api(), &business.workspace, ALL_TURNS).await;
            let turns = turns.map_err(|error| anyhow::anyhow!(error))?;
            for turn in &turns {
                let who = whose.get(turn.turn.conversation.as_str()).context("a conversation of somebody")?;
                let person = self.model.people.get(who).unwrap_or(&nobody);
                let told = || format!("{who:?}'s turn of {:?}, {}", texts(turn), turn.turn.outcome);
                self.judge_turn(turn, person).with_context(told)?;
            }
            self.judge_texts(business, &turns)?;
            self.judge_tasks(business, &turns).await?;
        }
        Ok(())
    }

    /// Each event that was answered 200 stands there once and has ended.
    async fn judge_events(&self) -> Result<()> {
        let sql = "select kind, lane, state, coalesce(reason, ''), case when turn_id is null then 0 else 1 end from inbox_event";
        let rows = self.app.app.stores.db.fetch_all(sqlx::query(sql)).await?;
        let mut n_kept: HashMap<String, i64> = HashMap::new();
        for row in &rows {
            let (kind, lane, state, reason): (String, String, String, String) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
            // Nothing in a case gives cause to park or refuse anything.
            ensure!(state == "done", "a {kind} ended as {state} ({reason})");
            ensure!(
                (lane == "contact") == (row.try_get::<i64, _>(4)? == 1),
                "a {kind} of the {lane} lane and its turn"
            );
            *n_kept.entry(kind).or_default() += 1;
        }
        for (kind, n_stored) in &self.model.n_stored {
            let n_kept = n_kept.remove(*kind).unwrap_or(0);
            ensure!(n_kept == *n_stored, "{n_stored} of {kind} were answered 200 and {n_kept} stand there");
        }
        ensure!(n_kept.is_empty(), "nobody sent {n_kept:?}");
        ensure!(self.app.count("dedupe").await == i64::try_from(rows.len())?, "one key for each event");
        ensure!(self.app.count("quarantine").await == 0, "every body can be cut");
        Ok(())
    }

    /// Whose conversation is whose.
    async fn conversations(&self) -> Result<HashMap<String, Who>> {
        let stores = &self.app.app.stores;
        let mut threads = HashMap::new();
        for (who, customer) in &self.customers {
            let business = if *who == Who::Eve { &self.bistro } else { &self.app.business };
            let index = stores.vault.index(&business.workspace).await?;
            threads.insert(inbox::thread_key(&index, &business.channel, &customer.person_id).to_vec(), *who);
        }
        let rows = stores.db.fetch_all(sqlx::query("select id, thread from conversation")).await?;
        let whose = rows.iter().map(|row| {
            let who = threads.get(&row.try_get::<Vec<u8>, _>(1)?).context("a thread of a customer")?;
            Ok((row.try_get(0)?, *who))
        });
        whose.collect()
    }

    /// A turn answers what it took, in order, or there is a reason for its silence.
    fn judge_turn(&self, turn: &TurnView, person: &Person) -> Result<()> {
        let outline = turn.turn.outline.as_ref().context("an outline")?;
        ensure!(outline.events.is_sorted_by_key(|event| event.at), "events in the order in which they happened");
        let took = texts(turn);
        let known: Vec<&str> = took.iter().copied().filter(|text| is_known(text)).collect();
        let said: Vec<&str> = turn.deliveries.iter().filter_map(|delivery| delivery.text.as_deref()).collect();
        match turn.turn.outcome.as_str() {
            "answered" if said.is_empty() => {
                let proposals = outline.plugins.iter().flat_map(|plugin| &plugin.proposals);
                ensure!(proposals.clone().count() == known.len(), "the plugin proposed an answer to each");
                ensure!(
                    proposals.into_iter().all(|proposal| proposal.verdict.starts_with("deny")),
                    "policy denied each"
                );
                ensure!(person.was_stopped() || person.was_unreachable, "policy had a reason");
            }
            "answered" => ensure!(said == known, "{said:?} answers {known:?}"),
            "unanswered" => {
                ensure!(known.is_empty(), "the plugin knows {known:?}");
                ensure!(said.is_empty() || said == [FALLBACK], "{said:?} where nobody answers");
                let has_reason = person.was_stopped() || person.was_unreachable || self.window_may_be_closed();
                ensure!(!said.is_empty() || has_reason, "the fallback was left out");
            }
            "silent" => ensure!(person.was_human() && said.is_empty(), "silence is for colleagues"),
            "refused" => ensure!(self.window_may_be_closed() && said.is_empty(), "only the window gives cause"),
            other => bail!("an outcome that nothing in a case gives cause for: {other}"),
        }
        for delivery in &turn.deliveries {
            let id = delivery.delivery.id.as_str();
            let row = self.watch.deliveries.get(id).context("a delivery")?;
            self.judge_delivery(id, row, person).with_context(|| format!("{row:?}"))?;
        }
        Ok(())
    }

    /// What the store says of a delivery is what became of it.
    fn judge_delivery(&self, id: &str, Delivery { state, reason, .. }: &Delivery, person: &Person) -> Result<()> {
        let (is_accepted, is_echoed) = (self.watch.accepted.contains(id), self.model.echoed.contains(id));
        if is_accepted {
            ensure!(rank(state) > 0 || state == "held", "Meta accepted it");
            ensure!(rank(state) > 0 || !is_echoed, "its echo came back");
            ensure!(state != "read" || person.receipts.contains("read"), "nobody said that it was read");
            ensure!(rank(state) < 2 || !person.receipts.is_empty(), "nobody said that it arrived");
            return Ok(());
        }
        let has_cause = match (state.as_str(), reason.as_str()) {
            ("dropped", "human-mode") => person.was_human(),
            ("dropped", "opted-out") => person.was_stopped() || person.was_unreachable,
            ("dropped", "window-closed") | ("dead", "window-closed:10-2018278") => self.window_may_be_closed(),
            ("dead", "suppress:551") => person.was_unreachable,
            ("dead", "fix:100") | ("held", "unknown") => true,
            _ => false,
        };
        ensure!(has_cause, "nothing in this case gives cause for it");
        Ok(())
    }

    fn window_may_be_closed(&self) -> bool {
        self.model.waited >= DAY
    }

    /// Everything that was said to a business and waits for a turn had one turn.
    fn judge_texts(&self, business: &Business, turns: &[TurnView]) -> Result<()> {
        let theirs = self.model.people.iter().filter(|(who, _)| self.customers[who].page_id == business.page_id);
        let stored = sorted(theirs.flat_map(|(_, person)| &person.for_turns).map(String::as_str));
        let taken = sorted(turns.iter().flat_map(texts));
        ensure!(stored == taken, "{stored:?} were stored and {taken:?} had a turn");
        Ok(())
    }

    /// Staff know whom nobody answered, who wants a person, and what did not arrive.
    async fn judge_tasks(&self, business: &Business, turns: &[TurnView]) -> Result<()> {
        let stores = &self.app.app.stores;
        let mut open: BTreeMap<String, i64> = BTreeMap::new();
        for task in conversation::tasks_open(&stores.db, &stores.vault, &business.workspace).await? {
            *open.entry(task.kind).or_default() += 1;
        }
        let with_outcome = |outcome: &str| turns.iter().filter(|turn| turn.turn.outcome == outcome).count();
        let theirs = self.model.people.iter().filter(|(who, _)| self.customers[who].page_id == business.page_id);
        let n_requests = theirs.map(|(_, person)| person.n_requests).sum();
        // A task closes when it turns out that its message arrived.
        let did_not_arrive = |id: &str| {
            let Delivery { state, reason, .. } = &self.watch.deliveries[id];
            match state.as_str() {
                "sent" | "delivered" | "read" => false,
                "dead" => !reason.starts_with("suppress"),
                _ => self.watch.were_held.contains(id),
            }
        };
        let deliveries = turns.iter().flat_map(|turn| &turn.deliveries);
        let n_undelivered = deliveries.filter(|delivery| did_not_arrive(delivery.delivery.id.as_str())).count();
        let due = [
            ("unanswered", i64::try_from(with_outcome("unanswered"))?),
            ("refused", i64::try_from(with_outcome("refused"))?),
            ("human-request", n_requests),
            ("undelivered", i64::try_from(n_undelivered)?),
        ];
        for (kind, n_due) in due {
            let n_open = open.remove(kind).unwrap_or(0);
            ensure!(n_open == n_due, "{n_due} tasks of {kind} are due and {n_open} are there");
        }
        ensure!(open.is_empty(), "nothing in a case gives cause for {open:?}");
        Ok(())
    }
}

/// What the contact wrote in a turn, in order.
fn texts(turn: &TurnView) -> Vec<&str> {
    let events = turn.turn.outline.iter().flat_map(|outline| &outline.events);
    events.filter_map(|event| Some(turn.said.get(event.message.as_ref()?)?.as_str())).collect()
}

fn sorted<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut texts: Vec<&str> = texts.collect();
    texts.sort_unstable();
    texts
}
