//! Support archives of deployments that really run, and of some that do not: what is in them, what is not, and what one says of the cause.

mod causes;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use syntho_installer::rehearsal::Fault;

use crate::logs::print_secrets;
use crate::program::{Ended, Running, is};
use crate::site::{Site, tell, vm};

fn command(site: &Site, arguments: &[&str]) -> Command {
    let mut command = site.program();
    command
        // Nothing is given now: secrets are read from the hosts.
        .env_remove("SYNTHO_SECRET_LICENSE_KEY")
        .env_remove("SYNTHO_SECRET_ADMIN_PASSWORD")
        .args(["support", "acme", "--json"])
        .args(arguments);
    command
}

/// An archive, unpacked.
pub struct Archive {
    pub ended: Ended,
    pub files: BTreeMap<String, String>,
}

impl Archive {
    /// Makes one and reads every file of it.
    #[track_caller]
    pub fn make(site: &Site, name: &str) -> Self {
        let path = site.home.join(format!("{name}.tar.gz"));
        let ended = crate::program::run(command(site, &["--output", path.as_str()]));
        assert!(path.is_file(), "no archive: {}", ended.all());
        let mode = fs_err::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let bytes = fs_err::metadata(&path).unwrap().len();
        let files = unpack(&path);
        tell(&format!(
            "{name}: {bytes} bytes, {} files, {:.1} s",
            files.len(),
            ended.took.as_secs_f64()
        ));
        Self { ended, files }
    }

    #[track_caller]
    pub fn file(&self, name: &str) -> &str {
        let names: Vec<&String> = self.files.keys().collect();
        self.files
            .get(name)
            .unwrap_or_else(|| panic!("no {name} in {names:#?}"))
    }

    #[track_caller]
    pub fn holds_none_of(&self, secrets: &[String]) {
        for (name, text) in &self.files {
            for secret in secrets {
                let found = text.lines().find(|line| line.contains(secret.as_str()));
                assert_eq!(found, None, "{secret} in {name}");
            }
        }
    }
}

/// Returns the text of each file by its path below the archive's one folder.
fn unpack(path: &Utf8Path) -> BTreeMap<String, String> {
    let folder = path.with_extension("").with_extension("");
    fs_err::create_dir(&folder).unwrap();
    let mut tar = Command::new("tar");
    let done = tar
        .args(["-xzf", path.as_str(), "-C", folder.as_str()])
        .status();
    assert!(done.unwrap().success());
    let mut files = BTreeMap::new();
    let mut folders: Vec<Utf8PathBuf> = vec![folder.clone()];
    while let Some(at) = folders.pop() {
        for entry in at.read_dir_utf8().unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.into_path());
                continue;
            }
            let name = entry.path().strip_prefix(&folder).unwrap();
            let name = name.components().skip(1).collect::<Utf8PathBuf>();
            let bytes = fs_err::read(entry.path()).unwrap();
            files.insert(name.into_string(), String::from_utf8(bytes).unwrap());
        }
    }
    files
}

/// Returns what an archive leaves behind beside itself, in the current folder and in the deployment's.
fn leftovers(site: &Site) -> Vec<String> {
    let folders = [site.home.clone(), site.home.join("state/deployments/acme")];
    let entries = folders
        .iter()
        .flat_map(|folder| folder.read_dir_utf8().unwrap());
    let names = entries.map(|entry| entry.unwrap().file_name().to_owned());
    names
        .filter(|name| name.starts_with('.') && name.contains("support"))
        .collect()
}

#[test]
fn an_archive_holds_everything_but_secrets_and_what_hangs_costs_its_own_limit() {
    let site = Site::with(&[vm("ui"), vm("ray-1")]);
    let answers = site.answers_for(&[("ui", &["ui"]), ("ray-1", &["ray-head"])]);
    site.deploy(&answers).expect_code(0);
    let before = site.footprint();
    let secrets = print_secrets(&site);

    let whole = Archive::make(&site, "whole");
    everything_is_there(&whole, &secrets);
    what_hangs_is_named(&site, &whole, &secrets);
    nothing_is_left_behind_when_it_is_stopped(&site);
    a_full_disk_here_is_told(&site);
    hosts_that_are_down_are_named(&site, &secrets);

    assert_eq!(leftovers(&site), Vec::<String>::new());
    site.expect_footprint(&before);
}

fn everything_is_there(archive: &Archive, secrets: &[String]) {
    assert_eq!(
        archive.ended.code,
        Some(0),
        "{}",
        archive.file("missing.txt")
    );
    archive.holds_none_of(secrets);
    for host in ["ui", "ray-1"] {
        for file in [
            "facts.json",
            "containers.txt",
            "containers.json",
            "kernel.txt",
            "disks.txt",
            "listeners.txt",
            "network.txt",
            "system.txt",
            "images.txt",
            "docker.txt",
            "docker-state.txt",
            "docker-disk.txt",
            "docker-events.txt",
        ] {
            archive.file(&format!("hosts/{host}/{file}"));
        }
    }
    what_it_says_of_the_deployment(archive);
    let logs = archive.file("logs.log");
    assert!(logs.contains(" ray-1/ray-head/head") && logs.contains("‹license-key›"));
    for file in [
        "installer/answers.toml",
        "installer/installer.log",
        "installer/state.json",
    ] {
        archive.file(file);
    }
    for folder in ["installer/events/", "installer/receipts/"] {
        let within = |name: &String| name.starts_with(folder);
        assert!(archive.files.keys().any(within), "{folder}");
    }
    assert_eq!(archive.file("missing.txt"), "nothing\n");
}

