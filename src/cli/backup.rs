//! Arguments of `backup` and `restore`.

use camino::Utf8PathBuf;
use clap::Args;

use super::Telling;
use crate::model::ids::DeploymentName;

/// Arguments of `backup`.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The deployment's name
    pub name: DeploymentName,
    /// The folder to make; NAME-backup-TIME in the current folder when left out
    #[arg(short, long, value_name = "FOLDER")]
    pub output: Option<Utf8PathBuf>,
    /// Print one JSON event a line on standard output, and ask nothing
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `restore`.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The deployment's name
    pub name: DeploymentName,
    /// The folder that `backup` made
    #[arg(value_name = "FOLDER")]
    pub backup: Utf8PathBuf,
    /// Accept without asking that the data is replaced
    #[arg(short, long)]
    pub yes: bool,
    /// How it is told.
    #[command(flatten)]
    pub telling: Telling,
    /// Take the deployment over from another operator who holds its lock
    #[arg(long)]
    pub take_over: bool,
}
