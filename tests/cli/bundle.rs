//! `bundle`: archives looked into and checked, and the store they are read into.

use rstest::rstest;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::sandbox::Sandbox;

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let digest = Sha256::digest(bytes);
    digest.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes all");
        text
    })
}

fn tar(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder
            .append_data(&mut header, name, content.as_slice())
            .expect("a tar in memory");
    }
    builder.into_inner().expect("a tar in memory")
}

/// Returns an archive as `docker save` makes it, of images with one layer each.
fn archive(names: &[&str]) -> Vec<u8> {
    let mut files = Vec::new();
    let mut manifest = Vec::new();
    for name in names {
        let layer = tar(&[("etc/name".to_owned(), name.as_bytes().to_vec())]);
        let config = json!({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{}", hex(&layer))]}}).to_string();
        let (config_path, layer_path) = (
            format!("{}.json", hex(config.as_bytes())),
            format!("{}/layer.tar", hex(&layer)),
        );
        manifest.push(json!({"Config": config_path, "RepoTags": [name], "Layers": [layer_path]}));
        files.push((config_path, config.into_bytes()));
        files.push((layer_path, layer));
    }
    files.push((
        "manifest.json".to_owned(),
        Value::Array(manifest).to_string().into_bytes(),
    ));
    tar(&files)
}

/// The archive of the vendor's own script: the database under another name, the backend under an older one.
const VENDOR: &[&str] = &[
    "syntho.azurecr.io/syntho-ray:1.9.0-cpu",
    "syntho.azurecr.io/syntho-core-api:1.9.0",
    "syntho.azurecr.io/syntho-backend:1.9.0",
    "syntho.azurecr.io/syntho-core-frontend:1.9.0",
    "syntho.azurecr.io/postgres:1.9.0",
    "redis:6.2-alpine",
    "left-over:1",
];

fn with(bytes: &[u8]) -> Sandbox {
    let sandbox = Sandbox::new();
    fs_err::write(sandbox.folder().join("images.tar"), bytes)
        .expect("a file in a temporary folder");
    sandbox
}

#[test]
fn what_an_archive_lacks_is_told_by_name() {
    insta::assert_snapshot!(with(&archive(VENDOR)).run(&["bundle", "inspect", "images.tar"]));
}

#[test]
fn json_says_the_same() {
    let sandbox = with(&archive(VENDOR));
    let told = sandbox.run(&["bundle", "inspect", "images.tar", "--json"]);
    let line = told.lines().nth(2).expect("a line of JSON");
    let told: Value = serde_json::from_str(line).expect("JSON");
    assert_eq!(told["images"].as_array().map(Vec::len), Some(VENDOR.len()));
    let served = told["serves"].as_array().expect("presets");
    let preset = served
        .iter()
        .find(|served| served["preset"] == "syntho-app-ray" && served["tag"] == "1.9.0")
        .expect("the preset");
    let mut missing: Vec<&str> = preset["missing"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|missing| missing["id"].as_str())
        .collect();
    missing.sort_unstable();
    assert_eq!(missing, ["backend", "postgres", "proxy", "ray"]);
}

#[test]
fn a_sound_archive_is_stored_and_cleared() {
    let sandbox = with(&archive(&["app:1"]));
    let told = sandbox.run(&["bundle", "verify", "images.tar"]);
    assert!(
        told.starts_with("exit 0\n--- stdout\nwhole and sound: 1 image,"),
        "{told}"
    );
    let told = sandbox.run(&["bundle", "store"]);
    assert!(
        told.contains("/images.tar") && told.contains("1 image"),
        "{told}"
    );
    let told = sandbox.run(&["bundle", "store", "--limit", "2GB"]);
    assert!(told.contains("of at most 2.0 GB"), "{told}");
    let told = sandbox.run(&["bundle", "store", "--clear"]);
    assert!(told.contains("cleared [folder]/home/images"), "{told}");
    let told = sandbox.run(&["bundle", "store"]);
    assert!(told.contains("no archive was read into it"), "{told}");
    assert!(told.contains("of at most 2.0 GB"), "{told}");
}

fn flipped() -> Vec<u8> {
    let mut bytes = archive(&["app:1"]);
    let at = bytes
        .windows(5)
        .position(|part| part == b"app:1")
        .expect("the layer's text");
    bytes[at] ^= 1;
    bytes
}

#[rstest]
#[case::cut_off("cut_off", archive(&["app:1"])[..2000].to_vec())]
#[case::flipped("flipped", flipped())]
#[case::no_images("no_images", tar(&[("a".to_owned(), b"b".to_vec())]))]
#[case::text("text", b"version = 1\n".to_vec())]
fn what_is_wrong_is_told_with_the_place(#[case] name: &str, #[case] bytes: Vec<u8>) {
    insta::assert_snapshot!(
        format!("bundle_{name}"),
        with(&bytes).run(&["bundle", "verify", "images.tar"])
    );
}

#[test]
fn a_folder_is_no_archive() {
    insta::assert_snapshot!(Sandbox::new().run(&["bundle", "inspect", "."]));
}

/// Root may read everything, so this is somebody else.
#[test]
fn an_archive_that_may_not_be_read_and_a_store_that_may_not_be_written_to() {
    use std::os::unix::fs::PermissionsExt as _;

    let sandbox = with(&archive(&["app:1"]));
    let program = sandbox.folder().join("program");
    let built = sandbox.command(&[]).get_program().to_owned();
    fs_err::copy(built, &program).expect("a copy that everybody reaches");
    let mode = |path: &std::path::Path, mode: u32| {
        let mode = std::fs::Permissions::from_mode(mode);
        fs_err::set_permissions(path, mode).expect("our own file");
    };
    mode(sandbox.folder(), 0o777);
    mode(&sandbox.folder().join("images.tar"), 0o000);
    let told = || {
        let mut command = assert_cmd::Command::new("setpriv");
        command
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(&program)
            .args(["bundle", "verify", "images.tar"])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", sandbox.folder())
            .env("SYNTHO_INSTALLER_HOME", sandbox.home())
            .current_dir(sandbox.folder());
        sandbox.told(&mut command)
    };
    if !rustix::process::getuid().is_root() {
        // The same without a way to become somebody else.
        let told = sandbox.run(&["bundle", "verify", "images.tar"]);
        assert!(told.contains("Permission denied"), "{told}");
        return;
    }
    insta::assert_snapshot!("bundle_unreadable", told());
    mode(&sandbox.folder().join("images.tar"), 0o644);
    fs_err::remove_dir_all(sandbox.home()).expect("the program's home");
    fs_err::create_dir(sandbox.home()).expect("a home of root's");
    mode(&sandbox.home(), 0o755);
    insta::assert_snapshot!("bundle_unwritable_store", told());
}
