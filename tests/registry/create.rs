//! Archives made from a registry: whole, the same as there, and never fetched twice.

use serde_json::Value;

use crate::images::{digest, from};
use crate::program::Site;
use crate::relay::Relay;
use crate::server::{Door, PASSWORD, Server, USER};

const MB: usize = 1 << 20;

/// Adds arguments.
pub(crate) fn with(arguments: &[String], more: &[&str]) -> Vec<String> {
    arguments
        .iter()
        .cloned()
        .chain(more.iter().map(|text| (*text).to_owned()))
        .collect()
}

/// Returns the bytes of an entry of a tar.
pub(crate) fn entry(archive: &[u8], name: &str) -> Option<Vec<u8>> {
    use std::io::Read as _;
    let mut tar = tar::Archive::new(archive);
    let mut found = tar
        .entries()
        .unwrap()
        .map(Result::unwrap)
        .find(|entry| entry.path().unwrap().as_os_str() == name)?;
    let mut bytes = Vec::new();
    found.read_to_end(&mut bytes).unwrap();
    Some(bytes)
}

#[test]
fn an_archive_holds_what_the_registry_has() {
    let storage = tempfile::tempdir().unwrap();
    let server = Server::start(storage.path(), Door::Open);
    let stocked = server.stock("1.9.0", 100_000);
    let site = Site::new();
    let arguments = with(&from(&server.name(), "1.9.0"), &["--output", "images.tar"]);
    let told = site.run(&arguments).expect(0);
    insta::assert_snapshot!("created", told.plain());
    assert!(!site.at("images.tar.unfinished").exists());

    let bytes = fs_err::read(site.at("images.tar")).unwrap();
    let index: Value = serde_json::from_slice(&entry(&bytes, "index.json").unwrap()).unwrap();
    let saved: Value = serde_json::from_slice(&entry(&bytes, "manifest.json").unwrap()).unwrap();
    assert_eq!(index["manifests"].as_array().unwrap().len(), stocked.len());
    for (name, image) in &stocked {
        let full = format!("{}/{name}", server.name());
        let listed = index["manifests"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["annotations"]["io.containerd.image.name"] == full.as_str())
            .unwrap();
        assert_eq!(listed["digest"], image.manifest.as_str(), "{name}");
        let saved = saved
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["RepoTags"][0] == full.as_str())
            .unwrap();
        let config = entry(&bytes, saved["Config"].as_str().unwrap()).unwrap();
        assert_eq!(digest(&config), image.id, "{name}");
        for layer in saved["Layers"].as_array().unwrap() {
            let path = layer.as_str().unwrap();
            let found = digest(&entry(&bytes, path).unwrap());
            assert_eq!(found.replace("sha256:", "blobs/sha256/"), path);
        }
    }

    site.run(&["bundle", "verify", "images.tar"]).expect(0);
    let inspected = site.run(&["bundle", "inspect", "images.tar"]).expect(0);
    insta::assert_snapshot!("inspected", inspected.plain());

    // The same again: nothing is fetched, and it is the same to the byte.
    let before = server.asked().len();
    fs_err::remove_file(site.at("images.tar")).unwrap();
    site.run(&arguments).expect(0);
    let again = server.asked().split_off(before);
    let configs: Vec<&str> = stocked.iter().map(|(_, image)| image.id.as_str()).collect();
    let layers = again.iter().filter(|(_, path, _)| {
        path.contains("/blobs/") && !configs.iter().any(|config| path.contains(config))
    });
    assert_eq!(layers.count(), 0, "{again:?}");
    assert_eq!(fs_err::read(site.at("images.tar")).unwrap(), bytes);
}

#[test]
fn tls_by_an_authority_of_the_site_and_a_login() {
    let storage = tempfile::tempdir().unwrap();
    Server::start(storage.path(), Door::Open).stock("1.9.0", 10_000);
    let server = Server::start(storage.path(), Door::Guarded);
    let site = Site::new();
    let ca = server.ca().display().to_string();
    let arguments = with(
        &from(&server.name(), "1.9.0"),
        &["--output", "images.tar", "--username", USER, "--ca", &ca],
    );
    let mut command = site.command(&arguments);
    let told = site
        .told(command.env("SYNTHO_SECRET_REGISTRY_PASSWORD", PASSWORD))
        .expect(0);
    assert!(!told.plain().contains(PASSWORD));
    site.run(&["bundle", "verify", "images.tar"]).expect(0);
    let everything = std::process::Command::new("grep")
        .args(["-rl", PASSWORD])
        .arg(site.at("home"))
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&everything.stdout),
        "",
        "the password stands somewhere"
    );
}

/// Returns the bytes of everything in a stock, each blob once.
fn bytes_of(server: &Server, names: &[&str]) -> u64 {
    let mut blobs = std::collections::BTreeMap::new();
    for name in names {
        let (name, tag) = name.split_once(':').unwrap();
        let manifest: Value = serde_json::from_slice(&server.manifest(name, tag).1).unwrap();
        for layer in manifest["layers"].as_array().unwrap() {
            blobs.insert(layer["digest"].to_string(), layer["size"].as_u64().unwrap());
        }
    }
    blobs.values().sum()
}

