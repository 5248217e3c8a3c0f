//! Every statement of a running host is looked at: SQLite says how it would go about it, and none may walk a table that grows or
//! a whole tenant. The tour below leads through the house; what it does not reach is not looked at, so it says which tables it reached.

mod tour;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use bellhop::app::keyring_url;
use bellhop::db::{Db, DbError, Schema};
use sqlx::{AssertSqlSafe, Row};

use crate::support::TestApp;

/// Set in the process that takes the tour: what sqlx logs is collected for a whole process, and other stories would mix in.
const INSIDE: &str = "BELLHOP_TEST_OF_PLANS";

/// Tables that stay small whatever happens: what is connected and granted, one row a host, a key or a migration.
const SMALL: [&str; 14] = [
    "_sqlx_migrations",
    "access_token",
    "app",
    "channel",
    "collection",
    "epoch",
    "host",
    "meta",
    "migration_lock",
    "plugin",
    "plugin_failure",
    "plugin_grant",
    "secret",
    "workspace",
];

#[test]
fn no_statement_of_a_running_host_walks_a_table() {
    if std::env::var_os(INSIDE).is_some() {
        return tour::collected(look);
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "plans::no_statement_of_a_running_host_walks_a_table", "--nocapture"]);
    let output = command.env(INSIDE, "1").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}\n{errors}");
}

/// Explains all statements, each on the database that has its tables.
async fn look(app: TestApp, statements: BTreeSet<String>) {
    let keyring = Db::open(&keyring_url(&app.config), Schema::Keyring, app.clock.clone()).await.unwrap();
    let store = Tables::of(app.app.stores.db.clone()).await;
    let keyring = Tables::of(keyring).await;
    let (mut walks, mut reached) = (Vec::new(), BTreeSet::new());
    for statement in statements.iter().filter(|statement| has_plan(statement)) {
        let (tables, plan) = match store.plan(statement).await {
            Ok(plan) => (&store, plan),
            Err(_) => (&keyring, keyring.plan(statement).await.unwrap()),
        };
        let called = tables.called(statement);
        let walking = plan.into_iter().filter(|step| tables.is_walk(step, &called) && !reads_a_page(statement));
        walks.extend(walking.map(|step| format!("{step}\n    {statement}")));
        reached.extend(called.into_values());
    }
    assert!(walks.is_empty(), "{} of {} statements walk:\n{}", walks.len(), statements.len(), walks.join("\n"));
    let tables = store.tables.union(&keyring.tables).filter(|table| !SMALL.contains(&table.as_str()));
    let missed: Vec<_> = tables.filter(|table| !reached.contains(*table)).collect();
    assert!(missed.is_empty(), "{} statements, and none reaches {missed:?}", statements.len());
}

/// No pragma, no begin and no commit.
fn has_plan(statement: &str) -> bool {
    ["select", "insert", "update", "delete", "with"].iter().any(|verb| statement.starts_with(verb))
}

/// The next rows of a whole table or tenant, in the order in which they lie there, and no more of them than were asked for.
fn reads_a_page(statement: &str) -> bool {
    let Some((_, rest)) = statement.split_once(" from ") else { return false };
    let rest = rest.split_once("(select ").map_or(rest, |(_, inner)| inner);
    let rest = rest.split_once(" from ").map_or(rest, |(_, rest)| rest);
    let words: Vec<&str> = rest.split_whitespace().collect();
    matches!(
        words.as_slice(),
        [_, "limit", ..]
            | [_, "where", "workspace_id", "=", "$1", "order", "by", _, "limit", _]
            | [_, "where", "workspace_id", "=", "$1", "order", "by", _, "desc", "limit", _]
    )
}

/// Whether an index is over what is open alone. One over all rows that have something, such as an id of Meta's, grows like the table.
fn holds_what_is_open(sql: &str) -> bool {
    let has_all = ["mid is not null", "turn_id is not null", "delivery_id is not null", "subject is not null"];
    sql.contains(" where ") && !has_all.iter().any(|condition| sql.contains(condition))
}

/// What there is in a database.
struct Tables {
    db: Db,
    tables: BTreeSet<String>,
    /// Indexes over a part of a table: what is open, which is little.
    partial: BTreeSet<String>,
}

impl Tables {
    async fn of(db: Db) -> Self {
        let select = "select type, name, coalesce(sql, '') from sqlite_schema where name not like 'sqlite%'";
        let rows = db.fetch_all(sqlx::query(select)).await.unwrap();
        let (mut tables, mut partial) = (BTreeSet::new(), BTreeSet::new());
        for row in &rows {
            match (row.get::<String, _>(0).as_str(), row.get::<String, _>(1), row.get::<String, _>(2)) {
                ("table", name, _) => drop(tables.insert(name)),
                ("index", name, sql) if holds_what_is_open(&sql) => drop(partial.insert(name)),
                _ => {}
            }
        }
        Self { db, tables, partial }
    }

    /// How SQLite would go about it; an error for a statement of the other database.
    async fn plan(&self, statement: &str) -> Result<Vec<String>, DbError> {
        let explain = format!("explain query plan {statement}");
        let steps = self.db.fetch_all(sqlx::query(AssertSqlSafe(explain))).await?;
        Ok(steps.iter().map(|row| row.get(3)).collect())
    }

    /// What the statement calls our tables, by their own names and by others: both lead to the table.
    fn called(&self, statement: &str) -> BTreeMap<String, String> {
        let is_part_of_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let words: Vec<&str> = statement.split(|c| !is_part_of_word(c)).collect();
        let mut called = BTreeMap::new();
        for (n, word) in words.iter().enumerate().filter(|(_, word)| self.tables.contains(**word)) {
            called.insert((*word).to_owned(), (*word).to_owned());
            if let Some(other) = words.get(n + 1).filter(|other| (1..=2).contains(&other.len())) {
                called.insert((*other).to_owned(), (*word).to_owned());
            }
        }
        called
    }

    /// Whether a step of a plan reads a table that grows from end to end, or all that a workspace has in it.
    fn is_walk(&self, step: &str, called: &BTreeMap<String, String>) -> bool {
        let words: Vec<&str> = step.split_whitespace().collect();
        let (Some(verb), Some(table)) = (words.first(), words.get(1).and_then(|name| called.get(*name))) else {
            return false;
        };
        let index = words.iter().position(|word| *word == "INDEX").and_then(|at| words.get(at + 1));
        let is_broad = match *verb {
            "SCAN" => true,
            "SEARCH" => step.contains("(workspace_id=?)"),
            _ => false,
        };
        is_broad && !SMALL.contains(&table.as_str()) && !index.is_some_and(|index| self.partial.contains(*index))
    }
}
