//! Tokens of the private listener. Only their hashes are stored; a token is shown once, when it is made.

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::api::Api;
use crate::db::{Db, DbError};

/// Bytes of chance in a token: nobody guesses 256 bits.
const TOKEN_BYTES: usize = 32;

/// Makes a token and stores its hash under a name.
///
/// # Errors
/// [`DbError`]; no token was made.
pub async fn token_issue(db: &Db, name: &str) -> Result<String, DbError> {
    let mut bytes = [0_u8; TOKEN_BYTES];
    getrandom::fill(&mut bytes).map_err(|_| DbError::Unreadable("random source"))?;
    let token = format!("bellhop_{}", hex::encode(bytes));
    let insert = sqlx::query("insert into access_token (hash, name, created_at) values ($1, $2, $3)");
    db.execute(insert.bind(hash(&token)).bind(name.to_owned()).bind(db.now().millis())).await?;
    Ok(token)
}

/// Revokes all tokens of a name; how many there were.
///
/// # Errors
/// [`DbError`]; none was revoked.
pub async fn token_revoke(db: &Db, name: &str) -> Result<u64, DbError> {
    let update = sqlx::query("update access_token set revoked_at = $1 where name = $2 and revoked_at is null");
    db.execute(update.bind(db.now().millis()).bind(name.to_owned())).await
}

fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// Lets a request pass that carries a living token.
pub(super) async fn require(State(api): State<Api>, request: Request, next: Next) -> Response {
    let header = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(token) = header.and_then(|value| value.strip_prefix("Bearer ")) else {
        return (StatusCode::UNAUTHORIZED, "send `Authorization: Bearer …` with a token from `bellhop token`")
            .into_response();
    };
    let select = sqlx::query("select name from access_token where hash = $1 and revoked_at is null");
    match api.db.fetch_optional(select.bind(hash(token))).await {
        Ok(Some(_)) => next.run(request).await,
        Ok(None) => (StatusCode::UNAUTHORIZED, "the token is unknown or revoked").into_response(),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "A token could not be checked");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}
