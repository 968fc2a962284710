//! What `bundle` takes.

use std::fmt;
use std::str::FromStr;

use camino::Utf8PathBuf;
use clap::{Args, Subcommand};

use crate::images::client::Platform;
use crate::model::ids::{ImageId, PresetId};
use crate::model::image::ImageRef;

/// Printed below `bundle create --help`.
const CREATE_EXAMPLES: &str = "\
Examples:
  syntho-installer bundle create --preset ID --tag 1.9.0 --username acme -o release.tar
  syntho-installer bundle create --preset ID --tag 1.9.0 --split 4GB -o /media/usb/release.tar
  syntho-installer bundle create --preset ID --tag 1.10.0 --without release.tar -o update.tar

No Docker is needed. What was fetched stays in the image store: the same command goes on there.
The password is asked for, or read from SYNTHO_SECRET_REGISTRY_PASSWORD.
HTTPS_PROXY, HTTP_PROXY and NO_PROXY are honoured.";

/// Printed below `bundle push --help`.
const PUSH_EXAMPLES: &str = "\
Examples:
  syntho-installer bundle push release.tar --to registry.acme.example:5000 --username deploy
  syntho-installer bundle push release.tar update.tar --to registry.acme.example/syntho --ca ca.crt

What the registry has already is not sent. At the end stands what to write into the answers file.
The password is asked for, or read from SYNTHO_SECRET_REGISTRY_PASSWORD.
HTTPS_PROXY, HTTP_PROXY and NO_PROXY are honoured.";

/// What to do with image archives.
#[derive(Debug, Subcommand)]
pub enum BundleCommand {
    /// Show the images of archives, and what they lack to deploy each preset
    Inspect(ArchivesArgs),
    /// Read archives from end to end and check every digest in them
    Verify(ArchivesArgs),
    /// Make an archive of all images of a preset, fetched from a registry
    #[command(after_help = CREATE_EXAMPLES)]
    Create(CreateArgs),
    /// Push the images of archives to a registry that hosts can pull from
    #[command(after_help = PUSH_EXAMPLES)]
    Push(PushArgs),
    /// Show the store that archives are read into, or clear it
    Store(StoreArgs),
}

/// Arguments of commands that read archives.
#[derive(Debug, Args)]
pub struct ArchivesArgs {
    /// Archives made by `bundle create` or `docker save`, plain or compressed by gzip or zstd, or tars of such archives; of one in parts, any part
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<Utf8PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `bundle create`.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// The preset whose images are wanted
    #[arg(long, value_name = "ID")]
    pub preset: PresetId,
    /// The release
    #[arg(long)]
    pub tag: Option<String>,
    /// The archive to make
    #[arg(long, short, value_name = "FILE")]
    pub output: Utf8PathBuf,
    /// The registry to fetch from, instead of the vendor's
    #[arg(long, value_name = "HOST")]
    pub registry: Option<String>,
    /// Log in to it as this user
    #[arg(long, value_name = "USER")]
    pub username: Option<String>,
    /// Take this for an image of the preset, such as `database=registry.acme.example/database:14.5`
    #[arg(long = "image", value_name = "ID=REF")]
    pub images: Vec<GivenImage>,
    /// Trust this authority too when talking to registries: its certificate, in PEM form
    #[arg(long, value_name = "FILE")]
    pub ca: Option<Utf8PathBuf>,
    /// What the hosts are
    #[arg(long, value_name = "OS/ARCH", default_value = "linux/amd64")]
    pub platform: Platform,
    /// Make parts of this size, for file systems and media that take no larger files
    #[arg(long, value_name = "SIZE")]
    pub split: Option<Size>,
    /// Leave out layers that the site has from this archive, or that this output of `bundle inspect --json` lists
    #[arg(long, value_name = "FILE")]
    pub without: Vec<Utf8PathBuf>,
}

/// Arguments of `bundle push`.
#[derive(Debug, Args)]
pub struct PushArgs {
    /// Archives made by `bundle create` or `docker save`
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<Utf8PathBuf>,
    /// The registry to push to, with what image names begin with there
    #[arg(long, value_name = "REGISTRY[/PREFIX]")]
    pub to: String,
    /// Log in to it as this user
    #[arg(long, value_name = "USER")]
    pub username: Option<String>,
    /// Trust this authority too when talking to it: its certificate, in PEM form
    #[arg(long, value_name = "FILE")]
    pub ca: Option<Utf8PathBuf>,
}

/// Arguments of `bundle store`.
#[derive(Debug, Args)]
pub struct StoreArgs {
    /// Remove everything from it; archives are read again when they are needed
    #[arg(long)]
    pub clear: bool,
    /// Let it grow to this size from now on, such as 100GB; what was used longest ago goes first
    #[arg(long, value_name = "SIZE", conflicts_with = "clear")]
    pub limit: Option<Size>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// An image given whole for its part in a preset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenImage {
    /// Its part.
    pub id: ImageId,
    /// The image.
    pub reference: ImageRef,
}

impl FromStr for GivenImage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (id, reference) = text
            .split_once('=')
            .ok_or("give part and image, such as database=registry.acme.example/database:14.5")?;
        Ok(Self {
            id: id.parse().map_err(|error| format!("{error}"))?,
            reference: ImageRef::parse(reference).map_err(|error| error.to_string())?,
        })
    }
}

/// A number of bytes, written with a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rule = || "give a size from 1 MB on, such as 4GB, 700MB or 2GiB".to_owned();
        let at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(rule)?;
        let (number, unit) = text.split_at(at);
        let unit: u64 = match unit.trim().to_ascii_lowercase().as_str() {
            "mb" | "m" => 1_000_000,
            "gb" | "g" => 1_000_000_000,
            "tb" | "t" => 1_000_000_000_000,
            "mib" => 1 << 20,
            "gib" => 1 << 30,
            "tib" => 1 << 40,
            _ => return Err(rule()),
        };
        let number: u64 = number.parse().map_err(|_| rule())?;
        let size = number.checked_mul(unit).filter(|size| *size > 0);
        size.map(Self).ok_or_else(rule)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("4GB", Some(4_000_000_000))]
    #[case("700 mb", Some(700_000_000))]
    #[case("2GiB", Some(2 << 30))]
    #[case("4", None)]
    #[case("0GB", None)]
    #[case("4kB", None)]
    #[case("99999999999TB", None)]
    #[case("-1GB", None)]
    fn sizes(#[case] text: &str, #[case] expected: Option<u64>) {
        assert_eq!(text.parse::<Size>().ok().map(|size| size.0), expected);
    }

    #[rstest]
    #[case("database=mirror.example/database:14.5", true)]
    #[case("database", false)]
    #[case("database=Mirror/x", false)]
    #[case("=mirror.example/database:14.5", false)]
    fn given_images(#[case] text: &str, #[case] accepted: bool) {
        assert_eq!(text.parse::<GivenImage>().is_ok(), accepted);
    }
}
