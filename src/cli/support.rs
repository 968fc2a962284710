//! Arguments of `support`.

use camino::Utf8PathBuf;
use clap::Args;

use crate::model::ids::DeploymentName;

/// Arguments of `support`.
#[derive(Debug, Args)]
pub struct SupportArgs {
    /// The deployment's name
    pub name: DeploymentName,
    /// The archive to write; `NAME-support-TIME.tar.gz` in this folder when left out
    #[arg(short, long, value_name = "FILE.tar.gz")]
    pub output: Option<Utf8PathBuf>,
    /// Print one JSON event a line on standard output, and ask nothing
    #[arg(long)]
    pub json: bool,
}