#[test]
fn killed_in_the_middle_it_goes_on_inside_the_layers() {
    let storage = tempfile::tempdir().unwrap();
    let server = Server::start(storage.path(), Door::Open);
    let stocked = server.stock("1.9.0", MB);
    let names: Vec<&str> = stocked.iter().map(|(name, _)| name.as_str()).collect();
    let total = bytes_of(&server, &names);
    let relay = Relay::open(server.port());
    relay.slow(1_500_000);
    let site = Site::new();
    let arguments = with(&from(&relay.name(), "1.9.0"), &["--output", "images.tar"]);
    let mut times = 0;
    for part in [3, 6] {
        let mut child = site.start(&arguments);
        relay.wait_for(total * part / 9);
        child.kill().unwrap();
        child.wait().unwrap();
        times += 1;
        assert!(!site.at("images.tar").exists());
    }
    relay.slow(0);
    site.run(&arguments).expect(0);
    let received = relay.received();
    println!("{received} bytes came for {total} bytes of layers, killed {times} times");
    // Manifests, configurations and heads come again; of the layers only what was under way.
    assert!(received < total + 1_500_000, "{received} for {total}");
    site.run(&["bundle", "verify", "images.tar"]).expect(0);
    // Each layer that was cut was asked for from inside.
    let partial = server
        .asked()
        .iter()
        .filter(|(method, path, bytes)| {
            method == "GET" && path.contains("/blobs/") && *bytes > 2000 && *bytes < MB as u64
        })
        .count();
    assert!(partial > 0, "no layer was gone on with");
}

#[test]
fn connections_that_break_are_taken_up_again() {
    let storage = tempfile::tempdir().unwrap();
    let server = Server::start(storage.path(), Door::Open);
    let stocked = server.stock("1.9.0", MB);
    let names: Vec<&str> = stocked.iter().map(|(name, _)| name.as_str()).collect();
    let total = bytes_of(&server, &names);
    let relay = Relay::open(server.port());
    relay.cut(400_000, 3);
    let site = Site::new();
    let arguments = with(&from(&relay.name(), "1.9.0"), &["--output", "images.tar"]);
    let told = site.run(&arguments).expect(0);
    assert_eq!(relay.cuts_left(), 0);
    assert!(told.stderr.contains("broke off"), "{}", told.stderr);
    let received = relay.received();
    println!("{received} bytes came for {total} bytes of layers, cut 3 times");
    assert!(received < total + 1_000_000, "{received} for {total}");
    site.run(&["bundle", "verify", "images.tar"]).expect(0);
}

#[test]
fn a_way_that_breaks_all_the_time_leads_there_too() {
    let storage = tempfile::tempdir().unwrap();
    let server = Server::start(storage.path(), Door::Open);
    let stocked = server.stock("1.9.0", MB);
    let names: Vec<&str> = stocked.iter().map(|(name, _)| name.as_str()).collect();
    let total = bytes_of(&server, &names);
    let relay = Relay::open(server.port());
    // More than any layer may be tried in vain.
    relay.cut(100_000, 32);
    let site = Site::new();
    let arguments = with(&from(&relay.name(), "1.9.0"), &["--output", "images.tar"]);
    site.run(&arguments).expect(0);
    assert_eq!(relay.cuts_left(), 0);
    let received = relay.received();
    println!("{received} bytes came for {total} bytes of layers, cut 32 times");
    assert!(received < total + 2_000_000, "{received} for {total}");
    site.run(&["bundle", "verify", "images.tar"]).expect(0);
}

#[test]
fn two_at_once_fetch_once() {
    let storage = tempfile::tempdir().unwrap();
    let server = Server::start(storage.path(), Door::Open);
    let stocked = server.stock("1.9.0", MB / 2);
    let names: Vec<&str> = stocked.iter().map(|(name, _)| name.as_str()).collect();
    let total = bytes_of(&server, &names);
    let relay = Relay::open(server.port());
    relay.slow(3_000_000);
    let site = Site::new();
    let both = ["a.tar", "b.tar"]
        .map(|name| site.start(&with(&from(&relay.name(), "1.9.0"), &["--output", name])));
    let told = both.map(|child| site.ended(child).expect(0));
    let waited = |told: &&crate::program::Told| told.stderr.contains("another run fetches");
    assert_eq!(told.iter().filter(waited).count(), 1);
    assert!(relay.received() < total + 300_000, "{}", relay.received());
    let read = |name: &str| fs_err::read(site.at(name)).unwrap();
    assert_eq!(read("a.tar"), read("b.tar"));
}

#[test]
fn only_the_wanted_architecture_is_fetched() {
    let storage = tempfile::tempdir().unwrap();
    let server = Server::start(storage.path(), Door::Open);
    server.stock("1.9.0", 10_000);
    let layer = |seed| [crate::images::Layer::new(seed, 10_000)];
    let amd = server.put("syntho-ray", "amd", &layer(71), "amd64");
    let arm = server.put("syntho-ray", "arm", &layer(72), "arm64");
    server.put_index("syntho-ray", "1.9.0", &[("arm64", &arm), ("amd64", &amd)]);
    let site = Site::new();
    site.run(&with(
        &from(&server.name(), "1.9.0"),
        &["--output", "images.tar"],
    ))
    .expect(0);
    let told = site
        .run(&["bundle", "inspect", "images.tar", "--json"])
        .expect(0);
    assert!(told.stdout.contains(&amd.id) && !told.stdout.contains(&arm.id));
    let other = layer(72);
    assert_eq!(server.count("GET", &digest(&other[0].packed)), 0);
}
