//! One call of the Graph API, read from query, form or JSON alike, as Meta does.

use axum::extract::{Form, FromRequest, Path, Query, Request};
use axum::http::{Method, header};
use axum::{Json, RequestExt};
use serde_json::{Map, Value};

use crate::error::GraphError;

/// The newest version there is (Meta: Graph API changelog, v26.0 of 2026-07-29).
const NEWEST_VERSION: u32 = 26;

/// A call: what was asked, whatever way it came.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) version: String,
    pub(crate) path: Vec<String>,
    pub(crate) params: Map<String, Value>,
    /// From the `Authorization` header, or the parameter `access_token`.
    pub(crate) token: Option<String>,
}

impl Call {
    /// Reads a request.
    ///
    /// # Errors
    /// What Meta answers to a version, a body or a media type it cannot read.
    pub(crate) async fn read(mut request: Request) -> Result<Self, GraphError> {
        let Path((version, path)) = request
            .extract_parts::<Path<(String, String)>>()
            .await
            .map_err(|_unreadable| GraphError::new(2_500, None))?;
        if !is_version(&version) {
            return Err(GraphError::new(2_500, None).saying(format!("Unknown path components: /{version}/{path}")));
        }
        let bearer = request
            .headers()
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
            .map(str::to_owned);
        let method = request.method().clone();
        let mut params = query_of(&request)?;
        if method != Method::GET {
            params.extend(body_of(request).await?);
        }
        let token = bearer.or_else(|| params.get("access_token").and_then(Value::as_str).map(str::to_owned));
        let path = path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        Ok(Self { method, version, path, params, token })
    }

    /// Whether it is this method on this path.
    pub(crate) fn is(&self, method: &Method, path: &[&str]) -> bool {
        self.method == *method && self.path.iter().map(String::as_str).eq(path.iter().copied())
    }

    /// Whether it is a call of the Send API.
    pub(crate) fn is_send(&self) -> bool {
        self.method == Method::POST && matches!(self.path.as_slice(), [_, edge] if edge == "messages")
    }

    /// A parameter as text; numbers count as text, as ids come both ways.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        match self.params.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// A parameter that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<String, GraphError> {
        self.text(name)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| GraphError::parameter(format!("The parameter {name} is required")))
    }
}

/// `v25.0` and the like. Older versions than Meta still serves are answered by the oldest living one.
fn is_version(version: &str) -> bool {
    version
        .strip_prefix('v')
        .and_then(|rest| rest.strip_suffix(".0"))
        .and_then(|number| number.parse::<u32>().ok())
        .is_some_and(|number| (1..=NEWEST_VERSION).contains(&number))
}

fn query_of(request: &Request) -> Result<Map<String, Value>, GraphError> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(request.uri())
        .map_err(|_unreadable| GraphError::parameter("The query string cannot be read"))?;
    Ok(pairs.into_iter().map(|(name, value)| (name, nested(value))).collect())
}

async fn body_of(request: Request) -> Result<Map<String, Value>, GraphError> {
    let media_type = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .map(|value| value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    match media_type.as_deref() {
        Some("application/json") => Json::<Map<String, Value>>::from_request(request, &())
            .await
            .map(|Json(params)| params)
            .map_err(|_unreadable| GraphError::parameter("The body is not a JSON object")),
        Some("application/x-www-form-urlencoded") => Form::<Vec<(String, String)>>::from_request(request, &())
            .await
            .map(|Form(pairs)| pairs.into_iter().map(|(name, value)| (name, nested(value))).collect())
            .map_err(|_unreadable| GraphError::parameter("The form cannot be read")),
        None => Ok(Map::new()),
        Some(other) => Err(GraphError::parameter(format!("Bodies of type {other} are not simulated"))),
    }
}

/// Objects and lists travel in queries and forms as JSON text.
fn nested(value: String) -> Value {
    if value.starts_with(['{', '['])
        && let Ok(parsed) = serde_json::from_str(&value)
    {
        return parsed;
    }
    Value::String(value)
}
