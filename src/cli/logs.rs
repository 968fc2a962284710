//! Arguments of `logs`.

use camino::Utf8PathBuf;
use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::ids::{DeploymentName, HostName};
use crate::model::moment;

/// Arguments of `logs`.
#[derive(Debug, Args)]
pub struct LogsArgs {
    /// The deployment's name
    pub name: DeploymentName,
    /// The file to append to
    #[arg(short, long, value_name = "FILE", default_value = "syntho_logs.log")]
    pub output: Utf8PathBuf,
    /// Go on with what comes, until Ctrl-C
    #[arg(short, long, conflicts_with = "until")]
    pub follow: bool,
    /// Only what was printed from then on: how long ago, such as 2h, or a time
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub since: Option<Timestamp>,
    /// Only what was printed until then
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub until: Option<Timestamp>,
    /// Only the last N lines of each source
    #[arg(long, value_name = "N")]
    pub tail: Option<usize>,
    /// Only of this host; may be given several times
    #[arg(long = "host", value_name = "HOST")]
    pub hosts: Vec<HostName>,
    /// Only of this service, `SERVICE` or `STACK/SERVICE`; may be given several times
    #[arg(long = "service", value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Also the journal of each host's Docker daemon
    #[arg(long)]
    pub daemon: bool,
    /// Print one JSON event a line on standard output, and ask nothing
    #[arg(long)]
    pub json: bool,
}

/// Reads a time in the operator's zone.
fn time(text: &str) -> Result<Timestamp, String> {
    moment::read(text, Timestamp::now(), &TimeZone::system())
}
