//! Turns as a person reads them: what was said, what each plugin saw and wanted, what policy said, what Meta answered.

use std::collections::HashMap;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bellhop_domain::id::{MessageId, WorkspaceId};
use serde::{Deserialize, Serialize};

use crate::api::Api;
use crate::conversation;
use crate::outbox::{self, DeliveryRow};
use crate::trace::{self, TurnRow};

/// Turns in one answer.
const MAX_TURNS: u32 = 50;

/// One turn with the texts it points to.
#[derive(Debug, Clone, Serialize)]
pub struct TurnView {
    /// The turn.
    #[serde(flatten)]
    pub turn: TurnRow,
    /// What the contact wrote, by message id.
    pub said: HashMap<String, String>,
    /// What was answered, in order.
    pub deliveries: Vec<DeliveryView>,
}

/// One delivery with its text.
#[derive(Debug, Clone, Serialize)]
pub struct DeliveryView {
    /// The delivery.
    #[serde(flatten)]
    pub delivery: DeliveryRow,
    /// What it says; `None` when the contact was erased.
    pub text: Option<String>,
    /// Titles of its choices.
    pub choices: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    limit: Option<u32>,
}

pub(super) async fn list(
    State(api): State<Api>,
    Path(workspace): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let Some(workspace) =
        WorkspaceId::parse(&workspace).ok().filter(|id| api.directory.snapshot().workspace(id).is_some())
    else {
        return (StatusCode::NOT_FOUND, "no such workspace").into_response();
    };
    match turns_view(&api, &workspace, asked.limit.unwrap_or(MAX_TURNS).min(MAX_TURNS)).await {
        Ok(turns) => Json(turns).into_response(),
        Err(error) => {
            tracing::error!(error = &*error as &dyn std::error::Error, "Turns could not be read");
            (StatusCode::INTERNAL_SERVER_ERROR, "turns could not be read; the log says why").into_response()
        }
    }
}

/// The newest turns of a workspace, newest first.
///
/// # Errors
/// Whatever reading turns, deliveries or messages says.
pub async fn turns_view(
    api: &Api,
    workspace: &WorkspaceId,
    limit: u32,
) -> Result<Vec<TurnView>, Box<dyn std::error::Error + Send + Sync>> {
    let turns = trace::turns_recent(&api.db, &api.vault, workspace, limit).await?;
    let ids: Vec<_> = turns.iter().map(|turn| (workspace.clone(), turn.id.clone())).collect();
    let mut deliveries = outbox::deliveries_of_turns(&api.db, &ids).await?;
    let said = turns.iter().filter_map(|turn| turn.outline.as_ref()).flat_map(|outline| &outline.events);
    let wanted = said.filter_map(|event| MessageId::parse(event.message.as_deref()?).ok());
    let answered = deliveries.values().flatten().map(|delivery| delivery.message.clone());
    let wanted: Vec<_> = wanted.chain(answered).map(|id| (workspace.clone(), id)).collect();
    let messages = conversation::messages_find(&api.db, &api.vault, &wanted).await?;
    let view = turns.into_iter().map(|turn| {
        let events = turn.outline.iter().flat_map(|outline| &outline.events);
        let said = events.filter_map(|event| {
            let id = event.message.clone()?;
            let text = messages.get(&MessageId::parse(&id).ok()?)?.body.text.clone();
            Some((id, text))
        });
        let said = said.collect();
        let deliveries = deliveries.remove(&turn.id).unwrap_or_default().into_iter().map(|delivery| {
            let body = messages.get(&delivery.message).map(|message| &message.body);
            DeliveryView {
                text: body.map(|body| body.text.clone()),
                choices: body
                    .map(|body| body.choices.iter().map(|choice| choice.title.clone()).collect())
                    .unwrap_or_default(),
                delivery,
            }
        });
        TurnView { deliveries: deliveries.collect(), said, turn }
    });
    Ok(view.collect())
}
