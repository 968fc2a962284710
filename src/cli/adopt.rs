//! Arguments of `adopt`.

use std::str::FromStr;

use camino::Utf8PathBuf;
use clap::Args;

use crate::model::ids::{DeploymentName, HostName, PresetId};

/// Arguments of `adopt`.
#[derive(Debug, Args)]
pub struct AdoptArgs {
    /// A host that it may stand on; may be given several times
    #[arg(
        long = "host",
        value_name = "[NAME=]ADDRESS",
        required_unless_present = "answers",
        conflicts_with = "answers"
    )]
    pub hosts: Vec<GivenHost>,
    /// The name that the deployment gets
    #[arg(
        long,
        value_name = "NAME",
        required_unless_present = "answers",
        conflicts_with = "answers"
    )]
    pub name: Option<DeploymentName>,
    /// The login name
    #[arg(long, conflicts_with = "answers")]
    pub user: Option<String>,
    /// The private key file
    #[arg(long, value_name = "FILE", conflicts_with = "answers")]
    pub key: Option<Utf8PathBuf>,
    /// The port of SSH
    #[arg(long, conflicts_with = "answers")]
    pub port: Option<u16>,
    /// Take name, hosts and logins from the beginning of an answers file
    #[arg(long, value_name = "FILE")]
    pub answers: Option<Utf8PathBuf>,
    /// Look only for what this preset knows
    #[arg(long, value_name = "ID")]
    pub preset: Option<PresetId>,
    /// Where the answers file is written; one that is there already stays as it is
    #[arg(long, value_name = "FILE")]
    pub output: Utf8PathBuf,
    /// Print one JSON event a line on standard output, and ask nothing
    #[arg(long)]
    pub json: bool,
}

/// A host by its address, with a name or without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenHost {
    /// Its name here.
    pub name: Option<HostName>,
    /// Where SSH reaches it.
    pub address: String,
}

impl FromStr for GivenHost {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, address) = match text.split_once('=') {
            Some((name, address)) => {
                let name: HostName = name.parse().map_err(|error| format!("`{name}`: {error}"))?;
                (Some(name), address)
            }
            None => (None, text),
        };
        if address.is_empty() {
            return Err("give an address, such as ui=10.0.0.11".to_owned());
        }
        Ok(Self {
            name,
            address: address.to_owned(),
        })
    }
}
