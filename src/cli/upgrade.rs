//! Arguments of `upgrade` and `rollback`.

use camino::Utf8PathBuf;
use clap::Args;

use super::{GivenImage, Telling};
use crate::model::ids::DeploymentName;

/// Arguments of `upgrade`.
#[derive(Debug, Args)]
pub struct UpgradeArgs {
    /// The deployment's name
    pub name: DeploymentName,
    /// The release to bring
    #[arg(long, value_name = "TAG", required_unless_present_any = ["bundles", "images"])]
    pub tag: Option<String>,
    /// An image archive that it comes from; may be given several times
    #[arg(long = "bundle", value_name = "FILE")]
    pub bundles: Vec<Utf8PathBuf>,
    /// An image to bring whole for its part in the preset; may be given several times
    #[arg(long = "image", value_name = "ID=IMAGE")]
    pub images: Vec<GivenImage>,
    /// Bring it although its number is lower than that of the release that stands
    #[arg(long)]
    pub allow_older: bool,
    /// Accept the plan without asking
    #[arg(short, long)]
    pub yes: bool,
    /// How it is told.
    #[command(flatten)]
    pub telling: Telling,
    /// Take the deployment over from another operator who holds its lock
    #[arg(long)]
    pub take_over: bool,
}

/// Arguments of `rollback`.
#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// The deployment's name
    pub name: DeploymentName,
    /// Accept without asking that what was written since the upgrade is lost
    #[arg(short, long)]
    pub yes: bool,
    /// How it is told.
    #[command(flatten)]
    pub telling: Telling,
    /// Take the deployment over from another operator who holds its lock
    #[arg(long)]
    pub take_over: bool,
}
