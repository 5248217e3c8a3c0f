//! Reads the directory's tables.

use bellhop_domain::channel::ChannelKind;
use bellhop_domain::id::{AppId, ChannelId, InvalidId, WorkspaceId};
use bellhop_domain::time::Timestamp;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::db::{Db, DbError};

use super::snapshot::{App, Channel, ChannelState, Rest, Snapshot, Workspace};

/// Everything. The generation is read first: what changes while the rest is read changes it again, and the next look sees.
pub(super) async fn read(db: &Db) -> Result<Snapshot, DbError> {
    let generation = super::generation(db).await?;
    let workspaces = db.fetch_all(sqlx::query("select id, name, locale, time_zone from workspace")).await?;
    let apps =
        db.fetch_all(sqlx::query("select workspace_id, id, meta_app_id, backoff_until, slow_until from app")).await?;
    let channels = db
        .fetch_all(sqlx::query(
            "select workspace_id, id, app_id, kind, asset_id, name, locale, state, state_reason, fallback, backoff_until, \
             slow_until from channel",
        ))
        .await?;
    Ok(Snapshot::new(
        generation,
        workspaces.iter().map(workspace).collect::<Result<_, _>>()?,
        apps.iter().map(app).collect::<Result<_, _>>()?,
        channels.iter().map(channel).collect::<Result<_, _>>()?,
    ))
}

fn workspace(row: &AnyRow) -> Result<Workspace, DbError> {
    Ok(Workspace {
        id: id(row, "id", WorkspaceId::try_from)?,
        name: row.try_get("name")?,
        locale: row.try_get("locale")?,
        time_zone: row.try_get("time_zone")?,
    })
}

fn app(row: &AnyRow) -> Result<App, DbError> {
    Ok(App {
        id: id(row, "id", AppId::try_from)?,
        workspace: id(row, "workspace_id", WorkspaceId::try_from)?,
        meta_app_id: row.try_get("meta_app_id")?,
        rest: rest(row)?,
    })
}

fn channel(row: &AnyRow) -> Result<Channel, DbError> {
    let (kind, state): (String, String) = (row.try_get("kind")?, row.try_get("state")?);
    Ok(Channel {
        workspace: id(row, "workspace_id", WorkspaceId::try_from)?,
        id: id(row, "id", ChannelId::try_from)?,
        app: id(row, "app_id", AppId::try_from)?,
        kind: ChannelKind::parse(&kind).ok_or(DbError::Unreadable("channel.kind"))?,
        asset_id: row.try_get("asset_id")?,
        name: row.try_get("name")?,
        locale: row.try_get("locale")?,
        state: ChannelState::parse(&state).ok_or(DbError::Unreadable("channel.state"))?,
        fallback: row.try_get("fallback")?,
        state_reason: row.try_get("state_reason")?,
        rest: rest(row)?,
    })
}

fn rest(row: &AnyRow) -> Result<Rest, DbError> {
    Ok(Rest {
        silent_until: Timestamp::from_millis(row.try_get("backoff_until")?),
        slow_until: Timestamp::from_millis(row.try_get("slow_until")?),
    })
}

fn id<T>(row: &AnyRow, column: &'static str, read: fn(String) -> Result<T, InvalidId>) -> Result<T, DbError> {
    read(row.try_get(column)?).map_err(|_| DbError::Unreadable(column))
}
