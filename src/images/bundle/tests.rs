use std::ops::ControlFlow;

use proptest::prelude::*;
use rstest::rstest;

use super::sample::{File, Image, Place, both, gz, image, legacy, oci, packed, plain, tar, zst};
use super::*;
use crate::images::Digest;
use crate::model::failure::Hinted;

mod hostile;

type Read_ = Result<Vec<BundledImage>, ImagesError>;

fn read_bytes(place: &Place, bytes: &[u8]) -> Read_ {
    read_limited(place, bytes, Limits::default())
}

fn read_limited(place: &Place, bytes: &[u8], limits: Limits) -> Read_ {
    let total = bytes.len() as u64;
    read_from(
        "images.tar",
        bytes,
        total,
        &place.store,
        limits,
        &mut |_| ControlFlow::Continue(()),
    )
}

/// Two images that share their lowest layer.
fn two() -> Vec<Image> {
    vec![
        image("app:1", &["base", "app"]),
        image("registry.example/team/db:2", &["base", "database", "more"]),
    ]
}

/// Says what is wrong with an archive, and makes sure that there is advice.
#[track_caller]
fn fault(bytes: &[u8]) -> String {
    fault_limited(bytes, Limits::default())
}

#[track_caller]
fn fault_limited(bytes: &[u8], limits: Limits) -> String {
    let error = read_limited(&Place::new(), bytes, limits).unwrap_err();
    assert!(error.hint().is_some_and(|hint| !hint.is_empty()));
    error.to_string()
}

#[rstest]
#[case::legacy(legacy(&two()))]
#[case::oci(oci(&two(), plain))]
#[case::oci_gzip(oci(&two(), gz))]
#[case::oci_zstd(oci(&two(), zst))]
#[case::both(both(&two()))]
fn every_form_gives_the_same_images(
    #[case] files: Vec<File>,
    #[values(plain, gz, zst)] pack: fn(&[u8]) -> Vec<u8>,
) {
    let place = Place::new();
    let found = read_bytes(&place, &pack(&packed(&files))).unwrap();
    let mut expected = two();
    expected.sort_by_key(Image::id);
    assert_eq!(found.len(), 2);
    for (found, image) in found.iter().zip(&expected) {
        assert_eq!(found.id, image.id());
        assert!(found.names.contains(&image.names[0]), "{:?}", found.names);
        assert_eq!(
            (found.architecture.as_str(), found.os.as_str()),
            ("amd64", "linux")
        );
        for (layer, content) in found.layers.iter().zip(&image.layers) {
            let diff_id = Digest::of(content);
            assert_eq!(layer.diff_id, diff_id.to_string());
            assert_eq!(layer.size, content.len() as u64);
            let record = place.store.record(&diff_id).unwrap();
            let (blob, _) = place.store.blob(&record.zstd.digest).unwrap();
            assert_eq!(zstd::decode_all(blob).unwrap(), *content);
        }
        assert!(place.store.holds(found));
    }
}

#[test]
fn tars_of_tars_and_of_folders() {
    let one = gz(&packed(&legacy(&two()[..1])));
    let other = packed(&both(&two()[1..]));
    let outer = tar(&[
        ("./README.md", b"hello"),
        ("./install.sh", b"#!/bin/sh\n"),
        ("./images/app.tar.gz", &one),
        ("./images/db.tar", &other),
    ]);
    let found = read_bytes(&Place::new(), &gz(&outer)).unwrap();
    assert_eq!(found.len(), 2);
    // Unpacked and packed again, with the folder.
    let moved: Vec<File> = legacy(&two())
        .into_iter()
        .map(|(name, content)| (format!("./saved/{name}"), content))
        .collect();
    assert_eq!(read_bytes(&Place::new(), &packed(&moved)).unwrap().len(), 2);
}

