//! Copies a schema's rows from one database to another, of either engine, table by table in the order of their keys. A copy
//! that was cut short goes on where it stopped: each batch and the note of it are one transaction of the target.

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

use super::tables::{Column, ColumnKind, Table};
use super::{Bulk, Db, DbError, Snapshot, Statement, WriteTransaction};

/// Where a target notes how far its copy is; gone when the copy is whole.
pub(super) const PROGRESS: &str = "copy_progress";

/// Rows of one batch. Most rows have less than a kilobyte; the longest are plugins, and they are few.
const BATCH: i64 = 500;

/// Names in `meta` that belong to a database and not to what is in it.
const META_STAYS: &str = "name not in ('incarnation', 'standing')";

/// A table that has been copied up to a row, or to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The table.
    pub table: String,
    /// Rows that are in the target.
    pub n_rows: i64,
    /// Nothing is left of it.
    pub is_whole: bool,
}

/// Copies rows into a database that has the same schema.
#[derive(Debug)]
pub struct Copy<'a> {
    from: Snapshot,
    to: &'a Db,
    tables: Vec<Table>,
}

/// A value on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Number(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
}

impl<'a> Copy<'a> {
    /// Prepares a copy, or takes up one that was begun under the same `name`.
    ///
    /// # Errors
    /// [`DbError::OtherSchema`] when the two differ, [`DbError::NotEmpty`] when the target holds anything but the beginning of
    /// this copy.
    pub async fn begin(name: &str, from: &Db, to: &'a Db) -> Result<Self, DbError> {
        let tables = same_tables(from, to).await?;
        let create = "create table if not exists copy_progress \
                      (table_name text not null primary key, last_key text not null, n_rows bigint not null, is_whole bigint not null)";
        to.execute(sqlx::query(create)).await?;
        let begun = to.fetch_all(sqlx::query("select table_name from copy_progress")).await?;
        let marker = format!("copy {name}");
        let is_ours = begun.iter().any(|row| row.try_get::<String, _>(0).is_ok_and(|table| table == marker));
        if !is_ours {
            if !begun.is_empty() {
                return Err(DbError::NotEmpty(PROGRESS.to_owned()));
            }
            to.check_unused().await?;
            let mut transaction = to.begin_write().await?;
            // What a new store's own making has left there; the copy brings the rest.
            if tables.iter().any(|table| table.name == "meta") {
                let clear = format!("delete from meta where {META_STAYS}");
                transaction.execute(sqlx::query(AssertSqlSafe(clear))).await?;
            }
            note(&mut transaction, &marker, "", 0, true).await?;
            transaction.commit().await?;
        }
        Ok(Self { from: from.snapshot().await?, to, tables })
    }

    /// Copies the next batch; `None` when nothing is left.
    ///
    /// # Errors
    /// [`DbError`]; nothing of the batch was written.
    pub async fn step(&mut self) -> Result<Option<Copied>, DbError> {
        for table in self.tables.clone() {
            let (last_key, n_rows, is_whole) = self.progress(&table.name).await?;
            if !is_whole {
                return self.batch(&table, &last_key, n_rows).await.map(Some);
            }
        }
        Ok(None)
    }

    /// Compares the numbers of rows. The rows of each table.
    ///
    /// # Errors
    /// [`DbError::CopyDiffers`] when a table has another number of rows.
    pub async fn verify(&mut self) -> Result<Vec<(String, i64)>, DbError> {
        let mut counts = Vec::with_capacity(self.tables.len());
        let mut target = self.to.snapshot().await?;
        for table in &self.tables {
            let (there, here) = (count(&mut self.from, table).await?, count(&mut target, table).await?);
            if there != here {
                return Err(DbError::CopyDiffers { table: table.name.clone(), there, here });
            }
            counts.push((table.name.clone(), here));
        }
        Ok(counts)
    }

