//! What SQLite's planner is told of the tables. Left alone it takes every table for small and every index for equally good,
//! and walks a whole tenant where a longer index would find one row; measured by itself (`analyze`) it would plan for what
//! happened to be there. So the shape is told: few workspaces with very many rows, short lists of what is open.

use sqlx::{AnyPool, Executor, Row};

use super::{Bulk, DbError, Engine, Sql};

/// Rows of a table, and of an index over what is open.
const MANY: i64 = 1_000_000;
const FEW: i64 = 1_000;

/// Rows with the same workspace, as a part of all.
const WORKSPACES: i64 = 10;

/// Rows with the same conversation, contact or collection.
const ALIKE: i64 = 20;

const INDEXES: &str = "select t.name, l.name, cast(l.\"unique\" as bigint), cast(l.partial as bigint), l.origin, \
     group_concat(i.name, ' ') from sqlite_schema t join pragma_index_list(t.name) l join pragma_index_info(l.name) i \
     where t.type = 'table' and t.name not like 'sqlite%' group by t.name, l.name";

/// Writes the statistics of every index. Connections that are opened from then on plan by them.
pub(super) async fn tell(pool: &AnyPool) -> Result<(), DbError> {
    // `analyze` makes the table where it is missing. One transaction, since others may be opening the file at this moment; the
    // pool has one connection.
    pool.execute(sqlx::raw_sql("begin immediate; analyze sqlite_schema; delete from sqlite_stat1")).await?;
    let mut insert = Bulk::new("insert into sqlite_stat1 (tbl, idx, stat) values ");
    for row in pool.fetch_all(sqlx::query(INDEXES)).await? {
        let (table, index): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let (unique, partial): (i64, i64) = (row.try_get(2)?, row.try_get(3)?);
        let (origin, columns): (String, String) = (row.try_get(4)?, row.try_get(5)?);
        // The planner calls the index of a clustered table by the table's name and an ordinary one by its own.
        let names = if origin == "pk" { vec![index, table.clone()] } else { vec![index] };
        let columns: Vec<&str> = columns.split(' ').collect();
        for name in names {
            insert.row().bind(table.as_str()).bind(name).bind(shape(&columns, unique != 0, partial != 0));
        }
    }
    if !insert.is_empty() {
        pool.execute(insert.statement(Engine::Sqlite)).await?;
    }
    pool.execute(sqlx::raw_sql("commit")).await?;
    Ok(())
}

/// How many rows there are, and how many share the first column, the first two, and so on.
fn shape(columns: &[&str], is_unique: bool, is_partial: bool) -> String {
    let rows = if is_partial { FEW } else { MANY };
    let mut alike = rows;
    let mut numbers = vec![rows.to_string()];
    for (n, column) in columns.iter().enumerate() {
        alike = match *column {
            _ if is_unique && n + 1 == columns.len() => 1,
            "workspace_id" => alike / WORKSPACES,
            _ => (alike / WORKSPACES).clamp(1, if is_partial { 2 } else { ALIKE }),
        };
        numbers.push(alike.to_string());
    }
    numbers.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_has_many_rows_and_a_whole_key_has_one() {
        assert_eq!(shape(&["workspace_id", "id"], true, false), "1000000 100000 1");
        assert_eq!(shape(&["workspace_id", "conversation_id", "at"], false, false), "1000000 100000 20 2");
        assert_eq!(shape(&["workspace_id", "conversation_id", "id"], false, true), "1000 100 2 1");
    }
}
