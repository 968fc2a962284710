//! Preflight and health questions with their outcome, cause and remedy.

use serde::{Deserialize, Serialize};

use super::ids::HostName;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Fine.
    Pass,
    /// It will work, but somebody should know.
    Warn,
    /// It will not work.
    Fail,
}

/// One check that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CheckResult {
    /// Stable id of the check, such as `docker-version`.
    pub id: String,
    /// The host it was made on; `None` for what concerns the whole deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostName>,
    /// What was looked at, such as `Docker Engine`.
    pub title: String,
    /// How it ended.
    pub verdict: Verdict,
    /// What was found, in one sentence.
    pub found: String,
    /// Why that is a problem, when it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What to do, in one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// The exact command that does it, to be run on the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Whether the command may be run for the operator: it mends the cause on that host, is complete, asks nothing and deletes no data.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mends: bool,
    /// The network opening that is missing, when that is the problem; collected into the sheet for the customer's IT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opening: Option<Opening>,
}

/// A network path that must be open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Opening {
    /// Who connects: `name (address)`.
    pub from: String,
    /// Who listens: `name (address)`.
    pub to: String,
    /// Ports, such as `6379` or `11000-11999`.
    pub ports: String,
    /// What for.
    pub why: String,
}

/// One cell of the reachability grid: can `from` open `port` on `to`?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Reach {
    /// Who connects.
    pub from: HostName,
    /// Who listens.
    pub to: HostName,
    /// The port tried.
    pub port: u16,
    /// What came of it.
    pub outcome: ReachOutcome,
}

/// What came of one attempt to connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReachOutcome {
    /// Connected to the listener that was put there.
    Open,
    /// Something answered with a refusal, although a listener stood there.
    Refused,
    /// Nothing answered in time: most often a firewall that drops.
    TimedOut,
    /// No route to the address.
    Unreachable,
    /// Could not be tried, because nothing could listen there.
    Untried,
}