    /// Copies all that is left, compares, and forgets the progress: the copy is whole. The rows of each table.
    ///
    /// # Errors
    /// As [`Copy::step`] and [`Copy::verify`].
    pub async fn finish(mut self, mut tell: impl FnMut(&Copied)) -> Result<Vec<(String, i64)>, DbError> {
        while let Some(copied) = self.step().await? {
            tell(&copied);
        }
        let counts = self.verify().await?;
        self.to.copy_forget().await?;
        Ok(counts)
    }

    async fn progress(&self, table: &str) -> Result<(String, i64, bool), DbError> {
        let select = sqlx::query("select last_key, n_rows, is_whole from copy_progress where table_name = $1");
        match self.to.fetch_optional(select.bind(table.to_owned())).await? {
            Some(row) => Ok((row.try_get(0)?, row.try_get(1)?, row.try_get::<i64, _>(2)? != 0)),
            None => Ok((String::new(), 0, false)),
        }
    }

    async fn batch(&mut self, table: &Table, last_key: &str, n_before: i64) -> Result<Copied, DbError> {
        let last = read_key(table, last_key)?;
        let select = select(table, !last.is_empty());
        let mut statement: Statement<'_> = sqlx::query(AssertSqlSafe(select));
        for value in last {
            statement = match value {
                Value::Number(value) => statement.bind(value),
                Value::Text(value) => statement.bind(value),
                Value::Bytes(value) => statement.bind(value),
            };
        }
        let rows = self.from.fetch_all(statement.bind(BATCH)).await?;
        let n_read = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let (n_rows, is_whole) = (n_before + n_read, n_read < BATCH);
        let mut transaction = self.to.begin_write().await?;
        if !rows.is_empty() {
            transaction.execute(insert(table, &rows)?).await?;
        }
        let key = rows.last().map(|row| write_key(table, row)).transpose()?.unwrap_or_else(|| last_key.to_owned());
        note(&mut transaction, &table.name, &key, n_rows, is_whole).await?;
        transaction.commit().await?;
        Ok(Copied { table: table.name.clone(), n_rows, is_whole })
    }
}

impl Db {
    /// Refuses a schema with anything in it but what its making leaves there.
    ///
    /// # Errors
    /// [`DbError::NotEmpty`], [`DbError::Statement`].
    pub async fn check_unused(&self) -> Result<(), DbError> {
        let mut snapshot = self.snapshot().await?;
        for table in self.tables().await? {
            if table.name != "meta" && count(&mut snapshot, &table).await? > 0 {
                return Err(DbError::NotEmpty(table.name));
            }
        }
        Ok(())
    }

    /// Forgets how far a copy into this schema was: it is whole.
    ///
    /// # Errors
    /// [`DbError::Statement`].
    pub async fn copy_forget(&self) -> Result<(), DbError> {
        self.execute(sqlx::query("drop table if exists copy_progress")).await.map(drop)
    }
}

/// The tables of both; a PostgreSQL database may hold other programs' tables beside ours, an SQLite file does not.
async fn same_tables(from: &Db, to: &Db) -> Result<Vec<Table>, DbError> {
    let (mut known, mut other) = (from.tables().await?, to.tables().await?);
    if from.engine() == super::Engine::Postgres {
        std::mem::swap(&mut known, &mut other);
    }
    for table in &known {
        let same = other.iter().find(|candidate| candidate.name == table.name);
        // Columns may stand in another order: later migrations add them at the end, whenever they ran.
        let columns = |table: &Table| {
            let mut columns = table.columns.clone();
            columns.sort_by(|a, b| a.name.cmp(&b.name));
            columns
        };
        if same.is_none_or(|same| columns(same) != columns(table)) || table.key().is_empty() {
            return Err(DbError::OtherSchema(table.name.clone()));
        }
    }
    Ok(known)
}

