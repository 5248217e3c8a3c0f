//! Adds workspaces, apps and channels. Every addition stands in the audit log and bumps the generation; its secrets go
//! straight into vault's custody.

use bellhop_domain::channel::ChannelKind;
use bellhop_domain::id::{AppId, ChannelId, WorkspaceId};
use bellhop_domain::time::Timestamp;
use sqlx::Row;
use zeroize::Zeroizing;

use crate::audit::{self, Code, Entry, Kind, Reference};
use crate::db::{DbError, WriteTransaction};
use crate::vault::{self, SecretKind, Vault};

use super::{App, ChannelState, DirectoryError, generation_bump};

/// Longest name of a business or channel: one line on a page.
const MAX_NAME_CHARACTERS: usize = 120;

/// Longest fallback: one message on every channel.
const MAX_FALLBACK_CHARACTERS: usize = 1_000;

/// Meta's ids of assets and apps have at most 20 digits today.
const MAX_META_ID_BYTES: usize = 64;

/// A business to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWorkspace {
    /// What it calls itself.
    pub name: String,
    /// Language and region, for instance `de-AT`.
    pub locale: String,
    /// IANA name, for instance `Europe/Vienna`.
    pub time_zone: String,
}

/// A Meta app to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApp {
    /// The business that brings it; `None` for the installation's own.
    pub workspace: Option<WorkspaceId>,
    /// Its id at Meta.
    pub meta_app_id: String,
}

/// What an app verifies with.
#[derive(Clone)]
pub struct AppSecrets {
    /// From the app's basic settings.
    pub app_secret: Zeroizing<Vec<u8>>,
    /// Chosen by the operator, said by Meta in the handshake.
    pub verify_token: Zeroizing<Vec<u8>>,
}

/// A channel to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewChannel {
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// The app that its webhooks come through.
    pub app: AppId,
    /// What it is.
    pub kind: ChannelKind,
    /// Its id at Meta.
    pub asset_id: String,
    /// What the business calls it.
    pub name: String,
    /// Language and region of its customers.
    pub locale: String,
    /// What customers hear when no plugin knows an answer.
    pub fallback: Option<String>,
}

/// Adds a business.
///
/// # Errors
/// [`DirectoryError::Value`] names the field that cannot be right.
pub async fn workspace_add(
    transaction: &mut WriteTransaction,
    now: Timestamp,
    new: &NewWorkspace,
) -> Result<WorkspaceId, DirectoryError> {
    check_name(&new.name)?;
    check_locale(&new.locale)?;
    let is_zone = new.time_zone == "UTC" || jiff::tz::TimeZone::get(&new.time_zone).is_ok();
    rule(is_zone, "time zone", "must be an IANA name like Europe/Vienna")?;
    let id = WorkspaceId::new();
    let insert =
        sqlx::query("insert into workspace (id, name, locale, time_zone, created_at) values ($1, $2, $3, $4, $5)");
    let binds = insert.bind(id.as_str()).bind(new.name.as_str()).bind(new.locale.as_str());
    transaction.execute(binds.bind(new.time_zone.as_str()).bind(now.millis())).await?;
    let reference = Reference::from(&id);
    record(transaction, now, &id, "workspace-added", reference).await?;
    Ok(id)
}

/// Adds a Meta app with its secrets.
///
/// # Errors
/// [`DirectoryError::Value`], [`DirectoryError::Vault`] for an empty secret, [`DirectoryError::Missing`],
/// [`DirectoryError::AppTaken`] when the workspace has it already.
pub async fn app_add(
    transaction: &mut WriteTransaction,
    vault: &Vault,
    now: Timestamp,
    new: &NewApp,
    secrets: AppSecrets,
) -> Result<AppId, DirectoryError> {
    check_meta_id(&new.meta_app_id, "app id")?;
    if let Some(workspace) = &new.workspace {
        let select = sqlx::query("select id from workspace where id = $1").bind(workspace.as_str());
        exists(transaction.fetch_all(select).await?.len(), "workspace")?;
    }
    let workspace = new.workspace.clone().unwrap_or_else(vault::installation);
    let select = sqlx::query("select id from app where workspace_id = $1 and meta_app_id = $2 order by id");
    let select = select.bind(workspace.as_str()).bind(new.meta_app_id.as_str());
    if let Some(row) = transaction.fetch_all(select).await?.first() {
        let there = row.try_get::<String, _>(0).map_err(DbError::from)?;
        return Err(DirectoryError::AppTaken(AppId::parse(&there).map_err(|_| DbError::Unreadable("app.id"))?));
    }
    let id = AppId::new();
    let insert = sqlx::query("insert into app (workspace_id, id, meta_app_id, created_at) values ($1, $2, $3, $4)");
    let binds = insert.bind(workspace.as_str()).bind(id.as_str()).bind(new.meta_app_id.as_str());
    transaction.execute(binds.bind(now.millis())).await?;
    let owner = id.as_str();
    vault.secret_put(transaction, &workspace, SecretKind::AppSecret, owner, secrets.app_secret).await?;
    vault.secret_put(transaction, &workspace, SecretKind::VerifyToken, owner, secrets.verify_token).await?;
    record(transaction, now, &workspace, "app-added", Reference::from(&id)).await?;
    Ok(id)
}

