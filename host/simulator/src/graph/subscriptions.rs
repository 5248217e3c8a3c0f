//! `/{page}/subscribed_apps`: which webhook fields of a Page its app hears.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::error::GraphError;
use crate::graph::auth::PageCaller;
use crate::graph::call::Call;
use crate::state::{FIELDS, State};

/// Fields that exist at Meta and are taken, though no event of them is simulated.
const SILENT_FIELDS: [&str; 8] = [
    "mention",
    "message_edits",
    "messaging_account_linking",
    "messaging_feedback",
    "messaging_handovers",
    "messaging_optins",
    "messaging_policy_enforcement",
    "messaging_referrals",
];

/// `GET`: the app and its fields, or nobody.
pub(crate) fn list(state: &State, caller: &PageCaller) -> Result<Value, GraphError> {
    let page = state.pages.get(&caller.page_id).ok_or_else(|| GraphError::no_object(&caller.page_id))?;
    let app = state.app_of(&caller.page_id).ok_or_else(|| GraphError::no_object(&caller.page_id))?;
    let data =
        page.subscribed.as_ref().map(|fields| json!({ "id": app.id, "name": app.name, "subscribed_fields": fields }));
    Ok(json!({ "data": data.into_iter().collect::<Vec<_>>() }))
}

/// `POST`: replaces the list of fields.
pub(crate) fn subscribe(state: &mut State, call: &Call, caller: &PageCaller) -> Result<Value, GraphError> {
    caller.requires("pages_manage_metadata")?;
    let fields = wanted(call)?;
    let page = state.pages.get_mut(&caller.page_id).ok_or_else(|| GraphError::no_object(&caller.page_id))?;
    page.subscribed = Some(fields);
    page.failing_since_ms = None;
    Ok(json!({ "success": true }))
}

/// `DELETE`: ends the subscription.
pub(crate) fn unsubscribe(state: &mut State, caller: &PageCaller) -> Result<Value, GraphError> {
    caller.requires("pages_manage_metadata")?;
    let page = state.pages.get_mut(&caller.page_id).ok_or_else(|| GraphError::no_object(&caller.page_id))?;
    page.subscribed = None;
    Ok(json!({ "success": true }))
}

/// The fields asked for, as a comma-separated text or a list.
fn wanted(call: &Call) -> Result<BTreeSet<String>, GraphError> {
    let fields: BTreeSet<String> = match call.params.get("subscribed_fields") {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => call.required("subscribed_fields")?.split(',').map(|field| field.trim().to_owned()).collect(),
    };
    let known = |field: &str| FIELDS.contains(&field) || SILENT_FIELDS.contains(&field);
    match fields.iter().find(|field| !known(field)) {
        Some(unknown) => Err(GraphError::parameter(format!("Param subscribed_fields: {unknown} is not a field"))),
        None if fields.is_empty() => Err(GraphError::parameter("The parameter subscribed_fields is required")),
        None => Ok(fields),
    }
}
