use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::ops::ControlFlow;
use std::time::Instant;

use rstest::rstest;

use super::*;
use crate::images::bundle::sample::{Image, image, legacy, packed};
use crate::images::bundle::{Limits, read_from};

struct Counter {
    registry: Arc<Registry>,
    image: BundledImage,
    repository: String,
    _keep: tempfile::TempDir,
}

fn counter(encoding: Encoding) -> Counter {
    let keep = tempfile::tempdir().unwrap();
    let root = camino::Utf8PathBuf::from_path_buf(keep.path().join("store")).unwrap();
    let store = BlobStore::open(root, crate::images::blobs::LIMIT).unwrap();
    let images: [Image; 2] = [
        image("app:1", &["base", "app"]),
        image("other:1", &["else"]),
    ];
    let bytes = packed(&legacy(&images));
    let found = read_from(
        "a",
        bytes.as_slice(),
        1,
        &store,
        Limits::default(),
        &mut |_| ControlFlow::Continue(()),
    );
    let image = found
        .unwrap()
        .into_iter()
        .find(|found| found.id == images[0].id())
        .unwrap();
    let registry = Arc::new(Registry::new(Arc::new(store)));
    let repository = registry.offer("app", &image, encoding).unwrap();
    Counter {
        registry,
        image,
        repository,
        _keep: keep,
    }
}

impl Counter {
    /// Sends bytes on one connection and returns all that comes back.
    fn say(&self, bytes: &[u8]) -> Vec<u8> {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let registry = Arc::clone(&self.registry);
        let served = std::thread::spawn(move || registry.serve(theirs));
        ours.set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        ours.write_all(bytes).unwrap();
        let mut back = Vec::new();
        ours.read_to_end(&mut back).unwrap();
        served.join().unwrap();
        back
    }

    /// Asks and returns head and body.
    fn ask(&self, method: &str, path: &str, more: &str) -> (String, Vec<u8>) {
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{more}\r\n");
        let back = self.say(request.as_bytes());
        let end = back
            .windows(4)
            .position(|part| part == b"\r\n\r\n")
            .unwrap();
        (
            String::from_utf8_lossy(&back[..end]).to_lowercase(),
            back[end + 4..].to_vec(),
        )
    }

    fn get(&self, what: &str) -> (String, Vec<u8>) {
        self.ask("GET", &format!("/v2/{}/{what}", self.repository), "")
    }
}

