//! Feeds arbitrary bytes to the archive reader: no panic, no memory without bound, no file outside its store.
//!
//! `make fuzz` sets up what it needs and runs it. The store lies in memory where it can, since it brings everything to disk before it trusts it.
#![no_main]

use std::ops::ControlFlow;
use std::sync::{LazyLock, Mutex, PoisonError};

use libfuzzer_sys::fuzz_target;
use syntho_installer::images::blobs::BlobStore;
use syntho_installer::images::bundle::{Limits, read_from};

/// A store is used so often before a new one takes its place.
const RUNS: u32 = 1000;

/// A store in a folder of its own, and how often it was used.
struct Place {
    folder: tempfile::TempDir,
    store: BlobStore,
    runs: u32,
}

static PLACE: LazyLock<Mutex<Place>> = LazyLock::new(|| Mutex::new(Place::new()));

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let folder = folder.expect("a temporary folder");
        let root = camino::Utf8Path::from_path(folder.path()).expect("a plain path");
        let store = BlobStore::open(root.join("store"), 256 << 20).expect("a store");
        Self {
            folder,
            store,
            runs: 0,
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut place = PLACE.lock().unwrap_or_else(PoisonError::into_inner);
    if place.runs == RUNS {
        *place = Place::new();
    }
    place.runs += 1;
    let limits = Limits {
        unpacked: 64 << 20,
        free: 4 << 20,
        ..Limits::default()
    };
    let (total, store) = (bytes.len() as u64, &place.store);
    let read = read_from("fuzz", bytes, total, store, limits, &mut |_| {
        ControlFlow::Continue(())
    });
    if let Ok(images) = read {
        assert!(images.iter().all(|image| store.holds(image)));
    }
    let outside = std::fs::read_dir(place.folder.path()).expect("the folder");
    assert_eq!(outside.count(), 1, "something lies beside the store");
});
