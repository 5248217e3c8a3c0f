//! Webhooks by hand: bodies that the simulator would never write, signed or not, as any client on the net could post them.

use hmac::{Hmac, KeyInit, Mac};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{PATIENCE, TestApp};

/// The header that counts.
pub(crate) const SIGNATURE: &str = "X-Hub-Signature-256";

/// `sha256=…` over the bytes.
pub(crate) fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// A client that follows nothing and trusts nobody: everything here is local and plain.
pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().tls_certs_only([]).timeout(PATIENCE).build().unwrap()
}

impl TestApp {
    /// Posts a body with these headers; the status.
    pub(crate) async fn post_with(&self, body: impl Into<Vec<u8>>, headers: &[(&'static str, &str)]) -> u16 {
        let mut map = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let request = client().post(self.webhook_url()).headers(map).body(body.into());
        request.send().await.unwrap().status().as_u16()
    }

    /// Posts a body that Meta might have signed; the status.
    pub(crate) async fn post_signed(&self, body: impl Into<Vec<u8>>) -> u16 {
        let body = body.into();
        let signature = sign(&self.app_secret, &body);
        self.post_with(body, &[(SIGNATURE, &signature)]).await
    }

    /// Posts items about the first business in one entry, signed; the status.
    pub(crate) async fn post_items(&self, items: &[Value]) -> u16 {
        self.post_signed(body(&self.business.page_id, items)).await
    }
}

/// A body with one entry.
pub(crate) fn body(page_id: &str, items: &[Value]) -> String {
    json!({ "object": "page", "entry": [{ "id": page_id, "time": super::START, "messaging": items }] }).to_string()
}

/// A message item as Meta writes it.
pub(crate) fn message(page_id: &str, person: &str, mid: &str, text: &str, at: i64) -> Value {
    json!({
        "sender": { "id": person }, "recipient": { "id": page_id }, "timestamp": at,
        "message": { "mid": mid, "text": text },
    })
}