async fn note(
    transaction: &mut WriteTransaction,
    table: &str,
    last_key: &str,
    n_rows: i64,
    is_whole: bool,
) -> Result<(), DbError> {
    let upsert = "insert into copy_progress (table_name, last_key, n_rows, is_whole) values ($1, $2, $3, $4) \
                  on conflict (table_name) do update set last_key = excluded.last_key, n_rows = excluded.n_rows, \
                  is_whole = excluded.is_whole";
    let upsert = sqlx::query(upsert).bind(table.to_owned()).bind(last_key.to_owned()).bind(n_rows);
    transaction.execute(upsert.bind(i64::from(is_whole))).await.map(drop)
}

fn condition(table: &Table) -> &'static str {
    if table.name == "meta" { META_STAYS } else { "1 = 1" }
}

async fn count(snapshot: &mut Snapshot, table: &Table) -> Result<i64, DbError> {
    let select = format!("select count(*) from {} where {}", table.name, condition(table));
    let rows = snapshot.fetch_all(sqlx::query(AssertSqlSafe(select))).await?;
    Ok(rows.first().map(|row| row.try_get(0)).transpose()?.unwrap_or(0))
}

fn select(table: &Table, is_begun: bool) -> String {
    let (columns, key) = (Table::list(&table.columns), table.key());
    let order = Table::list(key.iter().copied());
    let n_binds = if is_begun { key.len() } else { 0 };
    let places: Vec<String> = (1..=n_binds).map(|n| format!("${n}")).collect();
    let after = if is_begun { format!(" and ({order}) > ({})", places.join(", ")) } else { String::new() };
    let (name, condition) = (&table.name, condition(table));
    format!("select {columns} from {name} where {condition}{after} order by {order} limit ${}", n_binds + 1)
}

fn insert(table: &Table, rows: &[AnyRow]) -> Result<Bulk, DbError> {
    let head = format!("insert into {} ({}) values ", table.name, Table::list(&table.columns));
    let mut insert = Bulk::of(head);
    for row in rows {
        let mut binds = insert.row();
        for (n, column) in table.columns.iter().enumerate() {
            binds = match value(row, n, column)? {
                Value::Number(value) => binds.bind(value),
                Value::Text(value) => binds.bind(value),
                Value::Bytes(value) => binds.bind(value),
            };
        }
    }
    Ok(insert)
}

fn value(row: &AnyRow, n: usize, column: &Column) -> Result<Value, DbError> {
    Ok(match column.kind {
        ColumnKind::Number => Value::Number(row.try_get(n)?),
        ColumnKind::Text => Value::Text(row.try_get(n)?),
        ColumnKind::Bytes => Value::Bytes(row.try_get(n)?),
    })
}

/// The key of a row as text: numbers as they are, texts and bytes in hexadecimal, so that a space parts them.
fn write_key(table: &Table, row: &AnyRow) -> Result<String, DbError> {
    let mut parts = Vec::new();
    for key in table.key() {
        let n = table.columns.iter().position(|column| column.name == key.name).unwrap_or_default();
        // An empty text or blob still needs a part of its own.
        parts.push(match value(row, n, key)? {
            Value::Number(value) => value.unwrap_or_default().to_string(),
            Value::Text(value) => format!("x{}", hex::encode(value.unwrap_or_default())),
            Value::Bytes(value) => format!("x{}", hex::encode(value.unwrap_or_default())),
        });
    }
    Ok(parts.join(" "))
}

fn read_key(table: &Table, text: &str) -> Result<Vec<Value>, DbError> {
    let bad = || DbError::Unreadable("copy_progress.last_key");
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let bytes = |part: &str| hex::decode(part.trim_start_matches('x')).map_err(|_| bad());
    let parts = table.key().into_iter().zip(text.split(' '));
    let read = |(column, part): (&Column, &str)| {
        Ok(match column.kind {
            ColumnKind::Number => Value::Number(Some(part.parse().map_err(|_| bad())?)),
            ColumnKind::Text => Value::Text(Some(String::from_utf8(bytes(part)?).map_err(|_| bad())?)),
            ColumnKind::Bytes => Value::Bytes(Some(bytes(part)?)),
        })
    };
    parts.map(read).collect()
}

#[cfg(test)]
mod tests;