#[test]
fn links_between_layers_are_followed() {
    let image = image("app:1", &["base", "app"]);
    let mut files = legacy(std::slice::from_ref(&image));
    let (path, content) = files.remove(0);
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    builder
        .append_link(&mut header, &path, "../shared/layer.tar")
        .unwrap();
    let mut bytes = builder.into_inner().unwrap();
    bytes.truncate(bytes.len() - 1024);
    files.push(("shared/layer.tar".to_owned(), content));
    bytes.extend(packed(&files));
    assert_eq!(read_bytes(&Place::new(), &bytes).unwrap()[0].id, image.id());
}

#[test]
fn an_image_saved_by_id_has_no_name() {
    let mut files = legacy(&two()[..1]);
    let (_, manifest) = files
        .iter_mut()
        .find(|(name, _)| name == "manifest.json")
        .unwrap();
    let text = String::from_utf8(manifest.clone()).unwrap();
    *manifest = text.replace("[\"app:1\"]", "null").into_bytes();
    let found = read_bytes(&Place::new(), &packed(&files)).unwrap();
    assert!(found[0].names.is_empty());
    assert_eq!(found[0].to_string(), found[0].id);
}

#[rstest]
#[case::nothing(b"".to_vec(), "it is empty")]
#[case::text(b"version = 1\n".to_vec(), "it is no tar archive")]
#[case::json(b"{}".to_vec(), "it is no tar archive")]
#[case::xz(b"\xfd7zXZ\0\0\0\0".to_vec(), "it is compressed by xz")]
fn no_archives(#[case] bytes: Vec<u8>, #[case] why: &str) {
    assert_eq!(
        fault(&bytes),
        format!("images.tar is not an image archive: {why}")
    );
}

#[test]
fn a_folder_or_a_missing_file() {
    let place = Place::new();
    let mut tell = |_: Progress| ControlFlow::Continue(());
    let error = read(&place.folder, &place.store, &mut tell).unwrap_err();
    assert!(matches!(error, ImagesError::Folder { .. }), "{error}");
    let error = read(&place.folder.join("none.tar"), &place.store, &mut tell).unwrap_err();
    assert!(matches!(error, ImagesError::Unreadable { .. }), "{error}");
}

#[test]
fn tars_without_images() {
    assert_eq!(
        fault(&tar(&[("etc/passwd", b"root")])),
        "images.tar holds no images"
    );
    assert_eq!(
        fault(&tar(&[("manifest.json", b"[]")])),
        "images.tar holds no images"
    );
    assert_eq!(fault(&[0; 10240]), "images.tar holds no images");
}

#[rstest]
#[case("/etc/passwd", "its name is an absolute path")]
#[case("../../escape", "its name leads out of the archive")]
fn paths_that_lead_elsewhere(#[case] path: &str, #[case] why: &str) {
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
    header.set_size(0);
    header.set_cksum();
    let mut builder = tar::Builder::new(Vec::new());
    builder.append(&header, &b""[..]).unwrap();
    let bytes = builder.into_inner().unwrap();
    assert_eq!(
        fault(&bytes),
        format!("images.tar > {path} is refused: {why}")
    );
}

#[rstest]
#[case(tar::EntryType::Symlink, "a link that leads out of the archive")]
#[case(tar::EntryType::Link, "a link that leads out of the archive")]
#[case(tar::EntryType::Char, "a device or pipe")]
#[case(tar::EntryType::Fifo, "a device or pipe")]
fn entries_that_no_image_needs(#[case] kind: tar::EntryType, #[case] why: &str) {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(0);
    header.set_path("a/thing").unwrap();
    header.set_link_name_literal("/etc/shadow").unwrap();
    header.set_cksum();
    let mut builder = tar::Builder::new(Vec::new());
    builder.append(&header, &b""[..]).unwrap();
    let bytes = builder.into_inner().unwrap();
    assert_eq!(
        fault(&bytes),
        format!("images.tar > a/thing is refused: {why}")
    );
}

#[test]
fn a_sparse_file_is_not_read() {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNUSparse);
    header.set_path("blobs/sha256/huge").unwrap();
    header.set_size(0);
    let gnu = header.as_gnu_mut().unwrap();
    gnu.realsize = *b"77777777777\0";
    gnu.sparse[0].offset = *b"77777777777\0";
    gnu.sparse[0].numbytes = *b"00000000000\0";
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend([0; 1024]);
    let told = fault(&bytes);
    assert!(
        told.starts_with("images.tar > blobs/sha256/huge is refused: a sparse file"),
        "{told}"
    );
}

