//! Ids and keys in Meta's shapes, made from names and counters so that a run can be repeated.
//!
//! Apps, Pages and people keep their id when the simulator is started again with the same names; message ids never
//! repeat, because the start of the clock is part of them. Nothing here is a secret worth keeping.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Makes the ids that must never repeat.
#[derive(Debug)]
pub(crate) struct IdMaker {
    started_at_ms: i64,
    made: u64,
}

impl IdMaker {
    pub(crate) fn new(started_at_ms: i64) -> Self {
        Self { started_at_ms, made: 0 }
    }

    /// A message id: `m_` and 110 characters of base64url.
    pub(crate) fn message_id(&mut self) -> String {
        let mut letters = String::with_capacity(130);
        while letters.len() < 110 {
            letters.push_str(&URL_SAFE_NO_PAD.encode(self.next("message")));
        }
        letters.truncate(110);
        format!("m_{letters}")
    }

    /// A trace id as it stands in errors and in the `x-fb-trace-id` header.
    pub(crate) fn trace_id(&mut self) -> String {
        let mut letters = URL_SAFE_NO_PAD.encode(self.next("trace"));
        letters.truncate(22);
        format!("A{letters}")
    }

    /// The number that Meta asks a callback to send back.
    pub(crate) fn challenge(&mut self) -> String {
        digits(&self.next("challenge"), "1", 10)
    }

    /// A decimal id for something that has no name: a comment, a post.
    pub(crate) fn number(&mut self) -> String {
        digits(&self.next("number"), "", 16)
    }

    /// An access token, or a code to be exchanged for one.
    pub(crate) fn token(&mut self) -> String {
        format!("EAAS{}", hex::encode(self.next("token")))
    }

    fn next(&mut self, kind: &str) -> [u8; 32] {
        self.made += 1;
        Sha256::digest(format!("{kind}/{}/{}", self.started_at_ms, self.made)).into()
    }
}

/// A 16-digit id for something named; `taken` says which are in use.
pub(crate) fn named_number(kind: &str, name: &str, taken: impl Fn(&str) -> bool) -> String {
    let mut turn = 0_u32;
    loop {
        let number = digits(&Sha256::digest(format!("{kind}/{name}/{turn}")), "", 16);
        if !taken(&number) {
            return number;
        }
        turn += 1;
    }
}

/// A 32-digit hexadecimal app secret that belongs to an app id.
pub(crate) fn app_secret(app_id: &str) -> String {
    let mut secret = hex::encode(Sha256::digest(format!("app secret/{app_id}")));
    secret.truncate(32);
    secret
}

/// The Page token that a Page starts with.
pub(crate) fn page_token(page_id: &str) -> String {
    format!("EAAS{}", hex::encode(Sha256::digest(format!("page token/{page_id}"))))
}

fn digits(hash: &[u8], lead: &str, length: usize) -> String {
    let mut text = lead.to_owned();
    for byte in hash {
        // Two digits per byte; a leading zero never stands first.
        let _infallible = write!(text, "{:02}", byte % 90 + 10);
    }
    text.truncate(length);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_shapes_of_the_real_ones() {
        let mut ids = IdMaker::new(1);
        let message = ids.message_id();
        assert_eq!(message.len(), 112);
        assert!(message.starts_with("m_"));
        let page = named_number("page", "Lantern", |_| false);
        assert!(page.len() == 16 && page.bytes().all(|digit| digit.is_ascii_digit()) && !page.starts_with('0'));
        assert_eq!(ids.challenge().len(), 10);
        assert_eq!(app_secret("1").len(), 32);
    }

    #[test]
    fn names_keep_their_id_and_messages_never_repeat_one() {
        assert_eq!(named_number("page", "Lantern", |_| false), named_number("page", "Lantern", |_| false));
        let first = named_number("page", "Lantern", |_| false);
        assert_ne!(named_number("page", "Lantern", |id| id == first), first);
        let (mut today, mut tomorrow) = (IdMaker::new(1), IdMaker::new(2));
        assert_ne!(today.message_id(), tomorrow.message_id());
        assert_ne!(today.message_id(), today.message_id());
    }
}
