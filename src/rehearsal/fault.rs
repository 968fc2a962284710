//! What can be made to go wrong with a VM, by name, and mended again.
//!
//! Most faults are made inside the VM by `fault.sh` of its image; pausing, power and the rate limit need the engine below.

use super::error::RehearsalError;
use super::fleet::Fleet;
use super::vm::Vm;

/// Something that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Every process stands still; connections stay open and nobody answers.
    Paused,
    /// The network cable is pulled out.
    LinkDown,
    /// The VM and another one cannot reach each other; everybody else reaches both.
    Partition {
        /// The other VM.
        other: String,
    },
    /// sshd does not accept new logins; sessions live on.
    SshdStopped,
    /// Every SSH session ends at once; new logins work. Heals by itself.
    SshDropped,
    /// Port 22 answers with a banner and then says nothing.
    SshSilent,
    /// The Docker Engine is stopped; containers are stopped with it.
    DockerStopped,
    /// The Docker Engine is killed; systemd starts it again after a moment.
    DockerKilled,
    /// The disk below `/var/lib/docker` is full; only for a VM with a disk of its own.
    DiskFull {
        /// How many KiB stay free.
        leave_kb: u64,
    },
    /// Somebody else listens on a TCP port.
    PortTaken {
        /// The port.
        port: u16,
    },
    /// The VM reboots; inflicting it returns when it is back.
    Reboot,
    /// The VM is shut down; healing it boots it.
    PoweredOff,
    /// The VM loses power; healing it boots it.
    PowerCut,
    /// The VM's network is slow, both ways.
    RateLimit {
        /// Kilobits a second.
        kbit: u32,
    },
    /// `date` is wrong. All VMs share the clock of the machine below, so only those who ask the command are deceived: not Docker,
    /// not TLS, not file times.
    ClockSkew {
        /// How many seconds it is ahead.
        seconds: i64,
    },
    /// `docker compose` is missing; the standalone `docker-compose` (v2) is there. For a real Compose v1 use the distribution's engine.
    NoComposePlugin,
    /// No Compose at all.
    NoCompose,
    /// No Docker: the command is missing and the engine is stopped.
    NoDocker,
    /// The VM has the machine id of another one, as clones of a template have.
    SameMachineId {
        /// The other VM.
        other: String,
    },
}

/// Whether a fault is made or mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Inflict,
    Heal,
}

impl Verb {
    fn as_str(self) -> &'static str {
        match self {
            Self::Inflict => "inflict",
            Self::Heal => "heal",
        }
    }
}

impl Fleet {
    /// Makes a fault happen on a VM; when this returns, it has happened.
    ///
    /// # Errors
    /// When the VM cannot have this fault or does not run.
    pub fn inflict(&self, vm: &str, fault: &Fault) -> Result<(), RehearsalError> {
        let vm = self.vm(vm)?;
        match fault {
            Fault::Paused => vm.docker.call(["pause", &vm.container]).output().map(drop),
            Fault::Reboot => vm.reboot(),
            Fault::PoweredOff => vm.power_off(),
            Fault::PowerCut => vm.cut_power(),
            Fault::RateLimit { kbit } => {
                let kbit = kbit.to_string();
                run(vm, Verb::Inflict, &["rate-limit", &kbit])?;
                at_the_other_end(
                    vm,
                    &format!(
                        "tc qdisc replace dev \"$link\" root tbf rate {kbit}kbit burst 32kbit latency 400ms"
                    ),
                )
            }
            Fault::DiskFull { .. } if vm.spec.disk_mb.is_none() => Err(RehearsalError::Refused {
                fault: "disk full".to_owned(),
                vm: vm.name().to_owned(),
                reason: "it has no disk of its own and would fill the machine's".to_owned(),
            }),
            _ => self.inside(vm, Verb::Inflict, fault),
        }
    }

    /// Mends a fault; when this returns, it is mended. Mending what is not broken does nothing.
    ///
    /// # Errors
    /// When the VM does not come back.
    pub fn heal(&self, vm: &str, fault: &Fault) -> Result<(), RehearsalError> {
        let vm = self.vm(vm)?;
        match fault {
            Fault::Paused if vm.state("{{.State.Paused}}")? == "true" => vm
                .docker
                .call(["unpause", &vm.container])
                .output()
                .map(drop),
            Fault::Paused | Fault::Reboot | Fault::SshDropped => Ok(()),
            Fault::PoweredOff | Fault::PowerCut => vm.power_on(),
            Fault::RateLimit { .. } => {
                run(vm, Verb::Heal, &["rate-limit"])?;
                at_the_other_end(vm, "tc qdisc del dev \"$link\" root 2>/dev/null || true")
            }
            _ => self.inside(vm, Verb::Heal, fault),
        }
    }

    fn inside(&self, vm: &Vm, verb: Verb, fault: &Fault) -> Result<(), RehearsalError> {
        let with = |name: &str, argument: String| run(vm, verb, &[name, &argument]);
        match fault {
            Fault::LinkDown => run(vm, verb, &["link-down"]),
            Fault::Partition { other } => {
                let address = self.vm(other)?.address().to_string();
                run(vm, verb, &["partition", other, &address])
            }
            Fault::SshdStopped => run(vm, verb, &["sshd-stopped"]),
            Fault::SshDropped => run(vm, verb, &["ssh-dropped"]),
            Fault::SshSilent => run(vm, verb, &["ssh-silent"]),
            Fault::DockerStopped => run(vm, verb, &["docker-stopped"]),
            Fault::DockerKilled => run(vm, verb, &["docker-killed"]),
            Fault::DiskFull { leave_kb } => with("disk-full", leave_kb.to_string()),
            Fault::PortTaken { port } => with("port-taken", port.to_string()),
            Fault::ClockSkew { seconds } => with("clock-skew", seconds.to_string()),
            Fault::NoComposePlugin => run(vm, verb, &["no-compose-plugin"]),
            Fault::NoCompose => run(vm, verb, &["no-compose"]),
            Fault::NoDocker => run(vm, verb, &["no-docker"]),
            Fault::SameMachineId { other } => with(
                "machine-id",
                self.vm(other)?.exec_ok("cat /etc/machine-id")?,
            ),
            // The rest is made below the VM, by `inflict` and `heal` themselves.
            Fault::Paused
            | Fault::Reboot
            | Fault::PoweredOff
            | Fault::PowerCut
            | Fault::RateLimit { .. } => Ok(()),
        }
    }
}

fn run(vm: &Vm, verb: Verb, arguments: &[&str]) -> Result<(), RehearsalError> {
    let script = "exec /usr/local/lib/vm/fault.sh \"$@\"";
    vm.docker
        .call([
            "exec",
            &vm.container,
            "sh",
            "-c",
            script,
            "fault",
            verb.as_str(),
        ])
        .args(arguments.iter().copied())
        .output()
        .map(drop)
}

/// Runs a script on the machine below, where `$link` is the other end of the VM's network cable: what leaves there arrives in the VM.
fn at_the_other_end(vm: &Vm, script: &str) -> Result<(), RehearsalError> {
    let index = vm.exec_ok("cat /sys/class/net/eth0/iflink")?;
    let found = format!(
        "link=$(ip -o link | sed -n 's/^{index}: \\([^:@]*\\).*/\\1/p'); [ -n \"$link\" ]; {script}"
    );
    vm.docker
        .call([
            "run",
            "--rm",
            "--privileged",
            "--network",
            "host",
            "--entrypoint",
            "sh",
            &vm.image,
            "-ec",
            &found,
        ])
        .output()
        .map(drop)
}
