//! Who calls: the token, its proof, and which Page it opens. Always asked before the path is looked at.

use std::collections::BTreeSet;

use subtle::ConstantTimeEq;

use crate::error::GraphError;
use crate::graph::call::Call;
use crate::state::{App, Holder, State};
use crate::webhook::sign;

/// Whoever holds a token that works.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) app_id: String,
    pub(crate) holder: Holder,
    pub(crate) scopes: BTreeSet<String>,
}

/// A Page that may be spoken for.
#[derive(Debug, Clone)]
pub(crate) struct PageCaller {
    pub(crate) page_id: String,
    scopes: BTreeSet<String>,
}

impl Caller {
    /// The Page that `node` (its id, or `me`) names, if this token is its own.
    pub(crate) fn page(&self, node: &str) -> Result<PageCaller, GraphError> {
        match &self.holder {
            Holder::Page(page_id) if node == "me" || node == page_id => {
                Ok(PageCaller { page_id: page_id.clone(), scopes: self.scopes.clone() })
            }
            Holder::Page(_) => Err(GraphError::no_object(node)),
            Holder::App | Holder::User(_) => Err(GraphError::token(None)
                .saying("This method must be called with a Page access token; a Page access token is required")),
        }
    }
}

impl PageCaller {
    /// Refuses unless the permission is there: code 10 for messaging, 200 for the rest.
    pub(crate) fn requires(&self, scope: &str) -> Result<(), GraphError> {
        if self.scopes.contains(scope) {
            return Ok(());
        }
        let code = if scope == "pages_messaging" { 10 } else { 200 };
        Err(GraphError::new(code, None).saying(format!("(#{code}) Requires the permission {scope}")))
    }
}

/// Checks the token and its proof.
///
/// # Errors
/// 2500 without a token, 190 for a dead one, 100 for a wrong or missing `appsecret_proof`.
pub(crate) fn authorise(state: &State, call: &Call, now_ms: i64) -> Result<Caller, GraphError> {
    let token = call
        .token
        .as_deref()
        .filter(|token| !token.is_empty())
        .ok_or_else(|| GraphError::new(2_500, None).saying("An active access token must be used"))?;
    let caller = match token.split_once('|') {
        Some((app_id, secret)) => app_caller(state, app_id, secret)?,
        None => {
            let known = state.tokens.get(token).ok_or_else(|| GraphError::token(None))?;
            if let Some(subcode) = known.refusal(now_ms) {
                return Err(GraphError::token(Some(subcode)));
            }
            Caller { app_id: known.app_id.clone(), holder: known.holder.clone(), scopes: known.scopes.clone() }
        }
    };
    let app = state.apps.get(&caller.app_id).ok_or_else(|| GraphError::token(Some(458)))?;
    check_proof(app, token, call)?;
    Ok(caller)
}

/// The app whose id and secret these are.
pub(crate) fn app_of<'a>(state: &'a State, app_id: &str, secret: &str) -> Option<&'a App> {
    state.apps.get(app_id).filter(|app| app.secret.as_bytes().ct_eq(secret.as_bytes()).into())
}

fn app_caller(state: &State, app_id: &str, secret: &str) -> Result<Caller, GraphError> {
    let app = app_of(state, app_id, secret).ok_or_else(|| GraphError::token(None))?;
    Ok(Caller { app_id: app.id.clone(), holder: Holder::App, scopes: BTreeSet::new() })
}

fn check_proof(app: &App, token: &str, call: &Call) -> Result<(), GraphError> {
    let error = |message: &str| GraphError {
        kind: "GraphMethodException".to_owned(),
        ..GraphError::new(100, None).saying(message)
    };
    match call.text("appsecret_proof") {
        Some(proof) if sign::is_proof(&app.secret, token, &proof) => Ok(()),
        Some(_) => Err(error("Invalid appsecret_proof provided in the API argument")),
        None if app.requires_proof => Err(error("API calls from the server require an appsecret_proof argument")),
        None => Ok(()),
    }
}
