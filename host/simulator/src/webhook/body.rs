//! Writes webhook bodies the way Meta does: ASCII only, slashes escaped.

use std::fmt::Write;

use bytes::Bytes;
use serde_json::Value;

/// The bytes of a webhook request. What is signed is exactly this.
pub(crate) fn write(object: &str, entries: &[Value]) -> Bytes {
    let entries: Vec<String> = entries.iter().map(Value::to_string).collect();
    Bytes::from(escape(&format!(r#"{{"object":"{object}","entry":[{}]}}"#, entries.join(","))))
}

/// Escapes JSON text: what is not ASCII becomes `\uXXXX` in lower case, a slash becomes `\/`.
fn escape(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len() + json.len() / 4);
    let mut units = [0_u16; 2];
    for letter in json.chars() {
        match letter {
            '/' => escaped.push_str("\\/"),
            ascii if ascii.is_ascii() => escaped.push(ascii),
            other => {
                for unit in other.encode_utf16(&mut units) {
                    let _infallible = write!(escaped, "\\u{unit:04x}");
                }
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn accents_emoji_and_slashes_are_escaped() {
        let body = write("page", &[json!({ "text": "ä € 😀 https://x.y/z" })]);
        assert_eq!(
            std::str::from_utf8(&body).unwrap(),
            r#"{"object":"page","entry":[{"text":"\u00e4 \u20ac \ud83d\ude00 https:\/\/x.y\/z"}]}"#
        );
    }

    #[test]
    fn escaping_does_not_change_what_is_read() {
        let entry = json!({ "text": "quote \" back\\slash \n\t\u{7f}\u{1} ßÄ 👩‍👩‍👧 a/b \\u00e4", "n": 1.5, "none": null });
        let read: Value = serde_json::from_slice(&write("page", std::slice::from_ref(&entry))).unwrap();
        assert_eq!(read["entry"][0], entry);
        assert!(write("page", &[entry]).is_ascii());
    }
}
