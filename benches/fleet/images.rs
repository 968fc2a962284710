//! Images from an archive on three VMs at once: ours against `ssh HOST docker load < archive` for the same images on the same VMs.
//!
//! By hand each VM gets an archive with just what it needs, as somebody with perfect knowledge would carry. Reading our archive into the store is
//! done once and ahead, so it is told beside the delivery and not in it.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use serde_json::Value;
use syntho_installer::model::image::ImageRef;
use syntho_installer::rehearsal::VmSpec;
use syntho_installer::rehearsal::images::{self, Release};

use crate::run;
use crate::site::{Site, engine, section, tell};
use crate::table::Table;
use crate::timed;

const VMS: [&str; 3] = ["ui", "ray-1", "ray-2"];
const EMPTY: &str = "for folder in /opt/syntho/acme/*/; do (cd \"$folder\" && docker compose down --volumes --timeout 2 >/dev/null 2>&1); done; rm -rf /opt/syntho; docker system prune --all --force --volumes >/dev/null";

/// Archives of one release: all images in one, and what each VM needs.
struct Archives {
    whole: Utf8PathBuf,
    of_vm: [Utf8PathBuf; 3],
}

fn archives(release: Release) -> Archives {
    images::ensure(engine(), &[release], &tell).unwrap();
    let all: Vec<ImageRef> = release.images().unwrap();
    let all: Vec<ImageRef> = all
        .into_iter()
        .filter(|image| image.repository() != "nginx")
        .collect();
    let is_ray = |image: &&ImageRef| image.repository() == "syntho-ray";
    let pack = |name: &str, images: Vec<ImageRef>| {
        images::archive(
            engine(),
            &format!("{name}-{}", release.tag()),
            &images,
            &tell,
        )
        .unwrap()
    };
    let ray = pack("ray", all.iter().filter(is_ray).cloned().collect());
    let ui = pack(
        "ui",
        all.iter().filter(|image| !is_ray(image)).cloned().collect(),
    );
    Archives {
        whole: pack("whole", all),
        of_vm: [ui, ray.clone(), ray],
    }
}

/// Measures the first release on VMs without images, and the next one above it.
pub fn measure(table: &mut Table) {
    let site = Site::with(&VMS.map(VmSpec::new));
    let (old, new) = (archives(Release::Old), archives(Release::New));
    reading(&site, &old, table);
    let by_hand = [load(&site, &old), load(&site, &new)];
    for vm in site.fleet.vms() {
        vm.exec_ok(EMPTY).unwrap();
    }
    let subjects = [
        "images of a release, 3 VMs that have none",
        "images of the next release, 3 VMs",
    ];
    for (subject, (archives, release, (took, bytes))) in subjects.into_iter().zip([
        (&old, Release::Old, by_hand[0]),
        (&new, Release::New, by_hand[1]),
    ]) {
        let ours = deliver(&site, archives, release);
        table.ours(subject, "from an archive", ours.took);
        table.other("`ssh HOST docker load < archive`, all VMs at once", took);
        table.note(format!(
            "{subject}: {:.1} MB received by the VMs, {:.1} MB by hand; peak memory of the program {:.0} MB",
            ours.bytes as f64 / 1e6,
            bytes as f64 / 1e6,
            ours.memory as f64 / 1e6
        ));
    }
}

/// How fast an archive is read, against reading it with what every machine has.
fn reading(site: &Site, archives: &Archives, table: &mut Table) {
    let packed = site.home.join("whole.tar.gz");
    let pack = format!("gzip -1 < '{}' > '{packed}'", archives.whole);
    run(Command::new("sh").args(["-c", &pack]));
    let subject = format!(
        "read an archive of {:.0} MB (gzip), every digest checked",
        fs_err::metadata(&packed).unwrap().len() as f64 / 1e6
    );
    let verify = || {
        let mut command = site.program();
        run(command.args(["bundle", "verify", packed.as_str()]));
    };
    table.ours(&subject, "into an empty store", timed(verify));
    let sum = format!("gzip -dc < '{packed}' | sha256sum");
    table.other(
        "`gzip -dc | sha256sum`",
        timed(|| {
            run(Command::new("sh").args(["-c", &sum]));
        }),
    );
}

fn received(site: &Site) -> u64 {
    let count = |vm: &syntho_installer::rehearsal::Vm| -> u64 {
        let text = vm
            .exec_ok("cat /sys/class/net/eth0/statistics/rx_bytes")
            .unwrap();
        text.trim().parse().unwrap()
    };
    site.fleet.vms().iter().map(count).sum()
}

/// Loads by hand on all VMs at once; returns the time and the bytes the VMs received.
fn load(site: &Site, archives: &Archives) -> (Duration, u64) {
    let before = received(site);
    let began = Instant::now();
    let loads: Vec<Child> = VMS
        .iter()
        .zip(&archives.of_vm)
        .map(|(name, archive)| {
            let vm = site.vm(name);
            Command::new("ssh")
                .args([
                    "-i",
                    site.fleet.private_key().as_str(),
                    "-o",
                    "BatchMode=yes",
                ])
                .args([
                    "-o",
                    &format!("UserKnownHostsFile={}", site.fleet.known_hosts()),
                ])
                .arg(format!("deploy@{}", vm.address()))
                .arg("docker load")
                .stdin(fs_err::File::open(archive).unwrap().into_file())
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut load in loads {
        assert!(load.wait().unwrap().success());
    }
    (began.elapsed(), received(site) - before)
}

/// What a delivery of ours took.
struct Delivered {
    took: Duration,
    bytes: u64,
    memory: u64,
}

/// Deploys from the archive and returns what the images' part of it took.
fn deliver(site: &Site, archives: &Archives, release: Release) -> Delivered {
    let mut answers = site.answers();
    let images = section(&mut answers, "images");
    images.insert("source".into(), "bundle".into());
    images.insert("bundle".into(), archives.whole.as_str().into());
    images.insert("tag".into(), release.tag().into());
    let path = site.write(&answers);
    // Read ahead, as behind the wizard.
    run(site
        .program()
        .args(["bundle", "inspect", archives.whole.as_str()]));
    let before = received(site);
    let mut command = site.program();
    command.args(["deploy", "--answers", path.as_str(), "--json", "--yes"]);
    let log = site.home.join("deliver.json");
    let mut child = command
        .stdout(fs_err::File::create(&log).unwrap().into_file())
        .spawn()
        .unwrap();
    let mut memory = 0;
    while child.try_wait().unwrap().is_none() {
        let status =
            fs_err::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|text| text.trim().trim_end_matches(" kB").parse::<u64>().ok());
        memory = memory.max(peak.unwrap_or(0) * 1024);
        std::thread::sleep(Duration::from_millis(50));
    }
    let bytes = received(site) - before;
    let text = fs_err::read_to_string(&log).unwrap();
    let events: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let times: Vec<jiff::Timestamp> = events
        .iter()
        .filter(|event| matches!(event["event"].as_str(), Some("step-started" | "step-ended")))
        .filter(|event| {
            event["step"]
                .as_str()
                .is_some_and(|step| step.contains("/images/"))
        })
        .map(|event| event["time"].as_str().unwrap().parse().unwrap())
        .collect();
    let (first, last) = (times.iter().min().unwrap(), times.iter().max().unwrap());
    Delivered {
        took: Duration::try_from(last.duration_since(*first)).unwrap(),
        bytes,
        memory,
    }
}
