//! The chat page and the phone that other pages can mount: three files, compiled in.

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// Styles of the phone, scoped under `.phone`.
pub const PHONE_CSS: &str = include_str!("../assets/phone.css");

/// The phone: mounts itself into every element with the attribute `data-phone`.
pub const PHONE_JS: &str = include_str!("../assets/phone.js");

const CHAT_HTML: &str = include_str!("../assets/chat.html");

/// The phone's files, under `/_phone/`.
pub(crate) fn assets() -> Router {
    Router::new()
        .route("/_phone/phone.css", get(|| async { file("text/css; charset=utf-8", PHONE_CSS) }))
        .route("/_phone/phone.js", get(|| async { file("text/javascript; charset=utf-8", PHONE_JS) }))
}

/// The simulator's own page.
pub(crate) fn chat() -> Router {
    let page = || async { file("text/html; charset=utf-8", CHAT_HTML) };
    Router::new().route("/", get(page)).route("/chat", get(page))
}

fn file(media_type: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, text).into_response()
}
