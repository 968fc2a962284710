//! The way for slow links: what the host lacks goes into a file there, piece by piece, and is loaded from it by the host's own Docker.
//!
//! Docker takes a layer up again four times at most and forgets what it has when a pull ends. A file forgets nothing: after a cut, or another start of
//! this program, it goes on where the file ends, so that a break costs only what was on its way. It takes room on the host for one part of the image
//! at a time, and a second one while that is being loaded. On a link of which nobody needs to be afraid the pull is better: the first piece tells.

use std::io::{self, Read as _};
use std::time::{Duration, Instant};

use super::pins::WORTH;
use super::{Job, said};
use crate::engine::action::ActionError;
use crate::images::partial::{self, Archive, Portion};
use crate::model::docker::LayerProgress;
use crate::model::size::human;
use crate::model::text::shell_quoted;
use crate::transport::detached::{self, End, Step};
use crate::transport::{Command, Input};

/// Bytes a second from which on a link carries a layer before anything can happen to it.
const FAST: u64 = 18_000_000;

/// The first piece: large enough to tell the rate, small enough to be lost.
const FIRST: u64 = 3_000_000;

/// So many first pieces may show that a link is fast: a machine that is busy makes it seem slow at times, and nothing makes it seem fast.
const TRIALS: u32 = 3;

/// Later pieces take about as long as this, so that progress can be seen.
const PACE: Duration = Duration::from_millis(600);

/// No piece has more: it is held in memory.
const MOST: u64 = 8_000_000;

/// How long a piece may take before the link counts as gone.
const PATIENCE: Duration = Duration::from_mins(15);

/// Prints how long the file is and how much room there is beside it.
const LOOK: &str = r#"umask 077
mkdir -p "${file%/*}" || exit 1
if [ -f "$file" ]; then wc -c <"$file"; else echo 0; fi
df -Pk "${file%/*}" | tail -n 1 | { read -r _ _ _ free _; echo "$free"; }
"#;

/// Writes standard input into the file, at its place: a late piece of a connection that broke writes the same there.
const WRITE: &str = r#"umask 077
LC_ALL=C dd of="$file" bs=65536 conv=notrunc oflag=seek_bytes seek="$place" || exit 1
"#;

/// Removes every file whose name begins so, and the folder when nothing else is in it.
const CLEAR: &str = r#"rm -f "$file"*
rmdir "${file%/*}" 2>/dev/null || :
"#;

/// One part of the image: the layers from one to another, in a file of its own.
struct Part {
    name: String,
    from: usize,
    to: usize,
}

/// What a file on the host has, and the room beside it.
struct Found {
    size: u64,
    free: u64,
}

