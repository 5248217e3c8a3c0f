//! Applying changes in one transaction, table by table.

use bellhop_domain::id::{ContactId, ConversationId, WorkspaceId};
use bellhop_domain::time::Timestamp;
use tracing::warn;

use super::read::Change;
use crate::conversation;
use crate::db::{DbError, WriteTransaction};
use crate::dispatch::{DispatchError, HUMAN_MODE_LASTS};
use crate::inbox::{self, SettledEvent};
use crate::outbox::{self, Evidence};

pub(super) async fn apply_in(
    transaction: &mut WriteTransaction,
    changes: &[Change],
    now: Timestamp,
) -> Result<(), DispatchError> {
    unreadable(transaction, changes, now).await?;
    // Two that look for one delivery by its words take turns, so that they do not find the same.
    let goes_by_likeness = |change: &Change| change.evidence.iter().any(Evidence::is_likeness);
    let changes_row = |change: &&Change| {
        change.contact.is_some() || change.becomes_human || change.suppress.is_some() || goes_by_likeness(change)
    };
    let rows = changes.iter().filter(changes_row);
    let rows = rows.filter_map(|change| Some((&change.workspace, change.conversation.as_ref()?)));
    inbox::conversations_lock_in(transaction, rows).await?;
    contacts(transaction, changes, now).await?;
    let evidence: Vec<Evidence> = changes.iter().flat_map(|change| change.evidence.clone()).collect();
    outbox::settle_by_evidence_in(transaction, &evidence, now).await?;
    let messages: Vec<_> = changes.iter().flat_map(|change| change.messages.clone()).collect();
    conversation::messages_insert_in(transaction, &messages).await?;
    let tasks: Vec<_> = changes.iter().flat_map(|change| change.tasks.clone()).collect();
    conversation::tasks_insert_in(transaction, &tasks, now).await?;
    let suppressions: Vec<_> = changes.iter().filter_map(|change| change.suppress.clone()).collect();
    conversation::suppress_in(transaction, &suppressions).await?;
    let until = Some(now + HUMAN_MODE_LASTS);
    conversation::conversation_set_mode_in(transaction, &those(changes, |c| c.becomes_human), "human", until).await?;
    let touched = those(changes, |c| c.suppress.is_some());
    conversation::conversations_touch_in(transaction, &touched).await?;
    Ok(())
}

/// What cannot be read was not applied: it ends as parked, so that a version that can read it finds it.
async fn unreadable(
    transaction: &mut WriteTransaction,
    changes: &[Change],
    now: Timestamp,
) -> Result<(), DispatchError> {
    let parked = changes.iter().filter(|change| change.is_unreadable).map(|change| {
        warn!(event.id = %change.event, "A control event cannot be read by this version; it is parked");
        SettledEvent {
            workspace: change.workspace.clone(),
            id: change.event.clone(),
            turn: None,
            state: "parked",
            reason: Some("unreadable"),
        }
    });
    let parked: Vec<_> = parked.collect();
    Ok(inbox::events_settle_in(transaction, &parked, now).await?)
}

fn those(changes: &[Change], which: impl Fn(&Change) -> bool) -> Vec<(WorkspaceId, ConversationId)> {
    let chosen = changes.iter().filter(|change| which(change));
    chosen.filter_map(|change| Some((change.workspace.clone(), change.conversation.clone()?))).collect()
}

/// New contacts, if no turn has made one meanwhile: then everything here waits for the next look, which finds it.
async fn contacts(transaction: &mut WriteTransaction, changes: &[Change], now: Timestamp) -> Result<(), DispatchError> {
    for change in changes {
        let (Some(new), Some(conversation)) = (&change.contact, &change.conversation) else { continue };
        let update = sqlx::query(
            "update conversation set contact_id = $1, revision = revision + 1 \
             where workspace_id = $2 and id = $3 and coalesce(contact_id, '') = $4",
        );
        let update = update
            .bind(new.contact.id.as_str().to_owned())
            .bind(change.workspace.as_str().to_owned())
            .bind(conversation.as_str().to_owned())
            .bind(change.gone.as_ref().map_or("", ContactId::as_str).to_owned());
        if transaction.execute(update).await? != 1 {
            return Err(DbError::Conflict.into());
        }
        conversation::contacts_insert_in(transaction, std::slice::from_ref(new), now).await?;
    }
    Ok(())
}
