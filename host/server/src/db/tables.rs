//! What tables there are, read from the schema itself: a table that a migration adds cannot be forgotten by whoever copies a
//! store.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Db, DbError, Engine};

/// Tables that say how far a schema or a copy is, and so belong to the database and not to what is in it.
pub const NOT_COPIED: [&str; 3] = ["_sqlx_migrations", "migration_lock", super::copy::PROGRESS];

/// A table with its columns, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns.
    pub columns: Vec<Column>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
    /// Its place in the primary key, from 1; 0 for a column outside of it.
    pub key_place: i64,
}

/// The three types of the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// bigint
    Number,
    /// text
    Text,
    /// blob
    Bytes,
}

const SQLITE_COLUMNS: &str = "select cast(t.name as text), cast(c.name as text), cast(lower(c.type) as text), cast(c.pk as bigint) \
     from sqlite_master t join pragma_table_info(t.name) c where t.type = 'table' and t.name not like 'sqlite_%' \
     order by t.name, c.cid";

const POSTGRES_COLUMNS: &str = "select cast(c.table_name as text), cast(c.column_name as text), \
     cast(coalesce(c.domain_name, c.data_type) as text), cast(coalesce(k.ordinal_position, 0) as bigint) \
     from information_schema.columns c join information_schema.tables t \
     on t.table_schema = c.table_schema and t.table_name = c.table_name and t.table_type = 'BASE TABLE' \
     left join information_schema.table_constraints p \
     on p.table_schema = c.table_schema and p.table_name = c.table_name and p.constraint_type = 'PRIMARY KEY' \
     left join information_schema.key_column_usage k on k.constraint_schema = p.constraint_schema \
     and k.constraint_name = p.constraint_name and k.table_name = c.table_name and k.column_name = c.column_name \
     where c.table_schema = current_schema() order by c.table_name, c.ordinal_position";

impl Db {
    /// All tables of this schema that hold something, by name; a database may hold other programs' tables too.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn tables(&self) -> Result<Vec<Table>, DbError> {
        let sql = match self.engine {
            Engine::Sqlite => SQLITE_COLUMNS,
            Engine::Postgres => POSTGRES_COLUMNS,
        };
        let mut tables: Vec<Table> = Vec::new();
        for row in self.fetch_all(sqlx::query(sql)).await? {
            let name: String = row.try_get(0)?;
            if NOT_COPIED.contains(&name.as_str()) {
                continue;
            }
            let column = column(&row)?;
            match tables.last_mut() {
                Some(last) if last.name == name => last.columns.push(column),
                _ => tables.push(Table { name, columns: vec![column] }),
            }
        }
        // The engines sort text differently.
        tables.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(tables)
    }
}

fn column(row: &AnyRow) -> Result<Column, DbError> {
    let kind = match row.try_get::<String, _>(2)?.as_str() {
        "bigint" => ColumnKind::Number,
        "text" => ColumnKind::Text,
        "blob" | "bytea" => ColumnKind::Bytes,
        // A table of another program; it is not ours to copy, and ours have no other types.
        _ => ColumnKind::Bytes,
    };
    Ok(Column { name: row.try_get(1)?, kind, key_place: row.try_get(3)? })
}

impl Table {
    /// The columns of the primary key, in its order.
    pub fn key(&self) -> Vec<&Column> {
        let mut key: Vec<&Column> = self.columns.iter().filter(|column| column.key_place > 0).collect();
        key.sort_by_key(|column| column.key_place);
        key
    }

    /// The names of columns as SQL lists them.
    pub(super) fn list<'a>(columns: impl IntoIterator<Item = &'a Column>) -> String {
        columns.into_iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}
