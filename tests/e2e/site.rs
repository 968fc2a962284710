//! A customer's site: a fleet with images, an operator's home, and an answers file for it.

use std::process::Command;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest, Sha256};
use syntho_installer::rehearsal::images::{self, Release};
use syntho_installer::rehearsal::{Engine, Fault, Fleet, FleetSpec, Vm, VmSpec};
use toml::{Table, Value};

use crate::program::{self, Ended, Running};

/// Secrets of every test deployment; their values are hunted by the canary test.
pub const LICENSE: &str = "lic-CANARY-4b1d.7f$HOME#'x";
pub const ADMIN_PASSWORD: &str = "Adm1n-CANARY $(id) `x` {{ y }}";

/// The password with which the VMs' user `operator` logs in and becomes root.
pub const OPERATOR: &str = "operator-pw";

pub fn tell(line: &str) {
    eprintln!("{line}");
}

/// Returns the engine that carries the VMs.
pub fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let cache = Engine::default_cache().expect("a home folder");
        let engine = Engine::find_or_start(&cache, &tell)
            .expect("a Docker Engine that can start virtual machines");
        Fleet::sweep(&engine).expect("no leftovers of runs that died");
        engine
    })
}

/// Returns the names of a release's images, built when they are missing.
pub fn release(release: Release) -> Vec<String> {
    images::ensure(engine(), &[release], &tell)
        .expect("stand-in images")
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// Describes an ordinary VM that holds the old release.
pub fn vm(name: &str) -> VmSpec {
    VmSpec::new(name).images(release(Release::Old))
}

/// A fleet with an operator beside it.
pub struct Site {
    pub fleet: Fleet,
    pub home: Utf8PathBuf,
    _folder: tempfile::TempDir,
}

impl Site {
    /// Brings up the usual three: `ui`, `ray-1` (head) and `ray-2` (worker).
    pub fn three() -> Self {
        Self::with(&[vm("ui"), vm("ray-1"), vm("ray-2")])
    }

    /// Brings up these VMs.
    pub fn with(vms: &[VmSpec]) -> Self {
        Self::of(FleetSpec::unique("e2e", &[]), vms)
    }

    /// Brings up these VMs with a folder that all have in common.
    pub fn sharing(folder: &str, vms: &[VmSpec]) -> Self {
        Self::of(FleetSpec::unique("e2e", &[]).shared(folder), vms)
    }

    fn of(spec: FleetSpec, vms: &[VmSpec]) -> Self {
        let spec = vms.iter().cloned().fold(spec, FleetSpec::vm);
        let fleet = Fleet::up(engine(), &spec, &tell).expect("a fleet");
        let folder = tempfile::tempdir().unwrap();
        let home = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        Self {
            fleet,
            home,
            _folder: folder,
        }
    }

    pub fn vm(&self, name: &str) -> &Vm {
        self.fleet.vm(name).unwrap()
    }

    /// Returns answers for `syntho-app-ray` on the usual three.
    pub fn answers(&self) -> Table {
        self.answers_for(&[
            ("ui", &["ui"]),
            ("ray-1", &["ray-head"]),
            ("ray-2", &["ray-worker"]),
        ])
    }

    /// Returns answers for `syntho-app-ray` on these hosts with these roles; users come to the first.
    pub fn answers_for(&self, hosts: &[(&str, &[&str])]) -> Table {
        let mut answers: Table = format!(
            r#"
            version = 1
            name = "acme"
            preset = "syntho-app-ray"
            [images]
            source = "present"
            tag = "1.9.0"
            [ssh]
            user = "deploy"
            key = "{key}"
            [answers]
            public-host = "{public}"
            protocol = "http"
            tls = "none"
            admin-username = "admin"
            admin-email = "admin@acme.example"
            "#,
            key = self.fleet.private_key(),
            public = self.vm(hosts[0].0).address(),
        )
        .parse()
        .unwrap();
        let hosts = hosts
            .iter()
            .map(|(name, roles)| Value::Table(self.host(name, roles)));
        answers.insert("hosts".into(), Value::Array(hosts.collect()));
        answers
    }

    /// Returns the answers of one host.
    pub fn host(&self, name: &str, roles: &[&str]) -> Table {
        let vm = self.vm(name);
        let mut host = Table::new();
        host.insert("name".into(), name.into());
        host.insert("address".into(), vm.address().to_string().into());
        host.insert("host-key".into(), fingerprint(vm.host_key()).into());
        host.insert(
            "roles".into(),
            Value::Array(roles.iter().map(|&role| Value::from(role)).collect()),
        );
        host
    }

    /// Writes an answers file.
    pub fn write(&self, answers: &Table) -> Utf8PathBuf {
        let path = self.home.join("answers.toml");
        fs_err::write(&path, toml::to_string(answers).unwrap()).unwrap();
        path
    }

    /// Returns the program with an operator's environment and nothing else.
    pub fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_syntho-installer"));
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", &self.home)
            .env("SYNTHO_INSTALLER_HOME", self.home.join("state"))
            .env("SYNTHO_INSTALLER_OFFLINE", "1")
            .env("SYNTHO_SECRET_LICENSE_KEY", LICENSE)
            .env("SYNTHO_SECRET_ADMIN_PASSWORD", ADMIN_PASSWORD)
            .current_dir(&self.home);
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        let mut command = self.program();
        command.args(arguments);
        program::run(command)
    }

    /// Writes the answers and deploys them, told as events.
    pub fn deploy(&self, answers: &Table) -> Ended {
        self.deploy_with(answers, |_| {})
    }

    /// Does so with an environment or arguments of its own.
    pub fn deploy_with(&self, answers: &Table, adjust: impl FnOnce(&mut Command)) -> Ended {
        program::run(self.command("deploy", answers, adjust))
    }

    /// Deploys once more what was accepted, told as events.
    pub fn deploy_known(&self) -> Ended {
        self.run(&["deploy", "acme", "--yes", "--json"])
    }

    /// Writes the answers and checks the hosts, told as events.
    pub fn check_with(&self, answers: &Table, adjust: impl FnOnce(&mut Command)) -> Ended {
        program::run(self.command("check", answers, adjust))
    }

    fn command(&self, name: &str, answers: &Table, adjust: impl FnOnce(&mut Command)) -> Command {
        let path = self.write(answers);
        let mut command = self.program();
        command.args([name, "--answers", path.as_str(), "--json"]);
        if name == "deploy" {
            command.arg("--yes");
        }
        adjust(&mut command);
        command
    }

    /// Writes the answers and starts to deploy them.
    pub fn start_deploy(&self, answers: &Table) -> Running {
        self.start_deploy_with(answers, |_| {})
    }

    /// Does so with an environment or arguments of its own.
    pub fn start_deploy_with(&self, answers: &Table, adjust: impl FnOnce(&mut Command)) -> Running {
        Running::start(self.command("deploy", answers, adjust))
    }

    /// Returns what stands on the VMs: containers with their images, and the deployment's files with mode and checksum.
    pub fn state(&self) -> Vec<String> {
        let look = "docker ps -a --format '{{.Names}} {{.Image}} {{.State}}' | sort; \
            find /opt/syntho -type f -not -path '*/.run/*' -not -name '.lock*' -exec stat -c '%a %n' {} + 2>/dev/null | sort; \
            find /opt/syntho -type f -not -path '*/.run/*' -not -name '.lock*' -exec sha256sum {} + 2>/dev/null | sort -k2";
        self.fleet
            .vms()
            .iter()
            .flat_map(|vm| {
                let text = vm.exec_ok(look).unwrap();
                text.lines()
                    .map(|line| format!("{}: {line}", vm.name()))
                    .collect::<Vec<_>>()
            })
            .collect()
    }
}

