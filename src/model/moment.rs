//! Points in time as people type them: a date, a time of day on it, a time with its zone, or how long ago.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// Reads a point in time; without a zone it is meant in `zone`.
///
/// # Errors
/// Fails with examples of what would do.
pub fn read(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, String> {
    let text = text.trim();
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let civil = text
        .parse::<Date>()
        .ok()
        .filter(|_| text.len() == 10)
        .map(|date| date.to_datetime(jiff::civil::Time::midnight()))
        .or_else(|| text.parse::<DateTime>().ok());
    if let Some(time) = civil.and_then(|civil| zone.to_timestamp(civil).ok()) {
        return Ok(time);
    }
    let ago = text.strip_suffix(" ago").unwrap_or(text);
    let earlier = ago
        .parse::<Span>()
        .ok()
        .filter(|span| !span.is_negative())
        .and_then(|span| now.to_zoned(zone.clone()).checked_sub(span).ok());
    earlier.map(|time| time.timestamp()).ok_or_else(|| {
        "give how long ago, such as 2h, 30m or 3d, a day such as 2026-11-20, or a time such as 2026-11-20T10:00 or 2026-11-20T10:00:00Z".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("2h", Some("2026-11-20T10:00:00Z"))]
    #[case("30m ago", Some("2026-11-20T11:30:00Z"))]
    #[case("1d", Some("2026-11-19T12:00:00Z"))]
    #[case("2026-11-19", Some("2026-11-18T23:00:00Z"))]
    #[case("2026-11-19T10:00", Some("2026-11-19T09:00:00Z"))]
    #[case("2026-11-19 10:00", Some("2026-11-19T09:00:00Z"))]
    #[case("2026-11-19T10:00:00Z", Some("2026-11-19T10:00:00Z"))]
    #[case("2026-11-19T10:00:00+05:00", Some("2026-11-19T05:00:00Z"))]
    #[case("yesterday-ish", None)]
    #[case("-2h", None)]
    #[case("", None)]
    fn times_are_read(#[case] text: &str, #[case] wanted: Option<&str>) {
        let now = "2026-11-20T12:00:00Z".parse().unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let read = read(text, now, &zone);
        assert_eq!(
            read.ok(),
            wanted.map(|time| time.parse().unwrap()),
            "{text}"
        );
    }
}
