//! Looking at hosts before a deployment: facts and every preflight check, for 3 and for 20 VMs, with the memory it takes.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use toml::{Table as Toml, Value};

use crate::others::{Ansible, Pyinfra};
use crate::site::Site;
use crate::table::Table;
use crate::timed;

/// Measures ours and the others; Ansible and pyinfra only gather facts, ours checks too.
pub fn measure(site: &Site, table: &mut Table) {
    for count in [3, site.fleet.vms().len()] {
        let answers = answers(site, count);
        check(site, &answers);
        let (took, peak) = check(site, &answers);
        table.ours(
            &format!("look at {count} VMs"),
            "facts, all checks, reachability grid",
            took,
        );
        let pyinfra = Pyinfra::new(site);
        table.other("pyinfra, 3 facts", timed(|| pyinfra.facts(count)));
        let ansible = Ansible::new(site);
        table.other(
            "ansible -m setup, facts only",
            timed(|| ansible.facts(count)),
        );
        table.note(format!(
            "peak memory of `check` with {count} VMs: {:.1} MB",
            peak as f64 / 1e6
        ));
    }
}

fn answers(site: &Site, count: usize) -> Utf8PathBuf {
    let names: Vec<&str> = site
        .fleet
        .vms()
        .iter()
        .take(count)
        .map(syntho_installer::rehearsal::Vm::name)
        .collect();
    let hosts = names.iter().enumerate().map(|(number, name)| {
        let role = match number {
            0 => "ui",
            1 => "ray-head",
            _ => "ray-worker",
        };
        Value::Table(site.host(name, &[role]))
    });
    let mut answers: Toml = format!(
        "version = 1\nname = \"bench\"\npreset = \"syntho-app-ray\"\n[images]\nsource = \"present\"\ntag = \"1.9.0\"\n[ssh]\nuser = \"deploy\"\nkey = \"{}\"\n\
         [answers]\npublic-host = \"{}\"\nadmin-email = \"admin@acme.example\"\n",
        site.fleet.private_key(),
        site.vm(names[0]).address(),
    )
    .parse()
    .unwrap();
    answers.insert("hosts".into(), Value::Array(hosts.collect()));
    let path = site.home.join(format!("bench-{count}.toml"));
    fs_err::write(&path, toml::to_string(&answers).unwrap()).unwrap();
    path
}

/// Runs `check` and returns its time and its peak memory in bytes. The images are not there, so it ends with the code of a failed check.
fn check(site: &Site, answers: &Utf8PathBuf) -> (Duration, u64) {
    let mut command: Command = site.program();
    command
        .args(["check", "--json", "--answers", answers.as_str()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let began = Instant::now();
    let mut child = command.spawn().unwrap();
    let mut peak = 0;
    loop {
        let status =
            fs_err::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let high = status.lines().find_map(|line| {
            line.strip_prefix("VmHWM:")?
                .trim()
                .strip_suffix(" kB")?
                .parse::<u64>()
                .ok()
        });
        peak = high.map_or(peak, |high| peak.max(high * 1024));
        if let Some(status) = child.try_wait().unwrap() {
            assert_eq!(
                status.code(),
                Some(3),
                "`check` should have missed the images"
            );
            return (began.elapsed(), peak);
        }
        thread::sleep(Duration::from_millis(5));
    }
}
