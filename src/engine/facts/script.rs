//! Runs the script that looks at a host, and splits what it told into keys and values. What the values mean is read elsewhere.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::time::{Duration, SystemTime};

use super::FactsError;
use crate::transport::{Command, Host, Privilege, Stream, TransportError};

/// The script itself.
const SCRIPT: &str = include_str!("../../../assets/remote/facts.sh");

/// A host that answers at all answers this in well under a second; one under heavy load may need longer.
const LIMIT: Duration = Duration::from_secs(45);

/// Which part of the script runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// All that the login sees.
    Login,
    /// What root sees more of.
    Root,
    /// The file system under one folder.
    Disk,
}

impl Part {
    fn word(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Root => "root",
            Self::Disk => "disk",
        }
    }
}

/// What the script told.
#[derive(Debug, Default)]
pub(super) struct Told {
    values: HashMap<String, Vec<String>>,
    /// The host's clock minus ours, in seconds.
    pub(super) clock_skew: f64,
    /// What its shell complained about.
    pub(super) complaint: String,
}

impl Told {
    /// Splits `key<TAB>value` lines; lines without a tab are noise of a login shell and are passed over.
    pub(super) fn read(text: &str) -> Self {
        let mut told = Self::default();
        for (key, value) in text.lines().filter_map(|line| line.split_once('\t')) {
            told.values
                .entry(key.to_owned())
                .or_default()
                .push(value.trim_end().to_owned());
        }
        told
    }

    /// Returns every value of `key`, in the order told.
    pub(super) fn all<'a>(&'a self, key: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.values
            .get(key)
            .map(Vec::as_slice)
            .unwrap_or_default()
            .iter()
            .map(String::as_str)
    }

    /// Returns the first value of `key` that is not empty.
    pub(super) fn one(&self, key: &str) -> Option<&str> {
        self.all(key).find(|value| !value.is_empty())
    }

    /// Returns the first value of `key`, or the error that names what is missing.
    pub(super) fn must(&self, key: &str, what: &'static str) -> Result<&str, FactsError> {
        self.one(key).ok_or_else(|| FactsError::Missing {
            what,
            stderr: self.complaint.clone(),
        })
    }
}

/// Runs a part of the script on a host.
///
/// The host's clock is the script's first word; it is taken to have been read in the middle between our request and the arrival of that word.
pub(super) fn ask(host: &dyn Host, part: Part, base_folder: &str) -> Result<Told, TransportError> {
    let base = shlex::try_quote(base_folder).map_err(|_| TransportError::Unquotable)?;
    let script = format!("want={} base={base}\n{SCRIPT}", part.word());
    let privilege = match part {
        Part::Root => Privilege::Root,
        Part::Login | Part::Disk => Privilege::User,
    };
    let command = Command::sh(script).with_privilege(privilege).within(LIMIT);
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let asked = SystemTime::now();
    let mut answered = None;
    host.stream(&command, &mut |stream, bytes| {
        match stream {
            Stream::Out => {
                answered.get_or_insert_with(SystemTime::now);
                stdout.extend_from_slice(bytes);
            }
            Stream::Err => stderr.extend_from_slice(bytes),
        }
        ControlFlow::Continue(())
    })?;
    let mut told = Told::read(&String::from_utf8_lossy(&stdout));
    String::from_utf8_lossy(&stderr)
        .lines()
        .last()
        .unwrap_or_default()
        .clone_into(&mut told.complaint);
    if let (Some(answered), Some(theirs)) = (answered, told.one("clock").and_then(seconds)) {
        told.clock_skew = skew(theirs, unix(asked), unix(answered));
    }
    Ok(told)
}

/// Reads seconds since 1970; a clock told without a fraction was on average half a second further.
fn seconds(text: &str) -> Option<f64> {
    let whole = if text.contains('.') { 0.0 } else { 0.5 };
    text.parse::<f64>().ok().map(|seconds| seconds + whole)
}

/// Returns how far `theirs` is ahead of our clock, when it was read between `asked` and `answered`.
fn skew(theirs: f64, asked: f64, answered: f64) -> f64 {
    let skew = theirs - f64::midpoint(asked, answered);
    (skew * 1000.0).round() / 1000.0
}

/// Returns seconds since 1970.
fn unix(time: SystemTime) -> f64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0.0, |elapsed| elapsed.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("100.5", 100.0, 101.0, 0.0)]
    #[case("100.7", 100.0, 100.4, 0.5)]
    #[case("100", 100.0, 101.0, 0.0)]
    #[case("40.5", 100.0, 101.0, -60.0)]
    fn half_the_round_trip_is_taken_off(
        #[case] theirs: &str,
        #[case] asked: f64,
        #[case] answered: f64,
        #[case] expected: f64,
    ) {
        let found = skew(seconds(theirs).unwrap(), asked, answered);
        assert!((found - expected).abs() < 0.001, "{found}");
    }

    #[test]
    fn noise_of_a_login_shell_is_passed_over() {
        let told = Told::read("Welcome to ACME\nuid\t0\nroute\ta\nroute\tb\nempty\t\n");
        assert_eq!(told.one("uid"), Some("0"));
        assert_eq!(told.all("route").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(told.one("empty"), None);
        assert_eq!(
            told.must("cpus", "CPUs").unwrap_err().to_string(),
            "the host did not tell its CPUs"
        );
    }
}
