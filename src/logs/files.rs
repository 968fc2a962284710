//! Files in a container, read out of the archive that Docker makes of their folder: one after the other, line by line, each line with the time it tells of itself.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use jiff::Timestamp;
use jiff::tz::Offset;

use super::collect::{Go, Reach};
use super::lines::Ends;
use super::stamp;
use crate::transport::{Docker, TransportError};

/// Pieces of the archive that may wait.
const MOST_PIECES: usize = 8;

/// A line that grows beyond this is told in parts.
const MOST: u64 = 256 << 10;

/// A line of a file.
#[derive(Debug, Clone, Copy)]
pub struct FileLine<'a> {
    /// The file's path below the folder.
    pub file: &'a str,
    /// The time it tells; the one before when it tells none, and at the beginning that of the file.
    pub time: Timestamp,
    /// The text without the line break.
    pub text: &'a str,
    /// Whether the line ends with it.
    pub ends: Ends,
}

/// A folder of files in a container.
#[derive(Debug, Clone)]
pub struct Folder {
    /// The container.
    pub container: String,
    /// The folder.
    pub path: String,
    /// How far the container's clock is from UTC.
    pub offset: Offset,
}

/// Reads every file of a folder.
///
/// # Errors
/// When the engine does not answer, or there is no such folder.
pub fn read(
    docker: &dyn Docker,
    folder: &Folder,
    reach: Reach,
    take: &mut (dyn FnMut(FileLine<'_>) -> Go + Send),
) -> Result<(), TransportError> {
    let (send, pieces) = sync_channel::<Vec<u8>>(MOST_PIECES);
    thread::scope(|scope| {
        let reading = scope.spawn(move || unpack(Pieces::new(pieces), folder.offset, reach, take));
        let copied = docker.copy_out(&folder.container, &folder.path, &mut |piece| match send
            .send(piece.to_vec())
        {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        });
        drop(send);
        let unpacked = reading.join().unwrap_or(Ok(()));
        copied?;
        unpacked.map_err(|error| TransportError::Docker {
            action: format!("copy {} out of {}", folder.path, folder.container),
            detail: error.to_string(),
            status: None,
        })
    })
}

fn unpack(
    pieces: Pieces,
    offset: Offset,
    reach: Reach,
    take: &mut dyn FnMut(FileLine<'_>) -> Go,
) -> io::Result<()> {
    let mut archive = tar::Archive::new(pieces);
    for entry in archive.entries()? {
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = entry.path()?.to_string_lossy().into_owned();
        let name = path.split_once('/').map_or(path.as_str(), |(_, rest)| rest);
        let changed = entry.header().mtime().ok();
        let changed = changed.and_then(|at| Timestamp::from_second(at.try_into().ok()?).ok());
        // What was not touched since then holds nothing newer.
        if let (Some(changed), Some(since)) = (changed, reach.since)
            && changed < since
        {
            continue;
        }
        let mut reading = Reading {
            name,
            offset,
            reach,
            time: changed.unwrap_or(Timestamp::UNIX_EPOCH),
            last: VecDeque::new(),
        };
        if reading.file(&mut BufReader::new(&mut entry), take)? == Go::Off {
            break;
        }
    }
    Ok(())
}

/// One file on its way.
struct Reading<'a> {
    name: &'a str,
    offset: Offset,
    reach: Reach,
    time: Timestamp,
    last: VecDeque<(Timestamp, String, Ends)>,
}

impl Reading<'_> {
    fn file(
        &mut self,
        lines: &mut dyn BufRead,
        take: &mut dyn FnMut(FileLine<'_>) -> Go,
    ) -> io::Result<Go> {
        let mut line = Vec::new();
        loop {
            line.clear();
            let count = (&mut *lines).take(MOST).read_until(b'\n', &mut line)?;
            if count == 0 {
                break;
            }
            let ends = match line.last() {
                Some(b'\n') => Ends::Here,
                _ if count as u64 == MOST => Ends::Later,
                _ => Ends::Here,
            };
            if self.line(&line, ends, take) == Go::Off {
                return Ok(Go::Off);
            }
        }
        for (time, text, ends) in std::mem::take(&mut self.last) {
            if tell(self.name, time, &text, ends, take) == Go::Off {
                return Ok(Go::Off);
            }
        }
        Ok(Go::On)
    }

    fn line(&mut self, line: &[u8], ends: Ends, take: &mut dyn FnMut(FileLine<'_>) -> Go) -> Go {
        if let Some(time) = time_of(line, self.offset) {
            self.time = time;
        }
        if !self.reach.holds(self.time) {
            return Go::On;
        }
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches(['\n', '\r']);
        match self.reach.tail {
            None => tell(self.name, self.time, text, ends, take),
            Some(tail) => {
                self.last.push_back((self.time, text.to_owned(), ends));
                if self.last.len() > tail {
                    self.last.pop_front();
                }
                Go::On
            }
        }
    }
}

fn tell(
    file: &str,
    time: Timestamp,
    text: &str,
    ends: Ends,
    take: &mut dyn FnMut(FileLine<'_>) -> Go,
) -> Go {
    take(FileLine {
        file,
        time,
        text,
        ends,
    })
}

/// Returns the time with which a line begins, perhaps in brackets.
fn time_of(line: &[u8], offset: Offset) -> Option<Timestamp> {
    let line = line.strip_prefix(b"[").unwrap_or(line);
    let (civil, used) = stamp::civil(line)?;
    if line.get(used) == Some(&b'Z') {
        return Offset::UTC.to_timestamp(civil).ok();
    }
    offset.to_timestamp(civil).ok()
}

/// Pieces that come over a channel, as a reader.
struct Pieces {
    coming: Receiver<Vec<u8>>,
    open: Vec<u8>,
    at: usize,
}

impl Pieces {
    fn new(pieces: Receiver<Vec<u8>>) -> Self {
        Self {
            coming: pieces,
            open: Vec::new(),
            at: 0,
        }
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.open.len() {
            match self.coming.recv() {
                Ok(piece) => (self.open, self.at) = (piece, 0),
                Err(_) => return Ok(0),
            }
        }
        let count = buffer.len().min(self.open.len() - self.at);
        buffer[..count].copy_from_slice(&self.open[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(files: &[(&str, &str)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, text) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mtime(1_700_000_000);
            header.set_mode(0o644);
            builder
                .append_data(&mut header, name, text.as_bytes())
                .unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn lines(files: &[(&str, &str)], offset: i8, reach: Reach) -> Vec<String> {
        let (send, pieces) = sync_channel(1000);
        for piece in archive(files).chunks(100) {
            send.send(piece.to_vec()).unwrap();
        }
        drop(send);
        let mut lines = Vec::new();
        unpack(
            Pieces::new(pieces),
            jiff::tz::offset(offset),
            reach,
            &mut |line| {
                lines.push(format!("{} {} {}", line.time, line.file, line.text));
                Go::On
            },
        )
        .unwrap();
        lines
    }

    #[test]
    fn files_are_read_with_the_times_they_tell_in_their_own_zone() {
        let files = [
            (
                "logs/raylet.out",
                "[2026-11-20 12:00:01,123 I 1 1] (raylet) up\n  and more\n",
            ),
            (
                "logs/old/monitor.log",
                "no time\r\n2026-11-20 12:00:02,5\tINFO x -- it\nno end",
            ),
        ];
        let wanted = [
            "2026-11-20T10:00:01.123Z raylet.out [2026-11-20 12:00:01,123 I 1 1] (raylet) up",
            "2026-11-20T10:00:01.123Z raylet.out   and more",
            "2023-11-14T22:13:20Z old/monitor.log no time",
            "2026-11-20T10:00:02.5Z old/monitor.log 2026-11-20 12:00:02,5\tINFO x -- it",
            "2026-11-20T10:00:02.5Z old/monitor.log no end",
        ];
        assert_eq!(lines(&files, 2, Reach::default()), wanted);
    }

    #[test]
    fn only_what_is_wanted_is_told() {
        let text = "2026-11-20 12:00:01 a\n2026-11-20 12:00:02 b\n2026-11-20 12:00:03 c\n2026-11-20 12:00:04 d\n";
        let time = |second: u8| Some(format!("2026-11-20T12:00:0{second}Z").parse().unwrap());
        let told = |reach| lines(&[("l/x", text)], 0, reach).len();
        let reach = Reach {
            until: time(3),
            ..Reach::default()
        };
        assert_eq!(told(reach), 3);
        assert_eq!(
            told(Reach {
                tail: Some(2),
                ..reach
            }),
            2
        );
        // The file was not touched since then.
        assert_eq!(
            told(Reach {
                since: time(2),
                ..Reach::default()
            }),
            0
        );
    }
}
