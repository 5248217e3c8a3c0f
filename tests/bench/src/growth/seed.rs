//! A business's past, as rows: exchanges of a question, its answer, and the echo and the receipts of it, spread over a week and all
//! conversations. One text for both engines but for how they make ids and bytes.

use std::io::{self, Write};
use std::time::Duration;

use bellhop::db::Clock;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};

use crate::host::House;

/// How long ago the past began. Nothing of it is old enough to be swept while it is measured.
const PAST: Duration = Duration::from_secs(6 * 86_400);

/// Events of one exchange: the question, and echo, delivery and read of the answer.
const EVENTS_EACH: i64 = 4;

/// Rows in one statement, and after how many it is said how far it is.
const CHUNK: i64 = 25_000;
const SAY_EVERY: i64 = 250_000;

/// What differs between the engines.
#[derive(Clone, Copy)]
enum Words {
    Sqlite,
    Postgres,
}

/// A table and its rows, each made from its number `n`.
struct Rows {
    table: &'static str,
    n_rows: i64,
    values: String,
}

/// Writes the past of the house's first business.
pub(crate) async fn sow(house: &House, n_events: i64, n_conversations: i64) -> anyhow::Result<()> {
    let [store, keyring] = &house.urls;
    let words = if store.starts_with("sqlite") { Words::Sqlite } else { Words::Postgres };
    let past = Past::of(house, words, n_events / EVENTS_EACH, n_conversations);
    write(words, store, &past.store(n_events)).await?;
    write(words, keyring, &[past.keys()]).await
}

async fn write(words: Words, url: &str, all: &[Rows]) -> anyhow::Result<()> {
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(url).await?;
    connection.execute(words.hurry()).await?;
    for Rows { table, n_rows, values } in all {
        let mut from = 0;
        while from < *n_rows {
            let to = (from + CHUNK).min(*n_rows);
            let insert = format!(
                "insert into {} with recursive counter (n) as (select cast({from} as bigint) union all select n + 1 from counter \
                 where n + 1 < {to}) select {values} from counter",
                words.named(table)
            );
            connection.execute(AssertSqlSafe(insert)).await?;
            from = to;
            if from % SAY_EVERY == 0 || from == *n_rows {
                writeln!(io::stderr(), "growth: {table}: {from} of {n_rows} rows")?;
            }
        }
    }
    connection.execute(words.settle()).await?;
    Ok(connection.close().await?)
}

/// Expressions over `n`.
struct Past {
    words: Words,
    workspace: String,
    channel: String,
    began_ms: i64,
    n_exchanges: i64,
    n_conversations: i64,
}

impl Past {
    fn of(house: &House, words: Words, n_exchanges: i64, n_conversations: i64) -> Self {
        let now = Clock::machine().now();
        let (workspace, channel) = &house.hello;
        let (workspace, channel) = (format!("'{workspace}'"), format!("'{channel}'"));
        Self { words, workspace, channel, began_ms: (now - PAST).millis(), n_exchanges, n_conversations }
    }

    /// When the `n`th of so many was.
    fn at(&self, n: &str, n_all: i64) -> String {
        format!("({} + cast({n} as bigint) * {} / {n_all})", self.began_ms, PAST.as_millis())
    }

    /// An id like those of the host: in the order of time.
    fn id(&self, kind: &str, at: &str, n: &str) -> String {
        let time = self.words.hex(at, 12);
        format!("substr({time}, 1, 8) || '-' || substr({time}, 9, 4) || '-7{kind}-8000-' || {}", self.words.hex(n, 12))
    }

    fn conversation(&self, n: &str) -> String {
        self.id("c00", &self.at(n, self.n_conversations), n)
    }

    fn contact(&self, n: &str) -> String {
        self.id("a00", &self.at(n, self.n_conversations), n)
    }

    fn key(&self, n: &str) -> String {
        self.id("e00", &self.at(n, self.n_conversations), n)
    }

    fn turn(&self, exchange: &str) -> String {
        self.id("d00", &self.at(exchange, self.n_exchanges), exchange)
    }

    fn message(&self, exchange: &str, n: &str) -> String {
        self.id("b00", &self.at(exchange, self.n_exchanges), n)
    }

