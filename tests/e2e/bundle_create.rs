//! An archive fetched from the site's registry without Docker, judged by `docker load` of engines old and new.

use std::collections::BTreeMap;

use serde_json::Value;
use syntho_installer::rehearsal::{InnerEngine, Vm, VmSpec};

use crate::program;
use crate::shop::Shop;
use crate::site::Site;

/// Makes an archive of everything in the registry.
fn create(site: &Site, shop: &Shop, more: &[&str]) {
    let registry = shop.at();
    let mut command = site.program();
    command.args([
        "bundle",
        "create",
        "--preset",
        "syntho-app-ray",
        "--tag",
        "1.9.0",
        "--registry",
        &registry,
    ]);
    command.args([
        "--username",
        Shop::USER,
        "--ca",
        shop.ca(),
        "--image",
        &format!("postgres={registry}/postgres:14.5"),
    ]);
    // The registry has no proxy; any image does for its part.
    for part in ["redis", "proxy"] {
        command.args(["--image", &format!("{part}={registry}/redis:6.2-alpine")]);
    }
    command
        .args(more)
        .env("SYNTHO_SECRET_REGISTRY_PASSWORD", Shop::PASSWORD);
    program::run(command).expect_code(0);
}

fn inspect(site: &Site, archive: &str) -> Value {
    let told = site
        .run(&["bundle", "inspect", archive, "--json"])
        .expect_code(0);
    serde_json::from_str(told.stdout.trim()).unwrap()
}

/// Returns the id of every image by its name, as the archive says it.
fn packed(inspected: &Value) -> BTreeMap<String, String> {
    let images = inspected["images"].as_array().unwrap().iter();
    let pairs = images.flat_map(|image| {
        let id = image["id"].as_str().unwrap().to_owned();
        let names = image["names"].as_array().unwrap().iter();
        names.map(move |name| (name.as_str().unwrap().to_owned(), id.clone()))
    });
    pairs.collect()
}

/// Returns the same as an engine says it.
fn loaded(vm: &Vm) -> BTreeMap<String, String> {
    let listed = vm
        .exec_ok("docker images --no-trunc --format '{{.Repository}}:{{.Tag}} {{.ID}}'")
        .unwrap();
    let pairs = listed.lines().map(|line| line.split_once(' ').unwrap());
    pairs
        .map(|(name, id)| (name.to_owned(), id.to_owned()))
        .collect()
}

#[test]
fn docker_loads_what_was_fetched_whole_and_as_a_difference() {
    let site = Site::with(&[
        VmSpec::new("new"),
        VmSpec::new("old").engine(InnerEngine::Distro),
    ]);
    let shop = Shop::open(&site);
    create(&site, &shop, &["--output", "images.tar"]);
    let mut inspected = inspect(&site, "images.tar");
    let expected = packed(&inspected);
    let whole = fs_err::read(site.home.join("images.tar")).unwrap();
    for vm in site.fleet.vms() {
        vm.exec_with("docker load", &whole).unwrap();
        assert_eq!(loaded(vm), expected, "{}", vm.name());
    }

    // One image less on the hosts, and a list that says so: only what it had for itself is packed.
    let lost = |image: &Value| image["names"][0].as_str().unwrap().contains("frontend");
    let images = inspected["images"].as_array_mut().unwrap();
    let name = images.iter().find(|image| lost(image)).unwrap()["names"][0]
        .as_str()
        .unwrap()
        .to_owned();
    images.retain(|image| !lost(image));
    fs_err::write(site.home.join("site.json"), inspected.to_string()).unwrap();
    create(
        &site,
        &shop,
        &["--output", "update.tar", "--without", "site.json"],
    );
    let update = fs_err::read(site.home.join("update.tar")).unwrap();
    eprintln!(
        "whole {} bytes, difference {} bytes",
        whole.len(),
        update.len()
    );
    assert!(update.len() * 2 < whole.len());
    for vm in site.fleet.vms() {
        vm.exec_ok(&format!("docker rmi {name}")).unwrap();
        assert_ne!(loaded(vm), expected);
        vm.exec_with("docker load", &update).unwrap();
        assert_eq!(loaded(vm), expected, "{}", vm.name());
        vm.exec_ok(&format!("docker create {name} true")).unwrap();
    }
}
