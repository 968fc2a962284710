//! Times of records: read fast, since every line has one, and written so that text sorts as time does.

use std::io::Write as _;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

/// Reads a time as engines write it, with `T` between day and hour.
pub(super) fn read(text: &[u8]) -> Option<Timestamp> {
    if text.get(10) != Some(&b'T') {
        return None;
    }
    match text.split_last() {
        Some((b'Z', rest)) => civil(rest).and_then(|(at, used)| {
            let timestamp = Offset::UTC.to_timestamp(at).ok()?;
            (used == rest.len()).then_some(timestamp)
        }),
        _ => std::str::from_utf8(text).ok()?.parse().ok(),
    }
}

/// Reads `YYYY-MM-DD hh:mm:ss`, with a blank or a `T`, and a fraction behind a point or a comma; returns how many bytes it takes.
pub(super) fn civil(text: &[u8]) -> Option<(DateTime, usize)> {
    let head = text.get(..19)?;
    let marks = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
    if marks.iter().any(|(at, mark)| head[*at] != *mark) || !matches!(head[10], b' ' | b'T') {
        return None;
    }
    let number = |from: usize, to: usize| {
        head[from..to].iter().try_fold(0_i16, |number, digit| {
            digit
                .is_ascii_digit()
                .then(|| number * 10 + i16::from(digit - b'0'))
        })
    };
    let small = |from| number(from, from + 2).and_then(|n| i8::try_from(n).ok());
    let date = Date::new(number(0, 4)?, small(5)?, small(8)?).ok()?;
    let (nanos, used) = fraction(&text[19..]);
    let time = Time::new(small(11)?, small(14)?, small(17)?, nanos).ok()?;
    Some((date.to_datetime(time), 19 + used))
}

/// Reads a fraction of a second in nanoseconds, and how many bytes it takes.
fn fraction(text: &[u8]) -> (i32, usize) {
    if !matches!(text.first(), Some(b'.' | b',')) {
        return (0, 0);
    }
    let digits = text[1..].iter().take_while(|c| c.is_ascii_digit()).count();
    let nanos = (0..9).fold(0, |nanos, at| {
        let digit = text[1..=digits].get(at).map_or(0, |c| i32::from(c - b'0'));
        nanos * 10 + digit
    });
    (nanos, if digits == 0 { 0 } else { digits + 1 })
}

/// Writes times; of two in the same second the second costs little.
#[derive(Debug, Default)]
pub struct Stamps {
    second: Option<i64>,
    text: String,
}

impl Stamps {
    /// Appends a time in UTC with nine digits behind the second.
    pub fn write(&mut self, time: Timestamp, out: &mut Vec<u8>) {
        let (mut second, mut nanos) = (time.as_second(), time.subsec_nanosecond());
        if nanos < 0 {
            (second, nanos) = (second - 1, nanos + 1_000_000_000);
        }
        if self.second != Some(second) {
            self.second = Some(second);
            let whole = Timestamp::from_second(second).unwrap_or(time);
            self.text = whole.strftime("%Y-%m-%dT%H:%M:%S").to_string();
        }
        out.extend_from_slice(self.text.as_bytes());
        // Writing to a Vec cannot fail.
        let _ = write!(out, ".{nanos:09}Z");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        "2026-11-20T12:00:01.123456789Z",
        Some("2026-11-20T12:00:01.123456789Z")
    )]
    #[case("2026-11-20T12:00:01Z", Some("2026-11-20T12:00:01Z"))]
    #[case("2026-11-20T12:00:01.5+02:00", Some("2026-11-20T10:00:01.5Z"))]
    #[case("2026-11-20T12:00:01.5xZ", None)]
    #[case("2026-13-20T12:00:01Z", None)]
    #[case("2026-11-20 12:00:01Z", None)]
    #[case("hello", None)]
    fn times_are_read(#[case] text: &str, #[case] wanted: Option<&str>) {
        assert_eq!(
            read(text.as_bytes()),
            wanted.map(|time| time.parse().unwrap())
        );
    }

    #[rstest]
    #[case("2026-11-20 12:00:01,123 INFO", "2026-11-20T12:00:01.123", 23)]
    #[case("2026-11-20 12:00:01 x", "2026-11-20T12:00:01", 19)]
    #[case("2026-11-20 12:00:01. x", "2026-11-20T12:00:01", 19)]
    fn times_of_files_are_read(#[case] text: &str, #[case] wanted: &str, #[case] used: usize) {
        assert_eq!(
            civil(text.as_bytes()),
            Some((wanted.parse().unwrap(), used))
        );
    }

    #[rstest]
    #[case("2026-11-20T12:00:01.5Z", "2026-11-20T12:00:01.500000000Z")]
    #[case("1969-12-31T23:59:59.25Z", "1969-12-31T23:59:59.250000000Z")]
    fn times_are_written_alike(#[case] time: &str, #[case] wanted: &str) {
        let mut stamps = Stamps::default();
        for _ in 0..2 {
            let mut out = Vec::new();
            stamps.write(time.parse().unwrap(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), wanted);
        }
    }
}