#[test]
fn too_many_entries() {
    let names: Vec<String> = (0..300).map(|n| format!("file-{n}")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    let limits = Limits {
        entries: 200,
        ..Limits::default()
    };
    let told = fault_limited(&tar(&files), limits);
    assert_eq!(
        told,
        "images.tar > file-200 is refused: more than 200 entries"
    );
}

#[rstest]
#[case(gz)]
#[case(zst)]
fn a_bomb_is_noticed_early(#[case] pack: fn(&[u8]) -> Vec<u8>) {
    let limits = Limits {
        free: 1 << 20,
        ..Limits::default()
    };
    let zeros = vec![0; 64 << 20];
    let bytes = pack(&tar(&[("a/layer.tar", &zeros)]));
    let told = fault_limited(&bytes, limits);
    assert!(told.ends_with("no image is packed like that"), "{told}");
    // In an entry of an archive that is not packed itself.
    let inner = pack(&zeros);
    let told = fault_limited(&tar(&[("a/layer.tar", &inner)]), limits);
    assert!(told.ends_with("no image is packed like that"), "{told}");
}

#[test]
fn a_name_without_end_takes_no_memory() {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNULongName);
    header.set_path("././@LongLink").unwrap();
    header.set_size(64 << 20);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.resize(66 << 20, b'a');
    assert_eq!(
        fault(&bytes),
        "images.tar is refused: the name of an entry takes more than 1024 kB"
    );
}

#[test]
fn too_many_manifests_and_too_deep_archives() {
    let limits = Limits {
        documents: 100,
        ..Limits::default()
    };
    let told = fault_limited(&packed(&legacy(&two())), limits);
    assert!(
        told.ends_with("is refused: more than 0 MB of manifests"),
        "{told}"
    );
    let mut bytes = packed(&legacy(&two()));
    for _ in 0..4 {
        bytes = tar(&[("images.tar", &bytes)]);
    }
    assert!(fault(&bytes).ends_with("is refused: archives in archives more than 3 deep"));
}

#[test]
fn the_same_name_twice() {
    let mut files = legacy(&two());
    let again = files[0].clone();
    files.push(again);
    assert_eq!(read_bytes(&Place::new(), &packed(&files)).unwrap().len(), 2);
    let other = image("x:1", &["other"]).layers.remove(0);
    files.push((files[0].0.clone(), other));
    let told = fault(&packed(&files));
    assert!(
        told.ends_with("is damaged: it comes twice with different content"),
        "{told}"
    );
}

#[test]
fn something_is_missing() {
    let files = legacy(&two());
    for (at, (name, _)) in files.iter().enumerate() {
        if name == "repositories" {
            continue;
        }
        let mut less = files.clone();
        less.remove(at);
        let told = fault(&packed(&less));
        if name == "manifest.json" {
            assert!(
                told.contains("neither `manifest.json` nor `index.json`"),
                "{told}"
            );
        } else {
            assert_eq!(
                told,
                format!(
                    "images.tar is incomplete: `manifest.json` names `{name}`, which is not in it"
                )
            );
        }
    }
    let files = oci(&two(), gz);
    for (at, (name, _)) in files
        .iter()
        .enumerate()
        .filter(|(_, (name, _))| name.starts_with("blobs"))
    {
        let mut less = files.clone();
        less.remove(at);
        let told = fault(&packed(&less));
        assert!(told.contains(name.as_str()), "{name}: {told}");
    }
}

#[test]
fn a_wrong_digest_in_a_manifest() {
    let (one, other) = (
        Digest::of(&two()[0].layers[1]),
        Digest::of(&two()[1].layers[1]),
    );
    let mut files = legacy(&two());
    let (_, manifest) = files
        .iter_mut()
        .find(|(name, _)| name == "manifest.json")
        .unwrap();
    let text = String::from_utf8(manifest.clone()).unwrap();
    *manifest = text.replace(&one.hex(), &other.hex()).into_bytes();
    let told = fault(&packed(&files));
    assert!(told.contains("its content is not the layer"), "{told}");
}

