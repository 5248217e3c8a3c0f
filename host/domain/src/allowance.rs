//! How an asset keeps within what Meta allows it: slower when much is used, silent when nearly all is. Meta prolongs the block of
//! whoever goes on (Meta: Rate Limits).

use std::time::Duration;

/// From here on an asset slows down.
const MUCH_PERCENT: u32 = 75;

/// From here on it is silent.
const NEARLY_ALL_PERCENT: u32 = 95;

/// Between two messages of an asset that has used much: half an hour's worth of sends does not fall into one minute.
const SLOW: Duration = Duration::from_secs(2);

/// How long it is silent where Meta gives no time.
const SILENT: Duration = Duration::from_secs(60);

/// Meta's windows are one hour; whoever is told a longer time asks again then.
const LONGEST: Duration = Duration::from_secs(3_600);

/// How long an asset rests after an answer that says how much is used, in percent, and when a blocked one may go on; `None` to
/// go on at once.
pub fn rest_after(percent: u32, regain_after: Option<Duration>) -> Option<Duration> {
    match percent {
        _ if regain_after.is_some() => regain_after.map(|wait| wait.min(LONGEST)),
        0..MUCH_PERCENT => None,
        MUCH_PERCENT..NEARLY_ALL_PERCENT => Some(SLOW),
        NEARLY_ALL_PERCENT.. => Some(SILENT),
    }
}

/// How long an asset rests that Meta has refused because it sends too much.
pub fn rest_after_refusal(percent: u32, regain_after: Option<Duration>) -> Duration {
    rest_after(percent, regain_after).unwrap_or(SILENT).max(SILENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_is_used_the_longer_an_asset_rests() {
        let rests = [0, 74, 75, 94, 95, 180].map(|percent| rest_after(percent, None));
        assert_eq!(rests, [None, None, Some(SLOW), Some(SLOW), Some(SILENT), Some(SILENT)]);
    }

    #[test]
    fn metas_own_time_counts_up_to_an_hour() {
        let (minutes, day) = (Duration::from_secs(19 * 60), Duration::from_secs(86_400));
        assert_eq!(rest_after(97, Some(minutes)), Some(minutes));
        assert_eq!(rest_after(20, Some(day)), Some(LONGEST));
        assert_eq!(rest_after_refusal(0, None), SILENT);
        assert_eq!(rest_after_refusal(80, None), SILENT);
        assert_eq!(rest_after_refusal(100, Some(minutes)), minutes);
    }
}
