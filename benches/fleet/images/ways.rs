//! The two ways of bringing images to VMs, and what each takes.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use serde_json::Value;
use toml::Table;

use super::archives::Archives;
use crate::run;
use crate::site::Site;

/// A VM by its name, and its roles.
pub type Host = (&'static str, &'static [&'static str]);

const PRESETS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/fleet/presets");

/// What is brought where.
pub struct Means<'a> {
    pub site: &'a Site,
    pub hosts: &'a [Host],
}

/// What a delivery of ours took.
pub struct Delivered {
    /// From the first image's begin to the last one's end.
    pub images: Duration,
    /// From the start of the program to its end.
    pub whole: Duration,
    pub received: u64,
    pub memory: u64,
}

impl Means<'_> {
    fn received(&self) -> u64 {
        let count = |(name, _): &Host| -> u64 {
            let text = self
                .site
                .vm(name)
                .exec_ok("cat /sys/class/net/eth0/statistics/rx_bytes")
                .unwrap();
            text.trim().parse().unwrap()
        };
        self.hosts.iter().map(count).sum()
    }

    /// Loads by hand on all VMs at once; returns the time and the bytes the VMs received.
    pub fn load(&self, archives: &Archives) -> (Duration, u64) {
        let before = self.received();
        let began = Instant::now();
        let loads: Vec<Child> = self
            .hosts
            .iter()
            .map(|(name, roles)| self.load_one(name, archives.by_hand(roles)))
            .collect();
        for mut load in loads {
            assert!(load.wait().unwrap().success());
        }
        (began.elapsed(), self.received() - before)
    }

    fn load_one(&self, vm: &str, archive: &Utf8Path) -> Child {
        let fleet = &self.site.fleet;
        let known = format!("UserKnownHostsFile={}", fleet.known_hosts());
        Command::new("ssh")
            .args(["-i", fleet.private_key().as_str()])
            .args(["-o", "BatchMode=yes", "-o", &known])
            .arg(format!("deploy@{}", self.site.vm(vm).address()))
            .arg("docker load")
            .stdin(fs_err::File::open(archive).unwrap().into_file())
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Deploys the images from the archive.
    pub fn deliver(&self, archives: &Archives) -> Delivered {
        let answers = self.site.write(&self.answers(archives));
        // Read ahead, as behind the wizard.
        self.inspect(archives);
        let before = self.received();
        let mut command = self.site.program();
        command
            .args([
                "--presets",
                PRESETS,
                "deploy",
                "--answers",
                answers.as_str(),
            ])
            .args(["--json", "--yes"]);
        let log = self.site.home.join("deliver.json");
        command.stdout(fs_err::File::create(&log).unwrap().into_file());
        let began = Instant::now();
        let mut child = command.spawn().unwrap();
        let mut memory = 0;
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            memory = memory.max(peak(child.id()));
            std::thread::sleep(Duration::from_millis(20));
        };
        let whole = began.elapsed();
        let told = fs_err::read_to_string(&log).unwrap();
        assert!(status.success(), "{told}");
        Delivered {
            images: of_images(&told),
            whole,
            received: self.received() - before,
            memory,
        }
    }

    fn answers(&self, archives: &Archives) -> Table {
        let mut answers = self.site.answers_for(self.hosts);
        answers.insert("preset".into(), "images".into());
        answers.insert("answers".into(), Table::new().into());
        let mut images = Table::new();
        images.insert("source".into(), "bundle".into());
        images.insert("bundle".into(), archives.whole.as_str().into());
        images.insert("tag".into(), archives.which.tag().into());
        answers.insert("images".into(), images.into());
        answers
    }

    fn inspect(&self, archives: &Archives) -> Value {
        let mut command = self.site.program();
        command.args(["bundle", "inspect", archives.whole.as_str(), "--json"]);
        serde_json::from_str(run(&mut command).trim()).unwrap()
    }

    /// Returns how many bytes of layers the VMs lack that had what is in `before`.
    pub fn lacking(&self, archives: &Archives, before: &[&Archives]) -> u64 {
        let lacks = |(_, roles): &Host| -> u64 {
            let had: BTreeSet<String> = before
                .iter()
                .flat_map(|archives| layers(&self.inspect(archives), roles))
                .map(|(layer, _)| layer)
                .collect();
            let wanted = layers(&self.inspect(archives), roles).into_iter();
            wanted
                .filter(|(layer, _)| !had.contains(layer))
                .map(|(_, bytes)| bytes)
                .sum()
        };
        self.hosts.iter().map(lacks).sum()
    }
}

/// Returns the layers of the images that these roles need, with the bytes that are sent of each.
fn layers(inspected: &Value, roles: &[&str]) -> BTreeMap<String, u64> {
    let images = inspected["images"].as_array().unwrap().iter();
    let wanted = images.filter(|image| {
        let is_ray = image["names"][0].as_str().unwrap().contains("/syntho-ray:");
        roles.contains(if is_ray { &"ray" } else { &"app" })
    });
    wanted
        .flat_map(|image| image["layers"].as_array().unwrap())
        .map(|layer| {
            let id = layer["diff-id"].as_str().unwrap().to_owned();
            (id, layer["packed"].as_u64().unwrap())
        })
        .collect()
}

/// Returns the most memory that a process has held.
fn peak(process: u32) -> u64 {
    let status = fs_err::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|text| text.trim().trim_end_matches(" kB").parse::<u64>().ok());
    peak.unwrap_or(0) * 1024
}

/// Returns how long the images' part of a run took.
fn of_images(told: &str) -> Duration {
    let events = told.lines().map(|line| serde_json::from_str(line).unwrap());
    let times: Vec<jiff::Timestamp> = events
        .filter(|event: &Value| {
            let step = event["step"].as_str().unwrap_or_default();
            step.contains("/images/")
                && matches!(event["event"].as_str(), Some("step-started" | "step-ended"))
        })
        .map(|event| event["time"].as_str().unwrap().parse().unwrap())
        .collect();
    let (first, last) = (times.iter().min(), times.iter().max());
    first.zip(last).map_or(Duration::ZERO, |(first, last)| {
        Duration::try_from(last.duration_since(*first)).unwrap()
    })
}
