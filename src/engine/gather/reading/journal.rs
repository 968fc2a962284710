//! The journal of a host's Docker daemon, by `journalctl`.

use std::ops::ControlFlow;
use std::time::Duration;

use jiff::Timestamp;

use super::Reader;
use crate::logs::{Ends, Go};
use crate::model::facts::RootAccess;
use crate::model::log::Voice;
use crate::transport::{Command, Exit, Host, Privilege, Stream, TransportError};

/// Journals are read within this, unless they are followed.
const LIMIT: Duration = Duration::from_mins(2);

/// The status that says that there is no journal.
const NONE: i32 = 99;

/// A line that grows beyond this is told in parts.
const MOST: usize = 256 << 10;

/// Reads the journal of the source's host.
pub(super) fn read(reader: &mut Reader<'_>) -> Result<(), TransportError> {
    let order = &reader.shop.order;
    let mut script = format!(
        "command -v journalctl >/dev/null 2>&1 || exit {NONE}\n\
         exec journalctl --quiet --no-pager --all --output=short-unix --unit=docker.service"
    );
    // Time and count are numbers: nothing to quote.
    if let Some(since) = order.reach.since {
        script.push_str(&format!(" --since=@{}", since.as_second()));
    }
    if let Some(until) = order.reach.until {
        script.push_str(&format!(" --until=@{}", until.as_second() + 1));
    }
    if let Some(tail) = order.reach.tail {
        script.push_str(&format!(" --lines={tail}"));
    }
    if reader.shop.follow {
        script.push_str(" --follow");
        if order.reach.tail.is_none() {
            script.push_str(" --no-tail");
        }
    }
    let limit = if reader.shop.follow {
        Duration::from_hours(24)
    } else {
        LIMIT
    };
    let host = reader.group.host.as_ref();
    let command = Command::sh(script)
        .with_privilege(rights(host))
        .within(limit);
    let (mut open, mut complaint) = (Vec::new(), Vec::new());
    let exit = host.stream(&command, &mut |stream, bytes| {
        if stream == Stream::Err {
            complaint.extend_from_slice(&bytes[..bytes.len().min(500)]);
            return ControlFlow::Continue(());
        }
        open.extend_from_slice(bytes);
        match lines(reader, &mut open) {
            Go::On => ControlFlow::Continue(()),
            Go::Off => ControlFlow::Break(()),
        }
    })?;
    open.push(b'\n');
    lines(reader, &mut open);
    reader.why = match exit {
        Exit::Code(0) | Exit::Signal(_) => None,
        Exit::Code(NONE) => Some("it keeps no journal: there is no `journalctl`".to_owned()),
        Exit::Code(code) => {
            let complaint = String::from_utf8_lossy(&complaint);
            Some(format!(
                "`journalctl` ended with {code}: {}",
                complaint.trim()
            ))
        }
    };
    Ok(())
}

fn rights(host: &dyn Host) -> Privilege {
    match host.root_access() {
        RootAccess::None | RootAccess::PasswordMissing => Privilege::User,
        _ => Privilege::Root,
    }
}

/// Writes every line that is whole and keeps the rest.
fn lines(reader: &mut Reader<'_>, open: &mut Vec<u8>) -> Go {
    let whole = match open.iter().rposition(|byte| *byte == b'\n') {
        Some(at) => at + 1,
        None if open.len() > MOST => open.len(),
        None => return reader.pen.tick(),
    };
    for line in open[..whole].split(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(line);
        let Some((time, text)) = record(&line) else {
            continue;
        };
        if reader.shop.order.reach.holds(time)
            && reader.pen.write(Voice::Out, time, text, Ends::Here) == Go::Off
        {
            return Go::Off;
        }
    }
    open.drain(..whole);
    reader.pen.tick()
}

/// Reads `1700000000.123456 host dockerd[1]: text`.
fn record(line: &str) -> Option<(Timestamp, &str)> {
    let (time, rest) = line.split_once(' ')?;
    let (second, micros) = time.split_once('.')?;
    let nanos = micros.parse::<i32>().ok()?.checked_mul(1000)?;
    let time = Timestamp::new(second.parse().ok()?, nanos).ok()?;
    let text = rest.split_once(' ').map_or(rest, |(_, text)| text);
    Some((time, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_its_time() {
        let (time, text) =
            record("1700000000.000123 vm dockerd[7]: level=info msg=\"x y\"").unwrap();
        assert_eq!(time.to_string(), "2023-11-14T22:13:20.000123Z");
        assert_eq!(text, "dockerd[7]: level=info msg=\"x y\"");
        assert!(record("-- No entries --").is_none());
    }
}
