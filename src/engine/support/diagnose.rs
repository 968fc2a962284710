//! A first diagnosis: what was put together is held against what is known to go wrong.
//!
//! It reads the files of the archive as they will be handed out, so every line of evidence can be looked up there, and it holds no secret. What shows now
//! stands before what showed some time ago, and what may be the cause of other things before those.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use regex::{Captures, Regex, RegexSet};
use serde::Deserialize;

use super::SupportError;
use super::collect::CONTAINERS;
use super::spool::Spool;
use crate::model::diagnosis::{Cause, Evidence, Place, Signature, fill};
use crate::model::ids::HostName;
use crate::model::preset::Preset;
use crate::model::template::Assets;
use crate::model::text::shortened;

/// Signatures that no product is needed for.
const GENERAL: &str = "diagnosis/general.toml";

/// What was printed longer ago says little of now.
const OF_LATE: Duration = Duration::from_mins(30);

/// So many lines of evidence are kept for each sign.
const MOST: usize = 3;

/// Characters of a line of evidence.
const WIDTH: usize = 400;

/// A file of signatures.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SignatureFile {
    signature: Vec<Signature>,
}

/// Returns every signature that applies: the preset's own and the general ones.
pub(in crate::engine) fn known(preset: &Preset, assets: &dyn Assets) -> Vec<Signature> {
    let general = assets.asset(GENERAL).unwrap_or_default();
    let general: SignatureFile = toml::from_str(&general)
        .inspect_err(|error| tracing::error!(%error, "{GENERAL} cannot be read"))
        .unwrap_or_default();
    let mut all = preset.parts.signatures.clone();
    all.extend(general.signature);
    all
}

/// Something a sign was found in.
struct Hit {
    sign: usize,
    host: String,
    service: String,
    evidence: Evidence,
    texts: [Option<String>; 4],
    fresh: bool,
}

/// The signs of one place, tried all at once.
struct Watch {
    /// Signature and sign of each expression.
    of: Vec<(usize, usize)>,
    set: RegexSet,
    expressions: Vec<Regex>,
}

/// Looks through what was put together.
pub(in crate::engine) struct Diagnosis<'a> {
    pub(in crate::engine) signatures: &'a [Signature],
    pub(in crate::engine) spool: &'a Spool,
    pub(in crate::engine) deployment: &'a str,
    pub(in crate::engine) now: Timestamp,
}

impl Diagnosis<'_> {
    /// Returns the causes that were found, the likeliest first.
    ///
    /// # Errors
    /// When what was put together cannot be read.
    pub(in crate::engine) fn make(&self) -> Result<Vec<Cause>, SupportError> {
        let failed = |source| SupportError::Spool {
            folder: self.spool.root().to_owned(),
            source,
        };
        let mut hits: BTreeMap<usize, Vec<Hit>> = BTreeMap::new();
        let mut troubled = false;
        for (file, place) in self.files().map_err(failed)? {
            let Some(watch) = self.watch(place) else {
                continue;
            };
            self.read(&file, place, &watch, &mut hits, &mut troubled)
                .map_err(failed)?;
        }
        let mut causes: Vec<(bool, u32, Cause)> = hits
            .into_iter()
            .map(|(at, hits)| {
                let cause = Self::cause(&self.signatures[at], hits, troubled);
                (!cause.now, self.signatures[at].rank, cause)
            })
            .collect();
        causes.sort_by_key(|(earlier, rank, _)| (*earlier, *rank));
        Ok(causes.into_iter().map(|(_, _, cause)| cause).collect())
    }

    /// Returns the files that are looked through.
    fn files(&self) -> io::Result<Vec<(Utf8PathBuf, Place)>> {
        let mut files = Vec::new();
        let hosts = self.spool.root().join("hosts");
        if hosts.is_dir() {
            for host in hosts.read_dir_utf8()? {
                let host = Utf8Path::new("hosts").join(host?.file_name());
                files.extend([
                    (host.join(CONTAINERS), Place::Container),
                    (host.join("docker-events.txt"), Place::ContainerEvent),
                    (host.join("kernel.txt"), Place::Kernel),
                    (host.join("disks.txt"), Place::Disk),
                ]);
            }
        }
        files.push(("checks.txt".into(), Place::Check));
        files.push(("logs.log".into(), Place::Log));
        files.retain(|(file, _)| self.spool.root().join(file).is_file());
        Ok(files)
    }

    fn watch(&self, place: Place) -> Option<Watch> {
        let mut of = Vec::new();
        let mut expressions = Vec::new();
        for (at, signature) in self.signatures.iter().enumerate() {
            for (number, sign) in signature.signs.iter().enumerate() {
                // A preset that is not checked may hold what is no expression.
                if let (true, Ok(expression)) = (sign.place == place, Regex::new(&sign.matches)) {
                    of.push((at, number));
                    expressions.push(expression);
                }
            }
        }
        let set = RegexSet::new(expressions.iter().map(Regex::as_str)).ok()?;
        Some(Watch {
            of,
            set,
            expressions,
        })
    }

    fn read(
        &self,
        file: &Utf8Path,
        place: Place,
        watch: &Watch,
        hits: &mut BTreeMap<usize, Vec<Hit>>,
        troubled: &mut bool,
    ) -> io::Result<()> {
        let mut lines = BufReader::new(fs_err::File::open(self.spool.root().join(file))?);
        let (mut number, mut bytes) = (0, Vec::new());
        loop {
            bytes.clear();
            if lines.read_until(b'\n', &mut bytes)? == 0 {
                return Ok(());
            }
            number += 1;
            let line = String::from_utf8_lossy(&bytes);
            let line = line.trim_end_matches('\n');
            *troubled |= is_trouble(place, line);
            let seen = Seen::new(file, place, line);
            for matched in watch.set.matches(seen.text) {
                let Some(found) = watch.expressions[matched].captures(seen.text) else {
                    continue;
                };
                let (at, sign) = watch.of[matched];
                let hit = self.hit(at, sign, &seen, &found, (file, number, line));
                let of_signature = hits.entry(at).or_default();
                keep(of_signature, hit);
            }
        }
    }

    fn hit(
        &self,
        at: usize,
        sign: usize,
        seen: &Seen<'_>,
        found: &Captures<'_>,
        (file, line, text): (&Utf8Path, u64, &str),
    ) -> Hit {
        let signature = &self.signatures[at];
        // What the line itself names is nearer to the truth than the file it is in.
        let group = |name: &str| found.name(name).map(|group| group.as_str().to_owned());
        let host = group("on").unwrap_or_else(|| seen.host.clone());
        let or = |name: &str, other: &'static str| -> String {
            if name.is_empty() { other } else { name }.to_owned()
        };
        let (on, service) = (or(&host, "a host"), or(&seen.service, "a program"));
        let known = [
            ("host", on.as_str()),
            ("service", service.as_str()),
            ("deployment", self.deployment),
        ];
        let texts = [
            Some(&signature.title),
            Some(&signature.means),
            Some(&signature.remedy),
            signature.command.as_ref(),
        ];
        Hit {
            sign,
            service: seen.service.clone(),
            evidence: Evidence {
                file: file.to_string(),
                line,
                text: shortened(text, WIDTH).into_owned(),
                time: seen.time,
            },
            texts: texts.map(|text| Some(fill(text?, found, &known))),
            fresh: seen
                .time
                .is_none_or(|time| self.now.duration_since(time).unsigned_abs() <= OF_LATE),
            host,
        }
    }

    fn cause(signature: &Signature, mut hits: Vec<Hit>, troubled: bool) -> Cause {
        hits.sort_by_key(|hit| (!hit.fresh, hit.sign));
        let now = hits
            .iter()
            .any(|hit| hit.fresh && (troubled || hit.evidence.time.is_none()));
        let texts = hits
            .first()
            .map(|hit| hit.texts.clone())
            .unwrap_or_default();
        let host = hits
            .first()
            .and_then(|hit| hit.host.parse::<HostName>().ok());
        let [title, means, remedy, command] = texts;
        Cause {
            id: signature.id.clone(),
            title: title.unwrap_or_default(),
            host,
            now,
            means: means.unwrap_or_default(),
            remedy: remedy.unwrap_or_default(),
            command,
            evidence: hits.into_iter().map(|hit| hit.evidence).collect(),
        }
    }
}

