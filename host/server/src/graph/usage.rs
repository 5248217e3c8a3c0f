//! How much of Meta's allowance is used, from the headers of its answers. What cannot be read counts as nothing used.

use std::collections::HashMap;
use std::time::Duration;

use reqwest::header::HeaderMap;
use serde::Deserialize;

/// Percent of the current window, and when a blocked asset may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Of the app's allowance; over 100 is possible.
    pub app_percent: u32,
    /// Of the asset's allowance; of the one that is nearest to its own where Meta names only others.
    pub asset_percent: u32,
    /// Meta's estimate of the wait, when it blocks.
    pub regain_after: Option<Duration>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Window {
    call_count: f64,
    total_time: f64,
    total_cputime: f64,
    estimated_time_to_regain_access: f64,
}

impl Usage {
    pub(super) fn of(headers: &HeaderMap, asset: &str) -> Self {
        let app: Window = read(headers, "x-app-usage").unwrap_or_default();
        let assets: HashMap<String, Vec<Window>> = read(headers, "x-business-use-case-usage").unwrap_or_default();
        // A token may serve several assets. WhatsApp names the account and not the number, so that a number finds no name of its own.
        let is_meant = |name: &String| name == asset || !assets.contains_key(asset);
        let windows = || assets.iter().filter(|(name, _)| is_meant(name)).flat_map(|(_, windows)| windows);
        let minutes = windows().map(|window| window.estimated_time_to_regain_access).fold(0.0, f64::max);
        // Meta counts whole minutes; a year is past every real wait and keeps the arithmetic safe.
        let wait = Duration::from_secs_f64(minutes.clamp(0.0, 525_600.0) * 60.0);
        Self {
            app_percent: app.percent(),
            asset_percent: windows().map(Window::percent).max().unwrap_or(0),
            regain_after: (minutes > 0.0).then_some(wait),
        }
    }
}

impl Window {
    fn percent(&self) -> u32 {
        // `as` saturates and makes 0 of what is no number.
        [self.call_count, self.total_time, self.total_cputime].into_iter().fold(0.0, f64::max).ceil() as u32
    }
}

fn read<T: serde::de::DeserializeOwned>(headers: &HeaderMap, name: &str) -> Option<T> {
    serde_json::from_slice(headers.get(name)?.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(app: &str, assets: &str) -> Usage {
        let mut headers = HeaderMap::new();
        headers.insert("x-app-usage", app.parse().unwrap());
        headers.insert("x-business-use-case-usage", assets.parse().unwrap());
        Usage::of(&headers, "3")
    }

    #[test]
    fn the_largest_figure_counts() {
        let app = r#"{"call_count":28,"total_time":25,"total_cputime":31}"#;
        let assets = r#"{"1":[{"type":"messenger","call_count":97,"total_cputime":20,"total_time":20,"estimated_time_to_regain_access":19}],"2":[{"call_count":12.5}]}"#;
        let usage = usage(app, assets);
        assert_eq!((usage.app_percent, usage.asset_percent), (31, 97));
        assert_eq!(usage.regain_after, Some(Duration::from_secs(19 * 60)));
    }

    #[test]
    fn another_asset_does_not_slow_this_one() {
        let assets = r#"{"1":[{"call_count":97,"estimated_time_to_regain_access":19}],"3":[{"call_count":12}]}"#;
        assert_eq!((usage("{}", assets).asset_percent, usage("{}", assets).regain_after), (12, None));
    }

    #[test]
    fn what_cannot_be_read_counts_as_nothing() {
        assert_eq!(Usage::of(&HeaderMap::new(), "3"), Usage::default());
        assert_eq!(usage("no json", r#"{"1":"x"}"#), Usage::default());
        assert_eq!(usage(r#"{"call_count":-5}"#, r#"{"1":[{"call_count":1e300}]}"#).asset_percent, u32::MAX);
        assert!(usage("{}", r#"{"1":[{"estimated_time_to_regain_access":1e300}]}"#).regain_after.is_some());
    }
}
