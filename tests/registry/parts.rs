//! Archives in parts, and archives without what the site has.

use crate::create::with;
use crate::images::from;
use crate::program::Site;
use crate::server::{Door, Server};

/// Makes an archive in parts of 1 MB.
fn split() -> Site {
    let storage = tempfile::tempdir().unwrap();
    let server = Server::start(storage.path(), Door::Open);
    server.stock("1.9.0", 300_000);
    let site = Site::new();
    let told = site
        .run(&with(
            &from(&server.name(), "1.9.0"),
            &["--output", "images.tar", "--split", "1MB"],
        ))
        .expect(0);
    insta::assert_snapshot!("split", told.plain());
    // Somebody else's reading of it.
    let checked = std::process::Command::new("sha256sum")
        .args(["-c", "images.tar.sha256"])
        .current_dir(site.at(""))
        .output()
        .unwrap();
    assert!(checked.status.success());
    site
}

#[test]
fn parts_are_read_as_one() {
    let site = split();
    for name in ["images.tar.part-001", "images.tar.part-003", "images.tar"] {
        let told = site.run(&["bundle", "verify", name]).expect(0);
        assert!(
            told.stdout.starts_with("whole and sound: 7 images"),
            "{}",
            told.stdout
        );
    }
    assert!(!site.at("images.tar").exists());
}

#[test]
fn the_part_at_fault_is_named() {
    let site = split();
    let part = |number: u32| site.at(&format!("images.tar.part-{number:03}"));
    let kept = fs_err::read(part(2)).unwrap();
    let fresh = || {
        site.run(&["bundle", "store", "--clear"]).expect(0);
        site.run(&["bundle", "verify", "images.tar.part-001"])
            .expect(1)
            .plain()
    };

    let mut damaged = kept.clone();
    damaged[500_000] ^= 1;
    fs_err::write(part(2), &damaged).unwrap();
    insta::assert_snapshot!("part_damaged", fresh());

    fs_err::write(part(2), &kept[..400_000]).unwrap();
    insta::assert_snapshot!("part_cut_off", fresh());

    fs_err::remove_file(part(2)).unwrap();
    insta::assert_snapshot!("part_missing", fresh());

    fs_err::rename(part(3), part(2)).unwrap();
    fs_err::write(part(3), &kept).unwrap();
    insta::assert_snapshot!("parts_swapped", fresh());

    fs_err::rename(site.at("images.tar.sha256"), site.at("elsewhere")).unwrap();
    insta::assert_snapshot!("list_missing", fresh());
}

#[test]
fn a_difference_needs_its_base() {
    let storage = tempfile::tempdir().unwrap();
    let server = Server::start(storage.path(), Door::Open);
    server.stock("1.9.0", 300_000);
    server.stock("1.10.0", 300_000);
    let (office, customer) = (Site::new(), Site::new());
    office
        .run(&with(
            &from(&server.name(), "1.9.0"),
            &["--output", "base.tar"],
        ))
        .expect(0);
    let told = office
        .run(&with(
            &from(&server.name(), "1.10.0"),
            &["--output", "update.tar", "--without", "base.tar"],
        ))
        .expect(0);
    insta::assert_snapshot!("difference", told.plain());
    let size = |name: &str| fs_err::metadata(office.at(name)).unwrap().len();
    // 4 of 10 layers are new.
    println!(
        "base {} bytes, update {} bytes",
        size("base.tar"),
        size("update.tar")
    );
    assert!(size("update.tar") < size("base.tar") / 2);

    for name in ["base.tar", "update.tar"] {
        fs_err::copy(office.at(name), customer.at(name)).unwrap();
    }
    insta::assert_snapshot!(
        "difference_alone",
        customer
            .run(&["bundle", "verify", "update.tar"])
            .expect(1)
            .plain()
    );
    customer
        .run(&["bundle", "verify", "base.tar", "update.tar"])
        .expect(0);
    let told = customer.run(&["bundle", "inspect", "update.tar"]).expect(0);
    insta::assert_snapshot!("difference_inspected", told.plain());

    // A list of what the site has is as good as the archive.
    let listed = customer
        .run(&["bundle", "inspect", "base.tar", "--json"])
        .expect(0);
    fs_err::write(office.at("site.json"), listed.stdout).unwrap();
    office
        .run(&with(
            &from(&server.name(), "1.10.0"),
            &["--output", "listed.tar", "--without", "site.json"],
        ))
        .expect(0);
    // The name of the base stands in it.
    assert_eq!(size("listed.tar").abs_diff(size("update.tar")), 0);
}

#[test]
fn an_archive_that_lacks_a_layer_is_no_difference() {
    let storage = tempfile::tempdir().unwrap();
    let server = Server::start(storage.path(), Door::Open);
    server.stock("1.9.0", 200_000);
    let site = Site::new();
    let arguments = with(&from(&server.name(), "1.9.0"), &["--output", "base.tar"]);
    site.run(&arguments).expect(0);
    site.run(&["bundle", "verify", "base.tar"]).expect(0);
    // All its layers are in the store, and it does not say that it leaves any out.
    let whole = fs_err::read(site.at("base.tar")).unwrap();
    let mut cut = tar::Builder::new(Vec::new());
    for entry in tar::Archive::new(whole.as_slice()).entries().unwrap() {
        let entry = entry.unwrap();
        if entry.size() < 100_000 {
            let header = entry.header().clone();
            cut.append(&header, entry).unwrap();
        }
    }
    fs_err::write(site.at("cut.tar"), cut.into_inner().unwrap()).unwrap();
    let told = site.run(&["bundle", "verify", "cut.tar"]).expect(1);
    assert!(
        told.stderr.contains("which is not in it"),
        "{}",
        told.stderr
    );
}
