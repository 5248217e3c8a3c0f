//! Custody of secrets: they come in, are used in a MAC or attached to a request, and never come out.

use std::fmt;
use std::sync::Arc;

use bellhop_domain::id::{AppId, ChannelId, KeyId, WorkspaceId};
use hmac::{Hmac, Mac};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use sha2::{Digest, Sha256};
use sqlx::Row;
use sqlx::any::AnyRow;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::db::{DbError, WriteTransaction};

use super::seal::{self, DataKey, Place};
use super::{Owner, Vault, VaultError, installation};

/// Live secrets of one owner that count: an old and a new one while rotating, with room for a hurried operator.
const MAX_LIVE: i64 = 4;

/// Longest secret. Meta's tokens have some 250 bytes, a key pair in PEM 3 kB.
const MAX_SECRET_BYTES: usize = 8_192;

/// What a secret is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SecretKind {
    /// A Meta app's secret: verifies webhooks, proves requests. Owner: the app.
    AppSecret,
    /// What Meta says in the webhook handshake. Owner: the app.
    VerifyToken,
    /// A channel's access token. Owner: the channel.
    ChannelToken,
    /// What a business's own endpoint wants. Owner: the alias.
    EndpointCredential,
    /// The installation's key for signing plugins.
    SigningKey,
}

impl SecretKind {
    /// Its name in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AppSecret => "app-secret",
            Self::VerifyToken => "verify-token",
            Self::ChannelToken => "channel-token",
            Self::EndpointCredential => "endpoint-credential",
            Self::SigningKey => "signing-key",
        }
    }
}

/// A decrypted secret in memory, overwritten when dropped.
pub(super) struct Held {
    workspace: WorkspaceId,
    pub(super) bytes: Zeroizing<Vec<u8>>,
    mac: Hmac<Sha256>,
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held(…)")
    }
}

impl Vault {
    /// Takes a secret into custody; the ones that are there stay valid beside it. The caller bumps the generation.
    ///
    /// # Errors
    /// [`VaultError::SecretSize`] for an empty or an oversized one, [`VaultError::Db`] when it cannot be stored.
    pub async fn secret_put(
        &self,
        transaction: &mut WriteTransaction,
        workspace: &WorkspaceId,
        kind: SecretKind,
        owner_id: &str,
        secret: Zeroizing<Vec<u8>>,
    ) -> Result<(), VaultError> {
        let id = uuid::Uuid::now_v7().to_string();
        let insert = self.secret_insert(workspace, kind, (owner_id, &id), &secret).await?;
        transaction.execute(insert).await?;
        Ok(())
    }

    /// Destroys all secrets of one kind that this owner has.
    ///
    /// # Errors
    /// [`VaultError::Db`].
    pub async fn secret_retire(
        &self,
        transaction: &mut WriteTransaction,
        workspace: &WorkspaceId,
        kind: SecretKind,
        owner_id: &str,
    ) -> Result<u64, VaultError> {
        let update = sqlx::query(
            "update secret set retired_at = $1, sealed = $2 \
             where workspace_id = $3 and kind = $4 and owner_id = $5 and retired_at is null",
        );
        let binds = update.bind(self.inner.store.now().millis()).bind(Vec::new()).bind(workspace.as_str());
        Ok(transaction.execute(binds.bind(kind.as_str()).bind(owner_id)).await?)
    }

    /// Destroys all but the newest: the end of a rotation.
    ///
    /// # Errors
    /// [`VaultError::Db`].
    pub async fn secret_retire_older(
        &self,
        transaction: &mut WriteTransaction,
        workspace: &WorkspaceId,
        kind: SecretKind,
        owner_id: &str,
    ) -> Result<u64, VaultError> {
        let update = sqlx::query(
            "update secret set retired_at = $1, sealed = $2 \
             where workspace_id = $3 and kind = $4 and owner_id = $5 and retired_at is null and id < \
             (select max(id) from secret where workspace_id = $3 and kind = $4 and owner_id = $5 and retired_at is null)",
        );
        let binds = update.bind(self.inner.store.now().millis()).bind(Vec::new()).bind(workspace.as_str());
        Ok(transaction.execute(binds.bind(kind.as_str()).bind(owner_id)).await?)
    }

    /// True when `tag` is the HMAC-SHA-256 of `message` under any live secret of this owner.
    ///
    /// # Errors
    /// [`VaultError::Db`] and those of opening a key; nothing is known then.
    pub async fn verify(
        &self,
        kind: SecretKind,
        owner_id: &str,
        message: &[u8],
        tag: &[u8],
    ) -> Result<bool, VaultError> {
        let held = self.secrets(kind, owner_id).await?;
        Ok(held.iter().any(|secret| secret.mac.clone().chain_update(message).verify_slice(tag).is_ok()))
    }

    /// True when `candidate` is a live secret of this owner. An empty candidate never is.
    ///
    /// # Errors
    /// As [`Vault::verify`].
    pub async fn matches(&self, kind: SecretKind, owner_id: &str, candidate: &[u8]) -> Result<bool, VaultError> {
        let held = self.secrets(kind, owner_id).await?;
        // Digests, because comparing texts of different length tells the length.
        let wanted = Sha256::digest(candidate);
        let is_known = held.iter().fold(false, |known, secret| {
            known | bool::from(Sha256::digest(secret.bytes.as_slice()).as_slice().ct_eq(wanted.as_slice()))
        });
        Ok(is_known && !candidate.is_empty())
    }

