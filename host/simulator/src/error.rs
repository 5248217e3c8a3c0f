//! Errors in Meta's shape: a code, often a subcode, a message, and the HTTP status that belongs to them.
//!
//! The codes are what clients branch on; the messages are close to Meta's, never word for word.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// One error of the Graph API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GraphError {
    /// HTTP status; usually 400, and even 200 has been seen.
    pub status: u16,
    /// The code to branch on.
    pub code: i64,
    /// The finer code, where Meta gives one.
    #[serde(default)]
    pub subcode: Option<i64>,
    /// `OAuthException`, `GraphMethodException`, …
    #[serde(default = "oauth_exception")]
    pub kind: String,
    /// What a developer reads.
    pub message: String,
}

fn oauth_exception() -> String {
    "OAuthException".to_owned()
}

impl GraphError {
    /// An error by its codes, with the status and a message that fit them.
    pub fn new(code: i64, subcode: Option<i64>) -> Self {
        let message = format!("(#{code}) {}", meaning(code, subcode));
        Self { status: status_of(code), code, subcode, kind: oauth_exception(), message }
    }

    /// The same with another message.
    #[must_use]
    pub fn saying(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// The same with another HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// A bad parameter: code 100 without a subcode.
    pub(crate) fn parameter(message: impl AsRef<str>) -> Self {
        Self::new(100, None).saying(format!("(#100) {}", message.as_ref()))
    }

    /// Code 100/33: the object is missing, or this token may not see it.
    pub(crate) fn no_object(id: &str) -> Self {
        let message = format!(
            "Unsupported request. Object with ID '{id}' does not exist, cannot be loaded due to missing permissions, \
             or does not support this operation"
        );
        Self { kind: "GraphMethodException".to_owned(), ..Self::new(100, Some(33)).saying(message) }
    }

    /// Code 190: the token is not one, or is dead.
    pub(crate) fn token(subcode: Option<i64>) -> Self {
        Self::new(190, subcode).saying(meaning(190, subcode))
    }

    /// Writes the error as Meta does; `trace_id` is what support would ask for.
    pub(crate) fn into_response_with(self, trace_id: &str) -> Response {
        let mut body = json!({
            "message": self.message,
            "type": self.kind,
            "code": self.code,
            "fbtrace_id": trace_id,
        });
        if let Some(fields) = body.as_object_mut() {
            if let Some(subcode) = self.subcode {
                fields.insert("error_subcode".to_owned(), subcode.into());
            }
            if is_transient(self.code, self.subcode) {
                fields.insert("is_transient".to_owned(), true.into());
            }
        }
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let mut response = (status, axum::Json(json!({ "error": body }))).into_response();
        if self.code == 190 {
            let challenge = HeaderValue::from_static(r#"OAuth "Facebook Platform" "invalid_token""#);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// Why the control of the simulator could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// No app with this id; add it first.
    #[error("no app {0}; add it first")]
    NoSuchApp(String),
    /// No Page with this id; add it first.
    #[error("no page {0}; add it first")]
    NoSuchPage(String),
    /// Nobody with this id writes to the Page; add them first.
    #[error("page {page} has no person {person}; add them first")]
    NoSuchPerson {
        /// The Page.
        page: String,
        /// The person.
        person: String,
    },
    /// No such message, comment or webhook; it may be too old to be kept.
    #[error("no {kind} {id}; it was never there or is too old to be kept")]
    NoSuchThing {
        /// What was looked for.
        kind: &'static str,
        /// Its id.
        id: String,
    },
    /// The callback could not be reached for the handshake.
    #[error("the callback could not be reached for the handshake")]
    Unreachable(#[source] reqwest::Error),
    /// The callback did not send the challenge back.
    #[error("the callback answered the handshake with status {status} and {what}")]
    Handshake {
        /// Its HTTP status.
        status: u16,
        /// Whether the challenge came back.
        what: &'static str,
    },
    /// What was waited for did not happen in time.
    #[error(
        "timed out with {n_accepted} messages accepted of {n_sends} sends, {n_settled} of {n_webhooks} webhooks settled"
    )]
    TimedOut {
        /// Messages accepted so far.
        n_accepted: usize,
        /// Calls of the Send API so far.
        n_sends: usize,
        /// Webhook requests so far.
        n_webhooks: usize,
        /// Webhook requests that ended.
        n_settled: usize,
    },
}

/// The HTTP status that goes with a code (Meta: Graph API, Handling errors; throttles come as 400 or 429).
fn status_of(code: i64) -> u16 {
    match code {
        1 => 500,
        2 => 503,
        0 | 190 => 401,
        10 | 200..=299 | 368 => 403,
        _ => 400,
    }
}

fn is_transient(code: i64, subcode: Option<i64>) -> bool {
    matches!(code, 1 | 2 | 1200) || (code == 4 && subcode.is_none())
}

fn meaning(code: i64, subcode: Option<i64>) -> &'static str {
    match (code, subcode) {
        (1, _) => "An unknown error occurred",
        (2, _) => "Service temporarily unavailable",
        (4, _) => "Application request limit reached",
        (10, Some(2_018_278)) => "This message is sent outside of allowed window",
        (10, Some(2_018_108)) => "This person cannot receive messages right now",
        (10, _) => "This application does not have permission for this action",
        (17, _) => "User request limit reached",
        (32, _) => "Page request limit reached",
        (100, Some(2_018_001)) => "No matching user found",
        (100, Some(2_018_014)) => "A request carries either a message or a sender_action",
        (100, Some(2_018_300)) => "Another app controls this thread",
        (100, _) => "Invalid parameter",
        (190, Some(458)) => "Error validating access token: the user has not authorized this application",
        (190, Some(459)) => "Error validating access token: the user must pass a checkpoint first",
        (190, Some(460)) => "Error validating access token: the session ended because the password was changed",
        (190, Some(463)) => "Error validating access token: the session has expired",
        (190, Some(464)) => "Error validating access token: the user is not confirmed",
        (190, Some(467)) => "Error validating access token: the session has been invalidated",
        (190, Some(492)) => "Error validating access token: the user lost their role on the Page",
        (190, _) => "Invalid OAuth access token - cannot parse access token",
        (230, _) => "User consent is required to read this profile",
        (200..=299, _) => "Permissions error",
        (368, _) => "The action has been blocked by policy",
        (551, _) => "This person isn't available right now",
        (613, _) => "Calls to this API have exceeded the rate limit",
        (80_006, _) => "There have been too many calls to this Messenger account",
        (1_200, _) => "Temporary send message failure, please try again later",
        (2_500, _) => "Unknown path components",
        (10_900, _) => "This activity was already replied to",
        (10_902, _) => "This activity cannot be replied to",
        (9_000_001, _) => "This message was deleted or is too old to be shown",
        _ => "The request could not be completed",
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use serde_json::Value;

    use super::*;

    async fn written(error: GraphError) -> (u16, Value) {
        let response = error.into_response_with("Atrace");
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn an_error_has_metas_shape() {
        let (status, body) = written(GraphError::new(10, Some(2_018_278))).await;
        assert_eq!(status, 403);
        let error = &body["error"];
        assert_eq!(error["code"], 10);
        assert_eq!(error["error_subcode"], 2_018_278);
        assert_eq!(error["type"], "OAuthException");
        assert_eq!(error["fbtrace_id"], "Atrace");
        assert!(error["message"].as_str().unwrap().starts_with("(#10)"));
        assert!(error.get("is_transient").is_none());
    }

    #[tokio::test]
    async fn statuses_follow_the_code_unless_told_otherwise() {
        assert_eq!(written(GraphError::token(Some(463))).await.0, 401);
        assert_eq!(written(GraphError::new(2, None)).await.0, 503);
        assert_eq!(written(GraphError::new(613, None)).await.0, 400);
        assert_eq!(written(GraphError::new(613, None).with_status(200)).await.0, 200);
        assert_eq!(written(GraphError::new(2, None)).await.1["error"]["is_transient"], true);
    }

    #[tokio::test]
    async fn a_dead_token_is_also_said_in_a_header() {
        let response = GraphError::token(None).into_response_with("A");
        assert!(response.headers().contains_key(header::WWW_AUTHENTICATE));
    }
}
