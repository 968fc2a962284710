//! Images for a registry, put there by plain HTTP requests and not by the program under test.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::server::Server;

/// Returns a digest as registries write it.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let hex = Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut text, byte| {
            use std::fmt::Write as _;
            write!(text, "{byte:02x}").unwrap();
            text
        });
    format!("sha256:{hex}")
}

/// A layer: its bytes in the registry, and the digest of its content.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    pub(crate) packed: Vec<u8>,
    pub(crate) diff_id: String,
}

impl Layer {
    /// Makes a layer of one file that cannot be packed; the same `seed` gives the same.
    pub(crate) fn new(seed: u64, size: usize) -> Self {
        let mut content = vec![0; size];
        rand::rngs::StdRng::seed_from_u64(seed).fill(content.as_mut_slice());
        let mut tar = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(size as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, format!("data/{seed}"), content.as_slice())
            .unwrap();
        let plain = tar.into_inner().unwrap();
        let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(&plain).unwrap();
        Self {
            packed: packer.finish().unwrap(),
            diff_id: digest(&plain),
        }
    }
}

/// An image in a registry.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    /// The digest of its configuration.
    pub(crate) id: String,
    /// The digest of its manifest.
    pub(crate) manifest: String,
}

impl Server {
    /// Puts an image into the registry under `name:tag`.
    pub(crate) fn put(&self, name: &str, tag: &str, layers: &[Layer], architecture: &str) -> Image {
        let diff_ids: Vec<&str> = layers.iter().map(|layer| layer.diff_id.as_str()).collect();
        let config = json!({
            "architecture": architecture, "os": "linux", "config": {"Labels": {"name": name}},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        })
        .to_string();
        let described: Vec<Value> = layers.iter().map(|layer| {
            self.put_blob(name, &layer.packed);
            json!({"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "digest": digest(&layer.packed), "size": layer.packed.len()})
        }).collect();
        self.put_blob(name, config.as_bytes());
        let kind = "application/vnd.docker.distribution.manifest.v2+json";
        let manifest = json!({
            "schemaVersion": 2, "mediaType": kind,
            "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "digest": digest(config.as_bytes()), "size": config.len()},
            "layers": described,
        })
        .to_string();
        self.put_manifest(name, tag, kind, &manifest);
        Image {
            id: digest(config.as_bytes()),
            manifest: digest(manifest.as_bytes()),
        }
    }

    /// Puts an index of images for several architectures under `name:tag`; each is there under its own tag.
    pub(crate) fn put_index(&self, name: &str, tag: &str, of: &[(&str, &Image)]) {
        let manifests: Vec<Value> = of.iter().map(|(architecture, image)| {
            let size = self.manifest(name, &image.manifest).1.len();
            json!({"mediaType": "application/vnd.docker.distribution.manifest.v2+json", "digest": image.manifest, "size": size,
                "platform": {"os": "linux", "architecture": architecture}})
        }).collect();
        let kind = "application/vnd.oci.image.index.v1+json";
        let index =
            json!({"schemaVersion": 2, "mediaType": kind, "manifests": manifests}).to_string();
        self.put_manifest(name, tag, kind, &index);
    }

    /// Returns the digest and bytes of a manifest.
    pub(crate) fn manifest(&self, name: &str, reference: &str) -> (String, Vec<u8>) {
        let mut response = ureq::get(self.url(&format!("{name}/manifests/{reference}")))
            .header("Accept", "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json")
            .call()
            .unwrap();
        let bytes = response.body_mut().read_to_vec().unwrap();
        (digest(&bytes), bytes)
    }

    fn url(&self, rest: &str) -> String {
        format!("http://{}/v2/{rest}", self.name())
    }

    fn put_blob(&self, name: &str, bytes: &[u8]) {
        let begun = ureq::post(self.url(&format!("{name}/blobs/uploads/")))
            .send_empty()
            .unwrap();
        let place = begun.headers()["location"].to_str().unwrap().to_owned();
        let mark = if place.contains('?') { '&' } else { '?' };
        let put = ureq::put(format!("{place}{mark}digest={}", digest(bytes)))
            .send(bytes)
            .unwrap();
        assert_eq!(put.status(), 201);
    }

    fn put_manifest(&self, name: &str, tag: &str, kind: &str, manifest: &str) {
        let put = ureq::put(self.url(&format!("{name}/manifests/{tag}")))
            .header("Content-Type", kind)
            .send(manifest)
            .unwrap();
        assert_eq!(put.status(), 201);
    }

    /// Fills the registry with a release of everything that `syntho-app-ray` needs; images share their lowest layer. Returns them by name.
    pub(crate) fn stock(&self, release: &str, size: usize) -> Vec<(String, Image)> {
        let base = Layer::new(1, size);
        let middle = Layer::new(2, size);
        let own = |seed: u64| {
            Layer::new(
                seed + u64::from(digest(release.as_bytes()).as_bytes()[8]) * 100,
                size,
            )
        };
        let mut all = Vec::new();
        for (at, name) in [
            "syntho-ray",
            "syntho-core-api",
            "syntho-core-backend",
            "syntho-core-frontend",
        ]
        .into_iter()
        .enumerate()
        {
            let layers = [base.clone(), middle.clone(), own(10 + at as u64)];
            all.push((
                format!("{name}:{release}"),
                self.put(name, release, &layers, "amd64"),
            ));
        }
        for (at, (name, tag)) in OTHERS.into_iter().enumerate() {
            let layers = [base.clone(), Layer::new(20 + at as u64, size)];
            all.push((
                format!("{name}:{tag}"),
                self.put(name, tag, &layers, "amd64"),
            ));
        }
        all
    }
}

/// What does not come from the vendor.
pub(crate) const OTHERS: [(&str, &str); 3] = [
    ("postgres", "14.5"),
    ("redis", "6.2-alpine"),
    ("nginx", "1.26"),
];

/// Returns the arguments by which everything comes from `registry`.
pub(crate) fn from(registry: &str, release: &str) -> Vec<String> {
    let mut arguments: Vec<String> = [
        "bundle",
        "create",
        "--preset",
        "syntho-app-ray",
        "--registry",
        registry,
        "--tag",
        release,
    ]
    .map(str::to_owned)
    .to_vec();
    for (id, (name, tag)) in ["postgres", "redis", "proxy"].into_iter().zip(OTHERS) {
        arguments.push("--image".to_owned());
        arguments.push(format!("{id}={registry}/{name}:{tag}"));
    }
    arguments
}
