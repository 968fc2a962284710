//! What the archive says of itself: how to read it, what was taken out, what is missing.

use std::fmt::Write as _;

use super::spool::Spool;
use super::{Order, own};
use crate::model::deployment::Deployment;
use crate::model::ids::RoleId;

/// The last so many lines of each source of logs.
pub(in crate::engine) const TAIL: usize = 5000;

/// Returns what is read first.
pub(in crate::engine) fn readme(deployment: &Deployment, order: &Order, spool: &Spool) -> String {
    let hosts: Vec<String> = deployment
        .hosts
        .iter()
        .map(|host| {
            let roles: Vec<&str> = host.roles.iter().map(RoleId::as_str).collect();
            format!("{} ({})", host.name, roles.join(", "))
        })
        .collect();
    let mut text = format!(
        "Support archive of `{name}` ({title}, preset {preset})\n\
         made by syntho-installer {version} at {began:.0}; all times are UTC\n\
         hosts: {hosts}\n\
         \n\
         HOW TO READ IT\n\
         \n\
         diagnosis.md          Begin here: known causes that were found, each with its evidence and what to do.\n\
         diagnosis.json        The same for programs.\n\
         missing.txt           What could not be had, and why. Half an archive is an archive: the rest is there.\n\
         checks.txt            Every check and judgement, made while this was gathered, worst first. checks.json has all of each.\n\
         logs.log              What all programs printed, by time: `time host/stack/service | text`. Files that programs\n\
                               write in their containers come first (`…/service:file`). The last {tail} lines of each source.\n\
         hosts/NAME/           What each host was asked:\n\
           facts.json          what the installer knows of it: system, disks, addresses, Docker, images with digests, ports in use\n\
           containers.txt      one line a container: state, health, exit code, killed for want of memory, restarts\n\
           containers.json     `docker inspect`, default deny: only fields that can hold no secret; environments by name\n\
           STACK.compose.json  `docker compose config` of the stack, default deny in the same way\n\
           STACK.files.txt     the stack's files with owner, mode and time; no content\n\
           kernel.txt          lines of the kernel about memory, disks and hangs, of the last seven days since it booted\n\
           disks.txt  listeners.txt  network.txt  system.txt  images.txt  docker*.txt\n\
         installer/            What the operator's machine remembers: accepted answers (no secrets are in them), state, the\n\
                               receipts of the last {runs} runs that changed something, the events of those and of the last {runs}\n\
                               runs, and the program's own log; the last {most} MB of each. An event log can be watched again:\n\
                               `syntho-installer replay FILE`.\n\
         \n\
         WHAT WAS TAKEN OUT\n\
         \n\
         Every secret of the deployment, in every encoding, stands as its name in ‹›, as does whatever looks like a password,\n\
         token or key. The finished archive was read back and searched once more before it was kept.\n\
         Names of hosts, addresses, users and files are in it: hand it on to those who may know them.\n",
        name = deployment.name,
        title = deployment.preset.title,
        preset = deployment.preset.id,
        version = env!("CARGO_PKG_VERSION"),
        began = order.began,
        hosts = hosts.join(", "),
        tail = TAIL,
        runs = own::RUNS,
        most = own::MOST >> 20,
    );
    let masked = spool.masked();
    if !masked.is_empty() {
        text.push_str("\nReplaced:\n");
        for (name, count) in masked {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  {count:>6} times ‹{name}›");
        }
    }
    text
}

/// Returns what could not be had, one thing a line.
pub(in crate::engine) fn missing(spool: &Spool) -> String {
    let missing = spool.missing();
    if missing.is_empty() {
        return "nothing\n".to_owned();
    }
    missing.iter().fold(String::new(), |mut text, (what, why)| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{what}: {why}");
        text
    })
}
