//! The rest that Meta's usage headers or a refusal ask for, of a channel or of a whole app. Not a decision of anybody, so that it
//! stands in no audit row.

use bellhop_domain::id::{AppId, ChannelId, WorkspaceId};

use crate::db::{DbError, Statement, WriteTransaction};

use super::{Rest, generation_bump};

/// Holds a channel back. A shorter rest does not end a longer one.
///
/// # Errors
/// As [`WriteTransaction::execute`].
pub async fn channel_rest(
    transaction: &mut WriteTransaction,
    (workspace, channel): (&WorkspaceId, &ChannelId),
    rest: Rest,
) -> Result<(), DbError> {
    let update = sqlx::query(
        "update channel set backoff_until = case when backoff_until < $1 then $1 else backoff_until end, \
         slow_until = case when slow_until < $2 then $2 else slow_until end \
         where workspace_id = $3 and id = $4 and (backoff_until < $1 or slow_until < $2)",
    );
    write(transaction, bound(update, rest).bind(workspace.as_str()).bind(channel.as_str())).await
}

/// Holds everything of an app back. A shorter rest does not end a longer one.
///
/// # Errors
/// As [`WriteTransaction::execute`].
pub async fn app_rest(transaction: &mut WriteTransaction, app: &AppId, rest: Rest) -> Result<(), DbError> {
    let update = sqlx::query(
        "update app set backoff_until = case when backoff_until < $1 then $1 else backoff_until end, \
         slow_until = case when slow_until < $2 then $2 else slow_until end \
         where id = $3 and (backoff_until < $1 or slow_until < $2)",
    );
    write(transaction, bound(update, rest).bind(app.as_str())).await
}

fn bound<'q>(update: Statement<'q>, rest: Rest) -> Statement<'q> {
    update.bind(rest.silent_until.millis()).bind(rest.slow_until.millis())
}

async fn write(transaction: &mut WriteTransaction, update: Statement<'_>) -> Result<(), DbError> {
    if transaction.execute(update).await? > 0 {
        generation_bump(transaction).await?;
    }
    Ok(())
}
