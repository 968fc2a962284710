//! Small archives of every form, for tests.

use std::io::Write as _;

use serde_json::{Value, json};

use crate::images::Digest;
use crate::images::blobs::{BlobStore, LIMIT};

/// A store in a folder of its own.
pub(crate) struct Place {
    pub(crate) store: BlobStore,
    pub(crate) folder: camino::Utf8PathBuf,
    _keep: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::of(LIMIT)
    }

    pub(crate) fn of(limit: u64) -> Self {
        let keep = tempfile::tempdir().unwrap();
        let folder = camino::Utf8PathBuf::from_path_buf(keep.path().to_owned()).unwrap();
        Self {
            store: BlobStore::open(folder.join("store"), limit).unwrap(),
            folder,
            _keep: keep,
        }
    }
}

/// An image to be packed.
#[derive(Clone)]
pub(crate) struct Image {
    pub(crate) names: Vec<String>,
    pub(crate) layers: Vec<Vec<u8>>,
    pub(crate) architecture: &'static str,
}

/// Returns an image with a layer for each text.
pub(crate) fn image(name: &str, layers: &[&str]) -> Image {
    Image {
        names: vec![name.to_owned()],
        layers: layers
            .iter()
            .map(|text| tar(&[("etc/file", text.as_bytes())]))
            .collect(),
        architecture: "amd64",
    }
}

impl Image {
    pub(crate) fn config(&self) -> Vec<u8> {
        let ids: Vec<String> = self
            .layers
            .iter()
            .map(|l| Digest::of(l).to_string())
            .collect();
        json!({"architecture": self.architecture, "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": ids}})
            .to_string()
            .into_bytes()
    }

    pub(crate) fn id(&self) -> String {
        Digest::of(&self.config()).to_string()
    }
}

/// An entry: its name and content.
pub(crate) type File = (String, Vec<u8>);

/// Returns a tar with these files.
pub(crate) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

pub(crate) fn packed(files: &[File]) -> Vec<u8> {
    let files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(n, c)| (n.as_str(), c.as_slice()))
        .collect();
    tar(&files)
}

/// The form that `docker save` wrote up to version 24.
pub(crate) fn legacy(images: &[Image]) -> Vec<File> {
    let mut files = Vec::new();
    let mut manifest = Vec::new();
    for image in images {
        let config = image.config();
        let mut layers = Vec::new();
        for layer in &image.layers {
            let path = format!("{}/layer.tar", Digest::of(layer).hex());
            if !files.iter().any(|(name, _)| *name == path) {
                files.push((path.clone(), layer.clone()));
            }
            layers.push(path);
        }
        let path = format!("{}.json", Digest::of(&config).hex());
        manifest.push(json!({"Config": path, "RepoTags": image.names, "Layers": layers}));
        files.push((path, config));
    }
    files.push((
        "manifest.json".to_owned(),
        Value::Array(manifest).to_string().into_bytes(),
    ));
    files.push(("repositories".to_owned(), b"{}".to_vec()));
    files
}

/// The OCI layout, its layers packed by `pack`.
pub(crate) fn oci(images: &[Image], pack: fn(&[u8]) -> Vec<u8>) -> Vec<File> {
    let mut files: Vec<File> = Vec::new();
    let mut manifests = Vec::new();
    for image in images {
        let mut blob = |kind: &str, bytes: Vec<u8>| {
            let digest = Digest::of(&bytes);
            let path = format!("blobs/sha256/{}", digest.hex());
            let size = bytes.len();
            if !files.iter().any(|(name, _)| *name == path) {
                files.push((path, bytes));
            }
            json!({"mediaType": kind, "digest": digest.to_string(), "size": size})
        };
        let layers: Vec<Value> = image
            .layers
            .iter()
            .map(|layer| blob("application/vnd.oci.image.layer.v1.tar", pack(layer)))
            .collect();
        let config = blob("application/vnd.oci.image.config.v1+json", image.config());
        let manifest = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config, "layers": layers});
        let mut descriptor = blob(
            "application/vnd.oci.image.manifest.v1+json",
            manifest.to_string().into_bytes(),
        );
        descriptor["annotations"] = json!({"io.containerd.image.name": format!("docker.io/library/{}", image.names[0]), "org.opencontainers.image.ref.name": "1"});
        manifests.push(descriptor);
    }
    let index = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": manifests});
    files.push(("index.json".to_owned(), index.to_string().into_bytes()));
    files.push((
        "oci-layout".to_owned(),
        br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec(),
    ));
    files
}

/// Both in one, as `docker save` writes since version 25.
pub(crate) fn both(images: &[Image]) -> Vec<File> {
    let mut files = oci(images, plain);
    let path = |bytes: &[u8]| format!("blobs/sha256/{}", Digest::of(bytes).hex());
    let manifest: Vec<Value> = images
        .iter()
        .map(|image| {
            let layers: Vec<String> = image.layers.iter().map(|layer| path(layer)).collect();
            json!({"Config": path(&image.config()), "RepoTags": image.names, "Layers": layers})
        })
        .collect();
    files.push((
        "manifest.json".to_owned(),
        Value::Array(manifest).to_string().into_bytes(),
    ));
    files
}

pub(crate) fn plain(bytes: &[u8]) -> Vec<u8> {
    bytes.to_vec()
}

pub(crate) fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

pub(crate) fn zst(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}
