use std::io::Read as _;

use super::*;
use crate::images::bundle::sample::{Place, image};

fn keep(store: &BlobStore, content: &[u8]) -> LayerRecord {
    let mut writer = store.layer_writer(None).unwrap();
    writer.take(content).unwrap();
    writer.finish().unwrap().1.unwrap()
}

#[test]
fn a_layer_is_kept_once_and_packed_for_old_engines_on_demand() {
    let place = Place::new();
    let content = vec![7; 100_000];
    let record = keep(&place.store, &content);
    assert_eq!(
        (record.diff_id, record.size),
        (Digest::of(&content), 100_000)
    );
    let used = place.store.usage().unwrap().used;
    assert_eq!(used, record.zstd.size);
    assert_eq!(keep(&place.store, &content), record);
    assert_eq!(place.store.usage().unwrap().used, used);

    let gzip = place.store.gzip(&record.diff_id).unwrap();
    let (file, size) = place.store.blob(&gzip.digest).unwrap();
    assert_eq!(size, gzip.size);
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(file)
        .read_to_end(&mut plain)
        .unwrap();
    assert_eq!(plain, content);
    assert_eq!(place.store.gzip(&record.diff_id).unwrap(), gzip);
    assert_eq!(place.store.usage().unwrap().used, used + gzip.size);
}

#[test]
fn a_layer_that_is_expected_and_here_is_only_compared() {
    let place = Place::new();
    let record = keep(&place.store, b"one");
    let mut writer = place.store.layer_writer(Some(record.diff_id)).unwrap();
    writer.take(b"another").unwrap();
    assert_eq!(writer.finish().unwrap(), (Digest::of(b"another"), None));
    assert!(place.store.layer(&Digest::of(b"another")).is_none());
}

#[test]
fn the_archive_used_longest_ago_goes_first_and_shared_layers_stay() {
    let place = Place::of(10_000);
    let base = keep(&place.store, b"base");
    let remember = |name: &str, second: i64, layers: &[LayerRecord]| {
        let config = image(name, &[]).config();
        let id = place.store.put(&config).unwrap();
        let layer = |record: &LayerRecord| crate::model::bundle::BundledLayer {
            diff_id: record.diff_id.to_string(),
            size: record.size,
            packed: record.zstd.size,
        };
        let record = ArchiveRecord {
            path: format!("/{name}").into(),
            stamp: Stamp {
                size: 1,
                modified: 0,
                inode: 0,
            },
            used: jiff::Timestamp::from_second(second).unwrap(),
            images: vec![BundledImage {
                id: id.to_string(),
                names: vec![name.to_owned()],
                architecture: "amd64".to_owned(),
                os: "linux".to_owned(),
                created: None,
                config_size: config.len() as u64,
                layers: layers.iter().map(layer).collect(),
            }],
        };
        place.store.remember(&record).unwrap();
    };
    let (old, new) = (keep(&place.store, b"old"), keep(&place.store, b"new"));
    remember("old:1", 1, &[base, old]);
    remember("new:1", 2, &[base, new]);
    let used = place.store.usage().unwrap().used;
    place.store.make_room(10_000 - used).unwrap();
    assert!(place.store.layer(&old.diff_id).is_some());
    place.store.make_room(10_000 - used + 1).unwrap();
    assert!(place.store.layer(&old.diff_id).is_none());
    assert!(
        place.store.layer(&base.diff_id).is_some() && place.store.layer(&new.diff_id).is_some()
    );
    assert_eq!(place.store.usage().unwrap().archives.len(), 1);
}

/// Puts an image of one layer into the store, as if it came from an archive of this name.
fn archived(store: &BlobStore, name: &str, second: i64, content: &[u8]) -> BundledImage {
    let layer = keep(store, content);
    let config = format!("{{\"of\":\"{name}\"}}").into_bytes();
    let found = BundledImage {
        id: store.put(&config).unwrap().to_string(),
        names: vec![name.to_owned()],
        architecture: "amd64".to_owned(),
        os: "linux".to_owned(),
        created: None,
        config_size: config.len() as u64,
        layers: vec![crate::model::bundle::BundledLayer {
            diff_id: layer.diff_id.to_string(),
            size: layer.size,
            packed: layer.zstd.size,
        }],
    };
    let record = ArchiveRecord {
        path: format!("/{name}").into(),
        stamp: Stamp::UNWRITTEN,
        used: jiff::Timestamp::from_second(second).unwrap(),
        images: vec![found.clone()],
    };
    store.remember(&record).unwrap();
    found
}

#[test]
fn what_another_run_needs_stays_until_it_ends() {
    let place = Place::of(10_000);
    let needed = archived(&place.store, "needed:1", 1, b"needed");
    let other = archived(&place.store, "other:1", 2, b"other");
    let running = BlobStore::open(place.store.root(), LIMIT).unwrap();
    running.hold(std::slice::from_ref(&needed)).unwrap();

    place.store.make_room(10_000).unwrap();
    assert!(place.store.holds(&needed) && !place.store.holds(&other));
    // Even when its archive is read anew and holds something else now.
    fs::remove_file(place.store.archive_path(Utf8Path::new("/needed:1"))).unwrap();
    place.store.sweep(&[]).unwrap();
    assert!(place.store.holds(&needed));

    drop(running);
    place.store.sweep(&[]).unwrap();
    assert!(!place.store.holds(&needed));
    assert!(matches!(
        place.store.hold(&[needed]),
        Err(ImagesError::Lost { .. })
    ));
}

#[test]
fn a_lease_of_a_run_that_was_killed_holds_nothing() {
    let place = Place::new();
    let image = archived(&place.store, "a:1", 1, b"content");
    let lease = place.store.root().join(lease::FOLDER).join("1-dead.json");
    fs::write(&lease, serde_json::to_vec(&[image]).unwrap()).unwrap();
    assert!(place.store.held().unwrap().is_empty());
    assert!(!lease.exists());
}

#[test]
fn a_limit_that_was_set_stays() {
    let mut place = Place::of(10_000);
    place.store.set_limit(20_000).unwrap();
    let again = BlobStore::open(place.store.root(), LIMIT).unwrap();
    assert_eq!(again.usage().unwrap().limit, 20_000);
}

#[test]
fn it_is_for_its_owner_and_not_cleared_under_somebodys_feet() {
    let place = Place::new();
    let record = keep(&place.store, b"layer");
    let root = place.store.root().to_owned();
    let mode = |path: &Utf8Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&root), 0o700);
    assert_eq!(mode(&place.store.blob_path(&record.zstd.digest)), 0o600);
    assert!(matches!(
        BlobStore::clear(&root),
        Err(ImagesError::InUse { .. })
    ));
    drop(place.store);
    assert_eq!(BlobStore::clear(&root).unwrap(), record.zstd.size);
    assert_eq!(BlobStore::clear(&root).unwrap(), 0);
    assert_eq!(
        BlobStore::open(&root, LIMIT).unwrap().usage().unwrap().used,
        0
    );
}

#[test]
fn only_one_reads_into_it_at_a_time() {
    let place = Place::new();
    let other = BlobStore::open(place.store.root(), LIMIT).unwrap();
    let filling = place.store.fill(&mut || false).unwrap();
    let mut asked = 0;
    let refused = other.fill(&mut || {
        asked += 1;
        asked < 3
    });
    assert!(matches!(refused, Err(ImagesError::Cancelled)) && asked == 3);
    drop(filling);
    assert!(other.fill(&mut || false).is_ok());
}
