//! Points in time and in a log, as people say them: `earliest`, `2026-01-31T12:00:00Z`, `5 min ago`, an offset.

use crate::Failure;

/// A place in a partition's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Earliest,
    Latest,
    Offset(i64),
    /// So many records before the end.
    BeforeEnd(i64),
    /// The first record at or after this time, in ms since 1970.
    Time(i64),
}

const FORMS: &str = "earliest, latest, an offset, -N (N before the end), @MILLISECONDS, 2026-01-31T12:00:00Z or \"5 min ago\"";

/// Reads a place; `now_ms` is what `ago` counts from.
pub(crate) fn place(text: &str, now_ms: i64) -> Result<Place, Failure> {
    let text = text.trim();
    let wrong = || Failure::usage(format!("{text:?} is no place in a log")).hint(format!("use {FORMS}"));
    match text {
        "earliest" | "beginning" | "start" => return Ok(Place::Earliest),
        "latest" | "end" | "now" => return Ok(Place::Latest),
        _ => {}
    }
    if let Some(milliseconds) = text.strip_prefix('@') {
        return milliseconds.parse().map(Place::Time).map_err(|_| wrong());
    }
    if let Some(before) = text.strip_prefix('-') {
        return before.parse().map(Place::BeforeEnd).map_err(|_| wrong());
    }
    if let Ok(offset) = text.parse() {
        return Ok(Place::Offset(offset));
    }
    time(text, now_ms).map(Place::Time).ok_or_else(wrong)
}

/// Reads a time, in ms since 1970.
pub(crate) fn time(text: &str, now_ms: i64) -> Option<i64> {
    if let Some(span) = text.strip_suffix("ago") {
        return duration(span.trim()).and_then(|span| now_ms.checked_sub(span));
    }
    date(text)
}

/// A span such as `5 min`, `90s`, `2 days`, in ms.
pub(crate) fn duration(text: &str) -> Option<i64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = text.split_at_checked(digits)?;
    let count: i64 = count.parse().ok()?;
    let unit = match unit.trim() {
        "ms" => 1,
        "s" | "sec" | "second" | "seconds" => 1000,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000,
        "h" | "hour" | "hours" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        "w" | "week" | "weeks" => 604_800_000,
        _ => return None,
    };
    count.checked_mul(unit)
}

/// `YYYY-MM-DD[(T| )HH:MM[:SS[.mmm]]][Z|±HH[:]MM]` (RFC 3339 and what Kafka's tools take); without a zone it is UTC.
pub(crate) fn date(text: &str) -> Option<i64> {
    let (day, rest) = text.split_at_checked(10)?;
    let mut fields = day.split('-');
    let (year, month, day) = (
        field(fields.next()?)?,
        field(fields.next()?)?,
        field(fields.next()?)?,
    );
    let right = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
    if fields.next().is_some() || !right {
        return None;
    }
    let midnight = days_since_1970(year, month, day) * 86_400_000;
    if rest.is_empty() {
        return Some(midnight);
    }
    let clock = rest.strip_prefix(['T', ' '])?;
    let zone_at = clock.find(['Z', '+', '-']).unwrap_or(clock.len());
    let (clock, zone) = clock.split_at_checked(zone_at)?;
    Some(midnight + clock_ms(clock)? - zone_ms(zone)?)
}

fn field(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

fn clock_ms(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.split(':');
    let (hour, minute) = (field(parts.next()?)?, field(parts.next()?)?);
    let second = parts.next().map_or(Some(0), field)?;
    if parts.next().is_some() || 23 < hour || 59 < minute || 60 < second {
        return None;
    }
    let milliseconds = match fraction {
        "" => 0,
        digits => field(format!("{digits:0<3}").get(..3)?)?,
    };
    Some(((hour * 60 + minute) * 60 + second) * 1000 + milliseconds)
}

fn zone_ms(text: &str) -> Option<i64> {
    if text.is_empty() || text == "Z" {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits: String = text.chars().skip(1).filter(|c| *c != ':').collect();
    let (hours, minutes) = digits.split_at_checked(2)?;
    let minutes = if minutes.is_empty() { 0 } else { field(minutes)? };
    Some(sign * (field(hours)? * 60 + minutes) * 60_000)
}

fn is_leap(year: i64) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days of the proleptic Gregorian calendar: whole years, then whole months.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let leap_years_before = |year: i64| {
        let last = year - 1;
        last.div_euclid(4) - last.div_euclid(100) + last.div_euclid(400)
    };
    let years = (year - 1970) * 365 + leap_years_before(year) - leap_years_before(1970);
    let months: i64 = (1..month).map(|month| days_in(year, month)).sum();
    years + months + day - 1
}

/// A time in ms since 1970 as `2026-01-31T12:00:00.000Z`.
pub(crate) fn shown(ms: i64) -> String {
    let (days, rest) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    let mut year = 1970 + days.div_euclid(366);
    while days_since_1970(year + 1, 1, 1) <= days {
        year += 1;
    }
    let mut left = days - days_since_1970(year, 1, 1);
    let mut month = 1;
    while days_in(year, month) <= left {
        left -= days_in(year, month);
        month += 1;
    }
    let (second, milliseconds) = (rest / 1000, rest % 1000);
    format!(
        "{year:04}-{month:02}-{:02}T{:02}:{:02}:{:02}.{milliseconds:03}Z",
        left + 1,
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_utc_unless_they_say_otherwise() {
        assert_eq!(date("1970-01-01"), Some(0));
        assert_eq!(date("2000-02-29T00:00:00Z"), Some(951_782_400_000));
        assert_eq!(date("2026-11-24T11:43:17.5Z"), Some(1_795_520_597_500));
        assert_eq!(date("2026-11-24T12:43:17+01:00"), date("2026-11-24 11:43:17"));
        assert_eq!(date("1969-12-31T23:59"), Some(-60_000));
        for wrong in [
            "2026-13-01",
            "2026-02-30",
            "2026-1-1",
            "2026-01-01T25:00",
            "yesterday",
            "2026-01-01x",
        ] {
            assert_eq!(date(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_shown_is_read_back() {
        for ms in [0, 951_782_400_000, 1_795_520_597_500, -1, 4_102_444_799_999] {
            assert_eq!(date(&shown(ms)), Some(ms), "{}", shown(ms));
        }
    }

    #[test]
    fn places_are_ends_offsets_and_times() {
        assert_eq!(place("earliest", 0), Ok(Place::Earliest));
        assert_eq!(place("17", 0), Ok(Place::Offset(17)));
        assert_eq!(place("-5", 0), Ok(Place::BeforeEnd(5)));
        assert_eq!(place("@99", 0), Ok(Place::Time(99)));
        assert_eq!(place("5 min ago", 400_000), Ok(Place::Time(100_000)));
        assert!(place("soon", 0).is_err());
    }
}