#[test]
fn an_operator_may_stop_it() {
    let place = Place::new();
    let bytes = packed(&legacy(&two()));
    let read = read_from(
        "a",
        bytes.as_slice(),
        1,
        &place.store,
        Limits::default(),
        &mut |_| ControlFlow::Break(()),
    );
    assert!(matches!(read, Err(ImagesError::Cancelled)), "{read:?}");
}

#[test]
fn an_unchanged_file_is_read_once_and_faults_leave_nothing() {
    let place = Place::new();
    let path = place.folder.join("images.tar");
    fs_err::write(&path, packed(&legacy(&two()))).unwrap();
    let mut told = 0;
    let mut tell = |_: Progress| {
        told += 1;
        ControlFlow::Continue(())
    };
    let first = read(&path, &place.store, &mut tell).unwrap();
    assert_eq!(read(&path, &place.store, &mut tell).unwrap(), first);
    assert_eq!(
        told, 1,
        "the end is told, and the second time there is none"
    );
    let used = place.store.usage().unwrap().used;
    let broken = place.folder.join("broken.tar");
    let mut bytes = packed(&legacy(&[image("c:1", &["base", "fresh"])]));
    bytes.truncate(bytes.len() - 3000);
    fs_err::write(&broken, bytes).unwrap();
    assert!(read(&broken, &place.store, &mut |_| ControlFlow::Continue(())).is_err());
    assert_eq!(place.store.usage().unwrap().used, used);
    let left = fs_err::read_dir(place.store.root().join("tmp"))
        .unwrap()
        .count();
    assert_eq!(left, 0);
}

#[test]
fn a_full_store_says_so() {
    let place = Place::of(100);
    let error = read_bytes(&place, &packed(&legacy(&two()))).unwrap_err();
    assert!(matches!(error, ImagesError::Full { .. }), "{error}");
}

/// Every archive that damage is tried on.
fn forms() -> Vec<Vec<u8>> {
    let images = two();
    vec![
        packed(&legacy(&images)),
        packed(&both(&images)),
        gz(&packed(&oci(&images, gz))),
        zst(&packed(&legacy(&images))),
        gz(&tar(&[
            ("a.tar", &packed(&legacy(&images[..1]))),
            ("b.tar.gz", &gz(&packed(&both(&images[1..])))),
        ])),
    ]
}

/// Whatever was done to an archive: what is found in it is what was put there, or nothing is.
fn harmless(bytes: &[u8]) {
    let place = Place::new();
    let ids: Vec<String> = two().iter().map(Image::id).collect();
    match read_bytes(&place, bytes) {
        Ok(images) => {
            for image in images {
                assert!(ids.contains(&image.id), "{image:?}");
                assert!(place.store.holds(&image));
            }
        }
        Err(error) => assert!(error.hint().is_some(), "{error}"),
    }
}

#[test]
fn cut_off_anywhere_it_never_passes_for_whole() {
    for bytes in forms() {
        // Behind the last entry there is padding only, which nobody misses.
        for length in (0..bytes.len()).step_by(97) {
            let place = Place::new();
            let whole = read_bytes(&place, &bytes[..length]).is_ok_and(|images| images.len() == 2);
            assert!(
                !whole || length + 1024 + 9 * 1024 > bytes.len(),
                "{length} of {}",
                bytes.len()
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn damage_does_no_harm(form in 0..5_usize, cut in 0.0..1.0_f64, flips in prop::collection::vec((0.0..1.0_f64, 0..8_u8), 0..4), cuts in any::<bool>()) {
        let mut bytes = forms().swap_remove(form);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in a small file")]
        let at = |share: f64, length: usize| (share * length as f64) as usize;
        for (share, bit) in flips {
            let index = at(share, bytes.len());
            bytes[index] ^= 1 << bit;
        }
        if cuts {
            bytes.truncate(at(cut, bytes.len()));
        }
        harmless(&bytes);
    }
}
