//! The country in which numbers without a country code are read.

use std::str::FromStr;

/// A country, as the telephone numbers of it are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region(pub(super) phonenumber::country::Id);

/// Time zones with their country, one a line (IANA: zone.tab).
const ZONES: &str = include_str!("zones.txt");

/// The country of a business: of its locale ("de-AT") where that names one, else of its time zone.
pub fn region(locale: &str, time_zone: &str) -> Option<Region> {
    let of_locale =
        locale.split(['-', '_']).skip(1).find(|part| part.len() == 2 && part.bytes().all(|b| b.is_ascii_alphabetic()));
    let of_zone = || {
        let mut lines = ZONES.lines().filter_map(|line| line.split_once(' '));
        lines.find(|(zone, _)| *zone == time_zone).map(|(_, country)| country.to_owned())
    };
    let code = of_locale.map(str::to_ascii_uppercase).or_else(of_zone)?;
    phonenumber::country::Id::from_str(&code).ok().map(Region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_names_the_country_and_else_the_time_zone_does() {
        let code = |locale, zone| region(locale, zone).map(|region| region.0.as_ref().to_owned());
        assert_eq!(code("de-AT", "Europe/Berlin").as_deref(), Some("AT"));
        assert_eq!(code("zh-Hant-TW", "UTC").as_deref(), Some("TW"));
        assert_eq!(code("vi", "Asia/Ho_Chi_Minh").as_deref(), Some("VN"));
        assert_eq!(code("en", "UTC"), None);
    }

    #[test]
    fn every_time_zone_has_a_country_whose_numbers_are_known() {
        let unknown = ZONES.lines().filter(|line| {
            let (zone, country) = line.split_once(' ').unwrap();
            region("en", zone).is_none() && !matches!(country, "AQ" | "TF" | "GS" | "PN" | "UM")
        });
        assert_eq!(unknown.collect::<Vec<_>>(), Vec::<&str>::new());
    }
}
