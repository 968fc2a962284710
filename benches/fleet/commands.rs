//! Ten trivial commands on twenty VMs.

use std::process::Command;
use std::thread;
use std::time::Duration;

use syntho_installer::model::answers::{SshSection, SudoUse};
use syntho_installer::model::operator::Nobody;
use syntho_installer::rehearsal::VmSpec;
use syntho_installer::transport::{self, ConnectSpec};

use crate::others::{Ansible, Pyinfra};
use crate::site::{Site, fingerprint};
use crate::table::Table;
use crate::{median, run, timed};

/// How many VMs.
pub const HOSTS: usize = 20;
const COMMANDS: usize = 10;

/// Brings up the VMs.
pub fn site() -> Site {
    let vms: Vec<VmSpec> = (1..=HOSTS)
        .map(|number| VmSpec::new(format!("vm-{number}")))
        .collect();
    Site::with(&vms)
}

/// Measures ours and the others.
pub fn measure(site: &Site, table: &mut Table) {
    let ours = of_three(|| in_parallel(site));
    table.ours("10 trivial commands on 20 VMs", "one session a VM", ours);
    table.other("OpenSSH, shared connections", of_three(|| openssh(site)));
    let pyinfra = Pyinfra::new(site);
    table.other("pyinfra", timed(|| pyinfra.commands(COMMANDS)));
    let ansible = Ansible::new(site);
    table.other(
        "ansible -m raw",
        timed(|| ansible.commands("raw", COMMANDS)),
    );
    table.other(
        "ansible -m command",
        timed(|| ansible.commands("command", COMMANDS)),
    );
}

fn of_three(work: impl Fn()) -> Duration {
    median((0..3).map(|_| timed(&work)).collect())
}

fn in_parallel(site: &Site) {
    thread::scope(|scope| {
        for vm in site.fleet.vms() {
            scope.spawn(|| {
                let spec = ConnectSpec {
                    host: vm.name().parse().unwrap(),
                    address: vm.address().to_string(),
                    login: SshSection {
                        user: Some("deploy".into()),
                        key: Some(site.fleet.private_key()),
                        // The others do not ask for root's rights either.
                        sudo: Some(SudoUse::Never),
                        ..SshSection::default()
                    },
                    host_key: Some(fingerprint(vm.host_key())),
                    password: None,
                    passphrase: None,
                    sudo_password: None,
                    ssh_folder: None,
                    limit: Duration::from_secs(20),
                };
                let host = transport::connect(&spec, &Nobody).unwrap();
                for _ in 0..COMMANDS {
                    host.must(&transport::Command::sh("true")).unwrap();
                }
            });
        }
    });
}

fn openssh(site: &Site) {
    thread::scope(|scope| {
        for vm in site.fleet.vms() {
            scope.spawn(|| {
                for _ in 0..COMMANDS {
                    run(&mut ssh(site, &vm.address().to_string(), "true"));
                }
            });
        }
    });
    for vm in site.fleet.vms() {
        let mut end = ssh(site, &vm.address().to_string(), "true");
        end.args(["-O", "exit"]);
        // Ends the shared connection so that the next round starts cold; its own words do not matter.
        drop(end.output());
    }
}

fn ssh(site: &Site, address: &str, script: &str) -> Command {
    let mut command = Command::new("ssh");
    command
        .args([
            "-F",
            "/dev/null",
            "-o",
            "BatchMode=yes",
            "-o",
            "IdentitiesOnly=yes",
            "-o",
            "ControlMaster=auto",
            "-o",
            "ControlPersist=30",
        ])
        .args([
            "-o",
            &format!("ControlPath={}/%C", site.home),
            "-o",
            &format!("UserKnownHostsFile={}", site.fleet.known_hosts()),
        ])
        .args([
            "-i",
            site.fleet.private_key().as_str(),
            &format!("deploy@{address}"),
            script,
        ]);
    command
}