impl Job<'_> {
    /// Brings what is missing, part by part; `false` when the link is so fast, or so little is missing, that a pull is better.
    pub(super) fn bring(&self) -> Result<bool, ActionError> {
        let little = self.missing(self.shared(), self.layers()) < WORTH;
        if self.engine.containerd_store || little && !self.is_slow() {
            return Ok(false);
        }
        if self.is_fast() {
            self.clear_files()?;
            return Ok(false);
        }
        self.say_slow();
        self.bring_parts()
    }

    /// Brings every part, the next one while the host loads the one before.
    pub(super) fn bring_parts(&self) -> Result<bool, ActionError> {
        let mut from = self.shared();
        for to in self.stops().into_iter().chain([self.layers()]) {
            let name = if to == self.layers() {
                self.action.reference.to_string()
            } else {
                self.pin(to)
            };
            let part = Part { name, from, to };
            if !self.send_part(&part)? {
                return Ok(false);
            }
            self.await_load()?;
            self.begin_load(&part)?;
            from = to;
        }
        self.await_load()?;
        self.clear_files()?;
        self.unpin()?;
        Ok(true)
    }

    fn say_slow(&self) {
        if let Some(rate) = self.counter.rate()
            && self.counter.is_news()
        {
            self.cx.progress.line(&format!(
                "the link carries {} a second: the image comes in files that go on after a break",
                human(rate)
            ));
        }
    }

    fn is_fast(&self) -> bool {
        self.counter.rate().is_some_and(|rate| rate >= FAST)
    }

    /// Returns whether the link is known to be slow: then whatever has come into a file is worth going on with.
    pub(super) fn is_slow(&self) -> bool {
        self.counter.rate().is_some_and(|rate| rate < FAST)
    }

    pub(super) fn layers(&self) -> usize {
        self.image.layers.len()
    }

    /// Returns bytes of layers as they are sent.
    pub(super) fn missing(&self, from: usize, to: usize) -> u64 {
        let layers = self.image.layers.get(from..to).unwrap_or_default();
        layers.iter().map(|layer| layer.packed).sum()
    }

    /// Returns the image's id as people write it.
    pub(super) fn short(&self) -> String {
        let hex = self.image.id.chars().skip("sha256:".len());
        hex.take(12).collect()
    }

    fn folder(&self) -> String {
        format!("{}/.images", self.action.folder)
    }

    fn file(&self, part: &Part) -> String {
        let (folder, image) = (self.folder(), &self.action.image);
        format!(
            "{folder}/{image}.{}.{}-{}.tar",
            self.short(),
            part.from,
            part.to
        )
    }

    /// Sends what the file of a part lacks; `false` when a pull is better.
    fn send_part(&self, part: &Part) -> Result<bool, ActionError> {
        let portion = Portion {
            image: self.image,
            name: &part.name,
            layers: part.to,
            skip: part.from,
            encoding: self.encoding(),
        };
        let mut archive =
            partial::archive(self.delivery.store(), &portion).map_err(|error| said(&error))?;
        let (file, all) = (self.file(part), archive.size());
        let found = self.look(&file)?;
        let mut place = found.size.min(all);
        // Two parts may lie there, and what is loaded lies beside them.
        if found.free < 2 * (all - place) {
            self.clear_files()?;
            return Ok(false);
        }
        skip(&mut archive, place).map_err(|error| broken_store(&error))?;
        let mut trials = match self.counter.rate() {
            None if place == 0 => TRIALS,
            _ => 0,
        };
        while place < all {
            if self.cx.progress.cancelled() {
                return Err(ActionError::Cancelled);
            }
            self.tell(part, place, all);
            let piece = self.next_piece(&mut archive, trials)?;
            let (sent, began) = (piece.len() as u64, Instant::now());
            self.write(&file, place, piece)?;
            let took = began.elapsed();
            // The last piece may be too small to tell.
            if sent >= FIRST || took >= PACE / 2 {
                self.counter.note_rate(sent, took);
            }
            if trials > 0 && self.is_fast() {
                self.clear_files()?;
                return Ok(false);
            }
            if trials == 1 {
                self.say_slow();
            }
            place += sent;
            trials = trials.saturating_sub(1);
        }
        self.tell(part, all, all);
        Ok(true)
    }

    fn next_piece(&self, archive: &mut Archive, trials: u32) -> Result<Vec<u8>, ActionError> {
        let size = match self.counter.rate() {
            Some(rate) if trials == 0 => (rate / 1000)
                .saturating_mul(u64::try_from(PACE.as_millis()).unwrap_or(0))
                .clamp(FIRST / 12, MOST),
            _ => FIRST,
        };
        let mut piece = Vec::new();
        archive
            .take(size)
            .read_to_end(&mut piece)
            .map_err(|error| broken_store(&error))?;
        if piece.is_empty() {
            return Err(ActionError::Bug(
                "an archive is shorter than it said".to_owned(),
            ));
        }
        Ok(piece)
    }

    fn look(&self, file: &str) -> Result<Found, ActionError> {
        let output = self.cx.host.must(&self.command(file, LOOK))?;
        let text = output.text();
        let mut numbers = text.lines().map(|line| line.trim().parse::<u64>());
        match (numbers.next(), numbers.next()) {
            (Some(Ok(size)), Some(Ok(free))) => Ok(Found {
                size,
                free: free << 10,
            }),
            _ => Err(ActionError::Situation {
                message: format!("the host does not tell how much of `{file}` is there"),
                evidence: vec![text],
                remedy: Some("see whether `wc` and `df` work there".to_owned()),
                command: None,
            }),
        }
    }

    fn write(&self, file: &str, place: u64, piece: Vec<u8>) -> Result<(), ActionError> {
        let script = format!("place={place}\n{WRITE}");
        let command = self
            .command(file, &script)
            .with_input(Input::Bytes(piece))
            .within(PATIENCE);
        let output = self.cx.host.run(&command)?;
        if output.ok() {
            return Ok(());
        }
        Err(self.no_room(output.complaint().lines().map(str::to_owned).collect()))
    }

    fn command(&self, file: &str, script: &str) -> Command {
        Command::sh(format!("file={}\n{script}", shell_quoted(file)))
            .with_privilege(self.action.rights.privilege())
    }

    fn no_room(&self, evidence: Vec<String>) -> ActionError {
        let full = evidence
            .iter()
            .any(|line| line.contains("No space left") || line.contains("no space left"));
        let reference = &self.action.reference;
        let (message, remedy) = if full {
            (
                format!("no space left for image `{reference}`"),
                format!(
                    "free space under {} and {}, and run the same command again: it goes on from here",
                    self.engine.root, self.action.folder
                ),
            )
        } else {
            (
                format!("image `{reference}` could not be loaded from its file"),
                "run the same command again".to_owned(),
            )
        };
        ActionError::Situation {
            message,
            evidence,
            remedy: Some(remedy),
            command: None,
        }
    }

    fn load_step<'a>(&'a self, id: &'a str) -> Step<'a> {
        Step {
            folder: &self.action.folder,
            id,
            privilege: self.action.rights.privilege(),
        }
    }

    fn load_id(&self) -> String {
        format!("images/{}-load", self.action.image)
    }

    /// Has the host load a file by itself, and remove it then.
    fn begin_load(&self, part: &Part) -> Result<(), ActionError> {
        let (id, file) = (self.load_id(), shell_quoted(&self.file(part)));
        let script = format!("docker load --quiet --input {file} && rm -f {file}\n");
        let step = self.load_step(&id);
        self.counter.note_begun(&step);
        detached::start(self.cx.host, &step, &script, &Input::Empty)?;
        Ok(())
    }

    /// Waits for what the host loads, perhaps since an earlier run; returns whether it did.
    pub(super) fn await_load(&self) -> Result<bool, ActionError> {
        let (id, host) = (self.load_id(), self.cx.host);
        let step = self.load_step(&id);
        if !self.counter.may_keep(host, &step)? {
            return Ok(false);
        }
        let mut log = Vec::new();
        let end = match detached::status(host, &step)? {
            detached::State::Absent => return Ok(false),
            detached::State::Ended(_) | detached::State::Running => {
                detached::follow(host, &step, &mut 0, &mut |bytes| {
                    log.extend_from_slice(bytes);
                    if self.cx.progress.cancelled() {
                        std::ops::ControlFlow::Break(())
                    } else {
                        std::ops::ControlFlow::Continue(())
                    }
                })?
            }
        };
        let Some(end) = end else {
            return Err(ActionError::Cancelled);
        };
        detached::clean(host, &step)?;
        if end == End::Code(0) {
            return Ok(true);
        }
        let log = String::from_utf8_lossy(&log).into_owned();
        let failed = self.no_room(log.lines().rev().take(4).map(str::to_owned).collect());
        if !log.contains("no space left") && end != End::Interrupted {
            // Whatever is wrong with it, it is sent anew the next time.
            self.clear_files()?;
        }
        Err(failed)
    }

    /// Removes the files of this image, also those of its other releases.
    fn clear_files(&self) -> Result<(), ActionError> {
        let start = format!("{}/{}.", self.folder(), self.action.image);
        self.cx.host.must(&self.command(&start, CLEAR))?;
        Ok(())
    }

    fn tell(&self, part: &Part, place: u64, all: u64) {
        let first = self.shared_before();
        let total = self.missing(first, self.layers());
        let own = self.missing(part.from, part.to);
        let done = self.missing(first, part.from) + own.min(place);
        self.cx.progress.at(done, Some(total));
        let top = self.image.layers.get(part.to.saturating_sub(1));
        if let Some(top) = top {
            self.cx.progress.layer(LayerProgress {
                layer: top.diff_id.chars().skip("sha256:".len()).take(12).collect(),
                status: "Downloading".to_owned(),
                done: Some(place),
                total: Some(all),
            });
        }
    }
}

/// Goes to a place in an archive.
fn skip(archive: &mut Archive, place: u64) -> io::Result<()> {
    io::copy(&mut archive.take(place), &mut io::sink()).map(drop)
}

fn broken_store(error: &io::Error) -> ActionError {
    ActionError::Situation {
        message: format!("the image cannot be read from the store on this machine: {error}"),
        evidence: Vec::new(),
        remedy: Some("run the same command again; it reads the archive anew".to_owned()),
        command: None,
    }
}
