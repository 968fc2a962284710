//! Feeds arbitrary bytes to the archive reader: no panic, no memory without bound, no file outside its store.
//!
//! `cargo +nightly fuzz run archive -- -max_len=65536 -rss_limit_mb=512`. Seeds: any small archive of `docker save`, plain or packed.
#![no_main]

use std::ops::ControlFlow;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use syntho_installer::images::blobs::BlobStore;
use syntho_installer::images::bundle::{Limits, read_from};

static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a temporary folder"));

fuzz_target!(|bytes: &[u8]| {
    let root = camino::Utf8Path::from_path(FOLDER.path()).expect("a plain path").join("store");
    let store = BlobStore::open(root, 256 << 20).expect("a store");
    let limits = Limits {
        unpacked: 256 << 20,
        free: 16 << 20,
        ..Limits::default()
    };
    let total = bytes.len() as u64;
    if let Ok(images) = read_from("fuzz", bytes, total, &store, limits, &mut |_| ControlFlow::Continue(())) {
        assert!(images.iter().all(|image| store.holds(image)));
    }
    let outside = std::fs::read_dir(FOLDER.path()).expect("the folder").count();
    assert_eq!(outside, 1, "something lies beside the store");
});
