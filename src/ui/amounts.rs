//! How times and sizes are written, the same in every front end.

use std::time::Duration;

/// Returns a time as `0.4 s`, `12 s`, `4:12` or `1:04:12`.
#[must_use]
pub fn time(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match seconds {
        0..10 => format!("{seconds}.{} s", duration.subsec_millis() / 100),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{minutes}:{rest:02}"),
        _ => format!("{hours}:{minutes:02}:{rest:02}"),
    }
}

/// Returns a time as a clock shows it, `04:12` or `1:04:12`; its width does not jump.
#[must_use]
pub fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours == 0 {
        format!("{minutes:02}:{rest:02}")
    } else {
        format!("{hours}:{minutes:02}:{rest:02}")
    }
}

/// Returns a number of bytes in decimal units, as Docker counts them: `512 B`, `1.3 GB`.
#[must_use]
pub fn bytes(count: u64) -> String {
    let units = ["kB", "MB", "GB", "TB", "PB", "EB"];
    let mut size = 1_u64;
    let mut unit = None;
    for name in units {
        let Some(next) = size.checked_mul(1000) else {
            break;
        };
        if count < next {
            break;
        }
        size = next;
        unit = Some(name);
    }
    match unit {
        None => format!("{count} B"),
        Some(unit) if count / size < 10 => {
            format!("{}.{} {unit}", count / size, count % size / (size / 10))
        }
        Some(unit) => format!("{} {unit}", count / size),
    }
}

/// Returns a count with its noun, `1 host` or `3 hosts`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, "0.0 s", "00:00")]
    #[case(450, "0.4 s", "00:00")]
    #[case(12_900, "12 s", "00:12")]
    #[case(252_000, "4:12", "04:12")]
    #[case(3_852_000, "1:04:12", "1:04:12")]
    fn times(#[case] ms: u64, #[case] short: &str, #[case] wide: &str) {
        let duration = Duration::from_millis(ms);
        assert_eq!(
            (time(duration), clock(duration)),
            (short.to_owned(), wide.to_owned())
        );
    }

    #[rstest]
    #[case(0, "0 B")]
    #[case(999, "999 B")]
    #[case(1000, "1.0 kB")]
    #[case(1_390_000_000, "1.3 GB")]
    #[case(412_000_000, "412 MB")]
    #[case(u64::MAX, "18 EB")]
    fn sizes(#[case] count: u64, #[case] text: &str) {
        assert_eq!(bytes(count), text);
    }
}
