//! Looks into the store: what became of events, deliveries and turns.

use std::collections::BTreeMap;

use bellhop::api::{TurnView, turns_view};
use bellhop::record::{CollectionKey, ImportMode};
use bellhop::trace::PluginLine;
use serde_json::Value;
use sqlx::Row;

use super::{Business, TestApp};

/// A delivery's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) state: String,
    pub(crate) reason: Option<String>,
    pub(crate) attempts: i64,
    pub(crate) due_at: i64,
}

impl TestApp {
    /// All deliveries, oldest first.
    pub(crate) async fn deliveries(&self) -> Vec<Delivery> {
        let sql = "select state, reason, attempts, due_at from delivery order by id";
        let rows = self.app.stores.db.fetch_all(sqlx::query(sql)).await.unwrap();
        let read = |row: &sqlx::any::AnyRow| Delivery {
            state: row.get(0),
            reason: row.get(1),
            attempts: row.get(2),
            due_at: row.get(3),
        };
        rows.iter().map(read).collect()
    }

    /// The states of all deliveries, oldest first.
    pub(crate) async fn delivery_states(&self) -> Vec<String> {
        self.deliveries().await.into_iter().map(|delivery| delivery.state).collect()
    }

    /// Why each of the first business's tasks is there.
    pub(crate) async fn told_to_staff(&self) -> Vec<String> {
        self.tasks().await.into_iter().map(|task| task.reason).collect()
    }

    /// How many events of each kind ended how: "message done", "echo done", "message ignored", …
    pub(crate) async fn events(&self) -> BTreeMap<String, i64> {
        let sql = "select kind || ' ' || state, count(*) from inbox_event group by kind || ' ' || state";
        let rows = self.app.stores.db.fetch_all(sqlx::query(sql)).await.unwrap();
        rows.iter().map(|row| (row.get::<String, _>(0), row.get::<i64, _>(1))).collect()
    }

    /// How many events there are of this kind that ended so.
    pub(crate) async fn events_that(&self, kind_and_state: &str) -> i64 {
        self.events().await.get(kind_and_state).copied().unwrap_or(0)
    }

    /// Attempts to send that the audit log has.
    pub(crate) async fn attempts_on_record(&self) -> i64 {
        let sql = "select count(*) from audit where code = 'attempt'";
        self.app.stores.db.fetch_optional(sqlx::query(sql)).await.unwrap().unwrap().get(0)
    }

    /// Rows of a table.
    pub(crate) async fn count(&self, table: &'static str) -> i64 {
        let sql = format!("select count(*) from {table}");
        let row = self.app.stores.db.fetch_optional(sqlx::query(sqlx::AssertSqlSafe(sql))).await.unwrap();
        row.unwrap().get(0)
    }

    /// A business's turns as its people read them, oldest first.
    pub(crate) async fn turns_of(&self, business: &Business) -> Vec<TurnView> {
        let mut turns = turns_view(&self.app.api(), &business.workspace, 50).await.unwrap();
        turns.reverse();
        turns
    }

    /// The first business's turns, oldest first.
    pub(crate) async fn turns(&self) -> Vec<TurnView> {
        self.turns_of(&self.business).await
    }

    /// What each plugin did in the newest turn, in the order in which they were asked.
    pub(crate) async fn last_plugins(&self) -> Vec<PluginLine> {
        self.turns().await.pop().unwrap().turn.outline.unwrap().plugins
    }

    /// Gives a business its entries of frequently asked questions.
    pub(crate) async fn import_faq(&self, business: &Business, entries: Value) {
        let plugin = self.app.stores.registry.plugin_find("faq").await.unwrap();
        let collection =
            CollectionKey { workspace: business.workspace.clone(), plugin_key: plugin.key, name: "faq".to_owned() };
        let file = entries.to_string();
        self.app.stores.records.import(&collection, ImportMode::Replace, file.as_bytes()).await.unwrap();
    }
}
