//! Signatures over webhook bodies and the proof that goes with a token.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// `sha256=…` over the bytes, as in `X-Hub-Signature-256`.
pub(crate) fn sha256(secret: &str, body: &[u8]) -> String {
    format!("sha256={}", hex_of::<Hmac<Sha256>>(secret, body))
}

/// `sha1=…` over the bytes, as in the legacy `X-Hub-Signature`.
pub(crate) fn sha1(secret: &str, body: &[u8]) -> String {
    format!("sha1={}", hex_of::<Hmac<Sha1>>(secret, body))
}

/// Whether `proof` is the `appsecret_proof` of a token.
pub(crate) fn is_proof(secret: &str, token: &str, proof: &str) -> bool {
    hex_of::<Hmac<Sha256>>(secret, token.as_bytes()).as_bytes().ct_eq(proof.as_bytes()).into()
}

fn hex_of<M: Mac + KeyInit>(secret: &str, message: &[u8]) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    let mut mac = <M as KeyInit>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of every length");
    mac.update(message);
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    // Known answers: RFC 4231 test case 2 and RFC 2202 test case 2.
    #[test]
    fn signatures_match_the_published_test_vectors() {
        let text = b"what do ya want for nothing?";
        assert_eq!(sha256("Jefe", text), "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assert_eq!(sha1("Jefe", text), "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    }

    #[test]
    fn only_the_right_proof_is_one() {
        let proof = sha256("secret", b"token").trim_start_matches("sha256=").to_owned();
        assert!(is_proof("secret", "token", &proof));
        assert!(!is_proof("secret", "token", &proof.to_uppercase()));
        assert!(!is_proof("secret", "other token", &proof));
        assert!(!is_proof("secret", "token", ""));
    }
}
