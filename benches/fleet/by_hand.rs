//! The vendor's guide by hand over OpenSSH, with perfect knowledge: the files are there already, nothing is asked and nothing is checked beforehand.

use std::process::Command;

use camino::Utf8PathBuf;

use crate::run;
use crate::site::{ADMIN_PASSWORD, Site};

/// The files of a deployment as they stood on the VMs.
pub struct Files {
    folder: Utf8PathBuf,
}

impl Files {
    /// Copies the files off the VMs.
    pub fn of(site: &Site) -> Self {
        let folder = site.home.join("by-hand");
        for vm in site.fleet.vms() {
            let to = folder.join(vm.name());
            fs_err::create_dir_all(&to).unwrap();
            let list = vm
                .exec_ok(
                    "cd /opt/syntho && find . -type f -not -path '*/.run/*' -not -name '.lock*'",
                )
                .unwrap();
            for path in list.lines() {
                let content = vm.exec_ok(&format!("cat '/opt/syntho/{path}'")).unwrap();
                let file = to.join(path);
                fs_err::create_dir_all(file.parent().unwrap()).unwrap();
                fs_err::write(file, content + "\n").unwrap();
            }
        }
        Self { folder }
    }

    /// Runs the script until the application answers and the administrator can log in.
    pub fn deploy(&self, site: &Site) {
        let mut script = Command::new("sh");
        script
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/benches/fleet/by-hand.sh"
            ))
            .env("KEY", site.fleet.private_key())
            .env("KNOWN", site.fleet.known_hosts())
            .env("FILES", &self.folder)
            .env("ADMIN_PASSWORD", ADMIN_PASSWORD);
        for (variable, vm) in [("UI", "ui"), ("HEAD", "ray-1"), ("WORKER", "ray-2")] {
            script.env(variable, site.vm(vm).address().to_string());
        }
        run(&mut script);
    }
}
