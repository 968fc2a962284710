//! The runbook of the sample deployment, read as somebody would who has nothing else; and typed.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::*;
use crate::engine::materials::FromResolved;
use crate::engine::planner::{self, Planning};
use crate::engine::sample::{SECRET, Site, resolved};
use crate::model::answers::ImageSource;
use crate::model::ids::RunId;
use crate::model::resolved::{PlacedHealth, PlacedProbe, RegistryAccount};
use crate::model::sample;
use crate::presets::Presets;

fn planned(site: &Site, resolved: &Resolved) -> Plan<AnyAction> {
    planner::plan(&Planning {
        resolved,
        facts: &site.facts(),
        rights: &site.rights(),
        links: site,
        materials: &FromResolved(resolved, None),
        base_folder: &site.base(),
        run: &RunId("20261120T120000Z-0001".to_owned()),
        concurrency: 3,
        superseded: planner::Superseded::Keep,
    })
    .unwrap()
}

fn written(site: &Site, resolved: &Resolved) -> String {
    let presets = Presets::new(None);
    let preset = presets.load(&presets.ids().remove(0)).unwrap();
    runbook(&Runbook {
        deployment: &sample::deployment(&preset, &BTreeMap::new()).unwrap(),
        resolved,
        plan: &planned(site, resolved),
        materials: &FromResolved(resolved, None),
        made: "2026-11-20T12:31:00Z".parse().unwrap(),
    })
}

/// Returns every block of commands.
fn typed(text: &str) -> Vec<&str> {
    let blocks = text.split("```sh\n").skip(1);
    blocks
        .filter_map(|rest| rest.split("\n```").next())
        .collect()
}

#[test]
fn it_says_every_step_and_how_to_see_that_it_works() {
    let site = Site::new();
    let mut resolved = resolved(&site.base());
    resolved.image_source = ImageSource::Registry;
    resolved.registry = Some(RegistryAccount {
        host: "docker.io".to_owned(),
        username: Some("acme".to_owned()),
    });
    resolved.health.push(PlacedHealth {
        id: "answers".to_owned(),
        title: "The backend answers".to_owned(),
        probe: PlacedProbe::Http {
            from: Some("ui".parse().unwrap()),
            url: "http://127.0.0.1:8000/api/docs/".to_owned(),
            method: "GET".to_owned(),
            body: None,
            status: vec![200],
            matches: None,
            json: std::collections::BTreeMap::new(),
            authorities: None,
            absent: Vec::new(),
            name: None,
            location: None,
            secure_cookies: false,
        },
        within: 60,
        warns: false,
        remedy: None,
        command: None,
    });
    let text = written(&site, &resolved).replace(&site.base(), "/opt/syntho");
    let version = format!("syntho-installer {}", env!("CARGO_PKG_VERSION"));
    insta::assert_snapshot!(text.replace(&version, "syntho-installer VERSION"));
}

#[test]
fn no_secret_is_in_it() {
    let site = Site::new();
    let text = written(&site, &resolved(&site.base()));
    assert!(!text.contains(SECRET), "{text}");
    assert!(text.contains("‹admin-password›"), "{text}");
}

#[test]
fn what_it_says_of_folders_and_files_can_be_typed() {
    let site = Site::new();
    let resolved = resolved(&site.base());
    let text = written(&site, &resolved);
    let mut files = 0;
    for block in typed(&text) {
        if block.contains("install ") {
            let ran = Command::new("sh").args(["-euc", block]).output().unwrap();
            assert!(ran.status.success(), "{block}\n{ran:?}");
            files += usize::from(block.contains("<<"));
        }
    }
    let mut wanted = 0;
    for stack in &resolved.stacks {
        for file in &stack.files {
            let path = format!("{}/{}", stack.folder, file.path);
            assert_eq!(
                fs_err::read_to_string(&path).unwrap(),
                file.masked,
                "{path}"
            );
            let mode = fs_err::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, file.mode, "{path}");
            wanted += 1;
        }
    }
    assert_eq!(files, wanted);
}

#[test]
fn what_is_so_already_is_not_typed_again() {
    let site = Site::new();
    let resolved = resolved(&site.base());
    let before = typed(&written(&site, &resolved)).len();
    fs_err::create_dir_all(site.base()).unwrap();
    let folder = format!("{}/acme", site.base());
    fs_err::create_dir(&folder).unwrap();
    fs_err::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    let text = written(&site, &resolved);
    assert!(text.contains("It is so already"), "{text}");
    assert!(typed(&text).len() < before);
}