/// Replaces a secret of an app; what is signed with the old one is not taken any more.
///
/// # Errors
/// [`DirectoryError`]; nothing was changed.
pub async fn app_secret_replace(
    transaction: &mut WriteTransaction,
    vault: &Vault,
    now: Timestamp,
    app: &App,
    (kind, secret): (SecretKind, Zeroizing<Vec<u8>>),
) -> Result<(), DirectoryError> {
    vault.secret_retire(transaction, &app.workspace, kind, app.id.as_str()).await?;
    vault.secret_put(transaction, &app.workspace, kind, app.id.as_str(), secret).await?;
    record(transaction, now, &app.workspace, "app-secret-replaced", Reference::from(&app.id)).await
}

/// Connects a channel with its token.
///
/// # Errors
/// [`DirectoryError::Missing`] when the workspace may not use the app, [`DirectoryError::Taken`] when the Page, account or
/// number is connected already, by whomever.
pub async fn channel_add(
    transaction: &mut WriteTransaction,
    vault: &Vault,
    now: Timestamp,
    new: &NewChannel,
    token: Zeroizing<Vec<u8>>,
) -> Result<ChannelId, DirectoryError> {
    check_name(&new.name)?;
    check_locale(&new.locale)?;
    check_meta_id(&new.asset_id, "asset id")?;
    let fits = |text: &String| !text.trim().is_empty() && text.chars().count() <= MAX_FALLBACK_CHARACTERS;
    rule(new.fallback.as_ref().is_none_or(fits), "fallback", "must have 1 to 1000 characters")?;
    let workspace = &new.workspace;
    let select = sqlx::query("select id from workspace where id = $1").bind(workspace.as_str());
    exists(transaction.fetch_all(select).await?.len(), "workspace")?;
    let select = sqlx::query("select id from app where id = $1 and (workspace_id = $2 or workspace_id = $3)");
    let installation = vault::installation();
    let select = select.bind(new.app.as_str()).bind(workspace.as_str()).bind(installation.as_str());
    exists(transaction.fetch_all(select).await?.len(), "app")?;

    let id = ChannelId::new();
    let insert = sqlx::query(
        "insert into channel (workspace_id, id, app_id, kind, asset_id, name, locale, state, created_at, fallback) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing",
    );
    let binds = insert.bind(workspace.as_str()).bind(id.as_str()).bind(new.app.as_str()).bind(new.kind.as_str());
    let binds = binds.bind(new.asset_id.as_str()).bind(new.name.as_str()).bind(new.locale.as_str());
    let binds = binds.bind(ChannelState::Active.as_str()).bind(now.millis()).bind(new.fallback.as_deref());
    if transaction.execute(binds).await? != 1 {
        return Err(DirectoryError::Taken);
    }
    vault.secret_put(transaction, workspace, SecretKind::ChannelToken, id.as_str(), token).await?;
    record(transaction, now, workspace, "channel-added", Reference::from(&id)).await?;
    Ok(id)
}

/// Puts a change on record and tells all hosts of it.
pub(super) async fn record(
    transaction: &mut WriteTransaction,
    now: Timestamp,
    workspace: &WorkspaceId,
    code: &'static str,
    reference: Reference,
) -> Result<(), DirectoryError> {
    let entry =
        Entry { reference: Some(reference), ..Entry::new(workspace.clone(), Kind::Configuration, Code::of(code)) };
    audit::append(transaction, now, &[entry]).await?;
    Ok(generation_bump(transaction).await?)
}

fn check_name(name: &str) -> Result<(), DirectoryError> {
    let is_one_line = !name.chars().any(char::is_control) && !name.trim().is_empty();
    rule(is_one_line && name.chars().count() <= MAX_NAME_CHARACTERS, "name", "must be one line of 1 to 120 characters")
}

/// Two or three letters, then parts of 2 to 8 letters or digits.
fn check_locale(locale: &str) -> Result<(), DirectoryError> {
    let mut parts = locale.split('-');
    let language = parts.next().unwrap_or("");
    let is_language = (2..=3).contains(&language.len()) && language.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_part = |part: &str| (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    rule(is_language && locale.len() <= 35 && parts.all(is_part), "locale", "must look like en or de-AT")
}

fn check_meta_id(id: &str, field: &'static str) -> Result<(), DirectoryError> {
    let fits = (1..=MAX_META_ID_BYTES).contains(&id.len());
    // It becomes a part of a URL.
    let is_plain = id.bytes().all(|byte| byte.is_ascii_digit());
    rule(fits && is_plain, field, "must be the number that Meta shows")
}

fn rule(holds: bool, field: &'static str, problem: &'static str) -> Result<(), DirectoryError> {
    if holds { Ok(()) } else { Err(DirectoryError::Value { field, problem }) }
}

fn exists(n_rows: usize, what: &'static str) -> Result<(), DirectoryError> {
    if n_rows > 0 { Ok(()) } else { Err(DirectoryError::Missing(what)) }
}
