//! Ansible and pyinfra, installed from the Python package index into an environment of their own, with as many processes as there are VMs.

use std::fmt::Write as _;
use std::process::Command;
use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};
use syntho_installer::rehearsal::Engine;

use crate::commands::HOSTS;
use crate::run;
use crate::site::Site;

fn environment() -> &'static Utf8Path {
    static FOLDER: OnceLock<Utf8PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Engine::default_cache()
            .expect("a home folder")
            .join("bench-venv");
        if !folder.join("bin/pyinfra").exists() {
            eprintln!("installing ansible-core and pyinfra into {folder}");
            run(Command::new("python3").args(["-m", "venv", folder.as_str()]));
            run(Command::new(folder.join("bin/pip")).args([
                "install",
                "--quiet",
                "ansible-core",
                "pyinfra",
            ]));
        }
        folder
    })
}

/// Ansible on a site.
pub struct Ansible {
    inventory: Utf8PathBuf,
    home: Utf8PathBuf,
}

impl Ansible {
    /// Writes its inventory.
    pub fn new(site: &Site) -> Self {
        let mut text = String::new();
        for vm in site.fleet.vms() {
            writeln!(
                text,
                "{} ansible_host={} ansible_user=deploy ansible_ssh_private_key_file={} ansible_python_interpreter=/usr/bin/python3 ansible_ssh_common_args='-F /dev/null -o UserKnownHostsFile={}'",
                vm.name(),
                vm.address(),
                site.fleet.private_key(),
                site.fleet.known_hosts()
            )
            .unwrap();
        }
        let inventory = site.home.join("inventory.ini");
        fs_err::write(&inventory, text).unwrap();
        Self {
            inventory,
            home: site.home.clone(),
        }
    }

    fn call(&self, pattern: &str, module: &str, argument: &[&str]) {
        let mut command = Command::new(environment().join("bin/ansible"));
        command
            .env("HOME", &self.home)
            .env("LC_ALL", "C.UTF-8")
            .args([
                pattern,
                "-i",
                self.inventory.as_str(),
                "-f",
                &HOSTS.to_string(),
                "-m",
                module,
            ])
            .args(argument);
        run(&mut command);
    }

    /// Runs a trivial command some times on all VMs.
    pub fn commands(&self, module: &str, times: usize) {
        for _ in 0..times {
            self.call("all", module, &["-a", "true"]);
        }
    }

    /// Gathers facts of the first VMs.
    pub fn facts(&self, count: usize) {
        self.call(&format!("all[0:{}]", count - 1), "setup", &[]);
    }
}

/// pyinfra on a site.
pub struct Pyinfra {
    hosts: Vec<String>,
    key: Utf8PathBuf,
    folder: Utf8PathBuf,
}

impl Pyinfra {
    /// Remembers the VMs.
    pub fn new(site: &Site) -> Self {
        let ssh = site.home.join(".ssh");
        fs_err::create_dir_all(&ssh).unwrap();
        fs_err::copy(site.fleet.known_hosts(), ssh.join("known_hosts")).unwrap();
        let hosts = site
            .fleet
            .vms()
            .iter()
            .map(|vm| vm.address().to_string())
            .collect();
        Self {
            hosts,
            key: site.fleet.private_key(),
            folder: site.home.clone(),
        }
    }

    fn call(&self, count: usize, arguments: &[&str]) {
        let mut command = Command::new(environment().join("bin/pyinfra"));
        command
            .env("HOME", &self.folder)
            .env("LC_ALL", "C.UTF-8")
            .current_dir(&self.folder)
            .args([
                "-y",
                "--user",
                "deploy",
                "--key",
                self.key.as_str(),
                "--parallel",
                &HOSTS.to_string(),
            ])
            .arg(self.hosts[..count].join(","))
            .args(arguments);
        run(&mut command);
    }

    /// Runs a trivial command some times on all VMs, on one connection each.
    pub fn commands(&self, times: usize) {
        let deploy = self.folder.join("commands.py");
        let mut text = "from pyinfra.operations import server\n".to_owned();
        for number in 0..times {
            text.push_str(&format!(
                "server.shell(name='{number}', commands=['true'])\n"
            ));
        }
        fs_err::write(&deploy, text).unwrap();
        self.call(self.hosts.len(), &["commands.py"]);
    }

    /// Gathers three facts of the first VMs.
    pub fn facts(&self, count: usize) {
        self.call(
            count,
            &[
                "fact",
                "server.Os",
                "server.LinuxDistribution",
                "server.Mounts",
            ],
        );
    }
}
