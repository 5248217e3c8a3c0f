//! Changes of a channel: its state, its token, the pause that Meta asks for.

use bellhop_domain::id::{ChannelId, WorkspaceId};
use bellhop_domain::time::Timestamp;
use zeroize::Zeroizing;

use crate::audit::{Code, Reference};
use crate::db::{DbError, WriteTransaction};
use crate::vault::{SecretKind, Vault};

use super::add::record;
use super::{ChannelState, Directory, DirectoryError, generation_bump};

impl Directory {
    /// Sets whether a channel may send, here at once and on other hosts with their next look; false when the workspace has no
    /// such channel. `reason` is a short code that pages explain; what is no code is not kept.
    ///
    /// # Errors
    /// [`DbError`]; nothing was changed.
    pub async fn channel_set_state(
        &self,
        workspace: &WorkspaceId,
        channel: &ChannelId,
        state: ChannelState,
        reason: Option<&str>,
    ) -> Result<bool, DbError> {
        let now = self.inner.db.now();
        let reason = reason.and_then(|reason| Code::parse(reason).ok());
        let update =
            sqlx::query("update channel set state = $1, state_reason = $2 where workspace_id = $3 and id = $4");
        let binds = update.bind(state.as_str()).bind(reason.as_ref().map(Code::as_str));
        let mut transaction = self.inner.db.begin_write().await?;
        if transaction.execute(binds.bind(workspace.as_str()).bind(channel.as_str())).await? != 1 {
            return Ok(false);
        }
        let code = match state {
            ChannelState::Active => "channel-active",
            ChannelState::Paused => "channel-paused",
            ChannelState::Reauthorise => "channel-reauthorise",
        };
        record(&mut transaction, now, workspace, code, Reference::from(channel)).await?;
        transaction.commit().await?;
        self.refresh_if_changed().await?;
        Ok(true)
    }

    /// Lets nothing go out on a channel until a time that Meta's usage headers or a refusal gave; never shortens a pause.
    /// Nobody decided it, so it stands in no audit row.
    ///
    /// # Errors
    /// [`DbError`]; nothing was changed.
    pub async fn channel_back_off(
        &self,
        workspace: &WorkspaceId,
        channel: &ChannelId,
        until: Timestamp,
    ) -> Result<(), DbError> {
        let update = sqlx::query(
            "update channel set backoff_until = $1 where workspace_id = $2 and id = $3 and backoff_until < $1",
        );
        let binds = update.bind(until.millis()).bind(workspace.as_str()).bind(channel.as_str());
        let mut transaction = self.inner.db.begin_write().await?;
        if transaction.execute(binds).await? > 0 {
            generation_bump(&mut transaction).await?;
            transaction.commit().await?;
            self.refresh_if_changed().await?;
        }
        Ok(())
    }
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
    Ok(record(transaction, now, workspace, "channel-token-replaced", Reference::from(channel)).await?)
}

fn touched(n_rows: u64) -> Result<(), DirectoryError> {
    if n_rows == 1 { Ok(()) } else { Err(DirectoryError::Missing("channel")) }
}
