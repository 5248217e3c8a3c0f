//! A plugin's version: three numbers that order. Never a range, a tag or a date: an update is the greater version.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Three numbers, compared from the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version {
    /// Grows when the plugin stops doing what it did.
    pub major: u32,
    /// Grows when it does more.
    pub minor: u32,
    /// Grows when it does the same better.
    pub patch: u32,
}

/// A text that is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no version: write three numbers such as \"1.4.0\"")]
pub struct InvalidVersion(String);

impl Version {
    /// Reads three numbers without leading zeros, such as "1.4.0".
    ///
    /// # Errors
    /// [`InvalidVersion`] for anything else.
    pub fn parse(text: &str) -> Result<Self, InvalidVersion> {
        let refuse = || InvalidVersion(text.to_owned());
        let mut numbers = text.split('.').map(number);
        match (numbers.next(), numbers.next(), numbers.next(), numbers.next()) {
            (Some(major), Some(minor), Some(patch), None) => Ok(Self {
                major: major.ok_or_else(refuse)?,
                minor: minor.ok_or_else(refuse)?,
                patch: patch.ok_or_else(refuse)?,
            }),
            _ => Err(refuse()),
        }
    }
}

/// Two texts must not be the same version, hence no sign and no leading zero.
fn number(text: &str) -> Option<u32> {
    let digits_only = text.bytes().all(|byte| byte.is_ascii_digit());
    let one_way = text == "0" || !text.starts_with('0');
    if digits_only && one_way { text.parse().ok() } else { None }
}

impl TryFrom<String> for Version {
    type Error = InvalidVersion;
    fn try_from(text: String) -> Result<Self, InvalidVersion> {
        Self::parse(&text)
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_order_by_number_not_by_text() {
        let mut versions: Vec<Version> =
            ["1.10.0", "1.9.9", "0.99.99", "1.9.10"].iter().map(|text| Version::parse(text).unwrap()).collect();
        versions.sort();
        let texts: Vec<String> = versions.iter().map(Version::to_string).collect();
        assert_eq!(texts, ["0.99.99", "1.9.9", "1.9.10", "1.10.0"]);
    }

    #[test]
    fn what_is_not_three_plain_numbers_is_refused() {
        for text in
            ["", "1", "1.2", "1.2.3.4", "1.2.x", "01.2.3", "+1.2.3", "1.2.3-beta", " 1.2.3", "1..3", "4294967296.0.0"]
        {
            assert_eq!(Version::parse(text), Err(InvalidVersion(text.to_owned())), "{text}");
        }
    }
}
