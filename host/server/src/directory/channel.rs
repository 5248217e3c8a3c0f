//! Changes of a channel: its state, its token, the pause that Meta asks for.

use bellhop_domain::id::{ChannelId, WorkspaceId};
use bellhop_domain::time::Timestamp;
use zeroize::Zeroizing;

use crate::audit::{Code, Reference};
use crate::db::{DbError, WriteTransaction};
use crate::vault::{SecretKind, Vault};

use super::add::record;
use super::{ChannelState, DirectoryError, generation_bump};

/// Sets whether a channel may send. `reason` is a short code that pages explain.
///
/// # Errors
/// [`DirectoryError::Missing`] when the workspace has no such channel.
pub async fn channel_state_set(
    transaction: &mut WriteTransaction,
    now: Timestamp,
    (workspace, channel): (&WorkspaceId, &ChannelId),
    state: ChannelState,
    reason: Option<&Code>,
) -> Result<(), DirectoryError> {
    let update = sqlx::query("update channel set state = $1, state_reason = $2 where workspace_id = $3 and id = $4");
    let binds = update.bind(state.as_str()).bind(reason.map(Code::as_str));
    touched(transaction.execute(binds.bind(workspace.as_str()).bind(channel.as_str())).await?)?;
    let code = match state {
        ChannelState::Active => "channel-active",
        ChannelState::Paused => "channel-paused",
        ChannelState::Reauthorise => "channel-reauthorise",
        ChannelState::Disconnected => "channel-disconnected",
    };
    record(transaction, now, workspace, code, Reference::from(channel)).await
}

/// Gives a channel a new token, destroys the old ones and lets it send again.
///
/// # Errors
/// [`DirectoryError::Missing`], [`DirectoryError::Vault`] for an empty token.
pub async fn channel_token_replace(
    transaction: &mut WriteTransaction,
    vault: &Vault,
    now: Timestamp,
    (workspace, channel): (&WorkspaceId, &ChannelId),
    token: Zeroizing<Vec<u8>>,
) -> Result<(), DirectoryError> {
    let (kind, owner) = (SecretKind::ChannelToken, channel.as_str());
    let update =
        sqlx::query("update channel set state = 'active', state_reason = null where workspace_id = $1 and id = $2");
    touched(transaction.execute(update.bind(workspace.as_str()).bind(owner)).await?)?;
    vault.secret_retire(transaction, workspace, kind, owner).await?;
    vault.secret_put(transaction, workspace, kind, owner, token).await?;
    record(transaction, now, workspace, "channel-token-replaced", Reference::from(channel)).await
}

/// Lets nothing go out on a channel until a time that Meta's usage headers or a refusal gave. Not a decision of anybody, so
/// it stands in no audit row.
///
/// # Errors
/// As [`WriteTransaction::execute`].
pub async fn channel_back_off(
    transaction: &mut WriteTransaction,
    workspace: &WorkspaceId,
    channel: &ChannelId,
    until: Timestamp,
) -> Result<(), DbError> {
    let update =
        sqlx::query("update channel set backoff_until = $1 where workspace_id = $2 and id = $3 and backoff_until < $1");
    let binds = update.bind(until.millis()).bind(workspace.as_str()).bind(channel.as_str());
    if transaction.execute(binds).await? > 0 {
        generation_bump(transaction).await?;
    }
    Ok(())
}

fn touched(n_rows: u64) -> Result<(), DirectoryError> {
    if n_rows == 1 { Ok(()) } else { Err(DirectoryError::Missing("channel")) }
}