/// Keeps a hit: of each sign and each service the last few, in the order in which they came.
fn keep(hits: &mut Vec<Hit>, hit: Hit) {
    let same = |other: &&Hit| {
        other.sign == hit.sign && other.host == hit.host && other.service == hit.service
    };
    if hits.iter().filter(same).count() >= MOST
        && let Some(oldest) = hits.iter().position(|other| same(&other))
    {
        hits.remove(oldest);
    }
    hits.push(hit);
}

/// Returns whether a line says that something does not work now.
fn is_trouble(place: Place, line: &str) -> bool {
    match place {
        Place::Check => line.starts_with("FAIL "),
        Place::Container => {
            !(line.contains(" state=running ") || line.contains(" exit-code=0 "))
                || line.contains(" health=unhealthy ")
        }
        _ => false,
    }
}

/// A line and where it belongs.
struct Seen<'l> {
    host: String,
    service: String,
    time: Option<Timestamp>,
    text: &'l str,
}

impl<'l> Seen<'l> {
    fn new(file: &Utf8Path, place: Place, line: &'l str) -> Self {
        let host = file.strip_prefix("hosts").ok();
        let host = host.and_then(|rest| rest.iter().next()).unwrap_or_default();
        let of_host = |service: &str, time| Self {
            host: host.to_owned(),
            service: service.to_owned(),
            time,
            text: line,
        };
        match place {
            Place::Log => Self::of_log(line),
            Place::Container => {
                let service = line
                    .split(' ')
                    .find_map(|word| word.strip_prefix("service="));
                of_host(service.unwrap_or_default(), None)
            }
            Place::ContainerEvent => {
                let second = line.split(' ').next().and_then(|word| word.parse().ok());
                of_host("", second.and_then(|at| Timestamp::from_second(at).ok()))
            }
            Place::Kernel => {
                let time = line.split(' ').next().unwrap_or_default();
                let time = Timestamp::strptime("%Y-%m-%dT%H:%M:%S%z", time).ok();
                // A line whose time cannot be read may be as old as the machine.
                of_host("", Some(time.unwrap_or(Timestamp::UNIX_EPOCH)))
            }
            Place::Disk | Place::Check => of_host("", None),
        }
    }

    /// Reads `time host/stack/service | text`; a head of the collection is no line of anybody's.
    fn of_log(line: &'l str) -> Self {
        let record = line.split_once(" | ").filter(|_| !line.starts_with('#'));
        let (head, text) = record.unwrap_or((line, ""));
        let (time, source) = head.split_once(' ').unwrap_or_default();
        let mut parts = source.splitn(3, '/');
        let host = parts.next().unwrap_or_default();
        let service = parts.nth(1).unwrap_or_default();
        let service = service.split(':').next().unwrap_or_default();
        Self {
            host: host.to_owned(),
            service: service.to_owned(),
            time: time.parse().ok(),
            text,
        }
    }
}

#[cfg(test)]
mod tests;
