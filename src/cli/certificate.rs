//! Arguments of `certificate`.

use camino::Utf8PathBuf;
use clap::Args;

use super::Telling;
use crate::model::ids::DeploymentName;

/// Arguments of `certificate`.
#[derive(Debug, Args)]
pub struct CertificateArgs {
    /// The deployment's name
    pub name: DeploymentName,
    /// Serve this certificate: PEM, the server's own first, then those that issued it
    #[arg(
        long,
        value_name = "FILE",
        requires = "key",
        required_unless_present = "renew"
    )]
    pub cert: Option<Utf8PathBuf>,
    /// The private key of the certificate: PEM, without a passphrase
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<Utf8PathBuf>,
    /// Have the deployment's own authority make the next one now; browsers that trust it go on trusting
    #[arg(long, conflicts_with_all = ["cert", "key"])]
    pub renew: bool,
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
