//! Times as Meta writes them, by the civil calendar (Howard Hinnant: days_from_civil, read backwards).

/// A moment, taken apart.
struct Civil {
    year: i64,
    month: i64,
    day: i64,
    /// From Thursday, the day of the week on which time began.
    weekday: i64,
    second: i64,
}

/// `2026-09-30T12:00:00+0000`, as in `created_time`.
pub(crate) fn written_time(at_ms: i64) -> String {
    let Civil { year, month, day, second, .. } = civil(at_ms);
    let (hour, minute) = (second / 3_600, second % 3_600 / 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}+0000", second % 60)
}

/// `Wed, 30 Sep 2026 12:00:00 GMT`, as in the header `Date`.
pub(crate) fn date_header(at_ms: i64) -> String {
    let Civil { year, month, day, weekday, second } = civil(at_ms);
    let name =
        |names: &[&'static str], n: i64| usize::try_from(n).ok().and_then(|n| names.get(n)).copied().unwrap_or("");
    let weekday = name(&["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"], weekday);
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = name(&months, month - 1);
    let (hour, minute) = (second / 3_600, second % 3_600 / 60);
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{:02} GMT", second % 60)
}

fn civil(at_ms: i64) -> Civil {
    let seconds = at_ms.div_euclid(1_000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Civil { year, month, day, weekday: days.rem_euclid(7), second }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_meta_writes_them() {
        assert_eq!(written_time(0), "1970-01-01T00:00:00+0000");
        assert_eq!(written_time(951_826_199_999), "2000-02-29T12:09:59+0000");
        assert_eq!(written_time(1_790_000_000_000), "2026-09-21T14:13:20+0000");
        assert_eq!(written_time(1_798_761_599_000), "2026-12-31T23:59:59+0000");
        assert_eq!(date_header(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(date_header(1_790_000_000_999), "Mon, 21 Sep 2026 14:13:20 GMT");
    }
}
