//! Archives pushed: the same digests there, and nothing sent twice.

use crate::create::with;
use crate::images::from;
use crate::program::Site;
use crate::server::{Door, PASSWORD, Server, USER};

/// Pushes with a login and an authority.
fn push(site: &Site, files: &[&str], to: &Server, prefix: &str) -> crate::program::Told {
    let (to_name, ca) = (
        format!("{}{prefix}", to.name()),
        to.ca().display().to_string(),
    );
    let mut arguments = vec!["bundle", "push"];
    arguments.extend(files);
    arguments.extend(["--to", &to_name, "--username", USER, "--ca", &ca]);
    site.told(
        site.command(&arguments)
            .env("SYNTHO_SECRET_REGISTRY_PASSWORD", PASSWORD),
    )
}

#[test]
fn what_is_pushed_has_the_same_digests_and_is_sent_once() {
    let (storage, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Server::start(storage.path(), Door::Open);
    let stocked = server.stock("1.9.0", 100_000);
    let site = Site::new();
    site.run(&with(
        &from(&server.name(), "1.9.0"),
        &["--output", "images.tar", "--split", "1MB"],
    ))
    .expect(0);
    drop(server);

    let target = Server::start(other.path(), Door::Guarded);
    let told = push(&site, &["images.tar.part-001"], &target, "/acme").expect(0);
    insta::assert_snapshot!("pushed", told.plain());
    let open = Server::start(other.path(), Door::Open);
    for (name, image) in &stocked {
        let (name, tag) = name.split_once(':').unwrap();
        assert_eq!(
            open.manifest(&format!("acme/{name}"), tag).0,
            image.manifest,
            "{name}"
        );
    }
    let uploads = target.count("PUT", "/blobs/uploads/");
    // 9 layers and 7 configurations; the lowest is in all images and was mounted.
    assert_eq!(uploads, 16);

    let before = target.asked().len();
    let again = push(&site, &["images.tar.part-001"], &target, "/acme").expect(0);
    assert!(
        again.stdout.contains(": 0 blobs sent, 0 taken"),
        "{}",
        again.stdout
    );
    let asked = target.asked().split_off(before);
    let sent = asked
        .iter()
        .filter(|(method, path, _)| path.contains("/blobs/") && method != "HEAD");
    assert_eq!(sent.count(), 0, "{asked:?}");
}

#[test]
fn a_difference_is_pushed_onto_its_base() {
    let (storage, other, third) = (
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
    );
    let server = Server::start(storage.path(), Door::Open);
    server.stock("1.9.0", 50_000);
    let newer = server.stock("1.10.0", 50_000);
    let site = Site::new();
    site.run(&with(
        &from(&server.name(), "1.9.0"),
        &["--output", "base.tar"],
    ))
    .expect(0);
    site.run(&with(
        &from(&server.name(), "1.10.0"),
        &["--output", "update.tar", "--without", "base.tar"],
    ))
    .expect(0);

    let target = Server::start(other.path(), Door::Guarded);
    let alone = push(&site, &["update.tar"], &target, "").expect(1);
    insta::assert_snapshot!("pushed_alone", alone.plain());
    push(&site, &["base.tar"], &target, "").expect(0);
    push(&site, &["update.tar"], &target, "").expect(0);
    let at_once = Server::start(third.path(), Door::Guarded);
    push(&site, &["base.tar", "update.tar"], &at_once, "").expect(0);
    for storage in [&other, &third] {
        let open = Server::start(storage.path(), Door::Open);
        for (name, image) in &newer {
            let (name, tag) = name.split_once(':').unwrap();
            assert_eq!(open.manifest(name, tag).0, image.manifest, "{name}");
        }
    }
}

#[test]
fn what_docker_saved_is_pushed_too() {
    let (storage, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Server::start(storage.path(), Door::Open);
    let stocked = server.stock("1.9.0", 50_000);
    let site = Site::new();
    site.run(&with(
        &from(&server.name(), "1.9.0"),
        &["--output", "images.tar"],
    ))
    .expect(0);
    // As Docker writes it: compressed, so that nothing in it can be read from any place.
    let packed = std::process::Command::new("gzip")
        .arg(site.at("images.tar"))
        .status()
        .unwrap();
    assert!(packed.success());
    let target = Server::start(other.path(), Door::Guarded);
    push(&site, &["images.tar.gz"], &target, "").expect(0);
    let open = Server::start(other.path(), Door::Open);
    for (name, image) in &stocked {
        let (name, tag) = name.split_once(':').unwrap();
        let manifest: serde_json::Value =
            serde_json::from_slice(&open.manifest(name, tag).1).unwrap();
        assert_eq!(manifest["config"]["digest"], image.id.as_str(), "{name}");
    }
    let again = push(&site, &["images.tar.gz"], &target, "").expect(0);
    assert!(again.stdout.contains(": 0 blobs sent"), "{}", again.stdout);
}
