//! How times, states and images are written on a dashboard.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::text::visible;
use crate::model::watch::ServiceReading;
use crate::ui::amounts::time;
use crate::ui::view::between;

/// Returns a time that has passed, roughly.
pub(super) fn ago(passed: Duration) -> String {
    match passed.as_secs() {
        0 => "now".to_owned(),
        seconds @ 1..60 => format!("{seconds} s ago"),
        _ => format!("{} ago", long(passed.as_secs())),
    }
}

/// Returns seconds as the two largest units they fill: `45 s`, `12 min`, `3h 12m`, `3d 4h`.
pub(in crate::ui::tui) fn long(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{minutes} min"),
        3600..86_400 => format!("{hours}h {minutes}m"),
        _ if days < 100 => format!("{days}d {hours}h"),
        _ => format!("{days} d"),
    }
}

/// Returns the state of a service in words: what its container does, and what its health check says.
pub(super) fn state(service: &ServiceReading, old: bool) -> String {
    let Some(container) = &service.container else {
        return "no container".to_owned();
    };
    let (state, health) = (&container.state, container.health.as_deref());
    match (health, old) {
        // There is room for one word, and this is the one that matters.
        (Some(health), true) if state == "running" => format!("was {}", visible(health)),
        (_, true) => format!("was {}", visible(state)),
        (Some("unhealthy"), false) => "unhealthy".to_owned(),
        (Some(health), false) => format!("{}, {}", visible(state), visible(health)),
        (None, false) => visible(state).into_owned(),
    }
}

/// Returns the tag of an image, or its whole name where it has none.
pub(super) fn tag(image: &str) -> &str {
    let name = image.split('@').next().unwrap_or(image);
    match name.rsplit_once(':') {
        // What stands before a slash is a port.
        Some((_, tag)) if !tag.contains('/') => tag,
        _ => name,
    }
}

/// Returns how long until a moment.
pub(super) fn until(moment: Timestamp, now: Timestamp) -> String {
    time(Duration::from_secs(between(now, moment).as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("r.example:5000/a/b:1.9.0", "1.9.0")]
    #[case("a:14.5@sha256:abc", "14.5")]
    #[case("r.example:5000/a/b", "r.example:5000/a/b")]
    #[case("sha256:abc", "abc")]
    fn the_tag_of_an_image(#[case] image: &str, #[case] shown: &str) {
        assert_eq!(tag(image), shown);
    }

    #[rstest]
    #[case(5, "5 s")]
    #[case(750, "12 min")]
    #[case(11_520, "3h 12m")]
    #[case(273_600, "3d 4h")]
    #[case(100 * 86_400, "100 d")]
    fn long_times(#[case] seconds: u64, #[case] shown: &str) {
        assert_eq!(long(seconds), shown);
    }
}
