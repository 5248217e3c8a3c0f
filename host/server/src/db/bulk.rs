//! One statement for many rows: `insert … values (…), (…)` and `where (a, b) in (select … from (values (…), (…)))`.

use std::fmt::Write;

use sqlx::any::AnyArguments;
use sqlx::{Any, Arguments, AssertSqlSafe, Encode, Type};

use super::{Engine, Sql, Statement};

/// Stands for a bind until the engine is known; no SQL has it.
const PLACE: char = '\u{1}';

/// Builds a statement with a list of rows in its middle. The texts around the list are the caller's constants; every value
/// is a bind.
pub struct Bulk {
    sql: String,
    arguments: AnyArguments,
    n_rows: usize,
    /// A list of keys is open and wants closing.
    in_keys: bool,
}

/// The binds of one row.
pub struct Row<'a> {
    bulk: &'a mut Bulk,
    n_values: usize,
}

impl Bulk {
    /// Most rows in one statement: SQLite takes 32,766 binds, our widest row has 24.
    pub const MAX_ROWS: usize = 1_000;

    /// Starts with the text before the rows.
    pub fn new(head: &'static str) -> Self {
        Self::of(String::from(head))
    }

    /// The same for a text that is made from the schema's own names.
    pub(super) fn of(head: String) -> Self {
        Self { sql: head, arguments: AnyArguments::default(), n_rows: 0, in_keys: false }
    }

    /// Adds a row.
    pub fn row(&mut self) -> Row<'_> {
        self.sql.push_str(if self.n_rows == 0 { "(" } else { ", (" });
        self.n_rows += 1;
        Row { bulk: self, n_values: 0 }
    }

    /// True when there is nothing to say; such a statement is not valid SQL.
    pub fn is_empty(&self) -> bool {
        self.n_rows == 0
    }

    /// Opens the list of keys after `… in `, of one to four columns. SQLite looks keys up by an index when they come from a
    /// `select`, and walks the whole table when they come from bare `values`.
    pub fn keys(mut self, n_columns: usize) -> Self {
        let columns = ["column1", "column2", "column3", "column4"];
        let columns = columns.get(..n_columns).unwrap_or(&columns).join(", ");
        self.sql.push_str("(select ");
        self.sql.push_str(&columns);
        self.sql.push_str(" from (values ");
        self.in_keys = true;
        self
    }

    /// Adds the text after the rows.
    pub fn end(mut self, tail: &'static str) -> Self {
        self.close_keys();
        self.sql.push_str(tail);
        self
    }

    /// Adds a bind outside the rows and writes its placeholder.
    pub fn bind<'t, T: Encode<'t, Any> + Type<Any>>(mut self, value: T) -> Self {
        self.push(value);
        self
    }

    /// The same with a text in front.
    #[cfg(test)]
    pub(super) fn after(self, front: &'static str) -> Self {
        Self { sql: format!("{front}{}", self.sql), ..self }
    }

    fn close_keys(&mut self) {
        if std::mem::take(&mut self.in_keys) {
            self.sql.push_str(") as v)");
        }
    }

    fn push<'t, T: Encode<'t, Any> + Type<Any>>(&mut self, value: T) {
        // Encoding into Any's buffer copies the value; it has no failing case.
        if self.arguments.add(value).is_ok() {
            self.sql.push(PLACE);
        }
    }
}

impl Sql<'static> for Bulk {
    fn statement(mut self, engine: Engine) -> Statement<'static> {
        self.close_keys();
        let mut sql = String::with_capacity(self.sql.len() + 3 * self.arguments.len());
        for (n, part) in self.sql.split(PLACE).enumerate() {
            match engine {
                _ if n == 0 => {}
                // SQLite looks a numbered name up among all others, so that many binds cost their square.
                Engine::Sqlite => sql.push('?'),
                Engine::Postgres => {
                    let written = write!(sql, "${n}");
                    debug_assert!(written.is_ok());
                }
            }
            sql.push_str(part);
        }
        sqlx::query_with(AssertSqlSafe(sql), self.arguments)
    }
}

impl Row<'_> {
    /// Adds the row's next value.
    pub fn bind<'t, T: Encode<'t, Any> + Type<Any>>(mut self, value: T) -> Self {
        if self.n_values > 0 {
            self.bulk.sql.push_str(", ");
        }
        self.n_values += 1;
        self.bulk.push(value);
        self
    }
}

impl Drop for Row<'_> {
    fn drop(&mut self) {
        self.bulk.sql.push(')');
    }
}
