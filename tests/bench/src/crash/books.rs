//! What the store says after a round, read as an operator with the keys could: events and deliveries with the words in them.
//! Only reads.

use std::collections::HashMap;

use anyhow::Context;
use bellhop::app::Stores;
use bellhop::conversation;
use bellhop::db::DbError;
use bellhop::inbox::SliceContent;
use bellhop_domain::event::Event;
use bellhop_domain::id::{EventId, KeyId, MessageId, WorkspaceId};
use bellhop_domain::kind::EventKind;
use sqlx::Row;

use crate::crash::scene;

/// Messages that are read with one statement.
const CHUNK: usize = 200;

/// An event of a customer.
#[derive(Debug, Clone)]
pub(crate) struct EventEntry {
    pub(crate) id: String,
    pub(crate) state: String,
    pub(crate) reason: Option<String>,
    /// `None` where it cannot be opened.
    pub(crate) word: Option<String>,
}

/// A message of the Page.
#[derive(Debug, Clone)]
pub(crate) struct DeliveryEntry {
    pub(crate) id: String,
    pub(crate) state: String,
    pub(crate) reason: Option<String>,
    pub(crate) attempts: i64,
    /// Empty where it cannot be opened.
    pub(crate) words: Vec<String>,
}

/// Everything of one business.
#[derive(Debug, Clone, Default)]
pub(crate) struct Books {
    pub(crate) events: Vec<EventEntry>,
    pub(crate) deliveries: Vec<DeliveryEntry>,
}

impl Books {
    pub(crate) async fn read(stores: &Stores, workspace: &WorkspaceId) -> anyhow::Result<Self> {
        Ok(Self { events: events(stores, workspace).await?, deliveries: deliveries(stores, workspace).await? })
    }
}

/// What is still to be done: open events, deliveries that may still go or wait for evidence, conversations in somebody's hands.
pub(crate) async fn n_open(stores: &Stores) -> Result<i64, DbError> {
    let select = sqlx::query(
        "select cast((select count(*) from inbox_event where state = 'open') \
         + (select count(*) from delivery where state in ('staged', 'retry', 'sending', 'unknown')) \
         + (select count(*) from conversation where owner is not null) as bigint)",
    );
    let row = stores.db.fetch_optional(select).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?.unwrap_or_default())
}

/// How often deliveries of which nobody knows were looked up. A look may prove nothing, and the next one comes within a minute.
pub(crate) async fn n_looks(stores: &Stores) -> Result<i64, DbError> {
    let select = sqlx::query("select cast(coalesce(sum(n_looks), 0) as bigint) from delivery_lookup");
    let row = stores.db.fetch_optional(select).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?.unwrap_or_default())
}

/// Deliveries and events that a restore has set aside.
pub(crate) async fn n_restored(stores: &Stores) -> anyhow::Result<(usize, usize)> {
    let select = sqlx::query(
        "select (select count(*) from delivery where state = 'held' and reason = 'restored'), \
         (select count(*) from inbox_event where state = 'held' and reason = 'restored')",
    );
    let row = stores.db.fetch_optional(select).await?.context("a count has no row")?;
    Ok((usize::try_from(row.try_get::<i64, _>(0)?)?, usize::try_from(row.try_get::<i64, _>(1)?)?))
}

/// The claims of conversations that somebody holds: conversation and epoch.
pub(crate) async fn claims(stores: &Stores) -> Result<Vec<(String, i64)>, DbError> {
    let rows = stores.db.fetch_all(sqlx::query("select id, epoch from conversation where owner is not null")).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

async fn events(stores: &Stores, workspace: &WorkspaceId) -> anyhow::Result<Vec<EventEntry>> {
    let select = sqlx::query(
        "select id, kind, state, reason, key_id, sealed from inbox_event where workspace_id = $1 and lane = 'contact' order by id",
    );
    let mut events = Vec::new();
    for row in stores.db.fetch_all(select.bind(workspace.as_str().to_owned())).await? {
        let (id, key) = (EventId::parse(row.try_get(0)?)?, KeyId::parse(row.try_get(4)?)?);
        let mut keys = stores.vault.keys_by_id(&[(workspace.clone(), key)]).await?;
        let sealed: Vec<u8> = row.try_get(5)?;
        let content = keys.pop().flatten().and_then(|key| SliceContent::open(&sealed, &key, &id).ok().flatten());
        let word = match content.map(|content| content.event(EventKind::parse(row.try_get(1).unwrap_or_default()))) {
            Some(Event::Contact(said)) => said.text().map(str::to_owned),
            _ => None,
        };
        events.push(EventEntry { id: id.as_str().to_owned(), state: row.try_get(2)?, reason: row.try_get(3)?, word });
    }
    Ok(events)
}

async fn deliveries(stores: &Stores, workspace: &WorkspaceId) -> anyhow::Result<Vec<DeliveryEntry>> {
    let select =
        sqlx::query("select id, message_id, state, reason, attempts from delivery where workspace_id = $1 order by id");
    let rows = stores.db.fetch_all(select.bind(workspace.as_str().to_owned())).await?;
    let ids = rows.iter().map(|row| Ok((workspace.clone(), MessageId::parse(row.try_get(1)?)?)));
    let ids: Vec<(WorkspaceId, MessageId)> = ids.collect::<anyhow::Result<_>>()?;
    let mut messages = HashMap::new();
    for chunk in ids.chunks(CHUNK) {
        messages.extend(conversation::messages_find(&stores.db, &stores.vault, chunk).await?);
    }
    let entry = |(row, (_, message)): (&sqlx::any::AnyRow, &(WorkspaceId, MessageId))| {
        let words = messages.get(message).map(|message| scene::words(&message.body.text)).unwrap_or_default();
        let (id, state, reason) = (row.try_get(0)?, row.try_get(2)?, row.try_get(3)?);
        Ok(DeliveryEntry { id, state, reason, attempts: row.try_get(4)?, words })
    };
    rows.iter().zip(&ids).map(entry).collect()
}
