//! The signature header's shape. Whether it is right is for vault to say.

use axum::http::HeaderMap;

/// The only signature that counts; `X-Hub-Signature` (SHA-1) is sent along and ignored (Meta: Webhooks, Validating Payloads).
const HEADER: &str = "x-hub-signature-256";

/// The MAC of the header; `None` when the header is missing, doubled or malformed.
pub(super) fn read(headers: &HeaderMap) -> Option<[u8; 32]> {
    let mut values = headers.get_all(HEADER).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let digits = value.to_str().ok()?.strip_prefix("sha256=")?;
    let mut tag = [0_u8; 32];
    hex::decode_to_slice(digits, &mut tag).ok()?;
    Some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag_of(values: &[&str]) -> Option<[u8; 32]> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HEADER, value.parse().unwrap());
        }
        read(&headers)
    }

    #[test]
    fn only_one_well_formed_header_counts() {
        let good = format!("sha256={}", "ab".repeat(32));
        assert_eq!(tag_of(&[&good]), Some([0xab; 32]));
        assert_eq!(tag_of(&[]), None);
        assert_eq!(tag_of(&[&good, &good]), None);
        assert_eq!(tag_of(&["sha1=abababababababababababababababababababab"]), None);
        assert_eq!(tag_of(&[&good[..good.len() - 1]]), None);
        assert_eq!(tag_of(&[&format!("{good}00")]), None);
        assert_eq!(tag_of(&["sha256=zz"]), None);
    }
}