/// A fault that is mended when this value goes, also when the test ends early.
pub struct Inflicted<'a> {
    site: &'a Site,
    vm: String,
    fault: Fault,
}

impl Drop for Inflicted<'_> {
    fn drop(&mut self) {
        let healed = self.site.fleet.heal(&self.vm, &self.fault);
        assert!(healed.is_ok() || std::thread::panicking(), "{healed:?}");
    }
}

impl Site {
    /// Makes something go wrong with a VM until the value is dropped.
    pub fn inflict(&self, vm: &str, fault: Fault) -> Inflicted<'_> {
        // What the VM writes at the same moment can thwart a fault that counts bytes.
        if self.fleet.inflict(vm, &fault).is_err() {
            self.fleet.heal(vm, &fault).unwrap();
            self.fleet.inflict(vm, &fault).unwrap();
        }
        Inflicted {
            site: self,
            vm: vm.to_owned(),
            fault,
        }
    }

    /// Returns everything that the program might leave on the VMs: [`Site::state`], what Docker holds beside containers, and every path
    /// in the folders that a login may write to.
    pub fn footprint(&self) -> Vec<String> {
        // Docker's own health checks come and go with a file each.
        let look = "docker network ls --format 'network {{.Name}}' | sort; docker volume ls --format 'volume {{.Name}}' | sort; \
            find /opt /tmp /var/tmp /home /root -xdev ! -name 'runc-process*' -printf '%m %u %y %p\n' | sort";
        let mut lines = self.state();
        for vm in self.fleet.vms() {
            let text = vm.exec(look).unwrap().stdout;
            lines.extend(text.lines().map(|line| format!("{}: {line}", vm.name())));
        }
        lines
    }

    /// Ends the test unless the VMs hold what they held `before`; tells what came and what went.
    #[track_caller]
    pub fn expect_footprint(&self, before: &[String]) {
        let now = self.footprint();
        let only = |these: &[String], those: &[String]| {
            these
                .iter()
                .filter(|line| !those.contains(line))
                .cloned()
                .collect::<Vec<_>>()
        };
        let (came, went) = (only(&now, before), only(before, &now));
        assert!(
            came.is_empty() && went.is_empty(),
            "came: {came:#?}\nwent: {went:#?}"
        );
    }
}

/// Returns OpenSSH's fingerprint of a public key line.
pub fn fingerprint(public: &str) -> String {
    let blob = STANDARD
        .decode(public.split_whitespace().nth(1).unwrap())
        .unwrap();
    format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(blob)))
}

/// Returns a mutable section of the answers.
pub fn section<'a>(answers: &'a mut Table, name: &str) -> &'a mut Table {
    answers
        .entry(name)
        .or_insert_with(|| Value::Table(Table::new()))
        .as_table_mut()
        .unwrap()
}

/// Returns the folder of a deployment's stack on a host.
pub fn stack_folder(stack: &str) -> Utf8PathBuf {
    Utf8Path::new("/opt/syntho/acme").join(stack)
}

/// Returns a mutable host of the answers.
pub fn change_host<'a>(answers: &'a mut Table, name: &str) -> &'a mut Table {
    let hosts = answers["hosts"].as_array_mut().unwrap();
    let mut tables = hosts.iter_mut().filter_map(Value::as_table_mut);
    tables
        .find(|host| host["name"].as_str() == Some(name))
        .unwrap()
}
