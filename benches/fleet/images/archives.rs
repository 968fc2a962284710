//! Archives of the stand-ins' releases, and of one that differs in the code alone.

use std::process::{Command, Stdio};

use camino::Utf8PathBuf;
use sha2::{Digest, Sha256};
use syntho_installer::model::image::ImageRef;
use syntho_installer::rehearsal::images::{self, Release};

use crate::run;
use crate::site::{engine, tell};

/// A release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The first on a host.
    First,
    /// The first with other code in the vendor's images, as a release that mends something has.
    Patched,
    /// One with another Ray, which is most of it.
    OtherRay,
}

/// Pieces of code in each image of the patched release, each a digest: together 1 MB that does not compress, and is the same in every run.
const PIECES: u32 = 1_000_000 / 32;

/// Archives of one release: all images in one, and what each role needs.
pub struct Archives {
    pub which: Which,
    pub whole: Utf8PathBuf,
    app: Utf8PathBuf,
    ray: Utf8PathBuf,
}

impl Which {
    pub fn tag(self) -> &'static str {
        match self {
            Self::First => "1.9.0",
            Self::Patched => "1.9.1",
            Self::OtherRay => "1.10.0",
        }
    }

    /// Returns what a delivery of it is called.
    pub fn subject(self) -> &'static str {
        match self {
            Self::First => "first release",
            Self::Patched => "next release with shared base",
            Self::OtherRay => "release with another Ray",
        }
    }

    fn images(self) -> Vec<ImageRef> {
        let release = match self {
            Self::First | Self::Patched => Release::Old,
            Self::OtherRay => Release::New,
        };
        images::ensure(engine(), &[release], &tell).unwrap();
        let all = release.images().unwrap().into_iter();
        let all = all.filter(|image| image.repository() != "nginx");
        match self {
            Self::Patched => all.map(|image| patched(&image)).collect(),
            Self::First | Self::OtherRay => all.collect(),
        }
    }
}

/// Puts other code on an image of the vendor's; the database and Redis stay as they are.
fn patched(image: &ImageRef) -> ImageRef {
    let name = image.to_string();
    let Some(name) = name.strip_suffix(Which::First.tag()) else {
        return image.clone();
    };
    let name = format!("{name}{}", Which::Patched.tag());
    let folder = tempfile::tempdir().unwrap();
    let pieces = (0..PIECES).flat_map(|piece| Sha256::digest(format!("{name} {piece}")));
    fs_err::write(folder.path().join("code"), pieces.collect::<Vec<u8>>()).unwrap();
    let recipe = format!("FROM {image}\nCOPY code /app/mended\n");
    fs_err::write(folder.path().join("Dockerfile"), recipe).unwrap();
    let mut docker = Command::new("docker");
    if let Some(host) = engine().docker().host() {
        docker.args(["--host", host]);
    }
    docker
        .env("DOCKER_BUILDKIT", "0")
        .args(["build", "--quiet", "--tag", &name])
        .arg(folder.path())
        .stdin(Stdio::null());
    run(&mut docker);
    ImageRef::parse(&name).unwrap()
}

impl Archives {
    /// Packs a release.
    pub fn of(which: Which) -> Self {
        let all = which.images();
        let pack = |name: &str, images: Vec<ImageRef>| {
            let name = format!("{name}-{}", which.tag());
            images::archive(engine(), &name, &images, &tell).unwrap()
        };
        let (ray, app) = all
            .iter()
            .cloned()
            .partition(|image: &ImageRef| image.repository() == "syntho-ray");
        Self {
            which,
            ray: pack("ray", ray),
            app: pack("app", app),
            whole: pack("whole", all),
        }
    }

    /// Returns what is loaded by hand where these roles are.
    pub fn by_hand(&self, roles: &[&str]) -> &Utf8PathBuf {
        match roles {
            ["app"] => &self.app,
            ["ray"] => &self.ray,
            _ => &self.whole,
        }
    }
}