fn what_it_says_of_the_deployment(archive: &Archive) {
    let readme = archive.file("README.txt");
    assert!(
        readme.contains("ui (ui), ray-1 (ray-head)") && readme.contains("‹license-key›"),
        "{readme}"
    );
    // Names of an environment, no value of it.
    for file in ["containers.json", "application.compose.json"] {
        let text = archive.file(&format!("hosts/ui/{file}"));
        assert!(
            text.contains("\"POSTGRES_PASSWORD\"") && text.contains("\"LICENSE_KEY_SIGNED\""),
            "{text}"
        );
        assert!(!text.contains("redis://"), "{text}");
        serde_json::from_str::<serde_json::Value>(text).unwrap();
    }
    assert!(
        archive
            .file("hosts/ui/containers.txt")
            .contains("service=postgres state=running health=healthy")
    );
    let checks = archive.file("checks.txt");
    assert!(
        checks.contains("pass ui [as-accepted]") && checks.contains("[ray-nodes]"),
        "{checks}"
    );
    assert!(!checks.contains("FAIL"), "{checks}");
    assert_eq!(
        archive.file("diagnosis.json"),
        "[]\n",
        "of a deployment that works"
    );
}

fn what_hangs_is_named(site: &Site, whole: &Archive, secrets: &[String]) {
    let hangs = "printf '#!/bin/sh\\nexec sleep 600\\n' >/usr/local/bin/lsblk && chmod 755 /usr/local/bin/lsblk";
    site.vm("ray-1").exec_ok(hangs).unwrap();
    let archive = Archive::make(site, "hangs");
    let left = site.vm("ray-1").exec("pgrep -f '[s]leep 600'").unwrap();
    site.vm("ray-1").exec_ok("rm /usr/local/bin/lsblk").unwrap();
    assert_eq!(archive.ended.code, Some(1));
    archive.holds_none_of(secrets);
    let missing = archive.file("missing.txt");
    assert!(
        missing.starts_with("ray-1/disks.txt: ") && missing.lines().count() == 1,
        "{missing}"
    );
    // Its own limit is ten seconds.
    let more = archive.ended.took.saturating_sub(whole.ended.took);
    assert!(more < Duration::from_secs(20), "{more:?}");
    assert!(archive.file("hosts/ray-1/disks.txt").contains("# room"));
    archive.file("hosts/ray-1/docker-state.txt");
    assert_eq!(left.stdout, "", "it is left running on the host");
}

fn nothing_is_left_behind_when_it_is_stopped(site: &Site) {
    let path = site.home.join("stopped.tar.gz");
    let mut running = Running::start(command(site, &["--output", path.as_str()]));
    running.must_see("gathering", |event| {
        is(event, "stage-started") && event["stage"] == "gather"
    });
    running.interrupt();
    let ended = running.finish().expect_code(130);
    assert!(
        !path.exists() && leftovers(site).is_empty(),
        "{}",
        ended.all()
    );
    // Nor is anything replaced.
    fs_err::write(&path, "mine").unwrap();
    crate::program::run(command(site, &["--output", path.as_str()]))
        .expect_code(2)
        .says(&["is there already", "--output"]);
    assert_eq!(fs_err::read_to_string(&path).unwrap(), "mine");
}

fn a_full_disk_here_is_told(site: &Site) {
    let small = site.home.join("small");
    fs_err::create_dir(&small).unwrap();
    let mount = |program: &str, arguments: &[&str]| {
        let ended = Command::new(program).args(arguments).status().unwrap();
        assert!(ended.success(), "{program} {arguments:?}");
    };
    mount(
        "mount",
        &["-t", "tmpfs", "-o", "size=16k", "none", small.as_str()],
    );
    let path = small.join("a.tar.gz");
    let ended = crate::program::run(command(site, &["--output", path.as_str()]));
    let left = small.read_dir_utf8().unwrap().count();
    mount("umount", &[small.as_str()]);
    ended
        .expect_code(1)
        .says(&["cannot write", small.as_str(), "No space left", "make room"]);
    assert_eq!(left, 0);
}

fn hosts_that_are_down_are_named(site: &Site, secrets: &[String]) {
    let one = site.inflict("ray-1", Fault::Paused);
    let archive = Archive::make(site, "one-down");
    assert_eq!(archive.ended.code, Some(1));
    assert!(
        archive.file("missing.txt").contains("ray-1"),
        "{}",
        archive.file("missing.txt")
    );
    archive.file("hosts/ui/containers.txt");
    archive.holds_none_of(secrets);
    // The host that answers is judged by what is remembered of the other one.
    let checks = archive.file("checks.txt");
    assert!(
        checks.contains("pass ui [as-accepted]") && checks.contains("FAIL ray-1 [facts]"),
        "{checks}"
    );
    let causes: serde_json::Value = serde_json::from_str(archive.file("diagnosis.json")).unwrap();
    assert_eq!(
        (&causes[0]["id"], &causes[0]["host"]),
        (&"host-down".into(), &"ray-1".into()),
        "{causes:#}"
    );
    let other = site.inflict("ui", Fault::Paused);
    let archive = Archive::make(site, "all-down");
    drop((one, other));
    assert_eq!(archive.ended.code, Some(1));
    archive.file("installer/answers.toml");
    archive.holds_none_of(secrets);
    assert!(
        archive.ended.took < Duration::from_mins(1),
        "{:?}",
        archive.ended.took
    );
}
