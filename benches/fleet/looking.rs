//! Looking at hosts before a deployment: facts and every preflight check, for 3 and for 20 VMs, with the memory it takes.

use std::io::{BufRead, BufReader};
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
        let look = check(site, &answers);
        let pyinfra = timed(|| Pyinfra::new(site).facts(count));
        let ansible = timed(|| Ansible::new(site).facts(count));
        let subjects = [
            ("facts", "all facts", look.facts),
            (
                "facts and preflight",
                "with every check and the grid",
                look.all,
            ),
        ];
        for (subject, how, took) in subjects {
            table.ours(&format!("{subject} of {count} VMs"), how, took);
            table.other("pyinfra, three facts and no checks", pyinfra);
            table.other("ansible -m setup, no checks", ansible);
        }
        table.note(format!(
            "peak memory of `check` with {count} VMs: {:.1} MB",
            look.peak as f64 / 1e6
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

/// What one `check` took.
struct Look {
    /// Until the facts of all VMs were there.
    facts: Duration,
    /// Until its end.
    all: Duration,
    /// Most memory it held, in bytes.
    peak: u64,
}

/// Runs `check`. The images are not there, so it ends with the code of a failed check.
fn check(site: &Site, answers: &Utf8PathBuf) -> Look {
    let mut command: Command = site.program();
    command
        .args(["check", "--json", "--answers", answers.as_str()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let began = Instant::now();
    let mut child = command.spawn().unwrap();
    let events = BufReader::new(child.stdout.take().unwrap());
    let facts = thread::spawn(move || {
        let mut facts = None;
        for line in events.lines() {
            if line.unwrap().contains(r#""stage":"preflight""#) {
                facts.get_or_insert_with(|| began.elapsed());
            }
        }
        facts.expect("preflight begins after the facts")
    });
    let mut peak = 0;
    let status = loop {
        peak = peak.max(memory(child.id()));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        thread::sleep(Duration::from_millis(5));
    };
    let all = began.elapsed();
    assert_eq!(
        status.code(),
        Some(3),
        "`check` should have missed the images"
    );
    let facts = facts.join().unwrap();
    Look { facts, all, peak }
}

/// Returns the most memory that a process has held so far, in bytes; 0 when it has ended.
pub fn memory(process: u32) -> u64 {
    let status = fs_err::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let high = status.lines().find_map(|line| {
        let kilobytes = line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?;
        kilobytes.parse::<u64>().ok()
    });
    high.unwrap_or_default() * 1024
}