    fn store(&self, n_events: i64) -> Vec<Rows> {
        let (workspace, channel, n_exchanges, words) = (&self.workspace, &self.channel, self.n_exchanges, self.words);
        // Neighbours in time belong to other conversations.
        let whose = |exchange: &str| format!("({exchange} * 7919 % {})", self.n_conversations);
        let (created, short, long) = (self.at("n", self.n_conversations), words.bytes(32), words.bytes(352));
        let (conversation, contact, key) = (self.conversation("n"), self.contact("n"), self.key("n"));
        let by_conversation = |table, values| Rows { table, n_rows: self.n_conversations, values };
        let by_exchange = |table, each: i64, values| Rows { table, n_rows: n_exchanges * each, values };
        let of = |each: i64| {
            let exchange = format!("(n / {each})");
            let (at, whose) = (self.at(&exchange, n_exchanges), whose(&exchange));
            (self.conversation(&whose), self.contact(&whose), self.key(&whose), at, exchange)
        };
        let event = {
            let (conversation, _, key, at, exchange) = of(EVENTS_EACH);
            let (id, turn) = (self.id("f00", &at, "n"), self.turn(&exchange));
            format!(
                "{workspace}, {id}, {channel}, {conversation}, case n % 4 when 0 then 'contact' else 'control' end, \
                 case n % 4 when 0 then 'message' when 1 then 'echo' when 2 then 'delivery' else 'read' end, {at}, 0, {at}, {key}, \
                 {long}, 'done', null, case n % 4 when 0 then {turn} else null end, {at}"
            )
        };
        let message = {
            let (conversation, _, key, at, exchange) = of(2);
            let id = self.message(&exchange, "n");
            let author = "case n % 2 when 0 then 'contact' else 'plugin' end";
            format!("{workspace}, {id}, {conversation}, {at}, {author}, null, {short}, {key}, {long}")
        };
        let audit = {
            let (_, _, _, at, exchange) = of(2);
            let (id, about) = (self.id("f01", &at, "n"), self.turn(&exchange));
            format!("{workspace}, {id}, {at}, 'message', 'attempt', null, null, {about}, null, 0")
        };
        let (of_conversation, of_contact, of_key, at, exchange) = of(1);
        let (turn, answer) = (self.turn(&exchange), self.message(&exchange, "(n * 2 + 1)"));
        let delivery = self.id("f02", &at, "n");
        vec![
            by_conversation("contact", format!("{workspace}, {contact}, {channel}, {key}, {long}, {created}, null")),
            by_conversation(
                "conversation",
                format!(
                    "{workspace}, {conversation}, {channel}, {short}, {contact}, 'automated', null, 3, 10, null, null, 0, 10, null, 0, \
                     null, {created}, {created}, {created}"
                ),
            ),
            by_conversation("session", format!("{workspace}, {conversation}, 'hello', {key}, {short}, {created}")),
            Rows {
                table: "dedupe",
                n_rows: n_events,
                values: format!("{workspace}, {short}, {}", self.at("n", n_events)),
            },
            Rows { table: "inbox_event", n_rows: n_events, values: event },
            by_exchange("message", 2, message),
            by_exchange("audit", 2, audit),
            by_exchange(
                "turn",
                1,
                format!("{workspace}, {turn}, {of_conversation}, 'answered', {at}, {at}, {of_key}, {long}"),
            ),
            by_exchange(
                "delivery",
                1,
                format!(
                    "{workspace}, {delivery}, {of_conversation}, {channel}, {of_contact}, {answer}, {turn}, 'text', 'read', null, 3, 1, \
                     {at}, null, 0, {short}, {at}, {at}, {at}"
                ),
            ),
        ]
    }

    /// The keys of the contacts.
    fn keys(&self) -> Rows {
        let (workspace, key, contact, at) =
            (&self.workspace, self.key("n"), self.contact("n"), self.at("n", self.n_conversations));
        let values = format!("{workspace}, {key}, 'contact', {contact}, 1, {}, {at}", self.words.bytes(64));
        Rows { table: "wrapped_key", n_rows: self.n_conversations, values }
    }
}

impl Words {
    /// Nothing is lost that anybody would miss.
    fn hurry(self) -> &'static str {
        match self {
            Self::Sqlite => "pragma synchronous = off; pragma cache_size = -256000; pragma temp_store = memory",
            Self::Postgres => "set synchronous_commit = off",
        }
    }

    /// What a store of this size would have seen done long ago.
    fn settle(self) -> &'static str {
        match self {
            Self::Sqlite => "pragma wal_checkpoint(truncate)",
            Self::Postgres => "vacuum analyze",
        }
    }

    fn named(self, table: &str) -> String {
        match (self, table) {
            (Self::Postgres, "wrapped_key") => "keyring.wrapped_key".to_owned(),
            _ => table.to_owned(),
        }
    }

    fn hex(self, number: &str, width: usize) -> String {
        match self {
            Self::Sqlite => format!("printf('%0{width}x', {number})"),
            Self::Postgres => format!("lpad(to_hex(cast({number} as bigint)), {width}, '0')"),
        }
    }

    /// Bytes of which no two are alike; a multiple of 16.
    fn bytes(self, n_bytes: usize) -> String {
        match self {
            Self::Sqlite => format!("randomblob({n_bytes})"),
            Self::Postgres => format!("decode(repeat(md5(cast(random() as text)), {}), 'hex')", n_bytes / 16),
        }
    }
}
