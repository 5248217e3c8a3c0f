//! Tokens: `GET /oauth/access_token` and `GET /debug_token`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::error::GraphError;
use crate::graph::auth::{self, Caller};
use crate::graph::call::Call;
use crate::state::{Holder, SCOPES, State, Token};

/// Life of a long-lived user token (Meta: Access tokens, about 60 days).
const LONG_LIFE_MS: i64 = 60 * 24 * 3_600_000;
/// Life of the token a login code is exchanged for (about an hour).
const SHORT_LIFE_MS: i64 = 3_600_000;

/// Exchanges a login code or a short-lived token, or gives the app its own token.
pub(crate) fn access_token(state: &mut State, call: &Call, now_ms: i64) -> Result<Value, GraphError> {
    let app_id = call.required("client_id")?;
    let secret = call.required("client_secret")?;
    if !state.apps.contains_key(&app_id) {
        let message = "Error validating application. Cannot get application info due to a system error.";
        return Err(GraphError::new(101, None).saying(message));
    }
    if auth::app_of(state, &app_id, &secret).is_none() {
        return Err(GraphError::new(1, None).saying("Error validating client secret.").with_status(400));
    }
    match call.text("grant_type").as_deref() {
        Some("client_credentials") => {
            Ok(json!({ "access_token": format!("{app_id}|{secret}"), "token_type": "bearer" }))
        }
        Some("fb_exchange_token") => {
            let short = call.required("fb_exchange_token")?;
            let known = state.tokens.get(&short).filter(|token| token.app_id == app_id);
            let known = known.ok_or_else(|| GraphError::token(None))?;
            if let Some(subcode) = known.refusal(now_ms) {
                return Err(GraphError::token(Some(subcode)));
            }
            let holder = known.holder.clone();
            Ok(issue(state, &app_id, holder, now_ms, LONG_LIFE_MS))
        }
        Some("authorization_code") | None => {
            let user_id = spend_code(state, call, &app_id, now_ms)?;
            Ok(issue(state, &app_id, Holder::User(user_id), now_ms, SHORT_LIFE_MS))
        }
        Some(other) => Err(GraphError::parameter(format!("Invalid grant_type: {other}"))),
    }
}

fn spend_code(state: &mut State, call: &Call, app_id: &str, now_ms: i64) -> Result<String, GraphError> {
    const EXPIRED: i64 = 36_007;
    const OTHER_REDIRECT: i64 = 36_008;
    const USED: i64 = 36_009;
    let refused = |subcode: i64, message: &str| GraphError::new(100, Some(subcode)).saying(message);
    let (code, redirect_uri) = (call.required("code")?, call.text("redirect_uri").unwrap_or_default());
    let known = state
        .codes
        .get_mut(&code)
        .filter(|known| known.app_id == app_id)
        .ok_or_else(|| GraphError::new(100, None).saying("Invalid verification code format."))?;
    if known.used {
        return Err(refused(USED, "This authorization code has been used."));
    }
    if known.expires_at_ms <= now_ms {
        return Err(refused(EXPIRED, "This authorization code has expired."));
    }
    if known.redirect_uri != redirect_uri {
        return Err(refused(OTHER_REDIRECT, "The redirect_uri is not the one used in the login dialog."));
    }
    known.used = true;
    Ok(known.user_id.clone())
}

fn issue(state: &mut State, app_id: &str, holder: Holder, now_ms: i64, life_ms: i64) -> Value {
    let value = state.ids.token();
    let token = Token {
        app_id: app_id.to_owned(),
        holder,
        scopes: SCOPES.iter().map(|scope| (*scope).to_owned()).collect(),
        issued_at_ms: now_ms,
        expires_at_ms: Some(now_ms.saturating_add(life_ms)),
        dead: None,
    };
    state.tokens.insert(value.clone(), token);
    json!({ "access_token": value, "token_type": "bearer", "expires_in": life_ms / 1_000 })
}

/// Says what a token is good for.
///
/// # Errors
/// 100 unless it is asked with the token of the app itself.
pub(crate) fn debug_token(state: &State, call: &Call, caller: &Caller, now_ms: i64) -> Result<Value, GraphError> {
    if caller.holder != Holder::App {
        return Err(GraphError::parameter(
            "You must provide an app access token, or a user access token that is an owner or developer of the app",
        ));
    }
    let input = call.required("input_token")?;
    let Some(token) = state.tokens.get(&input).filter(|token| token.app_id == caller.app_id) else {
        let error = json!({ "code": 190, "message": "Invalid OAuth access token." });
        return Ok(json!({ "data": { "error": error, "is_valid": false, "scopes": [] } }));
    };
    let application = state.apps.get(&token.app_id).map(|app| app.name.as_str()).unwrap_or_default();
    let (kind, holder_id) = match &token.holder {
        Holder::Page(id) => ("PAGE", Some(id)),
        Holder::User(id) => ("USER", Some(id)),
        Holder::App => ("APP", None),
    };
    let mut data = json!({
        "app_id": token.app_id,
        "type": kind,
        "application": application,
        "is_valid": token.refusal(now_ms).is_none(),
        "issued_at": token.issued_at_ms / 1_000,
        "expires_at": token.expires_at_ms.map_or(0, |at_ms| at_ms / 1_000),
        "data_access_expires_at": 0,
        "scopes": token.scopes,
        "granular_scopes": granular(&token.scopes, holder_id),
        "profile_id": holder_id,
    });
    if let (Some(subcode), Some(fields)) = (token.refusal(now_ms), data.as_object_mut()) {
        let message = GraphError::token(Some(subcode)).message;
        fields.insert("error".to_owned(), json!({ "code": 190, "subcode": subcode, "message": message }));
    }
    Ok(json!({ "data": data }))
}

fn granular(scopes: &BTreeSet<String>, holder_id: Option<&String>) -> Vec<Value> {
    scopes
        .iter()
        .map(|scope| json!({ "scope": scope, "target_ids": holder_id.into_iter().collect::<Vec<_>>() }))
        .collect()
}