    /// Adds the channel's token and the app's proof of it to a request for the Graph API.
    ///
    /// # Errors
    /// [`VaultError::NoSecret`] when the channel has no token or the app no secret: connect the channel again.
    pub async fn authorise(
        &self,
        mut request: reqwest::Request,
        app: &AppId,
        channel: &ChannelId,
        workspace: &WorkspaceId,
    ) -> Result<reqwest::Request, VaultError> {
        let tokens = self.secrets(SecretKind::ChannelToken, channel.as_str()).await?;
        let token = tokens.iter().find(|held| held.workspace == *workspace);
        let token = token.ok_or(VaultError::NoSecret(SecretKind::ChannelToken))?;
        let secrets = self.secrets(SecretKind::AppSecret, app.as_str()).await?;
        let own = |held: &&Held| held.workspace == *workspace || held.workspace == installation();
        let app_secret = secrets.iter().find(own).ok_or(VaultError::NoSecret(SecretKind::AppSecret))?;

        let proof = hex::encode(seal::digest(app_secret.mac.clone().chain_update(token.bytes.as_slice())));
        request.url_mut().query_pairs_mut().append_pair("appsecret_proof", &proof);
        let text = Zeroizing::new([b"Bearer ".as_slice(), token.bytes.as_slice()].concat());
        let mut header = HeaderValue::from_bytes(&text).map_err(|_| VaultError::NoSecret(SecretKind::ChannelToken))?;
        header.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, header);
        Ok(request)
    }

    /// Forgets the decrypted secrets: called when another command or host has changed the configuration.
    pub fn secrets_forget(&self) {
        self.inner.secrets.clear();
    }

    /// Live secrets of one owner, newest first.
    pub(super) async fn secrets(&self, kind: SecretKind, owner_id: &str) -> Result<Arc<[Held]>, VaultError> {
        let name = format!("{} {owner_id}", kind.as_str());
        let now = self.inner.store.now();
        if let Some(held) = self.inner.secrets.get(&name, now) {
            return Ok(held);
        }
        let select = sqlx::query(
            "select workspace_id, id, key_id, sealed from secret where kind = $1 and owner_id = $2 \
             and retired_at is null order by id desc limit $3",
        );
        let rows = self.inner.store.fetch_all(select.bind(kind.as_str()).bind(owner_id).bind(MAX_LIVE)).await?;
        let mut held = Vec::with_capacity(rows.len());
        for row in &rows {
            held.push(self.secret_open(row, kind, owner_id).await?);
        }
        let held: Arc<[Held]> = held.into();
        self.inner.secrets.insert(name, Arc::clone(&held), now);
        Ok(held)
    }

    pub(super) async fn secret_insert(
        &self,
        workspace: &WorkspaceId,
        kind: SecretKind,
        (owner_id, id): (&str, &str),
        secret: &[u8],
    ) -> Result<crate::db::Statement<'static>, VaultError> {
        if secret.is_empty() || secret.len() > MAX_SECRET_BYTES {
            return Err(VaultError::SecretSize);
        }
        let key: Arc<DataKey> = self.key(workspace, Owner::Workspace).await?;
        let sealed = key.seal(&place(&row(kind, owner_id, id)), secret);
        let insert = sqlx::query(
            "insert into secret (workspace_id, id, kind, owner_id, key_id, sealed, created_at) \
             values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
        );
        Ok(insert
            .bind(workspace.as_str().to_owned())
            .bind(id.to_owned())
            .bind(kind.as_str())
            .bind(owner_id.to_owned())
            .bind(key.id().as_str().to_owned())
            .bind(sealed)
            .bind(self.inner.store.now().millis()))
    }

    async fn secret_open(&self, found: &AnyRow, kind: SecretKind, owner_id: &str) -> Result<Held, VaultError> {
        let (workspace, id): (String, String) = (column(found, "workspace_id")?, column(found, "id")?);
        let workspace = WorkspaceId::try_from(workspace).map_err(|_| DbError::Unreadable("secret.workspace_id"))?;
        let key_id = KeyId::try_from(column::<String>(found, "key_id")?);
        let key = self.key_by_id(&workspace, &key_id.map_err(|_| DbError::Unreadable("secret.key_id"))?).await?;
        let sealed: Vec<u8> = column(found, "sealed")?;
        let bytes = key.open(&place(&row(kind, owner_id, &id)), &sealed)?;
        let mac = seal::mac_state_of(&bytes);
        Ok(Held { workspace, bytes, mac })
    }
}

fn column<'r, T: sqlx::Decode<'r, sqlx::Any> + sqlx::Type<sqlx::Any>>(
    row: &'r AnyRow,
    name: &'static str,
) -> Result<T, DbError> {
    Ok(row.try_get(name)?)
}

/// Kind and owner belong to the place, so that a row changed in the database to serve another owner does not open.
fn row(kind: SecretKind, owner_id: &str, id: &str) -> String {
    format!("{} {owner_id} {id}", kind.as_str())
}

fn place(row: &str) -> Place<'_> {
    Place { table: "secret", column: "sealed", row, revision: 0 }
}