#[rstest]
#[case(Encoding::Zstd, "tar+zstd")]
#[case(Encoding::Gzip, "tar+gzip")]
fn an_image_can_be_pulled(#[case] encoding: Encoding, #[case] kind: &str) {
    let counter = counter(encoding);
    let (head, _) = counter.ask("GET", "/v2/", "");
    assert!(head.starts_with("http/1.1 200"), "{head}");
    let (head, manifest) = counter.get("manifests/latest");
    assert!(
        head.contains("content-type: application/vnd.oci.image.manifest.v1+json"),
        "{head}"
    );
    assert!(
        head.contains(&format!("docker-content-digest: {}", Digest::of(&manifest))),
        "{head}"
    );
    let again = counter.get(&format!("manifests/{}", Digest::of(&manifest)));
    assert_eq!(again.1, manifest);
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(
        manifest["config"]["digest"].as_str(),
        Some(counter.image.id.as_str())
    );
    let layers = manifest["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 2);
    for part in layers.iter().chain([&manifest["config"]]) {
        let digest = part["digest"].as_str().unwrap();
        let (head, bytes) = counter.get(&format!("blobs/{digest}"));
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert_eq!(Digest::of(&bytes).to_string(), digest);
        assert_eq!(part["size"].as_u64(), Some(bytes.len() as u64));
        assert!(part["mediaType"].as_str().unwrap().ends_with(kind) || part == &manifest["config"]);
    }
    let progress = counter.registry.progress(&counter.repository);
    assert!(progress.len() == 2 && progress.iter().all(|(_, sent, size)| sent == size));
}

#[test]
fn a_layer_that_is_withheld_is_refused_for_good_and_that_is_known() {
    let counter = counter(Encoding::Gzip);
    let (registry, repository) = (&counter.registry, &counter.repository);
    registry.withhold(repository, 1);
    let layers = registry.progress(repository);
    let (head, _) = counter.get(&format!("blobs/{}", layers[1].0));
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(!registry.is_missed(repository));
    let (head, body) = counter.get(&format!("blobs/{}", layers[0].0));
    assert!(head.starts_with("http/1.1 403"), "{head}");
    assert!(String::from_utf8_lossy(&body).contains("DENIED"));
    assert!(registry.is_missed(repository));
    assert_eq!(registry.progress(repository)[0].1, 0);
    // Docker has given up: nothing more is sent in vain.
    let (head, _) = counter.get(&format!("blobs/{}", layers[1].0));
    assert!(head.starts_with("http/1.1 403"), "{head}");
}

#[test]
fn a_blob_goes_on_where_it_stopped() {
    let counter = counter(Encoding::Zstd);
    let (digest, _, size) = counter.registry.progress(&counter.repository)[1];
    let path = format!("/v2/{}/blobs/{digest}", counter.repository);
    let (_, whole) = counter.ask("GET", &path, "");
    let (head, rest) = counter.ask("GET", &path, "Range: bytes=5-\r\n");
    assert!(head.starts_with("http/1.1 206"), "{head}");
    assert!(
        head.contains(&format!("content-range: bytes 5-{}/{size}", size - 1)),
        "{head}"
    );
    assert_eq!(rest, whole[5..]);
    assert_eq!(counter.registry.progress(&counter.repository)[1].1, size);
    let (head, _) = counter.ask("GET", &path, &format!("Range: bytes={size}-\r\n"));
    assert!(head.starts_with("http/1.1 416"), "{head}");
    let (head, body) = counter.ask("HEAD", &path, "");
    assert!(
        head.contains(&format!("content-length: {size}")) && body.is_empty(),
        "{head}"
    );
}

#[test]
fn nothing_else_is_readable() {
    let counter = counter(Encoding::Zstd);
    let layer = Digest::parse(&counter.image.layers[0].diff_id).unwrap();
    let layer = counter.registry.store.record(&layer).unwrap().zstd.digest;
    let token = counter.registry.token().to_owned();
    let other = counter.registry.store.root().join("blobs/sha256");
    let foreign = other
        .read_dir_utf8()
        .unwrap()
        .map(|entry| Digest::from_hex(entry.unwrap().file_name()).unwrap())
        .find(|digest| {
            !counter
                .registry
                .shelf(&counter.repository)
                .unwrap()
                .holds(digest)
        })
        .unwrap();
    for path in [
        "/".to_owned(),
        "/v2/_catalog".to_owned(),
        "/v2/app/manifests/latest".to_owned(),
        format!("/v2/app/blobs/{layer}"),
        format!("/v2/{token}/blobs/{layer}"),
        format!("/v2/{token}/other/manifests/latest"),
        format!("/v2/{token}/app/manifests/1"),
        format!("/v2/{token}/app/blobs/{foreign}"),
        format!("/v2/{token}/app/blobs/../../../layers"),
        format!("/v2/{token}/app/tags/list"),
    ] {
        let (head, _) = counter.ask("GET", &path, "");
        assert!(head.starts_with("http/1.1 404"), "{path}: {head}");
    }
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let (head, _) = counter.ask(
            method,
            &format!("/v2/{token}/app/blobs/uploads/"),
            "Content-Length: 0\r\n",
        );
        assert!(head.starts_with("http/1.1 405"), "{method}: {head}");
    }
}

#[test]
fn tls_is_refused_at_once() {
    // Docker tries it first, and would wait ten seconds for an answer.
    let began = Instant::now();
    let back = counter(Encoding::Zstd).say(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
    assert!(
        back.is_empty() || back.starts_with(b"HTTP/1.1 400"),
        "{back:?}"
    );
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_caller_who_leaves_is_no_trouble() {
    let counter = counter(Encoding::Zstd);
    let (digest, ..) = counter.registry.progress(&counter.repository)[0];
    for _ in 0..AT_ONCE + 5 {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let request = format!(
            "GET /v2/{}/blobs/{digest} HTTP/1.1\r\nHost: x\r\n\r\n",
            counter.repository
        );
        ours.write_all(request.as_bytes()).unwrap();
        ours.shutdown(Shutdown::Both).unwrap();
        counter.registry.serve(theirs);
    }
    assert!(
        counter
            .get("manifests/latest")
            .0
            .starts_with("http/1.1 200")
    );
}
