//! Changes of a channel: its state and its token.

use bellhop_domain::id::{ChannelId, WorkspaceId};
use bellhop_domain::time::Timestamp;
use zeroize::Zeroizing;

use crate::audit::{Code, Reference};
use crate::db::WriteTransaction;
use crate::vault::{SecretKind, Vault};

use super::add::record;
use super::{ChannelState, DirectoryError};

/// Sets whether a channel may send. `reason` is a short code that pages explain. A channel that was removed stays so: what
/// Meta still answers to a send that was under way says nothing about it.
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
    let update = sqlx::query(
        "update channel set state = $1, state_reason = $2 where workspace_id = $3 and id = $4 and state <> 'disconnected'",
    );
    let binds = update.bind(state.as_str()).bind(reason.map(Code::as_str));
    if transaction.execute(binds.bind(workspace.as_str()).bind(channel.as_str())).await? == 0 {
        let select = sqlx::query("select id from channel where workspace_id = $1 and id = $2");
        let found = transaction.fetch_all(select.bind(workspace.as_str()).bind(channel.as_str())).await?;
        return touched(found.len() as u64);
    }
    let code = match state {
        ChannelState::Active => "channel-active",
        ChannelState::Paused => "channel-paused",
        ChannelState::Reauthorise => "channel-reauthorise",
        ChannelState::Disconnected => "channel-disconnected",
    };
    record(transaction, now, workspace, code, Reference::from(channel)).await
}

/// Takes a channel away: nothing is sent on it any more, its tokens are destroyed, and what still comes is stored and left
/// alone. What is known of its customers stays.
///
/// # Errors
/// [`DirectoryError::Missing`] when the workspace has no such channel.
pub async fn channel_remove(
    transaction: &mut WriteTransaction,
    vault: &Vault,
    now: Timestamp,
    (workspace, channel): (&WorkspaceId, &ChannelId),
) -> Result<(), DirectoryError> {
    channel_state_set(transaction, now, (workspace, channel), ChannelState::Disconnected, None).await?;
    vault.secret_retire(transaction, workspace, SecretKind::ChannelToken, channel.as_str()).await?;
    Ok(())
}

/// Gives a channel a new token, destroys the old ones and lets it send again, one that was removed too.
///
/// # Errors
/// [`DirectoryError::Missing`], [`DirectoryError::Vault`] for an empty token, [`DirectoryError::Taken`] when it was removed
/// and its Page, account or number is connected elsewhere by now.
pub async fn channel_token_replace(
    transaction: &mut WriteTransaction,
    vault: &Vault,
    now: Timestamp,
    (workspace, channel): (&WorkspaceId, &ChannelId),
    token: Zeroizing<Vec<u8>>,
) -> Result<(), DirectoryError> {
    let (kind, owner) = (SecretKind::ChannelToken, channel.as_str());
    let taken = sqlx::query(
        "select o.id from channel c join channel o on o.kind = c.kind and o.asset_id = c.asset_id and o.id <> c.id \
         where c.workspace_id = $1 and c.id = $2 and o.state <> 'disconnected'",
    );
    if !transaction.fetch_all(taken.bind(workspace.as_str()).bind(owner)).await?.is_empty() {
        return Err(DirectoryError::Taken);
    }
    let update =
        sqlx::query("update channel set state = 'active', state_reason = null where workspace_id = $1 and id = $2");
    touched(transaction.execute(update.bind(workspace.as_str()).bind(owner)).await?)?;
    vault.secret_retire(transaction, workspace, kind, owner).await?;
    vault.secret_put(transaction, workspace, kind, owner, token).await?;
    record(transaction, now, workspace, "channel-token-replaced", Reference::from(channel)).await
}

fn touched(n_rows: u64) -> Result<(), DirectoryError> {
    if n_rows == 1 { Ok(()) } else { Err(DirectoryError::Missing("channel")) }
}
