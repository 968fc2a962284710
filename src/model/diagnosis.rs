//! What is known to go wrong: by which signs it is recognised, what it means, and what to do. Data; presets and `assets/diagnosis/` hold it.

use std::borrow::Cow;

use regex::{Captures, Regex};
use serde::{Deserialize, Serialize};

use super::ids::HostName;

/// A known cause and its signs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Signature {
    /// Its id.
    pub id: String,
    /// What it is, in a sentence. Like `means`, `remedy` and `command` it may hold `{host}`, `{service}`, `{deployment}` and `{name}` of any named group of
    /// the sign that was found.
    pub title: String,
    /// What may cause others has a low rank, what is most often the consequence of others a high one.
    pub rank: u32,
    /// How it shows, the most telling first; one is enough.
    #[serde(rename = "sign")]
    pub signs: Vec<Sign>,
    /// What it means.
    pub means: String,
    /// What to do, in a sentence or two.
    pub remedy: String,
    /// The command that shows or mends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// One way in which a cause shows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sign {
    /// Where it is looked for.
    #[serde(rename = "in")]
    pub place: Place,
    /// A regular expression over one line.
    pub matches: String,
    /// Lines that are such a sign, as they were really printed; each must match.
    pub samples: Vec<String>,
    /// Lines that look alike and are none; none may match.
    #[serde(default)]
    pub others: Vec<String>,
}

/// What is looked through, line by line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// What programs print.
    Log,
    /// One line a container: state, health, exit code, restarts.
    Container,
    /// What happened to containers of late.
    ContainerEvent,
    /// What the kernel says of memory and disks.
    Kernel,
    /// How full disks are.
    Disk,
    /// Checks and judgements that were just made.
    Check,
}

/// A cause that was found.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Cause {
    /// The signature's id.
    pub id: String,
    /// What it is.
    pub title: String,
    /// The host, when the evidence is of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostName>,
    /// Whether it shows now; otherwise it showed some time ago, or everything works all the same.
    pub now: bool,
    /// What it means.
    pub means: String,
    /// What to do.
    pub remedy: String,
    /// The command that shows or mends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// What shows it, the most telling first.
    pub evidence: Vec<Evidence>,
}

/// A line that shows a cause.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Evidence {
    /// The file in the archive.
    pub file: String,
    /// The line in it, from 1.
    pub line: u64,
    /// What is there.
    pub text: String,
    /// When it was printed, when that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<jiff::Timestamp>,
}

impl Signature {
    /// Returns what is wrong with it, when something is.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.signs.is_empty() {
            problems.push("it has no sign".to_owned());
        }
        for (number, sign) in self.signs.iter().enumerate() {
            let expression = match Regex::new(&sign.matches) {
                Ok(expression) => expression,
                Err(error) => {
                    problems.push(format!("sign {}: {error}", number + 1));
                    continue;
                }
            };
            if sign.samples.is_empty() {
                problems.push(format!("sign {} has no sample", number + 1));
            }
            for sample in &sign.samples {
                match expression.captures(sample) {
                    Some(found) => problems.extend(self.unfilled(&found)),
                    None => problems.push(format!(
                        "sign {} does not match its sample `{sample}`",
                        number + 1
                    )),
                }
            }
            for other in sign
                .others
                .iter()
                .filter(|other| expression.is_match(other))
            {
                problems.push(format!("sign {} matches `{other}`", number + 1));
            }
        }
        problems.dedup();
        problems
    }

    /// Returns the texts that still have a hole once they are filled.
    fn unfilled(&self, found: &Captures<'_>) -> Vec<String> {
        let texts = [
            Some(&self.title),
            Some(&self.means),
            Some(&self.remedy),
            self.command.as_ref(),
        ];
        let known = KNOWN.map(|name| (name, "x"));
        let filled = texts.into_iter().flatten();
        filled
            .map(|text| fill(text, found, &known))
            .filter(|text| text.contains('{'))
            .map(|text| format!("nothing fills `{text}`"))
            .collect()
    }
}

/// What every text may name beside the groups of its sign.
const KNOWN: [&str; 3] = ["host", "service", "deployment"];

/// Fills the holes of a text with what is known and with the groups that were found.
#[must_use]
pub fn fill(text: &str, found: &Captures<'_>, known: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((name, behind)) = after.split_once('}') else {
            filled.push('{');
            rest = after;
            continue;
        };
        let value = known.iter().find(|(known, _)| *known == name);
        let value = value.map(|(_, value)| Cow::Borrowed(*value));
        match value.or_else(|| found.name(name).map(|group| group.as_str().into())) {
            Some(value) => filled.push_str(&value),
            None => filled.push_str(&format!("{{{name}}}")),
        }
        rest = behind;
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(matches: &str, samples: &[&str], others: &[&str]) -> Signature {
        let all = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
        Signature {
            id: "full".to_owned(),
            title: "{mount} on {host} is full".to_owned(),
            rank: 1,
            signs: vec![Sign {
                place: Place::Disk,
                matches: matches.to_owned(),
                samples: all(samples),
                others: all(others),
            }],
            means: "m".to_owned(),
            remedy: "r".to_owned(),
            command: None,
        }
    }

    #[test]
    fn a_signature_is_held_against_its_own_samples() {
        let good = signature(r"100% (?P<mount>\S+)", &["x 100% /data"], &["x 50% /data"]);
        assert_eq!(good.problems(), Vec::<String>::new());
        for (broken, says) in [
            (signature("(", &[], &[]), "unclosed group"),
            (signature("x", &[], &[]), "no sample"),
            (
                signature(r"100% (?P<mount>\S+)", &["50% /"], &[]),
                "does not match its sample",
            ),
            (
                signature(r"100% (?P<mount>\S+)", &["100% /"], &["100% /b"]),
                "matches `100% /b`",
            ),
            (
                signature("100%", &["100% /"], &[]),
                "nothing fills `{mount}",
            ),
        ] {
            let problems = broken.problems().join("\n");
            assert!(problems.contains(says), "{problems}");
        }
    }

    #[test]
    fn texts_are_filled() {
        let expression = Regex::new("(?P<mount>/x)").unwrap();
        let found = expression.captures("at /x").unwrap();
        let text = "{mount} on {host}: {other} {";
        assert_eq!(fill(text, &found, &[("host", "ui")]), "/x on ui: {other} {");
    }
}
